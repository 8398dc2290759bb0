"""Which names may stand where somebody is typing, read off the lines alone: a text that is half written is no YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies

_KINDS = {
    **dict.fromkeys(("to", "runs_in", "pauses_in", "states", "except", "moves_to"), "state"),
    **dict.fromkeys(("owner", "steward", "role", "deputy", "tell", "told", "not_told"), "role"),
    **dict.fromkeys(("send", "sent", "not_sent"), "message"),
    **dict.fromkeys(("start_on", "restarts_on", "event", "count", "raised"), "event"),
    **dict.fromkeys(
        ("required", "optional", "counts_from", "subject", "may_see", "by", "when", "facts", "data", "set"), "fact"
    ),
    **dict.fromkeys(("clock", "due", "late", "met", "warned", "cancelled", "running", "paused", "stopped"), "clock"),
    **dict.fromkeys(("flow", "open", "opened"), "flow"),
    **dict.fromkeys(("limit", "is", "amount"), "setting"),
    "calendar": "calendar",
    "channel": "channel",
    "assign": "role",
}
_PLACEHOLDER = re.compile(r"(?<!\{)\{\s*[\w.]*$")
_TEXTS = re.compile(r"\b(say|promise|subject|text|note|title):\s[^{}]*(\{[^{}]*\}[^{}]*)*\{\s*[\w.]*$")
_KEY = re.compile(r"([A-Za-z_][\w.]*):\s*(?:\[[^\]]*|\{[^}]*|[^,\[\]{}]*)$")
_TRIGGERS = ("on", "anywhere")


def kind_at(lines: list[str], line: int, column: int, kind: str) -> str | None:
    """The kind of name that may stand at a place (from 0) of a file of a kind, or a trigger; None where none may."""
    before = lines[line][:column] if line < len(lines) else ""
    if _PLACEHOLDER.search(before) and (kind == "messages" or _TEXTS.search(before)):
        return "placeholder"
    parents = _parents(lines, line, len(before) - len(before.lstrip(" -")))
    key = _open_key(before)
    if key is None:
        if re.fullmatch(r"\s*[\w.]*", before) and parents and parents[0] in _TRIGGERS:
            return "trigger"
        parent = parents[0] if parents else None
        return _KINDS.get(parent or "") if parent not in ("states", "events", "clocks") else None
    if key == "state" and kind == "scenario":
        return "state"
    if key in _TRIGGERS:
        return "trigger"
    if key in _KINDS:
        return _KINDS[key]
    around = _open_key(before[: before.rfind(key)]) or (parents[0] if parents else None)
    return "state" if around in (*_TRIGGERS, "after") else None


def _open_key(before: str) -> str | None:
    """The key whose value is being written on this line: ``to`` in ``asked: {to: wai``."""
    text = re.sub(r"\"[^\"]*\"|'[^']*'", "", before)
    for _ in range(20):
        text, count = re.subn(r"\{[^{}]*\}|\[[^\[\]]*\]", "", text)
        if not count:
            break
    piece = re.split(r",(?![^\[]*$)|,(?=\s*[\w.]+:)", text)[-1]
    found = re.search(r"([A-Za-z_][\w.]*):\s[^:{]*$", piece)
    if found:
        return found[1]
    opened = re.search(r"([A-Za-z_][\w.]*):\s*\{[^{]*$", text)
    return opened[1] if opened else None


def _parents(lines: list[str], line: int, indent: int) -> list[str]:
    """The keys of the blocks that a line stands in, the innermost first."""
    found = []
    for number in range(min(line, len(lines)) - 1, -1, -1):
        text = lines[number]
        here = len(text) - len(text.lstrip(" "))
        if not text.strip() or text.lstrip().startswith("#") or here >= indent:
            continue
        key = re.match(r"\s*(?:- )?([^\s:#][^:#]*):\s*(#.*)?$", text)
        if key:
            found.append(key[1].strip())
        indent = here
    return found


def names_for(policies: Policies, kind: str, flow: Flow | None) -> dict[str, str]:
    """The names of a kind, each with the title that people know it by."""
    organisation = policies.organisation
    if kind in ("state", "event", "clock", "trigger"):
        flows = [flow] if flow is not None and kind != "event" else list(policies.flows.values())
        return {name: title for each in flows for name, title in _of_flow(each, kind).items()}
    if kind == "message":
        return {name: each.subject for texts in policies.messages.values() for name, each in texts.items()}
    if kind == "flow":
        return {name: each.title for name, each in policies.flows.items()}
    if kind in ("fact", "setting", "placeholder"):
        return _values(policies, kind, flow)
    if kind == "role":
        return {name: each.title for name, each in organisation.roles.items()}
    if kind == "calendar":
        return {name: each.title for name, each in organisation.calendars.items()}
    return {name: each.title for name, each in organisation.channels.items()}


def _values(policies: Policies, kind: str, flow: Flow | None) -> dict[str, str]:
    """What has a value: settings, and where those may stand facts, and in texts what clocks and the case say."""
    organisation = policies.organisation
    found = {f"settings.{name}": str(each.value) for name, each in organisation.settings.items()}
    if kind == "setting":
        return found
    found = {name: each.title or each.type for name, each in organisation.facts.items()} | found
    if kind == "placeholder":
        flows = [flow] if flow is not None else list(policies.flows.values())
        clocks = {name: each.title for of in flows for name, each in of.clocks.items()}
        said = {f"clock.{name}.{part}": title for name, title in clocks.items() for part in ("due", "limit")}
        found = {"case": "the name of the case"} | found | said
    return found


def _of_flow(flow: Flow, kind: str) -> dict[str, str]:
    if kind == "state":
        return {name: each.title for name, each in flow.states.items()}
    if kind == "clock":
        return {name: each.title for name, each in flow.clocks.items()}
    events = {name: each.title for name, each in flow.events.items()}
    return events if kind == "event" else {name: events.get(name, "of the clock") for name in flow.triggers()}
