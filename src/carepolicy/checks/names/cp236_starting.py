"""CP236: a flow that is opened by time and cannot say from when, or in which state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from carepolicy.businesstime.zones import is_zone
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.language.flow import EVERY
from carepolicy.policy.model import Flow


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``every:`` without a start that can be read, or with several states to begin in."""
    for flow in checked.flows.values():
        if flow.every is not None:
            yield from _of(checked, flow)
        elif flow.starting is not None:
            place = checked.key_place(flow.at / "starting")
            yield Finding(CODE, "starting: is for flows that are opened by time", place, "add every:, or take it away")


def _of(checked: CheckedSet, flow: Flow) -> Iterator[Finding]:
    if flow.starting is None:
        yield Finding(CODE, "every: needs starting:", checked.key_place(flow.at / "every"), HINT)
    else:
        wrong = _what_is_wrong(flow.starting, checked.organisation.timezone)
        if wrong is not None:
            yield Finding(CODE, f"{quoted(flow.starting)} {wrong[0]}", checked.place(flow.at / "starting"), wrong[1])
    starts = [state for state in flow.states.values() if state.start_on]
    named = [state for state in starts if EVERY in state.start_on]
    if len(named) != 1 and len(starts) > 1:
        yield Finding(
            CODE,
            "the flow is opened by time, and has several states to begin in",
            checked.key_place(flow.at / "every"),
            "write `start_on: every` in the state in which its cases begin",
        )


def _what_is_wrong(text: str, timezone: str) -> tuple[str, str] | None:
    """What is wrong with an instant, and how to mend it; None where nothing is."""
    try:
        if not _WRITTEN.fullmatch(text):
            raise ValueError
        named = datetime.fromisoformat(text)
    except ValueError:
        return "is no date or time that exists", HINT
    if not FIRST <= named.year <= LAST:
        return "is too far away", f"calendars know the years {FIRST} to {LAST}"
    if named.tzinfo is None and is_zone(timezone):
        there = named.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC).astimezone(ZoneInfo(timezone))
        if there.replace(tzinfo=None) != named:
            return "does not exist: the clocks go forward over it", f"write {there:%Y-%m-%d %H:%M}"
    return None


FIRST, LAST = 1971, 2150
"""The years in which a first case may be opened."""

_WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?")
"""ISO 8601 as people read it; weeks and days of a year (2026-W10-1) are misread."""

HINT = "write the first time, as 2026-01-05 or 2026-01-05 09:00"
CODE = "CP236"
RULE = Rule(
    CODE,
    "flow opened by time has no clear start",
    "every: opens a case again and again. starting: says when the first one is opened, and where several states "
    "start a case, `start_on: every` marks the one in which these begin.",
    "every: 6 months\nstarting: soon\n",
    "every: 6 months\nstarting: 2026-01-05\n",
    find,
)
