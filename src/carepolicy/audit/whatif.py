"""What if a policy were another: one limit swept over a range, and two sets compared case by case."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nextafter
from typing import TYPE_CHECKING, Any

from carepolicy.audit.figures import share_of
from carepolicy.engine.clocks import used_seconds
from carepolicy.engine.instants import datetime_of, text_of
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.likeness import with_hint
from carepolicy.policy.limit import (
    BUSINESS_DAYS,
    BUSINESS_TIME,
    ELAPSED,
    KINDS,
    NANODAYS,
    SECOND,
    SLIPS,
    UNITS,
    Limit,
    LimitError,
    LimitText,
    parse_limit,
)
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from carepolicy.audit.measures import Round
    from carepolicy.audit.replay import Replay
    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.model import Policies

MOST_POINTS = 100
"""So many limits a sweep tries where nothing says how far they are apart."""

_SHORT = re.compile(r"([0-9.]+)\s*([A-Za-z]+)\Z")
_A_SECOND = {ELAPSED: SECOND, BUSINESS_TIME: SECOND, BUSINESS_DAYS: NANODAYS // 86_400}
"""What a second is in the measure of each kind of limit that is swept: a business day has 86,400 of them."""

_WRITTEN_IN = {
    ELAPSED: ("day", "hour", "minute", "second"),
    BUSINESS_TIME: ("business hour", "business minute", "business second"),
    BUSINESS_DAYS: ("business day",),
}
"""The units in which limits of each kind are told, the largest first."""

_CALLED = {ELAPSED: "hours and days of every day", BUSINESS_TIME: "business hours", BUSINESS_DAYS: "business days"}

_DAY = 86_400
_NICE = {
    ELAPSED: tuple(60 * each for each in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1_440)),
    BUSINESS_DAYS: tuple(_DAY * each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
}
"""Round numbers of seconds by which limits are apart."""


class SweepFault(ValueError):
    """What is wrong with a sweep that was asked for."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A clock whose limit is tried at several lengths: ``lengths`` in seconds of its measure, each with its words."""

    flow: str
    clock: str
    lengths: tuple[tuple[int, str], ...]

    @property
    def longest(self) -> str:
        """The longest of them in words."""
        return self.lengths[-1][1]


@dataclass(frozen=True, slots=True)
class Point:
    """What a limit would have given: rounds in time and late, their share and its interval."""

    limit: str
    seconds: int
    met: int
    late: int

    def as_object(self) -> dict[str, Any]:
        """The point as JSON."""
        share, interval = share_of(self.met, self.late)
        told = {"limit": self.limit, "seconds": self.seconds, "met": self.met, "late": self.late}
        return {**told, "share": share, "interval": interval}


MOST_LIMITS = 10_000
"""So many limits are tried at most."""


