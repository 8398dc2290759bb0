"""Records of rounds of clocks: how much time is used, of which limit, and when it falls due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.case import used_of
from carepolicy.engine.instants import NEVER
from carepolicy.engine.record import ClockData, seconds

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Round
    from carepolicy.engine.record import Record


def write_running(
    out: list[Record], case: Case, held: Round, kind: str, now: int, when: str, reason: str | None = None,
    code: str | None = None,
) -> None:  # fmt: skip
    """Write a record of a round that runs, or may: with the due time where there is one."""
    unit = held.limit.unit
    due = held.due if held.due != NEVER and held.running else None
    used, limit = seconds(used_of(held, now), unit), seconds(held.amount, unit)
    out.append(case.record(kind, when, ClockData(held.limit.told, due, used, limit, None, code, reason)))


def write_ended(
    out: list[Record], case: Case, held: Round, kind: str, used: int, when: str, over: int | None = None
) -> None:
    """Write a record of a round that does not run any more; ``over`` is the time by which it was late."""
    unit = held.limit.unit
    beyond = None if over is None else seconds(over, unit)
    data = ClockData(held.limit.told, None, seconds(used, unit), seconds(held.amount, unit), beyond)
    out.append(case.record(kind, when, data))
