"""A comparison as plain text and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.charts.changes.compare import CHANGED, NEW, REMOVED
from carepolicy.charts.changes.words import change_words
from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from carepolicy.charts.changes.compare import Change, Difference
    from carepolicy.charts.changes.words import ChangeWords


def word_of(words: ChangeWords, kind: str) -> str:
    """NEW, CHANGED or REMOVED in the language of the words."""
    return {NEW: words.new, CHANGED: words.changed_word, REMOVED: words.removed}[kind]


def title_of(difference: Difference, flow: str) -> str:
    """The title of a flow of either set; "" is what all flows share."""
    if not flow:
        return change_words(difference.language).shared
    found = difference.new.flows.get(flow) or difference.old.flows[flow]
    return clean(found.title) or flow


def count_of(difference: Difference) -> str:
    """How many changes there are, in words."""
    words = change_words(difference.language)
    count = len(difference.changes)
    return words.nothing if not count else words.count_one if count == 1 else words.count.format(count)


def in_text(difference: Difference, old: str, new: str) -> str:
    """Lines of plain text: a heading for each flow, and a line for each of its changes."""
    words = change_words(difference.language)
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
