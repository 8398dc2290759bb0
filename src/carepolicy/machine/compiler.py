"""Policies become a bundle: each flow's program is read off its ``transitions`` machine."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.businesstime import Calendar
from carepolicy.businesstime.instants import microseconds, midnight_of
from carepolicy.businesstime.opentime import PACKED_YEARS
from carepolicy.businesstime.zones import ZoneLine, zone_line, zone_named
from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.scope import scope_of
from carepolicy.machine.flowmachine import FlowMachine, starts_of
from carepolicy.machine.messages import compile_notice, compile_templates
from carepolicy.machine.program import (
    AfterTable,
    ArgumentTable,
    Bundle,
    ClockTable,
    EffectsTable,
    EventTable,
    Every,
    ExtendTable,
    FactTable,
    LimitTable,
    NoticeTable,
    OpenTable,
    Phase,
    Program,
    RaiseTable,
    RuleTable,
    SpendTable,
    StateTable,
    TeamTable,
    WarnTable,
    WatchTable,
)
from carepolicy.policy.addresses import PHONE, SPELLED, is_like_a_number, spelled
from carepolicy.policy.language.flow import OWNER, list_at
from carepolicy.policy.likeness import compared
from carepolicy.policy.limit import share_written
from carepolicy.policy.region import region_of
from carepolicy.policy.strata import effects_of, strata_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.guards.scope import Scope
    from carepolicy.machine.flowmachine import FlowTransition
    from carepolicy.machine.program import Function
    from carepolicy.policy.model import (
        Clock,
        Effects,
        Fact,
        Flow,
        LimitChoice,
        Organisation,
        Policies,
        State,
        Tell,
        Value,
        Watch,
    )

ALWAYS = "always"
"""The calendar of a set that names none: round the clock in the organisation's zone."""

_DOTTED = re.compile(r"[a-z_]\w*(?:\.[a-z_]\w*)+")
"""Facts in an expression, and what only looks like one."""


def compile_policies(policies: Policies) -> Bundle:
    """Compile a set that ``checks`` found no error in. Raises what its parts raise for one that has errors."""
    organisation = policies.organisation
    strata = strata_of(policies)
    region = _region_of_numbers(organisation)
    calendars = {name: Calendar.from_spec(spec) for name, spec in organisation.calendars.items()}
    if organisation.calendar is None and ALWAYS not in calendars:
        calendars[ALWAYS] = Calendar.round_the_clock(organisation.timezone)
    programs = tuple(
        _FlowCompiler(policies, flow).program(strata["flow", flow.name])
        for flow in sorted(policies.flows.values(), key=lambda each: each.name)
    )
    return Bundle(
        organisation=organisation.name,
        timezone=organisation.timezone,
        zone=_zone(organisation.timezone),
        languages=organisation.languages,
        facts=_facts(organisation, _naming_facts(policies), region),
        carries=_carries(policies),
        addresses={name: each.to for name, each in organisation.channels.items() if each.to is not None},
        channels={name: each.address for name, each in organisation.channels.items()},
        role_titles={name: each.title for name, each in organisation.roles.items()},
        may_see={name: frozenset(each.may_see) for name, each in organisation.roles.items()},
        keep=None if organisation.keep is None else organisation.limit(organisation.keep),
        retention={name: organisation.limit(text) for name, text in organisation.retention.items()},
        programs=programs,
        watches=tuple(
            _watch(organisation, each, strata[("watch", each.name)]) for each in organisation.watches.values()
        ),
        calendars=calendars,
        digest=policies.digest,
        card_never=organisation.card_never,
        region=region,
        absences=_absences(organisation),
        teams={
            role.name: TeamTable(tuple(map(compared, role.people)), role.deputy) for role in organisation.roles.values()
        }
        if organisation.away
        else {},
    )


@lru_cache(maxsize=32)
def _zone(timezone: str) -> ZoneLine:
    begin, end = (midnight_of(date(year, 1, 1).toordinal()) for year in PACKED_YEARS)
    return zone_line(zone_named(timezone), begin, end)


