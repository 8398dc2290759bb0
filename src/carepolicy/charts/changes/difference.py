"""The comparison of two sets: every part that is new, gone or changed, told in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from carepolicy.charts.changes.items import (
    LIMIT,
    NOTHING,
    Placed,
    Side,
    clock_item,
    event_item,
    flow_item,
    key_of,
    paired,
    placed,
    set_items,
    state_item,
    way_item,
)
from carepolicy.charts.changes.words import change_words
from carepolicy.charts.text import clean
from carepolicy.charts.words import language_of
from carepolicy.policy.phrases import in_language

if TYPE_CHECKING:
    from collections.abc import Collection

    from carepolicy.charts.changes.items import Item, Key
    from carepolicy.charts.changes.words import ChangeWords
    from carepolicy.policy.model import Flow, Policies


NEW, CHANGED, REMOVED = "new", "changed", "removed"

TEXTS = frozenset({"text", "title", "purpose", "promise", "steps", "say", "never", "ask", "note", "subject", "answer"})
"""Aspects that are texts for people: they are told in quotation marks."""

_NAMES = frozenset({"title", "subject", "name"})
"""Aspects by which a part is called."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. ``kind`` is new, changed or removed; ``part`` what kind of thing it is.

    ``flow`` and ``state`` are names ("" for none); ``states`` are those at whose steps it is felt. ``aspect``,
    ``old`` and ``new`` are set where ``kind`` is changed. ``text`` tells it all in one sentence.
    """

    kind: str
    part: str
    key: Key
    title: str
    flow: str
    state: str
    states: tuple[str, ...]
    aspect: str
    old: str
    new: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes between two sets, by flow in the order of the newer set, then those that all flows share.

    ``taken_up`` are changes of what is said once for all flows, as each flow's chart shows them.
    """

    old: Policies
    new: Policies
    language: str
    changes: tuple[Change, ...]
    renamed: Mapping[str, Mapping[str, str]]
    taken_up: tuple[Change, ...] = ()

    def of(self, flow: str) -> tuple[Change, ...]:
        """The changes of one flow; "" gives those that all flows share."""
        return tuple(change for change in self.changes if change.flow == flow)

    def drawn(self, flow: str) -> tuple[Change, ...]:
        """The changes that the chart of a flow shows: its own, and those that it takes up."""
        return (*self.of(flow), *(change for change in self.taken_up if change.flow == flow))

    def flows(self) -> tuple[str, ...]:
        """The flows with a change, in order."""
        return tuple(dict.fromkeys(change.flow for change in self.changes if change.flow))


def compare(
    old: Policies, new: Policies, language: str | None = None, only: Collection[str] | None = None
) -> Difference:
    """What changed from ``old`` to ``new``, in the words of a language (by default the newer set's first); ``only``
    compares these flows, and nothing besides."""
    language = language_of(new, language)
    old, new = in_language(old, language), in_language(new, language)
    if old.own_words != new.own_words:  # both are told in the words of ours that the newer set has
        old = replace(old, own_words=new.own_words)
    renamed = {name: _renamed(flow) for name, flow in new.flows.items()}
    before = Side(old, language, renamed)
    after = Side(new, language)
    words = change_words(language, new.own_words)
    changes: list[Change] = []
    common: list[Change] = []
    for name in dict.fromkeys((*new.flows, *old.flows)) if only is None else only:
        one, other = old.flows.get(name), new.flows.get(name)
        old_ways: dict[Key, Placed] = {}
        new_ways: dict[Key, Placed] = {}
        for (place, trigger), pairs in pairs_of(one, other, renamed.get(name, {})).items():
            for slot, (gone, here) in enumerate(pairs):
                key = way_key(name, place, trigger, slot)
                old_ways |= {} if gone is None else {key: gone}
                new_ways |= {} if here is None else {key: here}
        one_items, other_items = _flow_items(before, one, old_ways), _flow_items(after, other, new_ways)
        for change in _changes(words, one_items, other_items):
            there = [items[change.key] for items in (one_items, other_items) if change.key in items]
            shared = all(each.common for each in there) and _is_of_common(old, new, change)
            (common if shared else changes).append(change)
    told = {_told_once(each): replace(each, flow="") for each in reversed(common)}
    changes += reversed(told.values())
    if only is None:
        changes += _changes(words, dict(set_items(before)), dict(set_items(after)))
    return Difference(old, new, language, tuple(changes), renamed, tuple(common))


def _told_once(change: Change) -> tuple[str, Key, str, str]:
    """What changes of several flows have in common that are one change of what all of them take up."""
    return change.kind, (change.part, *change.key[2:]), change.aspect, change.text


