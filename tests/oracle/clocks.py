"""A clock of a case, by its history: the stretches in which it ran are kept, and all else is counted from them anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any, Protocol

from oracle.hours import DAY, Hours
from oracle.limits import Limit, months_later, named_instant, read_limit, rest_from, rolled


def alike(first: Limit, second: Limit) -> bool:
    """Whether two limits count the same, so that time used stays as it was counted."""
    return first.measure == second.measure or (first.timed and second.timed)


@dataclass
class Stretch:
    """A time in which the clock ran, and the calendar that counts it."""

    begin: int
    end: int | None
    hours: Hours
    others: dict[str, Hours] = field(default_factory=dict)  # of measures that were counted anew in another calendar

    def hours_of(self, limit: Limit) -> Hours:
        return self.others.get(limit.measure, self.hours)


@dataclass(frozen=True)
class Chosen:
    """The limit that holds now, or several of which the first to fall due does, and the calendar in which the rest is
    counted."""

    limits: tuple[Limit, ...]
    hours: Hours
    owners: bool = False  # it counts in the calendar of the state's owner


class Facts(Protocol):
    """What a clock asks of its case."""

    def holds(self, guard: str) -> bool: ...

    def fact(self, name: str) -> Any: ...

    def told_fact(self, name: str) -> Any: ...

    def hours_of(self, name: str) -> Hours: ...


@dataclass
class Round:
    """From its start to ``met``, ``ended`` or ``cancelled``."""

    started: int
    chosen: Chosen
    stretches: list[Stretch]
    first_hours: Hours
    owner_hours: Hours | None = None  # of the state's owner, when it last ran
    extras: list[Limit] = field(default_factory=list)
    warned: set[int] = field(default_factory=set)
    due_then: int | None = None
    length: Fraction = Fraction(0)
    late: bool = False
    late_in_pause: bool = False
    facts_read: list[Any] = field(default_factory=list)
    late_due: int | None = None
    past_due: int | None = None  # when it fell due, where that was past before it paused
    used_when_due: Fraction = Fraction(0)
    counts_from_future: bool = False
    first: Limit | None = None  # of several limits the one that falls due first, when that was looked at last

    @property
    def limit(self) -> Limit:
        return self.first or self.chosen.limits[0]

    @property
    def running(self) -> bool:
        return bool(self.stretches) and self.stretches[-1].end is None

    def stop(self, now: int) -> None:
        if self.running:
            self.stretches[-1].end = now

    def go_on(self, now: int, hours: Hours) -> None:
        self.stretches.append(Stretch(now, None, hours))

    def day_zero(self) -> date:
        """The day from which closings are counted: that on which it first ran, or began anew in a pause."""
        first = min([self.started, *(each.begin for each in self.stretches[:1])])
        return self.chosen.hours.day_of(first)

    def used_in(self, stretch: Stretch, now: int) -> Fraction:
        end = now if stretch.end is None else stretch.end
        if self.limit.timed:
            return Fraction(end - stretch.begin)
        if self.limit.measure == "closings":
            return Fraction(stretch.hours_of(self.limit).closings(stretch.begin, end, self.day_zero()) * DAY)
        return stretch.hours_of(self.limit).counted(self.limit.measure, stretch.begin, end)

    def used(self, now: int) -> Fraction:
        return sum((self.used_in(each, now) for each in self.stretches), Fraction(0))

    def amount(self) -> Fraction:
        """The length of the limit, with the time that was given of its own kind."""
        if self.limit.measure == "month":
            return Fraction(months_later(self.first_hours, self.started, self.limit.amount) - self.started)
        return Fraction(self.limit.amount + sum(each.amount for each in self.extras if self._of_its_kind(each)))

    def given_otherwise(self) -> list[tuple[str, Fraction]]:
        """Time given in other kinds than the limit's: one sum for each, in the order in which they first came."""
        sums: dict[str, Fraction] = {}
        for each in self.extras:
            if not self._of_its_kind(each):
                sums[each.measure] = sums.get(each.measure, Fraction(0)) + each.amount
        return list(sums.items())

    def _of_its_kind(self, extra: Limit) -> bool:
        return extra.measure == self.limit.measure

    def basis_point(self, now: int) -> tuple[int, Fraction]:
        """The begin of the stretch that runs, or now, where the clock would go on; and what was used before it."""
        if self.running:
            return self.stretches[-1].begin, sum((self.used_in(each, now) for each in self.stretches[:-1]), Fraction(0))
        return now, self.used(now)

    def plain_due(self, now: int, facts: Facts) -> int | None:
        """When the limit is reached, without time that was given in another kind, and without rolling."""
        if self.limit.fact:
            return named_instant(self.limit, facts.fact(self.limit.fact), self.chosen.hours)
        begin, before = self.basis_point(now)
        return rest_from(self.limit, self.chosen.hours, begin, self.amount() - before, self.day_zero())