def _absences(organisation: Organisation) -> dict[str, tuple[tuple[int, int], ...]]:
    """When people are away, day by day of the organisation's zone."""
    return {
        compared(person): tuple(
            (
                _instant_of(each.first.isoformat(), organisation.timezone),
                _instant_of((each.last + timedelta(days=1)).isoformat(), organisation.timezone),
            )
            for each in found
        )
        for person, found in organisation.away.items()
    }


def _region_of_numbers(organisation: Organisation) -> str | None:
    """The region of telephone numbers, where there are any."""
    of_facts = any(PHONE in (each.type, each.item) for each in organisation.facts.values())
    of_channels = any(is_like_a_number(each.address) for each in organisation.channels.values())
    return region_of(organisation) if of_facts or of_channels else None


def _default(fact: Fact, region: str | None) -> Value:
    """The default of a fact as its values are kept."""
    if fact.type in SPELLED and isinstance(fact.default, str):
        return spelled(fact.type, fact.default, region)
    return fact.default


def _facts(organisation: Organisation, naming: set[str], region: str | None) -> dict[str, FactTable]:
    return {
        fact.name: FactTable(
            fact.name,
            fact.type,
            fact.item,
            fact.of,
            fact.private,
            fact.currency,
            _default(fact, region),
            card_never=fact.card_never,
            names_case=fact.name in naming,
            least=fact.least,
            most=fact.most,
            pattern=fact.pattern,
            region=region if PHONE in (fact.type, fact.item) else None,
        )
        for fact in organisation.facts.values()
    }


def _naming_facts(policies: Policies) -> set[str]:
    """The facts whose values name cases, or that the names of others' cases are made of."""
    found = {watch.by for watch in policies.organisation.watches.values()}
    for flow in policies.flows.values():
        if flow.every is None and flow.subject is not None:
            found.add(flow.subject)
        for effects in effects_of(flow):
            for each in effects.raises:
                found.update(name.removeprefix("event.") for name in _DOTTED.findall(each.subject))
    return found


def _carries(policies: Policies) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for flow in policies.flows.values():
        for event in flow.events.values():
            found.setdefault(event.name, {}).update(dict.fromkeys((*event.required, *event.optional)))
    return {event: tuple(facts) for event, facts in sorted(found.items())}


def _watch(organisation: Organisation, watch: Watch, stratum: int) -> WatchTable:
    return WatchTable(
        name=watch.name,
        counts=watch.count,
        by=watch.by,
        reaches=watch.reaches,
        within=organisation.limit(watch.within),
        calendar=organisation.calendar or ALWAYS,
        raises=watch.raises,
        stratum=stratum,
    )


