"""``carepolicy explain``: what a code means, with a bad and a good example; and which layer says a value, over what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from carepolicy.checks import rule_of
from carepolicy.checks.allowances import may_be_silenced
from carepolicy.checks.rule import modules
from carepolicy.cli.sets import demand_folder, format_option, policies_option, refuse
from carepolicy.cli.status import CommandError
from carepolicy.cli.terminal import plain, write_all
from carepolicy.engine.codes import CODES as EVENTS
from carepolicy.guards.faults import CODES as GUARDS
from carepolicy.policy.codes import CODES as TEXTS
from carepolicy.policy.files import ORGANISATION, file_at, layers_of
from carepolicy.policy.language.kinds import KINDS
from carepolicy.policy.layers import LayerValue, chain, text_at
from carepolicy.policy.likeness import did_you_mean, with_hint

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Path as Keys
    from carepolicy.policy.places import Source

EVENT = "event"
"""The severity of what is wrong with an event; the policies may be right."""

ALLOWANCES = {
    "CP190": (
        "allowance without a reason",
        "A comment that silences a rule says why, for whoever reads the policy next.",
        "# carepolicy: allow CP412\n",
        "# carepolicy: allow CP412 because the law sets this limit\n",
    ),
    "CP191": (
        "allowance without use",
        "A comment allows a rule that finds nothing on its line (or a code that cannot be allowed: errors of text, "
        "references and types, CP1xx and CP2xx, must be mended before anything can run).",
        "received:  # carepolicy: allow CP203 because the state comes later\n",
        "received:\n",
    ),
}

LONGEST = 100
"""Characters of a value that are shown on a line."""


@dataclass(frozen=True, slots=True)
class CodePage:
    """What there is to say about one code. ``bad`` and ``good`` are pieces of a file."""

    code: str
    title: str
    meaning: str
    severity: str
    bad: str
    good: str
    silent: bool

    def text(self) -> str:
        """The page as plain text."""
        parts = [f"{self.code} {self.title} ({self.severity})", "", *_wrapped(self.meaning)]
        for name, example in (("Wrong:", self.bad), ("Right:", self.good)):
            if example:
                parts += ["", name, "", *(f"    {line}".rstrip() for line in example.rstrip("\n").split("\n"))]
        if self.silent:
            parts += ["", "To allow it on one line, write there or on the line above:", ""]
            parts += [f"    # carepolicy: allow {self.code} because …"]
        return "\n".join(parts) + "\n"

    def markdown(self) -> str:
        """The page as it stands in docs/rules/."""
        parts = [f"# {self.code}: {self.title}", "", f"Severity: {self.severity}", "", *_wrapped(self.meaning)]
        catalogue = "msgid" in self.bad
        language = "text" if self.severity == EVENT else "po" if catalogue else "yaml"
        for name, example in (("Wrong", self.bad), ("Right", self.good)):
            if example:
                parts += ["", f"## {name}", "", f"```{language}", example.rstrip("\n"), "```"]
        if self.silent:
            parts += ["", "## To allow it", "", "On the line, or alone on the line above:", ""]
            parts += ["```yaml", f"# carepolicy: allow {self.code} because …", "```"]
        return "\n".join(parts) + "\n"


def page_of(code: str) -> CodePage | None:
    """The page of a code, None where there is no such code. Imports no more than the one rule where it is a rule's."""
    rule = rule_of(code)
    if rule is not None:
        silent = may_be_silenced(code)
        return CodePage(code, rule.title, rule.explanation, rule.severity.value, rule.bad, rule.good, silent)
    return _others().get(code)


def pages() -> dict[str, CodePage]:
    """All pages, by code in order."""
    ruled = {code: page for code in modules() if (page := page_of(code)) is not None}
    return dict(sorted({**_others(), **ruled}.items()))


def _wrapped(text: str) -> list[str]:
    return wrap(text, 92, break_long_words=False, break_on_hyphens=False)


