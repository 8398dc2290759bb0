"""A set as the rules see it: what several of them ask of it is worked out once, when the first of them asks."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from carepolicy.businesstime import Calendar, CalendarError, LimitError
from carepolicy.businesstime.zones import is_zone
from carepolicy.checks.graph import feeding_watches, graph_of
from carepolicy.checks.guards import Guards
from carepolicy.checks.lateness import taken_in
from carepolicy.checks.times import TimesInTexts
from carepolicy.policy.findings import unknown
from carepolicy.policy.language.flow import list_at
from carepolicy.policy.language.kinds import references
from carepolicy.policy.ownwords import findings_of
from carepolicy.policy.phrases import phrases_of
from carepolicy.policy.placeholders import PlaceholderError, included_in, placeholders
from carepolicy.policy.places import Place
from carepolicy.policy.translations import standing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from carepolicy.businesstime import Limit
    from carepolicy.checks.graph import Graph
    from carepolicy.checks.lateness import Taken
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.language.kinds import Reference
    from carepolicy.policy.model import (
        CalendarSpec,
        Effects,
        Fact,
        Flow,
        Message,
        Organisation,
        Policies,
        Transition,
        Watch,
    )
    from carepolicy.policy.placeholders import Name, Placeholder
    from carepolicy.policy.places import At, Source
    from carepolicy.policy.translations import Standing


T = TypeVar("T")
About = TypeVar("About")


class Way(NamedTuple):
    """A transition, and the event that triggers it; None where a clock or the passing of time does."""

    flow: Flow
    transition: Transition
    event: str | None


class Acts(NamedTuple):
    """A group of effects, and the event whose data they may read; None where there is no such event."""

    flow: Flow
    effects: Effects
    event: str | None


class WrittenLimit(NamedTuple):
    """A limit as the manager wrote it. ``plain`` ones are lengths of time that no fact can move."""

    text: str
    place: Place
    plain: bool
    what: str


class CheckedSet:
    """A set on the day on which it is judged.

    ``before`` is the same set as it was checked last: what is known of flows, calendars and guards that did not change
    since is taken over.
    """

    def __init__(self, policies: Policies, today: date, before: CheckedSet | None = None) -> None:
        self.policies = policies
        self.today = today
        self.organisation: Organisation = policies.organisation
        self.flows: Mapping[str, Flow] = policies.flows
        self.messages: Mapping[str, Mapping[str, Message]] = policies.messages
        self.sources: Mapping[str, Source] = policies.sources
        self.files_read: Mapping[str, Source] = policies.files_read
        self._placeholders: dict[str, tuple[Placeholder, ...]] = {}
        self._said: dict[object, Any] = {}
        kept = before if before is not None and before.organisation is policies.organisation else None
        self.times: TimesInTexts = before.times if before is not None else TimesInTexts()
        self.guards: Guards = kept.guards if kept is not None and not kept.guards.is_full else Guards()
        same_day = kept is not None and kept.today == today
        self.calendars: CheckedCalendars = (
            kept.calendars if kept is not None and same_day else CheckedCalendars(policies.organisation, today)
        )
        self.each: Mapping[str, CheckedFlow] = {name: self._flow(flow, kept) for name, flow in policies.flows.items()}

    def _flow(self, flow: Flow, kept: CheckedSet | None) -> CheckedFlow:
        found = kept.each.get(flow.name) if kept is not None else None
        if found is not None and found.flow is flow:
            return found
        return CheckedFlow(flow, self.organisation, self.guards)

    @cached_property
    def named(self) -> Mapping[str, Sequence[Reference]]:
        """By what they are the names of ("role", "state" …), all names of things that are given elsewhere."""
        return references(self.sources)

    @cached_property
    def translated(self) -> tuple[Standing, ...]:
        """How far the set is translated into each of its languages that has a catalogue."""
        if not self.policies.texts:
            return ()
        phrases = phrases_of(self.policies)
        found = (standing_of(self.policies, phrases, each) for each in self.organisation.languages[1:])
        return tuple(each for each in found if each.files)

    @cached_property
    def _own_findings(self) -> tuple[Finding, ...]:
        files = self.policies.own_files.items()
        return tuple(each for file, content in files for each in findings_of(content, file))

    def own_findings(self, code: str) -> Iterator[Finding]:
        """What is wrong, by this rule, with the files of carepolicy's own words that the set brings."""
        return (each for each in self._own_findings if each.code == code)

    def unknown_names(
        self, code: str, what: str, known: Mapping[str, object] | Callable[[Reference], Mapping[str, object]]
    ) -> Iterator[Finding]:
        """What stands where the name of a ``what`` is to stand, and is none that is ``known`` there."""
        for each in self.named.get(what, ()):
            names = known(each) if callable(known) else known
            if each.name not in names and each.name not in each.key.also and each.key.unknown in ("", code):
                place = self.key_place(each.at) if each.on_key else self.place(each.at)
                yield unknown(code, what, each.name, place, (*names, *each.key.also))

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """Every transition of every flow."""
        return tuple(way for each in self.each.values() for way in each.ways)

    @cached_property
    def acts(self) -> tuple[Acts, ...]:
        """Every group of effects of every flow: of entering a state and of leaving it, then of transitions."""
        around = (acts for each in self.each.values() for acts in each.around_states())
        return (*around, *(Acts(way.flow, way.transition.effects, way.event) for way in self.ways))

    @cached_property
    def senders(self) -> Mapping[str, Mapping[str, Flow]]:
        """By message the flows that send it, themselves or as a part of another message."""
        found: dict[str, dict[str, Flow]] = {}
        for flow, effects, _ in self.acts:
            for template in effects.send:
                found.setdefault(template, {})[flow.name] = flow
        for template in [*found]:
            for messages in self.messages.values():
                for name in included_in(messages[template].text) if template in messages else ():
                    found.setdefault(name, {}).update(found[template])
        return found

    @cached_property
    def graphs(self) -> Mapping[str, Graph]:
        """The graph of every flow, by name."""
        return {name: each.graph for name, each in self.each.items()}

    @cached_property
    def triggers(self) -> Mapping[str, Sequence[tuple[str, At]]]:
        """By flow every key of ``on:`` and ``anywhere:``, with the address that it leads to."""
        return {name: each.triggers for name, each in self.each.items()}

    @cached_property
    def people(self) -> Mapping[str, frozenset[str]]:
        """The people of each role, by its name; a blank is nobody."""
        roles = self.organisation.roles.values()
        return {role.name: frozenset(each.strip() for each in role.people if each.strip()) for role in roles}

    @cached_property
    def feeding(self) -> Sequence[tuple[Watch, list[str]]]:
        """Each watch that feeds itself, and the events from what it raises to what it counts."""
        return list(feeding_watches(self.policies))

    @cached_property
    def unbound(self) -> frozenset[str]:
        """The facts with bounds that a flow sets to what it works out: events keep to the bounds, and that may not."""
        facts = self.organisation.facts
        if all(fact.least is None and fact.most is None for fact in facts.values()):
            return frozenset()
        return frozenset(name for name, text, _ in self.given if name in facts and not is_within(facts[name], text))

    @property
    def given(self) -> Iterator[tuple[str, str, At]]:
        """Every value that flows give a fact themselves, by ``set`` or with an event that they raise: its name, the
        expression, and where that stands."""
        for _, effects, _ in self.acts:
            yield from ((name, text, effects.at / "set" / name) for name, text in effects.set.items())
            for each in effects.raises:
                yield from ((name, text, each.at / "data" / name) for name, text in each.data.items())

    @cached_property
    def limits(self) -> tuple[WrittenLimit, ...]:
        """Every text of the set that is to be a limit."""
        return tuple(_limits_of(self))

    def once(self, asked: Callable[[CheckedSet], T]) -> T:
        """What a function says of the set: worked out when it is first asked, and kept with the set."""
        if asked not in self._said:
            self._said[asked] = asked(self)
        said: T = self._said[asked]
        return said

    def limit(self, text: str) -> Limit | None:
        """The limit that a text, or the setting that it names, says; None where it cannot be read."""
        try:
            return self.organisation.limit(text)
        except LimitError:
            return None

    def private_in(self, text: str) -> Iterator[Name]:
        """The names in placeholders of a text that stand for private facts."""
        facts = self.organisation.facts
        names = (name for each in self.placeholders(text) for name in each.names)
        yield from (each for each in names if each.name in facts and facts[each.name].private)

    def placeholders(self, text: str) -> tuple[Placeholder, ...]:
        """The placeholders of a text; none of one whose braces are wrong, which CP225 tells."""
        if "{" not in text:
            return ()
        if text not in self._placeholders:
            try:
                self._placeholders[text] = placeholders(text)
            except PlaceholderError:
                self._placeholders[text] = ()
        return self._placeholders[text]

    def place(self, at: At) -> Place:
        """Where the value at an address stands in its file."""
        return self.policies.place(at)

    def key_place(self, at: At) -> Place:
        """Where the key at an address stands in its file."""
        return self.policies.key_place(at)

    def within(self, at: At, text: str, start: int, end: int) -> Place:
        """The place of ``text[start:end]`` in the value at ``at``."""
        return self.inside(self.place(at), text, start, end)

    def inside(self, place: Place, text: str, start: int, end: int) -> Place:
        """The place of ``text[start:end]``, where ``text`` is what a scalar at ``place`` says.

        Exact for plain and quoted scalars of one line without escapes, and for the lines of a block
        scalar; the whole scalar for any other.
        """
        lines = self.files_read[place.file].text.splitlines()
        if place.line == place.end_line and place.line <= len(lines):
            written = lines[place.line - 1][place.column - 1 : place.end_column - 1]
            quote = 1 if written[:1] in ("'", '"') else 0
            if written[quote : len(written) - quote] == text:
                first = place.column + quote
                return Place(place.file, place.line, first + start, place.line, first + max(end, start + 1))
            return place
        return _inside_block(place, text, start, end, lines) or place