@dataclass
class Clock:
    """One clock of a flow's file, in one case."""

    name: str
    spec: dict[str, Any]
    round: Round | None = None
    kept: Round | None = None
    rounds: int = 0
    extensions: int = 0

    def phase(self, state: str) -> str:
        if state in self.spec["runs_in"]:
            return "running"
        return "paused" if state in self.spec.get("pauses_in", ()) else "stopped"

    @property
    def continues(self) -> bool:
        return bool(self.spec.get("again") == "continue")

    def choose(self, facts: Facts) -> Chosen | None:
        """The first limit of the list that holds."""
        said = self.spec["limit"]
        for each in said if isinstance(said, list) else [{"is": said}]:
            if "when" not in each or facts.holds(each["when"]):
                named = each.get("calendar", self.spec.get("calendar", ""))
                texts = each["is"]["first_of"] if isinstance(each["is"], dict) else [each["is"]]
                return Chosen(tuple(map(read_limit, texts)), facts.hours_of(named), named == "owner")
        return None

    def facts_read(self, facts: Facts) -> list[Any]:
        """What its limits read of the case, as it was told: where that changes, they are looked up again."""
        return [facts.told_fact(name) for name in re.findall(r"[a-z]+\.[a-z]+", str(self.spec["limit"]))]

    def begin(self, now: int, chosen: Chosen, facts: Facts) -> Round:
        """A new round that runs from now; with ``again: continue`` the time used before counts."""
        started = now
        stretches: list[Stretch] = []
        self.round = Round(now, chosen, stretches, chosen.hours, facts.hours_of("owner"))
        if self.rounds == 0 and "counts_from" in self.spec:
            earlier = facts.fact(self.spec["counts_from"])
            if earlier is not None and earlier < now:
                started = earlier
            self.round.counts_from_future = earlier is not None and earlier > now
        if self.continues and self.kept is not None:
            stretches += self.kept.stretches
            self.round.warned, self.round.extras = set(self.kept.warned), list(self.kept.extras)
            self.recount(self.kept.chosen, chosen)
        self.round.started = started
        self.round.facts_read = self.facts_read(facts)
        self.rounds += 1
        self.round.go_on(started, chosen.hours)
        return self.round

    def forget(self) -> None:
        """What was used before counts no longer."""
        self.kept = None

    def recount(self, before: Chosen, chosen: Chosen) -> bool:
        """Another limit: where it counts otherwise, the stretches are counted again, and in its calendar. Whether that
        is so of the only one."""
        held = self.round
        assert held is not None
        anew = [each for each in chosen.limits if not any(alike(each, old) for old in before.limits)]
        if len(chosen.limits) == len(anew) == 1:
            for stretch in held.stretches:
                stretch.hours, stretch.others = chosen.hours, {}
            return len(before.limits) == 1
        for stretch in held.stretches:
            stretch.others = {**stretch.others, **{each.measure: chosen.hours for each in anew}}
        return False

    def change(self, now: int, chosen: Chosen) -> None:
        """Another limit holds, or another calendar: what was used stays used where it is counted alike."""
        held = self.round
        assert held is not None
        before, held.chosen = held.chosen, chosen
        held.past_due = None if before.limits != chosen.limits else held.past_due
        if before.limits != chosen.limits:
            held.first_hours, held.first = chosen.hours, None
        if not self.recount(before, chosen) and before.hours is not chosen.hours and held.running:
            held.stop(now)
            held.go_on(now, chosen.hours)

    def due(self, now: int, facts: Facts) -> int | None:
        """When the round falls due; of one that pauses, when it would if it went on now."""
        return self.first_due(now, facts)[0]

    def first_due(self, now: int, facts: Facts) -> tuple[int | None, Limit]:
        """When the round falls due, and by which of its limits: each is worked out as if it were the only one."""
        held = self.round
        assert held is not None
        known, ahead = held.first, []
        for number, limit in enumerate(held.chosen.limits):
            held.first = limit
            due = self._due(now, facts)
            ahead.append(((due is None, due or 0, not limit.strict, number), due, limit))
        held.first = known
        return min(ahead)[1:]

    def _due(self, now: int, facts: Facts) -> int | None:
        held = self.round
        assert held is not None
        due = held.plain_due(now, facts)
        if due is None:
            return None
        end_of = self._ending_date(facts)
        due = self._rolled(due, end_of)
        for measure, amount in held.given_otherwise():
            due = due + int(amount) if measure == "elapsed" else held.chosen.hours.add(measure, due, amount)
            whole_days = measure == "elapsed" and end_of is not None and due == held.chosen.hours.end_of(self._eve(due))
            end_of = self._eve(due) if whole_days else None
            due = self._rolled(due, end_of)
        return due

    def _eve(self, midnight: int) -> date:
        assert self.round is not None
        return self.round.chosen.hours.date(midnight - 1)

    def _ending_date(self, facts: Facts) -> date | None:
        """``until`` a date falls due at its end, which is midnight; it is that date which is closed, and rolls."""
        assert self.round is not None
        limit = self.round.limit
        value = facts.fact(limit.fact) if limit.measure == "until" else None
        return value if isinstance(value, date) else None

    def _rolled(self, due: int, end_of: date | None) -> int:
        assert self.round is not None
        hours = self.round.chosen.hours
        if "rolls" not in self.spec:
            return due
        if end_of is None:
            return rolled(hours, due)
        return hours.end_of(end_of if hours.is_open(end_of) else hours.next_open_day(end_of))

    def warnings(self, now: int, facts: Facts) -> list[tuple[int, int]]:
        """The warnings that are still to come: when, and which of ``warn_at``."""
        held = self.round
        assert held is not None
        due = self.due(now, facts)
        if due is None or held.late or not held.running:
            return []
        marks = enumerate(self.spec.get("warn_at", ()))
        ahead = [
            (max(self._warning(mark, due, now), self._earliest(mark)), n) for n, mark in marks if n not in held.warned
        ]
        return [each for each in ahead if each[0] < due]

    def _warning(self, mark: str, due: int, now: int) -> int:
        held = self.round
        assert held is not None
        hours = held.chosen.hours
        if mark.endswith(" before"):
            before = read_limit(mark.removesuffix(" before"))
            return (
                due - before.amount
                if before.timed
                else hours.before(before.measure, due, Fraction(before.amount), latest=True)
            )
        if not mark.endswith("%"):
            return self._after_so_much(read_limit(mark))
        share = Fraction(int(mark[:-1]), 100)
        if held.limit.fact or held.limit.measure == "closings":
            start = held.started
            return hours.add("business_time", start, share * hours.counted("business_time", start, due))
        begin, before_it = held.basis_point(now)
        return rest_from(held.limit, hours, begin, share * held.amount() - before_it, held.day_zero())

    def _earliest(self, mark: str) -> int:
        """No warning at a length of time comes before the round has started."""
        assert self.round is not None
        return -(2**62) if mark.endswith("%") else self.round.started

    def _after_so_much(self, length: Limit) -> int:
        """When so much time has been used: as it was counted where the limit counts alike, else in its calendar."""
        held = self.round
        assert held is not None
        hours = held.chosen.hours
        *earlier, last = held.stretches
        if alike(held.limit, length):
            used = sum((held.used_in(each, last.begin) for each in earlier), Fraction(0))
            length = replace(length, strict=held.limit.strict)
            return rest_from(length, hours, last.begin, length.amount - used, held.day_zero())
        if length.timed:
            used = Fraction(sum(each.end - each.begin for each in earlier if each.end is not None))
        else:
            told = (hours.counted(length.measure, each.begin, each.end or each.begin) for each in earlier)
            used = sum(told, Fraction(0))
        return rest_from(replace(length, strict=True), hours, last.begin, length.amount - used, held.day_zero())

    def is_past(self, now: int, facts: Facts) -> bool:
        """Late already, or would be if it went on now."""
        held = self.round
        assert held is not None
        due, limit = self.first_due(now, facts)
        return due is not None and (due < now or (limit.strict and due == now))

    def told(self, now: int, facts: Facts, due: bool = True) -> dict[str, Any]:
        """What a record says of the clock."""
        held = self.round
        assert held is not None
        used = held.used(now)
        data: dict[str, Any] = {"clock": self.name}
        if due and held.running:
            data["due"] = held.late_due if held.late else self.due(now, facts)
        data["used"] = used
        data["limit"] = held.length if held.limit.fact else held.amount()
        data["basis"] = held.limit.basis
        return {key: value for key, value in data.items() if value is not None}

    def note(self, now: int, facts: Facts) -> None:
        """What is known of the due time from now on: a change of it is told."""
        held = self.round
        assert held is not None
        held.due_then, held.first = self.first_due(now, facts)
        at = held.plain_due(now, facts) if held.limit.fact else None
        held.length = Fraction(0) if at is None else max(held.used(now) + at - now, Fraction(0))