class _FlowCompiler:
    """Compiles one flow. States are referred to by their index on its machine, which says what leads out of them."""

    def __init__(self, policies: Policies, flow: Flow) -> None:
        self.policies = policies
        self.organisation = policies.organisation
        self.flow = flow
        self.machine = FlowMachine(flow, policies.organisation)
        self.index = {name: number for number, name in enumerate(self.machine.states)}
        self.calendar = flow.calendar or policies.organisation.calendar or ALWAYS
        self.places = {at: number for number, at in enumerate(_timers_in_file_order(flow))}

    def program(self, stratum: int) -> Program:
        """The program of the flow, read off its machine."""
        flow = self.flow
        starts: dict[str, int] = {}
        for state in flow.states.values():
            for event in state.start_on:
                starts.setdefault(event, self.index[state.name])
        return Program(
            flow=flow.name,
            version=flow.version,
            title=flow.title,
            calendar=self.calendar,
            states=tuple(self._state(flow.states[name]) for name in self.machine.states),
            clocks=tuple(self._clock(clock) for clock in flow.clocks.values()),
            starts=starts,
            events=frozenset(flow.events),
            required={event.name: event.required for event in flow.events.values() if event.required},
            key=flow.subject if flow.every is None else None,
            every=self._every(),
            stratum=stratum,
            counts_visits=any(
                "case.visits." in source.text for file in _files_of(flow) for source in self.policies.sources_of(file)
            ),
            templates=compile_templates(self.policies, flow),
            happenings={event.name: EventTable(event.title or event.name, event.by) for event in flow.events.values()},
            moves={
                **{each.renamed_from: each.name for each in flow.states.values() if each.renamed_from is not None},
                **flow.moves_to,
            },
            keep=None if flow.keep is None else self.organisation.limit(flow.keep),
        )

    def _every(self) -> Every | None:
        flow = self.flow
        if flow.every is None:
            return None
        named = [state.name for state in flow.states.values() if "every" in state.start_on]
        return Every(
            period=self.organisation.limit(flow.every),
            calendar=self.calendar,
            starting=_instant_of(flow.starting or "1970-01-01", self.organisation.timezone),
            subject=flow.subject or flow.name,
            state=self.index[(named or starts_of(flow))[0]],
        )

    def _state(self, state: State) -> StateTable:
        ways = self.machine.ways(state.name)
        afters = tuple(
            AfterTable(
                trigger=f"after {each.limit}",
                limit=self.organisation.limit(each.limit),
                calendar=self.calendar,
                rules=self._rules(state, ways[f"after {each.limit}"], None),
                place=self.places["after", state.name, each.limit],
            )
            for each in state.after
        )
        timers = {each.trigger for each in afters}
        return StateTable(
            name=state.name,
            title=state.title,
            final=state.final,
            owner=state.owner,
            channel=state.channel,
            ways={
                trigger: self._rules(state, found, trigger) for trigger, found in ways.items() if trigger not in timers
            },
            afters=afters,
            enter=self._effects(state.enter, None, state.name),
            leave=self._effects(state.leave, None, state.name),
        )

    def _rules(self, state: State, ways: tuple[FlowTransition, ...], trigger: str | None) -> tuple[RuleTable, ...]:
        return tuple(
            RuleTable(
                when=way.guard.function if way.guard is not None else None,
                to=-1 if way.dest is None else self.index[way.dest],
                effects=self._effects(way.rule.effects, trigger, way.dest or state.name),
                spends=self._spending(state, way.rule.effects, trigger),
            )
            for way in ways
        )

    def _clock(self, clock: Clock) -> ClockTable:
        states = [self.flow.states[name] for name in self.index]
        return ClockTable(
            name=clock.name,
            title=clock.title,
            limits=tuple(self._limit(clock, each) for each in clock.limits),
            phases=tuple(_phase(clock, state.name) for state in states),
            calendars=tuple(
                calendar_of(self.organisation, self.flow, clock, state.owner) or ALWAYS for state in states
            ),
            goes_on=clock.again == "continue",
            restarts_on=frozenset(clock.restarts_on),
            warns=tuple(sorted((self._warn(each) for each in clock.warn_at), key=lambda each: each.share)),
            counts_from=clock.counts_from,
            target=clock.target,
            place=self.places["clock", clock.name],
        )

    def _limit(self, clock: Clock, choice: LimitChoice) -> LimitTable:
        limit = self.organisation.limit(choice.limit)
        calendars = None
        if choice.calendar is not None:
            owners = (self.flow.states[name].owner for name in self.index)
            calendars = tuple(
                calendar_of(self.organisation, self.flow, clock, owner, choice) or ALWAYS for owner in owners
            )
        if choice.when is None:
            return LimitTable(None, limit, choice.rolls is not None, frozenset(limit.reads), calendars)
        guard = compile_expression(choice.when, scope_of(self.organisation, self.flow), "flag")
        reads = frozenset((*limit.reads, *guard.reads))
        return LimitTable(guard.function, limit, choice.rolls is not None, reads, calendars)

    def _warn(self, text: str) -> WarnTable:
        if (share := share_written(text)) is not None:
            return WarnTable(int(share * 1_000_000))
        return WarnTable(0, self.organisation.warning(text))

    def _effects(self, effects: Effects | None, trigger: str | None, state: str) -> EffectsTable | None:
        """The table of ``effects``, or None where there are none. ``trigger`` is what brings them, ``state`` the state
        in which the case is afterwards."""
        if effects is None:
            return None
        scope = scope_of(self.organisation, self.flow, trigger)
        clocks = list(self.flow.clocks)

        def function(text: str) -> Function:
            return compile_expression(text, scope, None).function

        def functions(texts: Mapping[str, str]) -> tuple[tuple[str, Function], ...]:
            kinds = {name: self.organisation.facts[name].type for name in texts if name in self.organisation.facts}
            wanted = {name: kind if kind in SPELLED else None for name, kind in kinds.items()}
            return tuple(
                (name, compile_expression(text, scope, wanted.get(name)).function) for name, text in texts.items()
            )

        table = EffectsTable(
            set=functions(effects.set),
            assign=None if effects.assign is None else self._assignee(effects.assign),
            send=effects.send,
            tell=tuple(self._notice(each, state, trigger) for each in effects.tell),
            request=tuple(
                (each.action, tuple(self._argument(scope, *named) for named in each.arguments.items()))
                for each in effects.request
            ),
            open=tuple(OpenTable(each.flow, each.on, each.keep_time) for each in effects.open),
            raises=tuple(
                RaiseTable(each.event, function(each.subject), functions(each.data)) for each in effects.raises
            ),
            extend=tuple(
                ExtendTable(clocks.index(each.clock), self.organisation.limit(each.by), each.at_most)
                for each in effects.extend
            ),
        )
        return table if table != _NOTHING else None

    def _notice(self, tell: Tell, state: str, trigger: str | None) -> NoticeTable:
        calendar = None
        if tell.in_hours:
            role = self.organisation.roles.get(tell.role)
            calendar = (role.calendar if role is not None else None) or self.organisation.calendar
        return NoticeTable(tell.role, compile_notice(self.policies, self.flow, tell, state, trigger), calendar)

    def _argument(self, scope: Scope, name: str, text: str) -> ArgumentTable:
        expression = compile_expression(text, scope, None)
        read = sorted({*expression.reads, *expression.reads_event})
        private = tuple(fact for fact in read if self.organisation.facts[fact].private)
        return ArgumentTable(name, expression.function, expression.type, private)

    def _spending(self, state: State, effects: Effects, trigger: str | None) -> SpendTable | None:
        """What a transition gives away, and how much whoever acts in ``state`` may; None where it gives nothing."""
        if effects.spends is None:
            return None
        name = state.owner or self.flow.owner
        role = self.organisation.roles.get(name)
        most = role.authority if role is not None else None
        amount = compile_expression(effects.spends, scope_of(self.organisation, self.flow, trigger), "money")
        return SpendTable(amount.function, Decimal(0) if most is None else most, name)

    def _assignee(self, name: str) -> tuple[str | None, str | None]:
        """(role, None) or (None, fact): who is to do the work."""
        return (name, None) if name in self.organisation.roles else (None, name)