def _limits_of(checked: CheckedSet) -> Iterator[WrittenLimit]:
    """Every text of the set that is to be a limit: wherever the language declares one."""
    for each in checked.named.get("limit", ()):
        place = checked.key_place(each.at) if each.on_key else checked.place(each.at)
        yield WrittenLimit(each.name, place, not each.key.hangs, _limit_called(each))


def _limit_called(limit: Reference) -> str:
    """What a limit that must be a length of time is called."""
    name, path = limit.key.name, limit.at.path
    if name == "by":
        return "an extension"
    if path[-2:-1] == ("keep",):
        return "keep" if name == "facts" else f"keep of {name}"
    return name


def is_within(fact: Fact, text: str) -> bool:
    """Whether an expression is an amount that is written out, and within the bounds of a fact."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        return False
    return is_allowed(fact, amount)


def is_allowed(fact: Fact, amount: Decimal) -> bool:
    """Whether an amount is within the bounds of a fact."""
    least, most = (None if each is None else Decimal(str(each)) for each in (fact.least, fact.most))
    return (least is None or least <= amount) and (most is None or amount <= most)


class CheckedFlow:
    """One flow of a set, and what rules ask of it. It hangs on nothing else but the organisation."""

    def __init__(self, flow: Flow, organisation: Organisation, guards: Guards) -> None:
        self.flow = flow
        self.organisation = organisation
        self.guards = guards
        self._said: dict[object, Any] = {}

    @cached_property
    def graph(self) -> Graph:
        """Its states and the edges between them."""
        return graph_of(self.flow)

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """Its transitions, in the order of the file."""
        return tuple(self._ways())

    @cached_property
    def triggers(self) -> Sequence[tuple[str, At]]:
        """Every key of ``on:`` and ``anywhere:``, with the address that it leads to."""
        flow = self.flow
        found = [(name, state.at / "on" / name) for state in flow.states.values() for name in state.on]
        found += [(name, phase.at / "on" / name) for phase in flow.phases.values() for name in phase.on]
        return found + [(name, list_at(ways)) for name, ways in flow.anywhere.items()]

    @property
    def begins(self) -> bool:
        """Whether a case can begin in some state; by time it begins in the first, if no state says so."""
        return self.flow.every is not None or any(state.start_on for state in self.flow.states.values())

    @cached_property
    def taken(self) -> tuple[Taken, ...]:
        """Its transitions in every state in which they hold, and whether a promise is broken then."""
        return tuple(taken_in(self.graph, self.guards))

    def once(self, asked: Callable[[CheckedFlow, About], T], about: About) -> T:
        """What a function says of the flow and something else: kept for as long as the flow does not change."""
        if (asked, about) not in self._said:
            self._said[asked, about] = asked(self, about)
        said: T = self._said[asked, about]
        return said

    def around_states(self) -> Iterator[Acts]:
        """The effects of entering and of leaving its states."""
        for state in self.flow.states.values():
            yield from (Acts(self.flow, each, None) for each in (state.enter, state.leave) if each is not None)

    def _ways(self) -> Iterator[Way]:
        flow = self.flow
        for state in flow.states.values():
            yield from self._triggered(state.on)
            for after in state.after:
                yield from (Way(flow, each, None) for each in after.transitions)
        for phase in flow.phases.values():
            yield from self._triggered(phase.on)
        yield from self._triggered(flow.anywhere)

    def _triggered(self, on: Mapping[str, tuple[Transition, ...]]) -> Iterator[Way]:
        for trigger, transitions in on.items():
            event = trigger if trigger in self.flow.events else None
            yield from (Way(self.flow, each, event) for each in transitions)


class CheckedCalendars:
    """The calendars of a set, worked out, as far as they can be and their time zones are known."""

    def __init__(self, organisation: Organisation, today: date) -> None:
        self.specs = [each for each in organisation.calendars.values() if is_zone(each.timezone)]
        self.today = today

    @cached_property
    def faults(self) -> Mapping[str, CalendarError]:
        """By name what is wrong with those that cannot be worked out."""
        return {name: each for name, each in self._compiled.items() if isinstance(each, CalendarError)}

    @cached_property
    def sound(self) -> Mapping[str, Calendar]:
        """The others, by name."""
        return {name: each for name, each in self._compiled.items() if isinstance(each, Calendar)}

    @cached_property
    def never_open(self) -> tuple[str, ...]:
        """Those in which no business limit that starts today could end: two years are long."""
        start = datetime.combine(self.today, time(), UTC)
        doubtful = (spec.name for spec in self.specs if spec.name in self.sound and not _surely_opens(spec))
        return tuple(name for name in doubtful if not _opens(self.sound[name], start))

    @cached_property
    def _compiled(self) -> Mapping[str, Calendar | CalendarError]:
        return {spec.name: _compiled(spec) for spec in self.specs}


def _compiled(spec: CalendarSpec) -> Calendar | CalendarError:
    try:
        return Calendar.from_spec(spec)
    except CalendarError as fault:
        return fault


WEEKS, HOLIDAYS, FIRST = 104, 150, 2023
"""Weeks of two years, more days than any country's public holidays are in them, and the first of two such years, one
of which is a leap year."""


def _surely_opens(spec: CalendarSpec) -> bool:
    """Whether a calendar closes so seldom that it must open in two years, without working these out."""
    if spec.imports or spec.seasons:
        return False
    times = (time for each in spec.closed for time in each.times(FIRST, FIRST + 1))
    closed = sum((last - first).days + 1 for first, last in times) + len(spec.open)
    closed += HOLIDAYS + len(spec.holidays.also) if spec.holidays is not None else 0
    return WEEKS * sum(1 for hours in spec.hours if hours) > closed


def _opens(calendar: Calendar, start: datetime) -> bool:
    try:
        return calendar.opens_within(start, 2)
    except CalendarError:
        return True


def _inside_block(place: Place, text: str, start: int, end: int, lines: Sequence[str]) -> Place | None:
    """A place inside of a block scalar, whose lines follow its ``|`` indented."""
    before = text[:start]
    row = before.count("\n")
    said = text.split("\n")[row]
    number = place.line + 1 + row
    if number > len(lines) or lines[number - 1].strip() != said.strip():
        return None
    shift = lines[number - 1].index(said.strip()) - (len(said) - len(said.lstrip()))
    column = shift + start - (before.rfind("\n") + 1) + 1
    width = max(1, min(end - start, len(said) - (start - before.rfind("\n") - 1)))
    return Place(place.file, number, column, number, column + width)