def _others() -> dict[str, CodePage]:
    """Pages of codes that no rule has: of comments, of the text and shape of files, of guards, and of events."""
    found = {
        code: CodePage(code, title, meaning, "note" if code == "CP191" else "error", bad, good, False)
        for code, (title, meaning, bad, good) in ALLOWANCES.items()
    }
    for codes, severity in ((TEXTS, "error"), (GUARDS, "error"), (EVENTS, EVENT)):
        for code, told in codes.items():
            found[code] = CodePage(code, told.title, told.meaning, severity, told.bad, told.good, False)
    return found


def codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Codes of findings that begin so."""
    return [code for code in pages() if code.startswith(incomplete.upper())]


@click.command(
    epilog="Examples: carepolicy explain CP203, carepolicy explain --all, "
    "carepolicy explain --value settings.goodwill_limit"
)
@click.argument("code", required=False, shell_complete=codes)
@click.option("--all", "every", is_flag=True, help="List all codes, a line each.")
@click.option(
    "--output", metavar="DIR", type=click.Path(path_type=Path), help="With --all: write a page (Markdown) a code."
)
@click.option(
    "--value", metavar="PATH", help="Where a value of the policies comes from, such as settings.goodwill_limit."
)
@format_option("text", "json")
@policies_option
def command(code: str | None, every: bool, output: Path | None, value: str | None, form: str, policies: str) -> None:
    """Say what CODE means, with a wrong and a right example; or which layer says a value of the policies.

    PATH is that of the keys: settings.NAME, roles.NAME.people, flows.NAME.clocks.NAME.limit,
    messages.LANGUAGE.NAME.text.
    """
    if (every + (code is not None) + (value is not None)) != 1 or (output is not None and not every):
        raise click.UsageError("name one code, or --all, or --value", click.get_current_context())
    if value is not None:
        _tell_value(_read_or_exit(policies), value, form)
        return
    if code is None:
        _list(output)
        return
    page = page_of(code.upper())
    if page is None:
        raise CommandError(f'there is no code "{code}"; {did_you_mean(code.upper(), pages()) or "--all lists them"}')
    click.echo(page.text(), nl=False)


def _read_or_exit(policies: str) -> Policies:
    """A set that could be read, whatever the check finds in it."""
    from carepolicy.policy.load import load_policies

    demand_folder(policies)
    found, findings = load_policies(policies)
    if found is None:
        refuse(policies, findings)
    return found


def _list(output: Path | None) -> None:
    if output is not None:
        write_all({output / f"{page.code}.md": page.markdown() for page in pages().values()})
        return
    for page in pages().values():
        click.echo(f"{page.code}  {page.severity:<7}  {page.title}")


def _tell_value(policies: Policies, named: str, form: str) -> None:
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


def _told(policies: Policies, layers: tuple[str, ...], said: LayerValue) -> dict[str, Any]:
    return {
        "layer": layers[said.layer],
        "file": file_at(policies.root, said.place.file),
        "line": said.place.line,
        "column": said.place.column,
        "does": said.how,
        "value": said.text,
    }


def _address(policies: Policies, named: str) -> tuple[str, str, Keys]:
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
            raise CommandError(with_hint(f'there are no messages in "{language}"', language, policies.messages))
        found = policies.messages[language].get(template)
        if found is None:
            hint = did_you_mean(template, policies.messages[language])
            raise CommandError(f'there is no message "{template}"' + (f"; {hint}" if hint else ""))
        return "messages", found.at.file, _keys(policies.sources[found.at.file].data, f"messages.{below}")
    return "organisation", ORGANISATION, _keys(policies.sources[ORGANISATION].data, named)


def _keys(data: Any, named: str) -> Keys:
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


def _near(source: Source, path: Keys) -> str:
    """A hint at what may have been meant: the nearest of the names that stand where the path finds nothing."""
    data: Any = source.data
    for key in path:
        if not isinstance(data, dict) or key not in data:
            hint = did_you_mean(str(key), map(str, data)) if isinstance(data, dict) else ""
            return f"; {hint}" if hint else ""
        data = data[key]
    return ""
