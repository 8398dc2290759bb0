"""What a simulation is of: flows of a set, the staff of a file, the cases that come, what an audit knows of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from carepolicy.businesstime.instants import microseconds
from carepolicy.checks.staff import StaffNames
from carepolicy.engine.facts import WrongValue, taker_of
from carepolicy.engine.history.cases import PAUSED
from carepolicy.engine.instants import NEVER, parse
from carepolicy.policy.likeness import with_hint
from carepolicy.policy.limit import BUSINESS_DAYS, DAY, NANODAYS, SECOND
from carepolicy.simulation.arrivals import (
    Arrivals,
    Listed,
    drawn,
    listed,
    profile_of,
    rate_of,
    read_times,
)
from carepolicy.simulation.flows import Choice, Facts, Flow, Profile, State
from carepolicy.simulation.lengths import drawn_as, from_percentiles
from carepolicy.simulation.roles import Member, Role

if TYPE_CHECKING:
    from carepolicy.engine.history.cases import CaseView, ClockView
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.staff import StaffFile, StaffRole

STAFF = "staff"
AUDIT = "audit"
"""In place of a rate: as an audit found that cases came."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The cases that come to a flow."""

    flow: Flow
    arrivals: Arrivals
    first: State


@dataclass(frozen=True, slots=True)
class OpenClock:
    """A round of a clock that has not ended as a run begins: when it falls due where it runs, what it has used where it
    pauses, and its limit, in units of its ``basis``; 0 where that is no length."""

    due: int
    used: int
    limit: int
    basis: str
    running: bool
    late: bool


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is open as a run begins: in which state, since when, and its clocks by their index."""

    flow: Flow
    subject: str
    state: State
    opened: int
    since: int
    clocks: Mapping[int, OpenClock]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that runs have in common: the time, the staff, the flows, the cases that come, and what they are like.

    ``profile`` finds what a case is like from a number between 0 and 1.
    """

    begin: int
    end: int
    flows: tuple[Flow, ...]
    roles: tuple[Role, ...]
    streams: tuple[Stream, ...]
    profile: Callable[[float], Profile]
    opened: tuple[OpenCase, ...] = ()


class SceneFault(ValueError):
    """Why there is nothing to simulate."""


def known_to(bundle: Bundle) -> StaffNames:
    """What staff files for a compiled set may name."""
    flows = {
        program.flow: {
            state.name: frozenset(
                event for event, rules in state.ways.items()
                if event in program.events and any(rule.to >= 0 for rule in rules)
            )
            for state in program.states
        }
        for program in bundle.programs
    }  # fmt: skip
    return StaffNames(
        bundle.role_titles, bundle.calendars, flows, {name: fact.of for name, fact in bundle.facts.items()}
    )


class Profiles:
    """What cases are like: combinations of facts by their shares, each with the defaults of the others."""

    def __init__(self, bundle: Bundle, shares: Mapping[str, Mapping[str, float]]) -> None:
        self._bundle = bundle
        self._defaults: Facts = {name: fact.default for name, fact in bundle.facts.items() if fact.default is not None}
        self._drawn = [
            (fact, [(value_of(bundle, fact, each), share) for each, share in values.items()])
            for fact, values in shares.items()
        ]
        self._known: dict[tuple[tuple[str, Any], ...], Profile] = {}
        self._places: dict[int, Profile] = {}
        self._but_last = [part for _, values in self._drawn[:1] for _, part in values[:-1]]

    def drawn(self, share: float) -> Profile:
        """What the case is like whose number between 0 and 1 this is."""
        if len(self._drawn) == 1:
            place = 0
            for part in self._but_last:
                if share < part:
                    break
                share -= part
                place += 1
            return self._places.get(place) or self._at(place)
        place = 0
        for _, values in self._drawn:
            last = len(values) - 1
            for number, (_, part) in enumerate(values):
                if share < part or number == last:
                    place = place * len(values) + number
                    share = min(share / part, 1.0) if part else 0.0  # what is left of it draws the next fact
                    break
                share -= part
        return self._places.get(place) or self._at(place)

    def _at(self, place: int) -> Profile:
        """What cases are like at a place among all combinations of facts."""
        found, rest = [], place
        for fact, values in reversed(self._drawn):
            rest, number = divmod(rest, len(values))
            found.append((fact, values[number][0]))
        profile = self._places[place] = self.of(reversed(found))
        return profile

    def of(self, facts: Iterable[tuple[str, Any]]) -> Profile:
        """What cases with these facts are like."""
        key = tuple(facts)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Profile(len(self._known), {**self._defaults, **dict(key)})
        return known