def _is_of_common(old: Policies, new: Policies, change: Change) -> bool:
    """Whether a change of what a flow takes up is one of what is common, and not of who takes it up."""
    one, other = old.organisation.common, new.organisation.common
    if change.part == "way":
        name = change.key[3]
        before, after = (each.anywhere.get(name, ()) if each is not None else () for each in (one, other))
        return change.aspect != "except" if change.kind == CHANGED else len(before) != len(after)
    name = change.key[2]
    known = [each is not None and name in each.events for each in (one, other)]
    return change.kind == CHANGED or known[0] != known[1]


def way_key(flow: str, place: str, trigger: str, slot: int) -> Key:
    """The key of a pair of transitions: the slot-th of its place and trigger, as ``pairs_of`` numbers them."""
    return key_of("way", flow, place, trigger, str(slot))


def pairs_of(
    old: Flow | None, new: Flow | None, renamed: Mapping[str, str]
) -> dict[tuple[str, str], list[tuple[Placed | None, Placed | None]]]:
    """Old and new transitions in pairs, by place and trigger."""
    one = placed(old, dict(renamed)) if old is not None else {}
    other = placed(new, {}) if new is not None else {}
    groups = dict.fromkeys((*other, *one))
    return {group: paired(one.get(group, []), other.get(group, [])) for group in groups}


def _renamed(flow: Flow) -> dict[str, str]:
    return {state.renamed_from: name for name, state in flow.states.items() if state.renamed_from is not None}


def _flow_items(side: Side, flow: Flow | None, ways: dict[Key, Placed]) -> dict[Key, Item]:
    """The parts of one flow on one side, under the names that the newer set has for its states."""
    if flow is None:
        return {}
    name = flow.name
    found: dict[Key, Item] = {key_of("flow", name): flow_item(side, flow)}
    found |= {key_of("clock", name, each.name): clock_item(side, flow, each) for each in flow.clocks.values()}
    for state in flow.states.values():
        found[key_of("state", name, side.state(name, state.name))] = state_item(side, flow, state)
    found |= {key: way_item(side, flow, way) for key, way in ways.items()}
    return found | {key_of("event", name, each.name): event_item(side, flow, each) for each in flow.events.values()}


def _changes(words: ChangeWords, old: Mapping[Key, Item], new: Mapping[Key, Item]) -> list[Change]:
    """The changes in the order of the newer side, then what is gone; a whole flow or step is told as one."""
    found: list[Change] = []
    for key, item in new.items():
        if key not in old:
            found.append(_whole(words, NEW, key, item))
        else:
            found += _aspects(words, key, old[key], item)
    found += [_whole(words, REMOVED, key, item) for key, item in old.items() if key not in new]
    flows = {each.flow for each in found if each.part == "flow" and each.kind != CHANGED}
    states = {(each.flow, each.state) for each in found if each.part in ("step", "end") and each.kind != CHANGED}

    def told(each: Change) -> bool:
        if each.flow in flows:
            return each.part == "flow"
        return each.part != "way" or (each.flow, each.state) not in states

    return [each for each in found if told(each)]


def _whole(words: ChangeWords, kind: str, key: Key, item: Item) -> Change:
    told = (words.appears if kind == NEW else words.goes)[item.kind].format(item.title)
    to = item.aspects.get("to", NOTHING).words
    limits = [value.words for name, value in item.aspects.items() if name.startswith(LIMIT)]
    detail = next((item.aspects[name].words for name in ("value", "owner") if name in item.aspects), to)
    detail = " / ".join(limits) or detail
    detail = f"→ {detail}" if item.kind == "way" and detail else detail
    said = f"{told} ({detail})" if detail and (kind == NEW or item.kind == "way") else told
    return Change(kind, item.kind, key, item.title, item.flow, item.state, _felt(item), "", "", "", said)


def _aspects(words: ChangeWords, key: Key, old: Item, new: Item) -> list[Change]:
    found: list[Change] = []
    for name in dict.fromkeys((*new.aspects, *old.aspects)):
        before, after = old.aspects.get(name, NOTHING), new.aspects.get(name, NOTHING)
        if before.value == after.value:
            continue
        was, now = before.words, after.words
        if name == "title" and new.kind == "way" and not was and not now:
            continue
        if now and new.kind != "way" and name in _NAMES:
            said = _renaming(words, name, old.title, new.title)
        else:
            said = sentence(words, new.title, name, was, now)
        felt = tuple(dict.fromkeys((*_felt(new), *_felt(old))))
        place = (new.kind, key, new.title, new.flow, new.state, felt)
        found.append(Change(CHANGED, *place, name, was, now, said))
    return found


