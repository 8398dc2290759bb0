"""Records of rounds of clocks: how much time is used, of which limit, and when it falls due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.case import used_of
from carepolicy.engine.instants import NEVER, text_of

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Round
    from carepolicy.engine.recordtext import Form


def seconds(units: int, unit: int) -> int | float:
    """An amount in seconds, to the microsecond. Below zero, before the day of the start has closed, nothing is used."""
    if units < 0:
        return 0
    return round(units / unit, 6) if units % unit else units // unit


def write_running(out: list[str], case: Case, held: Round, form: Form, now: int, when: str, *more: str) -> None:
    """Write a record of a round that runs, or may: with the due time where there is one."""
    unit = held.limit.unit
    numbers = (seconds(used_of(held, now), unit), seconds(held.amount, unit), *more)
    if held.due == NEVER or not held.running:
        form = held.limit.undated[form]
        out.append(case.line(form, when, form.data % numbers))
    else:
        out.append(case.line(form, when, form.data % (text_of(held.due), *numbers)))


def write_ended(out: list[str], case: Case, held: Round, form: Form, used: int, when: str) -> None:
    """Write a record of a round that does not run any more."""
    unit = held.limit.unit
    out.append(case.line(form, when, form.data % (seconds(used, unit), seconds(held.amount, unit))))


def write_over(out: list[str], case: Case, held: Round, used: int, when: str) -> None:
    """Write the record of a late round that ended, with the time by which it was over."""
    limit = held.limit
    unit = limit.unit
    numbers = seconds(used, unit), seconds(held.amount, unit), seconds(max(used - held.mark, 0), unit)
    out.append(case.line(limit.ended, when, limit.ended.data % numbers))
