"""``carepolicy init``: a policy set to begin with: the starter, or a copy of another set or of some of its flows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from carepolicy.cli.sets import policies_or_exit
from carepolicy.cli.status import CommandError, note
from carepolicy.cli.terminal import write_all
from carepolicy.policy.files import ORGANISATION, folder_meant
from carepolicy.policy.language.kinds import references
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.placeholders import included_in
from carepolicy.policy.strata import effects_of
from carepolicy.policy.text import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.policy.model import Flow, Policies, Transition
    from carepolicy.policy.places import Source

STARTER = Path(__file__).parent.parent / "starter"

ENDINGS = (".yaml", ".ics", ".po")


@click.command(epilog="Examples: carepolicy init policies, carepolicy init --from library mine complaint")
@click.argument("folder", metavar="[DIR]", default="policies", type=click.Path(path_type=Path))
@click.argument("flow", nargs=-1)
@click.option(
    "--from", "origin", metavar="SET", help="Copy this set, or some of its flows; library comes with carepolicy."
)
def command(folder: Path, flow: tuple[str, ...], origin: str | None) -> None:
    """Lay down a small working policy set in DIR (default: policies), with comments.

    It passes `carepolicy check` and `carepolicy test`. Nothing that exists is overwritten. With --from, the set of
    another folder is copied, or of its flows those named and what they open.
    """
    if flow and origin is None:
        raise click.UsageError("FLOW goes with --from", click.get_current_context())
    if origin is not None:
        _copy(origin, folder, flow)
        note(f"Next: carepolicy check --policies {folder}; carepolicy test --policies {folder}")
        return
    files = sorted(STARTER.rglob("*.yaml"))
    _lay_down(folder, {str(each.relative_to(STARTER)): each.read_text(encoding="utf-8") for each in files})
    note(f"Next: carepolicy check --policies {folder}; carepolicy test --policies {folder}")
    note(f"For your editor: carepolicy schema --output {folder.parent / 'schemas'}")


def _copy(origin: str, folder: Path, named: Iterable[str]) -> None:
    """Copy a set, or the flows that are named, the flows that these open or raise something to, and what all of them
    send. Raises ``CommandError`` where a flow is not there, or a file would be overwritten."""
    root = folder_meant(origin)
    policies = policies_or_exit(root)
    flows = _needed(policies, named) or set(policies.flows)
    _lay_down(folder, dict(_files(Path(root), policies, flows)))


def _lay_down(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by their names in a folder. Raises ``CommandError`` where one would be overwritten."""
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file; name a folder")
    there = [str(folder / name) for name in files if (folder / name).exists()]
    if there:
        raise CommandError(f"{', '.join(there)} already there; nothing was written")
    write_all({folder / name: text for name, text in files.items()}, "x")


def _needed(policies: Policies, named: Iterable[str]) -> set[str]:
    """Some flows, and all that they need: the flows that they open, and the flows that hear what they raise. An event
    of theirs may also be counted by a watch; then flows that hear what the watch raises are needed too."""
    found: set[str] = set()
    waiting = list(named)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in policies.flows:
            hint = did_you_mean(name, policies.flows)
            raise CommandError(f'there is no flow "{name}"' + (f"; {hint}" if hint else ""))
        found.add(name)
        flow = policies.flows[name]
        effects = list(effects_of(flow))
        waiting += [each.flow for one in effects for each in one.open]
        raised = {each.event for one in effects for each in one.raises}
        raised |= {each.raises for each in policies.organisation.watches.values() if each.count in flow.events}
        waiting += [each.name for each in policies.flows.values() if raised & _own_events(each)]
    return found


def _own_events(flow: Flow) -> set[str]:
    """The events that a flow declares itself: what is common to all flows needs none of them."""
    return {name for name, each in flow.events.items() if each.at.file == flow.at.file}


