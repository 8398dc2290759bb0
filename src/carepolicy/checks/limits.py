"""How long limits are beside others, and in which calendar they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.limit import BUSINESS_TIME, DAY, ELAPSED, MONTHS, NANODAYS, UNTIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime import Limit
    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.model import CalendarSpec, Clock, Flow, LimitChoice, LimitText
    from carepolicy.policy.places import At


MONTH = 30.44
"""Days of a month, on average."""


def days_of(checked: CheckedSet, text: str, calendar: str | None) -> float | None:
    """The days that a limit takes in an ordinary week; None where it hangs on a fact, or cannot be read."""
    limit = checked.limit(text)
    return None if limit is None else length(limit, checked.organisation.calendars.get(calendar or ""))


def length(limit: Limit, calendar: CalendarSpec | None) -> float | None:
    """The days that a limit takes in an ordinary week of its calendar; without one, it is open round the clock. The
    first to fall due of several takes no longer than the shortest whose length is known."""
    if limit.parts:
        known = [days for each in limit.parts if (days := length(each, calendar)) is not None]
        return min(known, default=None)
    if limit.kind == UNTIL:
        return None
    if limit.kind == ELAPSED:
        return limit.amount / DAY
    if limit.kind == MONTHS:
        return limit.amount * MONTH
    hours = calendar.hours if calendar is not None else (((0, 86_400),),) * 7
    opened = sum(end - start for day in hours for start, end in day)
    days = sum(1 for day in hours if day)
    if not opened:
        return None
    if limit.kind == BUSINESS_TIME:
        return limit.amount / 1_000_000 / opened * 7
    return limit.amount / NANODAYS / days * 7


def limits_of(clock: Clock) -> Iterator[tuple[LimitChoice, LimitText, At]]:
    """Every limit of a clock, and where it stands: of the first to fall due of several each is one."""
    for choice in clock.limits:
        for number, text in enumerate(choice.limit.all):
            yield choice, text, at_of(choice, number)


def at_of(choice: LimitChoice, number: int = 0) -> At:
    """Where a limit of a clock stands; of the first to fall due of several the one of a number."""
    at = choice.at if choice.at.path[-1] == "limit" else choice.at / "is"
    return at / "first_of" / number if choice.limit.parts else at


def calendar_of(
    checked: CheckedSet,
    flow: Flow,
    clock: Clock | None = None,
    state: str | None = None,
    choice: LimitChoice | None = None,
) -> str | None:
    """The calendar in which a clock, one of its limits, or the ``after`` of a state, counts. What counts in its owner's
    needs the state."""
    default = flow.calendar or checked.organisation.calendar
    own = None if choice is None else choice.calendar
    named = own or (None if clock is None else clock.calendar)
    if named is None:
        return default
    if named != "owner":
        return named
    return owners_calendar(checked, flow, state) or default


def owners_calendar(checked: CheckedSet, flow: Flow, state: str | None) -> str | None:
    """The calendar of the role that acts in a state, that of the flow's owner where no state is named."""
    here = flow.states.get(state or "")
    role = checked.organisation.roles.get((here.owner if here is not None else None) or flow.owner)
    return role.calendar if role is not None else None


def said(days: float) -> str:
    """A number of days as people say it: "about 17 days", "about 3 hours"."""
    if days < 1:
        hours = max(1, round(days * 24))
        return f"about {hours} hour{'' if hours == 1 else 's'}"
    whole = round(days)
    return f"about {whole} day{'' if whole == 1 else 's'}"
