"""Silencing a finding where it stands: ``# carepolicy: allow CP412 because …``."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.checks.rule import rule_of
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.policy.places import Path, Source

NO_REASON = "CP190"
UNUSED = "CP191"

NEVER = ("CP311",)
"""Rules of the flow without which a set cannot be run: what is raised in a circle has no order."""

OF_CATALOGUES = ("CP620", "CP621", "CP622", "CP623")
"""Rules of files that translators' tools write, which keep no comment for us."""

_ALLOW = re.compile(r"(?:^|\s)#\s*carepolicy:\s*allow\b\s*(?P<codes>[^#]*?)(?:\bbecause\b(?P<why>.*))?$")
_CODE = re.compile(r"\bCP\d{3}\b")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One code that a comment allows on ``line``. ``place`` is that of the code, or of the comment without one."""

    code: str
    line: int
    place: Place
    why: str


def silenced(findings: Iterable[Finding], sources: Mapping[str, Source]) -> list[Finding]:
    """``findings`` without those that a comment allows, with those about the comments themselves.

    Errors of the text and of references (CP1xx, CP2xx) cannot be allowed: nothing could run such a set. What stands
    inside of a text of several lines is allowed on the line on which that begins (``text: |``), or above it.
    """
    allowed: dict[tuple[str, int, str], Allowance] = {}
    kept: list[Finding] = []
    for source in sources.values():
        for each in allowances(source):
            allowed[source.file, each.line, each.code] = each
    used: set[Allowance] = set()
    for finding in findings:
        allowance = allowed.get((finding.place.file, finding.place.line, finding.code))
        if allowance is None and any(file == finding.place.file for file, _, _ in allowed):
            head = _head(sources[finding.place.file], finding.place.line)
            allowance = allowed.get((finding.place.file, head, finding.code))
        if allowance is not None and may_be_silenced(finding.code):
            used.add(allowance)
        else:
            kept.append(finding)
    return kept + [each for allowance in allowed.values() for each in _about(allowance, allowance in used)]


def _head(source: Source, line: int) -> int:
    """The line on which the text of several lines begins that ``line`` stands in: no comment can stand inside of it."""
    inside = [
        (path, place.line)
        for path, place in source.values.items()
        if place.line < line and (line, 1) < (place.end_line, place.end_column)
    ]
    return next((first for path, first in inside if isinstance(_said_at(source.data, path), str)), line)


def _said_at(data: Any, path: Path) -> object:
    key: Any
    for key in path:
        data = data[key] if isinstance(data, (dict, list)) else data
    return data


def may_be_silenced(code: str) -> bool:
    """Whether a comment may silence a code: all but those without which a set cannot be run."""
    if code.startswith(("CP1", "CP2")):
        rule = rule_of(code)
        return rule is not None and rule.severity is not Severity.ERROR
    return code not in (*NEVER, *OF_CATALOGUES)


def allowances(source: Source) -> Iterator[Allowance]:
    """What the comments of a file allow: on their own line, or alone on a line, on the next that is no comment."""
    if "carepolicy:" not in source.text:
        return
    lines = source.text.splitlines()
    waiting: dict[int, list[tuple[str, Place, str]]] = defaultdict(list)
    held: list[tuple[str, Place, str]] = []
    for number, line in enumerate(lines, 1):
        bare = line.lstrip()
        if "carepolicy:" in line and (found := _ALLOW.search(line)):
            said = list(_said(source.file, number, line, found))
            if bare.startswith("#"):
                held += said
            else:
                waiting[number] += said
        if bare and not bare.startswith("#"):
            waiting[number] += held
            held = []
    waiting[len(lines) + 1] += held
    for number, said in waiting.items():
        yield from (Allowance(code, number, place, why) for code, place, why in said)


def _said(file: str, number: int, line: str, found: re.Match[str]) -> Iterator[tuple[str, Place, str]]:
    why = (found["why"] or "").strip(" .:…")
    first = found.start("codes")
    codes = list(_CODE.finditer(found["codes"]))
    for each in codes:
        start = first + each.start() + 1
        yield each.group(), Place(file, number, start, number, start + len(each.group())), why
    if not codes:
        start = line.index("#", found.start()) + 1
        yield "", Place(file, number, start, number, len(line.rstrip()) + 1), why


def _about(allowance: Allowance, used: bool) -> Iterator[Finding]:
    if not allowance.why:
        hint = f"write `# carepolicy: allow {allowance.code or 'CP412'} because …`"
        yield Finding(NO_REASON, "an allowance needs a reason", allowance.place, hint)
    if used:
        return
    if not allowance.code:
        yield Finding(UNUSED, "the comment allows no code", allowance.place, "", Severity.NOTE)
    elif not may_be_silenced(allowance.code):
        text = f"{allowance.code} cannot be allowed: a set with such an error cannot be run"
        yield Finding(UNUSED, text, allowance.place, "", Severity.NOTE)
    else:
        text = f"nothing on this line is found by {allowance.code}"
        yield Finding(UNUSED, text, allowance.place, "take the comment away", Severity.NOTE)
