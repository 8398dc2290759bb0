"""Where a value of a policy set comes from: which layer said it, and what it overrode."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from carepolicy.cli.status import CommandError
from carepolicy.cli.terminal import plain
from carepolicy.policy.files import ORGANISATION, file_at, layers_of
from carepolicy.policy.language.kinds import KINDS
from carepolicy.policy.layers import Said, chain, text_at
from carepolicy.policy.likeness import did_you_mean

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Path, Source


LONGEST = 100
"""Characters of a value that are shown on a line."""


def tell_value(policies: Policies, named: str, form: str) -> None:
    """Print what the layers say of a value, the one that counts first. Raises ``CommandError`` for a path that leads
    nowhere."""
    kind, file, path = _address(policies, named)
    parts = policies.parts.get(file) or ((0, policies.sources[file]),)
    found = chain(parts, KINDS[kind], path)
    if not found:
        raise CommandError(f"nothing says {named}{_near(policies.sources[file], path)}")
    layers = layers_of(policies.root)
    told = [_told(policies, layers, each) for each in reversed(found)]
    try:
        said = text_at(policies.sources[file], path)
    except (KeyError, IndexError, TypeError):
        said = None
    if form == "json":
        click.echo(json.dumps({"value": named, "is": said, "said": told}, ensure_ascii=False, indent=2))
        return
    click.echo(plain(f"{named} is taken away" if said is None else f"{named}: {_short(said)}"))
    for each in told:
        what = each["does"] if each["value"] is None else f"{each['does']} {_short(each['value'])}"
        click.echo(plain(f"  {each['file']}:{each['line']}:{each['column']}  {what}"))


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _told(policies: Policies, layers: tuple[str, ...], said: Said) -> dict[str, Any]:
    return {
        "layer": layers[said.layer],
        "file": file_at(policies.root, said.place.file),
        "line": said.place.line,
        "column": said.place.column,
        "does": said.how,
        "value": said.text,
    }


def _address(policies: Policies, named: str) -> tuple[str, str, Path]:
    """The kind of file, its name in the set and the address in it that a path of keys means."""
    head, _, rest = named.partition(".")
    if head == "flows" and rest:
        flow, _, below = rest.partition(".")
        if flow not in policies.flows:
            hint = did_you_mean(flow, policies.flows)
            raise CommandError(f'there is no flow "{flow}"' + (f"; {hint}" if hint else ""))
        file = policies.flows[flow].at.file
        return "flow", file, _keys(policies.sources[file].data, below)
    if head == "messages" and rest:
        language, _, below = rest.partition(".")
        template = below.partition(".")[0]
        if language not in policies.messages:
            raise CommandError(f'there are no messages in "{language}"; {did_you_mean(language, policies.messages)}')
        found = policies.messages[language].get(template)
        if found is None:
            hint = did_you_mean(template, policies.messages[language])
            raise CommandError(f'there is no message "{template}"' + (f"; {hint}" if hint else ""))
        return "messages", found.at.file, _keys(policies.sources[found.at.file].data, f"messages.{below}")
    return "organisation", ORGANISATION, _keys(policies.sources[ORGANISATION].data, named)


def _keys(data: Any, named: str) -> Path:
    """The keys of a path that is written with dots: names of facts and triggers have dots of their own, so the longest
    key that is there is meant."""
    path: list[str | int] = []
    words = named.split(".") if named else []
    while words:
        if isinstance(data, list) and words[0].isdecimal() and int(words[0]) < len(data):
            path.append(int(words[0]))
            data, words = data[int(words[0])], words[1:]
            continue
        known = data if isinstance(data, dict) else {}
        length = next((n for n in range(len(words), 0, -1) if ".".join(words[:n]) in known), 1)
        key = ".".join(words[:length])
        path.append(key)
        data, words = known.get(key), words[length:]
    return tuple(path)


def _near(source: Source, path: Path) -> str:
    """What may have been meant, of the names that stand where the path goes astray."""
    data: Any = source.data
    for key in path:
        if not isinstance(data, dict) or key not in data:
            hint = did_you_mean(str(key), map(str, data)) if isinstance(data, dict) else ""
            return f"; {hint}" if hint else ""
        data = data[key]
    return ""