def parse_sweep(text: str, policies: Policies) -> Sweep:
    """``first_reply.limit=1h..8h``, or ``email_inquiry.first_reply.limit=1 business hour..8 business hours/30m``."""
    name, equals, values = text.partition("=")
    path = name.strip().removesuffix(".limit").split(".")
    if not equals or len(path) > 2 or not name.strip().endswith(".limit"):
        raise SweepFault(f'--sweep "{text}": say which limit and between which, as in first_reply.limit=1h..8h')
    flow, clock = _clock_named(path, policies)
    low, dots, high = values.partition("..")
    high, _, step = high.partition("/")
    if not dots:
        raise SweepFault(f'--sweep "{text}": between which limits? as in {name.strip()}=1h..8h')
    choice = policies.flows[flow].clocks[clock].limits[-1]
    if choice.rolls is not None:
        raise SweepFault(f"{flow}.{clock} cannot be swept: it moves what falls due on a closed day (rolls:)")
    if any(each.clock == clock for effects in effects_of(policies.flows[flow]) for each in effects.extend):
        raise SweepFault(f"{flow}.{clock} cannot be swept: some events give it more time (extend:)")
    business = any(each.basis != ELAPSED for each in policies.organisation.limit(choice.limit).all)
    lengths = [_length(each, business) for each in ((low, high, step) if step else (low, high))]
    kind = lengths[0].kind
    if kinds := {each.kind for each in lengths} - {kind}:
        other = _CALLED[kinds.pop()]
        raise SweepFault(f'--sweep "{text}": {_CALLED[kind]} and {other} are two measures; say all in one of them')
    least, most, *steps = (each.amount // _A_SECOND[kind] for each in lengths)
    if most < least:
        raise SweepFault(f'--sweep "{text}": the second limit is below the first')
    apart = steps[0] if steps else _apart(least, most, kind)
    points = -(-(most - least) // apart) + 1
    if points > MOST_LIMITS:
        raise SweepFault(
            f'--sweep "{text}": these are {points:,} limits, and {MOST_LIMITS:,} are the most; say larger steps'
        )
    return Sweep(flow, clock, tuple((each, _words(each, kind)) for each in _range(least, most, apart)))


def _range(least: int, most: int, apart: int) -> Iterator[int]:
    value = least
    while value < most:
        yield value
        value += apart
    yield most


def _apart(least: int, most: int, kind: str) -> int:
    """A round number of seconds that divides a range into at most so many parts."""
    nice = _NICE.get(kind, _NICE[ELAPSED])
    found = next((each for each in nice if (most - least) / each <= MOST_POINTS - 1), None)
    return found or -(-(most - least) // (MOST_POINTS - 1) // nice[0]) * nice[0]


def _clock_named(path: Sequence[str], policies: Policies) -> tuple[str, str]:
    clock = path[-1]
    flows = [path[0]] if len(path) == 2 else [*policies.flows]
    if len(path) == 2 and path[0] not in policies.flows:
        raise SweepFault(with_hint(f'there is no flow "{path[0]}"', path[0], policies.flows))
    found = [flow for flow in flows if clock in policies.flows[flow].clocks]
    if not found:
        known = [name for flow in flows for name in policies.flows[flow].clocks]
        raise SweepFault(with_hint(f'there is no clock "{clock}"', clock, known))
    if len(found) > 1:
        named = ", ".join(f"{flow}.{clock}" for flow in found)
        raise SweepFault(f'several flows have a clock "{clock}": say which of {named}')
    return found[0], clock


def _length(text: str, business: bool) -> Limit:
    """A length that can be swept. A short one, as 8h, counts business time where the clock does."""
    said = text.strip()
    short = _SHORT.match(said)
    unit = "" if short is None else SLIPS.get(short[2].lower(), "")
    if short is not None and unit in KINDS:
        unit = f"business {unit}" if business and unit in ("second", "minute", "hour", "day") else unit
        said = f"{short[1]} {unit}{'' if short[1] == '1' else 's'}"
    try:
        length = parse_limit(said)
    except LimitError as fault:
        raise SweepFault(f'"{text.strip()}" is no limit: {fault}') from None
    if length.kind not in _A_SECOND or length.strict or length.amount % _A_SECOND[length.kind]:
        raise SweepFault(f'"{text.strip()}" cannot be swept: take a number of seconds, minutes, hours or days')
    return length


def _words(seconds: int, kind: str) -> str:
    amount, units = seconds * _A_SECOND[kind], UNITS[kind]
    unit = next((each for each in _WRITTEN_IN[kind] if amount % units[each] == 0), _WRITTEN_IN[kind][-1])
    return str(Limit(kind, amount, unit))


def swept_set(policies: Policies, sweep: Sweep) -> Bundle:
    """The set with the longest of the limits on the clock, so that a round goes on until then whatever its own limit
    would have begun."""
    flow = policies.flows[sweep.flow]
    clock = flow.clocks[sweep.clock]
    last = clock.limits[-1]
    limits = (replace(last, when=None, limit=LimitText(sweep.longest)),)
    changed = replace(clock, limits=limits, warn_at=())
    flows = {**policies.flows, sweep.flow: replace(flow, clocks={**flow.clocks, sweep.clock: changed})}
    return compile_policies(replace(policies, flows=flows))


class SweptRounds:
    """How long the rounds of a swept clock took: hears of each round, and at the end of those that run.

    One that has used a whole limit is in time if it ended in that very instant; if it ended later, in closed hours,
    it was late by then. ``bundle`` has the calendars.
    """

    def __init__(self, sweep: Sweep, bundle: Bundle) -> None:
        self._sweep = sweep
        self._lengths = frozenset(length for length, _ in sweep.lengths)
        self._calendars = _calendars_of(sweep, bundle)
        self._met: list[float] = []
        self._late = 0
        self._running: list[float] = []

    def __call__(self, each: Round) -> None:
        """Note a round that was decided."""
        if (each.flow, each.clock) == (self._sweep.flow, self._sweep.clock):
            if each.verdict == "met":
                after = each.used in self._lengths and self._is_after(each)
                self._met.append(nextafter(each.used, inf) if after else each.used)
            else:
                self._late += 1

    def note_running(self, replay: Replay, until: int) -> None:
        """Note the rounds that still run at an instant: above their limit already, they are late under shorter ones."""
        for case in replay.open_cases():
            if case.program.flow != self._sweep.flow:
                continue
            for held in case.rounds:
                if held is not None and held.clock.name == self._sweep.clock and not held.late:
                    self._running.append(used_seconds(held, until))

    def _is_after(self, each: Round) -> bool:
        """Whether a round ended after the instant at which it had used what it used."""
        calendar = self._calendars.get(each.owner)
        return calendar is not None and not calendar.is_open(datetime_of(each.when - 1))

    def points(self) -> list[Point]:
        """What each limit would have given."""
        met, running = sorted(self._met), sorted(self._running)
        found = []
        for length, words in self._sweep.lengths:
            in_time = bisect_right(met, length)
            over = len(running) - bisect_left(running, length)
            found.append(Point(words, length, in_time, len(met) - in_time + self._late + over))
        return found


def _calendars_of(sweep: Sweep, bundle: Bundle) -> dict[str, Calendar]:
    """The calendars in which the limits of a swept clock count, by the owner of the case; none of every day's time."""
    program = next(each for each in bundle.programs if each.flow == sweep.flow)
    clock = next(each for each in program.clocks if each.name == sweep.clock)
    if clock.limits[-1].limit.basis == ELAPSED:
        return {}
    names = clock.limits[-1].calendars or clock.calendars
    return {state.owner or "": bundle.calendars[name] for state, name in zip(program.states, names, strict=True)}


# -- two sets ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Differs:
    """A round that is late under one of two sets and not under the other. ``number`` counts the rounds of a clock in
    the cases of a subject."""

    flow: str
    subject: str
    clock: str
    number: int
    before: str
    after: str
    when: int

    def as_object(self) -> dict[str, Any]:
        """The difference as JSON."""
        return {
            "flow": self.flow, "subject": self.subject, "clock": self.clock, "round": self.number,
            "before": self.before, "after": self.after, "decided": text_of(self.when),
        }  # fmt: skip


class RoundVerdicts:
    """The verdicts of all rounds by flow, subject and clock, in their order."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str, str], list[tuple[str, int]]] = {}

    def __call__(self, each: Round) -> None:
        """Note a round that was decided."""
        self.of.setdefault((each.flow, each.subject, each.clock), []).append((each.verdict, each.when))


def compared(before: RoundVerdicts, after: RoundVerdicts) -> list[Differs]:
    """The rounds whose verdicts differ, by flow, clock and subject."""
    found = []
    for key in sorted({*before.of, *after.of}, key=lambda each: (each[0], each[2], each[1])):
        olds, news = before.of.get(key, []), after.of.get(key, [])
        for number in range(max(len(olds), len(news))):
            old = olds[number] if number < len(olds) else ("", 0)
            new = news[number] if number < len(news) else ("", 0)
            if old[0] != new[0]:
                flow, subject, clock = key
                found.append(Differs(flow, subject, clock, number + 1, old[0], new[0], new[1] or old[1]))
    return found


def by_clock(found: Sequence[Differs]) -> Mapping[tuple[str, str], tuple[int, int, int]]:
    """By flow and clock three counts: rounds that are late now and were met, rounds that are met now and were late, and
    others that differ, such as those that only one of the two sets has."""
    counts: dict[tuple[str, str], list[int]] = {}
    for each in found:
        place = counts.setdefault((each.flow, each.clock), [0, 0, 0])
        if each.after == "late" and each.before == "met":
            place[0] += 1
        elif each.before == "late" and each.after == "met":
            place[1] += 1
        else:
            place[2] += 1
    return {key: (late, mended, other) for key, (late, mended, other) in counts.items()}
