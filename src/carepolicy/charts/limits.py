"""The time limits of a step: which clocks run or stand still there, and which of them is the tightest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.businesstime import LimitError
from carepolicy.checks.limits import length
from carepolicy.machine.compiler import calendar_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.charts.exits import WayOut
    from carepolicy.charts.words import Words
    from carepolicy.policy.model import Clock, LimitChoice, State


@dataclass(frozen=True, slots=True)
class Limit:
    """A clock at a step. ``words``: all its limits, each with the condition under which it holds; "paused" where it
    stands still, "already late" where a case comes here only because its time is over.

    ``days`` is how long the shortest of them takes in an ordinary week of its calendar; None where that hangs on
    a fact, or where it stands still.
    """

    clock: str
    title: str
    words: str
    paused: bool
    days: float | None


def limits_of(words: Words, state: State, into: Iterable[tuple[WayOut, str | None]]) -> tuple[Limit, ...]:
    """The clocks that run at a step, the tightest first, those that hang on a fact after them; then those that stand
    still. ``into`` are the ways that lead to it, each with its guard."""
    ways = list(into)
    found: list[Limit] = []
    for clock in words.flow.clocks.values():
        title = words.clock(clock.name)
        if state.name in clock.runs_in:
            if _is_late(clock, ways):
                found.append(Limit(clock.name, title, words.labels.already_late, False, 0))
            elif clock.limits:
                found.append(Limit(clock.name, title, told(words, clock), False, _shortest(words, clock, state)))
        elif state.name in clock.pauses_in:
            found.append(Limit(clock.name, title, words.labels.paused, True, None))
    return tuple(sorted(found, key=_tightness))


def band_of(words: Words, state: State, limits: tuple[Limit, ...]) -> str:
    """What the band of a card says: the tightest clock that runs, by name where there are several; else that one
    stands still, and how long the case waits."""
    if limits and not limits[0].paused:
        return line_of(words, limits[0]) if len(limits) > 1 else limits[0].words
    waits = _wait(words, state)
    if not limits:
        return waits
    paused = words.labels.paused
    return f"{paused}, {waits}" if waits else paused


def lines_of(words: Words, limits: tuple[Limit, ...]) -> tuple[str, ...]:
    """The limits that the band does not tell, each as a line of the card."""
    if limits and limits[0].paused:
        return tuple(line_of(words, limit) for limit in limits) if len(limits) > 1 else ()
    return tuple(line_of(words, limit) for limit in limits[1:])


def line_of(words: Words, limit: Limit) -> str:
    """A limit with the name of its clock."""
    return words.labels.told_of.format(limit.title, limit.words)


def told(words: Words, clock: Clock) -> str:
    """All limits of a clock and when each holds: "1 business hour if …, 3 business hours otherwise"."""
    said: list[str] = []
    for choice in clock.limits:
        limit = words.limit(choice.limit)
        if choice.when is not None:
            said.append(words.labels.limit_if.format(limit, words.worked_out(choice.when)))
        else:
            said.append(words.labels.limit_else.format(limit) if len(clock.limits) > 1 else str(limit))
    return ", ".join(said)


def _tightness(limit: Limit) -> tuple[bool, bool, float]:
    return limit.paused, limit.days is None, limit.days or 0


def _is_late(clock: Clock, into: list[tuple[WayOut, str | None]]) -> bool:
    """Whether a case comes here only after the clock is late: by its event, or by a guard that asks for it."""
    asked = re.compile(rf"(?<![!\w.])clock\.{re.escape(clock.name)}\.late\b(?!\s*[=!?])")
    late = f"{clock.name}.late"
    return bool(into) and all(
        way.trigger == late or (guard is not None and "||" not in guard and asked.search(guard) is not None)
        for way, guard in into
    )


def _wait(words: Words, state: State) -> str:
    """How long a case waits here at most: the shortest ``after`` that leads away, else the shortest of all."""
    moving = [each for each in state.after if any(way.to is not None for way in each.transitions)]
    lengths = [(_length(words, each.limit, None), each.limit) for each in moving or state.after]
    if not lengths:
        return ""
    return words.limit(min(lengths, key=lambda pair: (pair[0] is None, pair[0] or 0))[1])


def _shortest(words: Words, clock: Clock, state: State) -> float | None:
    lengths = [_length(words, choice.limit, _calendar(words, clock, state, choice)) for choice in clock.limits]
    return min((each for each in lengths if each is not None), default=None)


def _calendar(words: Words, clock: Clock, state: State, choice: LimitChoice) -> str | None:
    return calendar_of(words.policies.organisation, words.flow, clock, state.owner or words.flow.owner, choice)


def _length(words: Words, text: str, calendar: str | None) -> float | None:
    organisation = words.policies.organisation
    try:
        limit = organisation.limit(text)
    except LimitError:
        return None
    named = calendar or words.flow.calendar or organisation.calendar
    return length(limit, organisation.calendars.get(named or ""))
