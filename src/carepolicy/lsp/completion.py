"""Which names may stand where somebody is typing, read off the lines alone: a text that is half written is no YAML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from carepolicy.policy.language.flow import WAITERS
from carepolicy.policy.language.kinds import KINDS, keys_of
from carepolicy.policy.language.shapes import Named

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies

_SETTINGS = "setting"
_ASKED = {"trigger": "trigger", "assignee": "role", "expression": "fact", "limit": _SETTINGS}
"""What may stand in place of a name, or as one of several things, and which names are offered for it."""

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
    offered = _offered(kind) if kind in KINDS else {}
    if key is None:
        if re.fullmatch(r"\s*[\w.]*", before) and parents and parents[0] in _TRIGGERS:
            return "trigger"
        return (
            offered.get(parents[0]) if parents and not (len(parents) == 1 and _gives_names(kind, parents[0])) else None
        )
    if key in _TRIGGERS:
        return "trigger"
    if key in offered:
        return offered[key]
    around = _open_key(before[: before.rfind(key)]) or (parents[0] if parents else None)
    if around in (*_TRIGGERS, "after"):
        return "state"
    return "fact" if "request" in parents or "request:" in before else None


def _gives_names(kind: str, section: str) -> bool:
    """Whether new names stand in a section of a file."""
    key = KINDS[kind].keys.get(section) if kind in KINDS else None
    return key is not None and isinstance(key.shape, Named) and bool(key.shape.defines)


@cache
def _offered(kind: str) -> dict[str, str]:
    """By the keys of a kind of file: what is named below them."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for key in keys_of(kind):
        what = "" if key.defines else next(iter(key.named), "")
        if what and not (what == "limit" and key.name in seen):
            found.setdefault(key.name, _ASKED.get(what, what))
        seen.add(key.name)
    return found


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
    if kind in ("role", "waiter"):
        roles = {name: each.title for name, each in organisation.roles.items()}
        return roles if kind == "role" else {**dict.fromkeys(WAITERS, ""), **roles}
    if kind == "calendar":
        return {name: each.title for name, each in organisation.calendars.items()}
    if kind == "channel":
        return {name: each.title for name, each in organisation.channels.items()}
    return {}


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