def _renaming(words: ChangeWords, aspect: str, old: str, new: str) -> str:
    """A change of what a part is called by, which is told once: "Title: “Find the facts”, was “Find out”"."""
    called = aspect_called(words, aspect)
    return words.changed_text.format(called[:1].upper() + called[1:], new, old)


_PART = re.compile(r"(?<=[.!?:…])\s+(?=\S)| / ")
_LONG = 60
"""Characters of a text from which on only those of its sentences are told that differ."""


def differing(old: str, new: str) -> tuple[str, str]:
    """Two texts without the sentences, or steps, with which both begin and both end; an ellipsis stands for these."""
    if min(len(old), len(new)) < _LONG:
        return old, new
    one, other = _PART.split(old), _PART.split(new)
    alike = 0
    while alike < min(len(one), len(other)) - 1 and one[alike] == other[alike]:
        alike += 1
    last = 0
    while last < min(len(one), len(other)) - alike - 1 and one[-1 - last] == other[-1 - last]:
        last += 1
    was, now = (parts[alike : len(parts) - last] for parts in (one, other))
    begin, end = ["…"] * bool(alike), ["…"] * bool(last)
    return " ".join((*begin, *was, *end)), " ".join((*begin, *now, *end))


def sentence(words: ChangeWords, title: str, aspect: str, old: str, new: str) -> str:
    """A change of one aspect of the part ``title`` in words: "First answer: 3 business hours, was 2 business days"."""
    called = aspect_called(words, aspect)
    part = words.aspect.format(title, called) if called else title
    if old == new:
        return words.altered.format(part)
    if not old:
        return words.added.format(part, new)
    if not new:
        return words.dropped.format(part, old)
    bare = aspect.removeprefix("enter_").removeprefix("leave_")
    if bare not in TEXTS:
        return words.changed.format(part, new, old)
    was, now = differing(old, new)
    return words.changed_text.format(part, now, was)


def aspect_called(words: ChangeWords, aspect: str) -> str:
    """An aspect in words: "owner", and "on arrival: sends" for an effect of entering."""
    if aspect.startswith(LIMIT):
        return aspect.removeprefix(LIMIT)
    aspect = aspect.partition(":")[0]
    when, _, effect = aspect.partition("_")
    if when in ("enter", "leave") and effect:
        return words.told_of.format(words.aspects[when], words.aspects[effect])
    return words.aspects[aspect]


def _felt(item: Item) -> tuple[str, ...]:
    return (item.state,) if item.state else item.runs_in


def word_of(words: ChangeWords, kind: str) -> str:
    """NEW, CHANGED or REMOVED in the language of the words."""
    return {NEW: words.new, CHANGED: words.changed_word, REMOVED: words.removed}[kind]


def title_of(difference: Difference, flow: str) -> str:
    """The title of a flow of either set; "" is what all flows share."""
    if not flow:
        return change_words(difference.language, difference.new.own_words).shared
    found = difference.new.flows.get(flow) or difference.old.flows[flow]
    return clean(found.title) or flow


def count_of(difference: Difference) -> str:
    """How many changes there are, in words."""
    words = change_words(difference.language, difference.new.own_words)
    count = len(difference.changes)
    return words.count.format(count) if count else words.nothing


def in_text(difference: Difference, old: str, new: str) -> str:
    """Lines of plain text: a heading for each flow, and a line for each of its changes."""
    words = change_words(difference.language, difference.new.own_words)
    lines = [f"{old} → {new}: {count_of(difference)}"]
    wide = max(len(word_of(words, kind)) for kind in (NEW, CHANGED, REMOVED))
    for flow in (*difference.flows(), ""):
        changes = difference.of(flow)
        if changes:
            lines.append(f"{title_of(difference, flow)} ({flow})" if flow else title_of(difference, flow))
            lines += [f"  {word_of(words, change.kind):{wide}}  {change.text}" for change in changes]
    return "\n".join(lines) + "\n"


def as_data(difference: Difference, old: str, new: str) -> dict[str, Any]:
    """The comparison as one object: ``{"old", "new", "language", "changes": [...]}``."""
    return {
        "old": old,
        "new": new,
        "language": difference.language,
        "changes": [_change(change) for change in difference.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": change.kind, "part": change.part, "title": change.title, "text": change.text}
    made |= {"flow": change.flow} if change.flow else {}
    made |= {"states": list(change.states)} if change.states else {}
    if change.kind == CHANGED:
        made |= {"aspect": change.aspect.partition(":")[0], "old": change.old, "new": change.new}
    return made