def _files(root: Path, policies: Policies, flows: set[str]) -> Iterator[tuple[str, str]]:
    """The files of the copy by their names, with their texts."""
    every = flows == set(policies.flows)
    for folder, below, names in os.walk(root):
        below[:] = sorted(each for each in below if not each.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            file = path.relative_to(root).as_posix()
            if not name.endswith(ENDINGS) or name.startswith("."):
                continue
            text = path.read_text(encoding="utf-8")
            kept = text if every else _kept(file, text, policies, flows)
            if kept is not None:
                yield file, kept


def _kept(file: str, text: str, policies: Policies, flows: set[str]) -> str | None:
    """The text of a file as the flows need it; None of one that they do not."""
    source = policies.sources.get(file)
    if file.startswith("flows/"):
        return text if Path(file).stem in flows else None
    if file.startswith("scenarios/"):
        said = [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
        return text if any(each.get("flow") in flows for each in said) else None
    if source is not None and file.startswith("messages/"):
        sent = {name for flow in flows for effects in effects_of(policies.flows[flow]) for name in effects.send}
        every = _all_in(source, "messages")
        left = every & _taken_in(policies, sent)
        return _without(source, ("messages",), every - left) if left else None
    if source is not None and file == ORGANISATION:
        return _organisation(source, policies, flows)
    return text


def _all_in(source: Source, section: str) -> set[str]:
    data = source.data
    found = data.get(section) if isinstance(data, dict) else None
    return set(found) if isinstance(found, dict) else set()


def _taken_in(policies: Policies, sent: set[str]) -> set[str]:
    """Messages that are sent, and those of which the text names another: a part that it takes in."""
    found = set(sent)
    for messages in policies.messages.values():
        for name, message in messages.items():
            if name in sent:
                found |= messages.keys() & included_in(message.text)
    return found


def _organisation(source: Source, policies: Policies, flows: set[str]) -> str:
    """organisation.yaml without watches that count events of no flow of the copy, without what is common where none of
    them takes it up, and without exceptions for others."""
    events = {event for name in flows for event in policies.flows[name].events}
    watches = policies.organisation.watches.values()
    taken = {name for flow in flows for name, each in policies.flows[flow].anywhere.items() if _is_common(each)}
    if policies.organisation.common is not None and not taken & policies.organisation.common.anywhere.keys():
        source = _again(source, _without(source, (), {"common"}))
    text = _without(source, ("watches",), {each.name for each in watches if each.count not in events})
    lines = text.splitlines(keepends=True)
    for named in references({ORGANISATION: source}).get("exception", ()):
        if named.name.partition(".")[0] not in flows:
            for number, line in enumerate(lines):
                if "except" in line and named.name in line:
                    for piece in (f"{named.name}, ", f", {named.name}", named.name):
                        if piece in line:
                            lines[number] = line = line.replace(piece, "", 1)
                            break
    return "".join(lines)


def _is_common(ways: tuple[Transition, ...]) -> bool:
    return any(each.at.file == ORGANISATION for each in ways)


def _again(source: Source, text: str) -> Source:
    """A source whose text has changed."""
    return source_of(text.encode(), source.file)[0] or source


def _without(source: Source, path: tuple[str, ...], gone: set[str]) -> str:
    """The text of a file without some entries of the mapping at ``path``, that stand on lines of their own."""
    lines = source.text.splitlines(keepends=True)
    starts = sorted((place.line, each[-1]) for each, place in source.keys.items() if each[:-1] == path)
    end = source.values[path].end_line if path in source.values else 0
    if starts and len(gone) == len(starts):
        first = source.keys[path].line
        return "".join(line for number, line in enumerate(lines, 1) if not first <= number <= end)
    dropped: set[int] = set()
    for (first, name), following in zip(starts, [*(line for line, _ in starts[1:]), end + 1], strict=True):
        if name in gone:
            dropped.update(range(first, following))
    return "".join(line for number, line in enumerate(lines, 1) if number not in dropped)
