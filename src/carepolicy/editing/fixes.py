"""Faults mended: what a finding says should stand in its place, missing titles, keys in their order.

Only what is safe: a misspelt name where one right name alone is near, and what says nothing else than before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.editing.files import kind_of
from carepolicy.editing.order import ordered
from carepolicy.editing.recheck import Rechecked
from carepolicy.policy.composer import compose
from carepolicy.policy.files import file_at
from carepolicy.policy.node import in_words
from carepolicy.policy.rewritten import Rewritten, read_exactly

if TYPE_CHECKING:
    from datetime import date

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import Place, Source

ROUNDS = 10
"""What is mended may show the next fault: a misspelt key hides what stands below it."""

NO_TITLE = "CP801"


@dataclass(frozen=True, slots=True)
class Fix:
    """Text that takes the place of what stands at ``place``."""

    place: Place
    text: str


def fix_of(finding: Finding, source: Source | None) -> Fix | None:
    """What would mend a finding, if anything safe would. ``source`` is that of the finding's file."""
    if finding.replacement is not None:
        return Fix(finding.place, finding.replacement)
    if finding.code == NO_TITLE and source is not None:
        return _title(finding.place, source)
    return None


def _title(key: Place, source: Source) -> Fix | None:
    """A title made of the name, as the first key of the state or event that has none."""
    path = next((path for path, place in source.keys.items() if place == key), None)
    if path is None or path not in source.values:
        return None
    title = in_words(str(path[-1]))
    place = source.values[path]
    lines = source.text.split("\n")
    opened = lines[place.line - 1][place.column - 1 : place.column] == "{"
    start = place._replace(column=place.column + opened, end_line=place.line, end_column=place.column + opened)
    value = source.data_at(path)
    if not isinstance(value, dict):
        return None
    if opened:
        return Fix(start, f"title: {title}{', ' if value else ''}")
    return Fix(start, f"title: {title}\n{' ' * (place.column - 1)}")


def mended(root: str, today: date, only: set[str] | None = None) -> list[Rewritten]:
    """The files of a set that can be mended, as they would be. Nothing is written.

    ``only`` names the files, by their paths below ``root``, that may be changed.
    """
    checked = Rechecked(root)
    texts: dict[str, str] = {}
    for _ in range(ROUNDS):
        unsaved = {name: text.encode() for name, text in texts.items()}
        findings, files = checked.check(today, unsaved)
        changed = _applied(checked, findings, texts, only)
        if not changed:
            break
        texts |= changed
    findings, files = checked.check(today, {name: text.encode() for name, text in texts.items()})
    for name in files:
        if only is None or name in only:
            text = texts.get(name) or _text(root, name)
            if text is not None and (sorted_ := _sorted(text, name)) != text:
                texts[name] = sorted_
    return list(_changed(root, texts))


def _applied(
    checked: Rechecked, findings: Sequence[Finding], texts: Mapping[str, str], only: set[str] | None
) -> dict[str, str]:
    """The texts of the files that the fixes of some findings change."""
    found: dict[str, list[Fix]] = {}
    doubted = _doubted(checked, findings)
    for finding in findings:
        if finding in doubted:
            continue
        name = finding.place.file
        kept = checked.memory.get(name)
        fix = fix_of(finding, kept.source if kept is not None else None)
        if fix is not None and (only is None or name in only):
            found.setdefault(name, []).append(fix)
    changed = {}
    for name, fixes in found.items():
        before = texts.get(name) or _text(checked.root, name)
        if before is not None and (after := _readable(before, fixes, name)) != before:
            changed[name] = after
    return changed


def _doubted(checked: Rechecked, findings: Sequence[Finding]) -> set[Finding]:
    """Findings of which it may be the *right* word that would be mended: it stands in several places, and the name that
    would take its place only where that is declared."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.replacement is not None and finding.code.startswith("CP20"):
            places.setdefault((finding.message, finding.replacement), []).append(finding)
    texts = [each.source.text for each in checked.memory.values() if each.source is not None]
    return {
        finding
        for (_, name), each in places.items()
        if len(each) > 1 and sum(len(re.findall(rf"(?<![\w.]){re.escape(name)}(?![\w.])", text)) for text in texts) < 2
        for finding in each
    }


def _readable(text: str, fixes: Sequence[Fix], name: str) -> str:
    """The text with all fixes, or with those one by one that leave it readable: two keys must not become one."""
    after = with_fixes(text, fixes)
    if compose(after.removeprefix("\ufeff"), name)[0] is not None:
        return after
    # From the last to the first, so that the places of those to come hold.
    for fix in sorted(set(fixes), key=lambda each: each.place, reverse=True):
        after = with_fixes(text, [fix])
        if compose(after.removeprefix("\ufeff"), name)[0] is not None:
            text = after
    return text


def _text(root: str, name: str) -> str | None:
    try:
        return read_exactly(file_at(root, name))
    except (OSError, UnicodeDecodeError):
        return None


def with_fixes(text: str, fixes: Sequence[Fix]) -> str:
    """A text with each fix in its place; of two that overlap only the first."""
    mark = len(text) - len(text.removeprefix("\ufeff"))
    lines = text[mark:].splitlines(keepends=True)
    starts = [mark]
    for line in lines:
        starts.append(starts[-1] + len(line))
    end = len(text)
    for fix in sorted(set(fixes), key=lambda each: each.place, reverse=True):
        first = starts[fix.place.line - 1] + fix.place.column - 1
        last = starts[fix.place.end_line - 1] + fix.place.end_column - 1
        if first <= last <= end:
            text = text[:first] + _as_written(text[first:last], fix.text) + text[last:]
            end = first
    return text


def _as_written(old: str, new: str) -> str:
    """The new text in the quotes that the old one has."""
    if len(old) > 1 and old[0] in "'\"" and old[-1] == old[0] and new[:1] != old[0]:
        return f"{old[0]}{new}{old[0]}"
    return new


def _sorted(text: str, name: str) -> str:
    """The text with the keys of its mappings in their order; of one that cannot be read as it is."""
    kind = kind_of(name)
    plain = text.replace("\r\n", "\n")
    if kind is None or kind == "scenario" or plain != text or text.startswith("\ufeff"):
        return text
    while True:
        source, _ = compose(text, name)
        moved = None if source is None else ordered(source, kind)
        if moved is None:
            return text
        text = moved


def _changed(root: str, texts: Mapping[str, str]) -> Iterator[Rewritten]:
    for name, after in sorted(texts.items()):
        before = _text(root, name)
        if before is not None and before != after:
            yield Rewritten(file_at(root, name), before, after)
