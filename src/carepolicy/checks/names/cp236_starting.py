"""CP236: a flow that is opened by time and cannot say from when, or in which state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
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
    elif not _is_time(flow.starting):
        place = checked.place(flow.at / "starting")
        yield Finding(CODE, f'"{flow.starting}" is no date or time that exists', place, HINT)
    starts = [state for state in flow.states.values() if state.start_on]
    named = [state for state in starts if EVERY in state.start_on]
    if len(named) != 1 and len(starts) > 1:
        yield Finding(
            CODE,
            "the flow is opened by time, and has several states to begin in",
            checked.key_place(flow.at / "every"),
            "write `start_on: every` in the state in which its cases begin",
        )


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


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