def _files_of(flow: Flow) -> set[str]:
    """The files that say something of a flow: its own, and those of ways that it takes up."""
    return {flow.at.file, *(list_at(ways).file for ways in flow.anywhere.values())}


_NOTHING = EffectsTable((), None, (), (), (), (), (), ())


def calendar_of(
    organisation: Organisation, flow: Flow, clock: Clock, owner: str | None, choice: LimitChoice | None = None
) -> str | None:
    """The name of the calendar in which a clock, or one of its limits, counts in a state of ``owner``; None where
    nothing names one."""
    default = flow.calendar or organisation.calendar
    named = clock.calendar if choice is None or choice.calendar is None else choice.calendar
    if named != OWNER:
        return named or default
    role = organisation.roles.get(owner or flow.owner)
    return role.calendar if role is not None and role.calendar is not None else default


def _phase(clock: Clock, state: str) -> Phase:
    if state in clock.runs_in:
        return Phase.RUNNING
    return Phase.PAUSED if state in clock.pauses_in else Phase.STOPPED


def _timers_in_file_order(flow: Flow) -> list[tuple[str, ...]]:
    """Every clock and ``after`` of a flow as they stand in its file."""
    clocks: list[tuple[str, ...]] = [("clock", name) for name in flow.clocks]
    afters: list[tuple[str, ...]] = [
        ("after", state.name, each.limit) for state in flow.states.values() for each in state.after
    ]
    states_first = (
        "clocks" in flow.order and "states" in flow.order and flow.order.index("states") < flow.order.index("clocks")
    )
    return afters + clocks if states_first else clocks + afters


def _instant_of(text: str, timezone: str) -> int:
    """Microseconds since 1970 of an ISO date or time; one without an offset is in ``timezone``."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return microseconds(moment)