def value_of(bundle: Bundle, fact: str, text: str) -> Any:
    """A text as a value of a fact. Raises ``SceneFault``."""
    table = bundle.facts[fact]
    given: Any = text
    if table.type in ("flag", "number"):
        try:
            given = orjson.loads(text.lower())
        except ValueError:
            raise SceneFault(f"{fact}: this is no {table.type}") from None
    try:
        return taker_of(table)(given)
    except WrongValue as fault:
        raise SceneFault(f"{fact}: {fault}") from None


class SceneMaker:
    """Makes scenes: of a set, staff and an audit, for one stretch of time.

    ``calendars`` are those of the roles' hours; ``idle`` the states (flow.state) in which it is we who wait.
    ``notes`` are told with the figures.
    """

    def __init__(
        self, bundle: Bundle, flows: Sequence[str], staff: StaffFile, calendars: Mapping[str, str],
        audit: Mapping[str, Any] | None = None, idle: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.bundle = bundle
        self.staff = staff
        self.audit = audit
        self._idle = frozenset(idle)
        self.notes: list[str] = []
        self.profiles = Profiles(bundle, staff.facts)
        self._calendars = calendars
        self.flows: list[Flow] = []
        kinds = 0
        for program in bundle.programs:
            if program.flow in flows:
                flow = Flow(program, bundle, kinds)
                kinds += len(flow.states)
                self.flows.append(flow)
                self._fill(flow)
        self._tell_what_is_left_out()

    # -- flows ---------------------------------------------------------------------------------------------

    def _fill(self, flow: Flow) -> None:
        """Say of each state which way cases go, who works there, and how long that takes."""
        told = (self.audit or {}).get("flows", {}).get(flow.name, {})
        lacking, waiting = [], []
        for state in flow.states:
            if state.final is not None:
                continue
            state.waits = self._length(flow, state, self.staff.waits, told)
            state.choices = tuple(self._choices(flow, state, told))
            staffed = any(each.by_staff for each in state.choices)
            if staffed:
                state.work = self._length(flow, state, self.staff.work, told)
                if state.work is None:
                    lacking.append(f"{flow.name}.{state.name}")
            else:
                state.role = None
            if any(not each.by_staff for each in state.choices) and state.waits is None:
                waiting.append(f"{flow.name}.{state.name}")
        if lacking:
            raise SceneFault(
                f"nothing says how long work takes in {', '.join(lacking)}; say it in the staff file, as in "
                f"work: {{{flow.name}: 12 minutes}}, or give an audit"
            )
        if waiting:
            self.notes.append(f"nothing says how long others take in {', '.join(waiting)} (waits:): nobody acts there")

    def _length(self, flow: Flow, state: State, lengths: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
        given = lengths.get(f"{flow.name}.{state.name}") or lengths.get(flow.name)
        if given is not None:
            return drawn_as(given)
        time = told.get("states", {}).get(state.name, {}).get("time") or {}
        if time.get("p50") is None:
            return None
        return from_percentiles(time["p50"] * SECOND, time["p90"] * SECOND)

    def _choices(self, flow: Flow, state: State, told: Mapping[str, Any]) -> Iterable[Choice]:
        """The ways out of a state, and how often each is taken: as the staff file says; else as the audit counted; else
        every event by which staff move a case on, each as often. Where there is no such event, or we are who waits, it
        is every event by which others do."""
        happenings = flow.program.happenings
        moving = [
            event for event, rules in state.ways.items()
            if event in happenings and any(rule.to >= 0 for rule in rules)
        ]  # fmt: skip
        given = self.staff.ways.get(f"{flow.name}.{state.name}")
        parts: list[tuple[str, int, float]]
        if given is not None:
            parts = [(event, -1, share) for event, share in given.items()]
        else:
            parts = list(self._counted(flow, state, told, moving))
            if not parts:
                idle = f"{flow.name}.{state.name}" in self._idle
                staff = [] if idle else [each for each in moving if happenings[each].by == STAFF]
                others = [each for each in moving if happenings[each].by != STAFF]
                others = others if not staff and state.waits is not None else []
                parts = [(event, -1, 1 / len(staff or others)) for event in staff or others]
        upto = 0.0
        for number, (event, to, share) in enumerate(parts):
            rules = state.ways.get(event, ())
            if to < 0 and rules and rules[0].when is None:
                to = rules[0].to
            upto += share
            whole = number == len(parts) - 1 and upto > 1 - 1e-9
            yield Choice(2.0 if whole else upto, event, to, happenings[event].by == STAFF)

    def _counted(
        self, flow: Flow, state: State, told: Mapping[str, Any], moving: Collection[str]
    ) -> Iterable[tuple[str, int, float]]:
        """The ways that an audit counted out of a state, with their shares. Where timers took cases from where staff do
        nothing, nobody acted; where clocks that fell late did, the simulation finds out itself."""
        ways = [each for each in told.get("ways", ()) if each["from"] == state.name]
        events = [each for each in ways if each["on"] in moving and each["to"] in flow.by_name]
        acted = any(flow.program.happenings[each["on"]].by == STAFF for each in events)
        timers = 0 if acted else sum(each["count"] for each in ways if each["on"].startswith("after"))
        total = timers + sum(each["count"] for each in events)
        for each in events:
            yield each["on"], flow.by_name[each["to"]].index, each["count"] / total

    # -- staff ---------------------------------------------------------------------------------------------

    def roles(self, people: Mapping[str, int]) -> tuple[Role, ...]:
        """The staff; with so many people in place of those of the file in the roles that ``people`` names."""
        return tuple(self._role(name, each, people.get(name)) for name, each in self.staff.roles.items())

    def _role(self, name: str, said: StaffRole, people: int | None) -> Role:
        calendar = self.bundle.calendars[said.calendar or self._calendars[name]]
        zone = ZoneInfo(calendar.rules.timezone)
        members = []
        for person in said.persons.values():
            away = tuple(
                (_midnight(first, zone), _midnight(last + timedelta(days=1), zone)) for first, last in person.away
            )
            does = frozenset(self._kinds(person.does)) if person.does else None
            members.append(Member(person.name, does, away, said.absent if person.absent is None else person.absent))
        members += [Member("", None, (), said.absent)] * said.people
        if people is not None:
            members = (members + [Member("", None, (), said.absent)] * people)[:people]
        first = tuple((fact, value_of(self.bundle, fact, value)) for fact, value in said.first.items())
        return Role(name, calendar, tuple(members), first)

    def _kinds(self, does: Sequence[str]) -> Iterable[int]:
        for flow in self.flows:
            for state in flow.states:
                if flow.name in does or f"{flow.name}.{state.name}" in does:
                    yield state.kind

    def _tell_what_is_left_out(self) -> None:
        free = sorted({s.role for f in self.flows for s in f.states if s.role and s.role not in self.staff.roles})
        if free:
            self.notes.append(f"no staff is named for {', '.join(free)}: their work never waits")
        for flow in self.flows:
            hang = [each.table.name for each in flow.clocks if each.hangs]
            if hang:
                self.notes.append(f"{flow.name}: limits that hang on a fact are left out ({', '.join(hang)})")
            for role, said in self.staff.roles.items():
                for state in flow.states:
                    persons = said.persons.values()
                    able = said.people or any(
                        not each.does or flow.name in each.does or f"{flow.name}.{state.name}" in each.does
                        for each in persons
                    )
                    if state.role == role and state.choices and not able:
                        self.notes.append(f"nobody of {role} does the work of {flow.name}.{state.name}: it waits")
        if self.audit is not None:
            given = {*self.staff.work}
            fitted = [
                f"{f.name}.{s.name}" for f in self.flows for s in f.states
                if s.work is not None and not {f.name, f"{f.name}.{s.name}"} & given
            ]  # fmt: skip
            if fitted:
                self.notes.append(
                    f"how long work takes in {', '.join(fitted)} is the time that cases stood there in the audit, with "
                    "their waits: the most that it can be"
                )

    # -- arrivals ------------------------------------------------------------------------------------------

    def streams(self, said: Sequence[str], begin: int, end: int) -> tuple[Stream, ...]:
        """The cases that come as ``--arrivals`` says. Raises ``SceneFault`` and ``ArrivalsFault``."""
        found = []
        for text in said:
            for flow, arrivals in self._arrivals(text, begin, end):
                if flow.first is None:
                    raise SceneFault(f"no event starts a case of {flow.name}")
                found.append(Stream(flow, arrivals, flow.first))
        return tuple(found)

    def _arrivals(self, text: str, begin: int, end: int) -> Iterable[tuple[Flow, Arrivals]]:
        name, equals, rate = text.partition("=")
        flows = [self.flow_named(name.strip())] if equals else self.flows
        what = rate.strip() if equals else text.strip()
        if what == AUDIT:
            if self.audit is None:
                raise SceneFault("--arrivals audit needs --audit: how cases came")
            for flow in flows:
                yield flow, drawn(profile_of(self.audit, flow.name).times(self.bundle.timezone, begin))
            return
        made = rate_of(what)
        if made is not None:
            if len(flows) > 1:
                raise SceneFault(f'of which flow do {what} come? Say it as in --arrivals "{flows[0].name}={what}"')
            yield flows[0], drawn(made.times(flows[0].calendar, begin))
            return
        yield from self._of_file(text, begin, end)

    def _of_file(self, path: str, begin: int, end: int) -> Iterable[tuple[Flow, Arrivals]]:
        if not os.path.exists(path):
            raise SceneFault(f'--arrivals "{path}": no file is called so, and a rate is written like "12 per hour"')
        by_flow: dict[str, list[tuple[int, Profile | None]]] = {}
        outside = 0
        for each in read_times(path, self.bundle.timezone):
            if each.flow is None and len(self.flows) > 1:
                raise SceneFault(f"{path}:{each.line}: of which flow? Say it in a column flow")
            flow = self.flow_named(each.flow, f"{path}:{each.line}: ") if each.flow else self.flows[0]
            profile = self._profile_of(each, path)
            if begin <= each.when < end:
                by_flow.setdefault(flow.name, []).append((each.when, profile))
            else:
                outside += 1
        if outside:
            some = "1 case comes" if outside == 1 else f"{outside:,} cases come"
            note = f"{some} before these days or after them, and not in them ({path})"
            self.notes += [note] if note not in self.notes else []
        for name, cases in by_flow.items():
            yield self.flow_named(name), listed(sorted(cases, key=lambda case: case[0]))

    def _profile_of(self, each: Listed, path: str) -> Profile | None:
        facts = []
        for fact, text in each.facts.items():
            if fact not in self.bundle.facts:
                said = f'{path}:{each.line}: there is no fact "{fact}"'
                raise SceneFault(with_hint(said, fact, self.bundle.facts))
            try:
                facts.append((fact, value_of(self.bundle, fact, text)))
            except SceneFault as fault:
                raise SceneFault(f"{path}:{each.line}: {fault}") from None
        return self.profiles.of(facts) if facts else None

    def flow_named(self, name: str, place: str = "") -> Flow:
        """The simulated flow of a name. Raises ``SceneFault``."""
        for each in self.flows:
            if each.name == name:
                return each
        said = f'{place}there is no flow "{name}" in this simulation'
        raise SceneFault(with_hint(said, name, [each.name for each in self.flows]))

    def open_cases(self, views: Iterable[CaseView]) -> tuple[OpenCase, ...]:
        """Open cases of a store as runs begin with them, the oldest first. Those in states that the set no longer has
        are noted."""
        found = []
        unknown = 0
        by_name = {flow.name: flow for flow in self.flows}
        for view in views:
            flow = by_name.get(view.flow)
            if flow is None:
                continue
            state = flow.by_name.get(view.state)
            if state is None or state.final is not None:
                unknown += 1
                continue
            clocks = {
                clock.index: _open_clock(held)
                for clock in flow.clocks
                if (held := view.clocks.get(clock.table.name)) is not None and held.is_open
            }
            found.append(OpenCase(flow, view.subject, state, parse(view.opened), parse(view.since), clocks))
        found.sort(key=lambda each: each.opened)  # of several flows too, the oldest is taken up first
        if unknown:
            stand = "1 open case stands in a state" if unknown == 1 else f"{unknown:,} open cases stand in states"
            self.notes.append(f"{stand} that the set does not have; what stands so is left out")
        return tuple(found)

    def note_later(self, opened: Sequence[OpenCase], begin: int) -> None:
        """Note that open cases came to where they are after the days begin, if they did."""
        later = sum(each.since > begin for each in opened)
        if later:
            cases = "1 open case" if later == 1 else f"{later:,} open cases"
            self.notes.append(f"{cases} came where they are only after these days begin: begin later (--from)")

    def scene(
        self, begin: int, end: int, streams: tuple[Stream, ...], people: Mapping[str, int],
        opened: tuple[OpenCase, ...] = (),
    ) -> Scene:  # fmt: skip
        """The scene, with so many people in the roles that ``people`` names, and cases that are open at its start."""
        return Scene(begin, end, tuple(self.flows), self.roles(people), streams, self.profiles.drawn, opened)


def _open_clock(held: ClockView) -> OpenClock:
    """A clock of an open case as its last record has it."""
    unit = NANODAYS // DAY * SECOND if held.basis == BUSINESS_DAYS else SECOND  # of what is told in seconds
    running = held.status != PAUSED and held.due is not None
    due = NEVER if held.due is None else parse(held.due)
    limit = 0 if held.limit is None else round(held.limit * unit)
    return OpenClock(due, round(held.used * unit), limit, held.basis, running, held.late)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return microseconds(datetime.combine(day, time(), zone))
