"""Policies become a bundle: each flow's program is read off its ``transitions`` machine."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.businesstime import Calendar, parse_limit
from carepolicy.businesstime.instants import microseconds
from carepolicy.guards import compile_expression
from carepolicy.guards.scopes import scope_of
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
    OpenTable,
    Phase,
    Program,
    RaiseTable,
    RuleTable,
    SpendTable,
    StateTable,
    WarnTable,
    WatchTable,
)
from carepolicy.policy.settings import limit_text
from carepolicy.policy.strata import effects_of, strata_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.machine.flowmachine import FlowTransition
    from carepolicy.machine.program import Function
    from carepolicy.policy.limit import Limit
    from carepolicy.policy.model import Clock, Effects, Flow, LimitChoice, Organisation, Policies, State, Watch

ALWAYS = "always"
"""The calendar of a set that names none: round the clock in the organisation's zone."""

_DOTTED = re.compile(r"[a-z_]\w*(?:\.[a-z_]\w*)+")
"""Facts in an expression, and what only looks like one."""


def compile_policies(policies: Policies) -> Bundle:
    """Compile a set that ``checks`` found no error in. Raises what its parts raise for one that has errors."""
    organisation = policies.organisation
    strata = strata_of(policies)
    calendars = {name: Calendar.from_spec(spec) for name, spec in organisation.calendars.items()}
    if organisation.calendar is None and ALWAYS not in calendars:
        calendars[ALWAYS] = Calendar.round_the_clock(organisation.timezone)
    programs = tuple(
        compile_flow(policies, flow, strata[("flow", flow.name)])
        for flow in sorted(policies.flows.values(), key=lambda each: each.name)
    )
    return Bundle(
        organisation=organisation.name,
        timezone=organisation.timezone,
        languages=organisation.languages,
        facts=_facts(organisation, _naming_facts(policies)),
        carries=_carries(policies),
        addresses={name: each.to for name, each in organisation.channels.items() if each.to is not None},
        channels={name: each.address for name, each in organisation.channels.items()},
        role_titles={name: each.title for name, each in organisation.roles.items()},
        may_see={name: frozenset(each.may_see) for name, each in organisation.roles.items()},
        keep=_kept(organisation, organisation.keep),
        retention={name: parse_limit(limit_text(text, organisation)) for name, text in organisation.retention.items()},
        programs=programs,
        watches=tuple(
            _watch(organisation, each, strata[("watch", each.name)]) for each in organisation.watches.values()
        ),
        calendars=calendars,
        digest=policies.digest,
        card_never=organisation.card_never,
    )


def _facts(organisation: Organisation, naming: set[str]) -> dict[str, FactTable]:
    return {
        fact.name: FactTable(
            fact.name,
            fact.type,
            fact.item,
            fact.of,
            fact.private,
            fact.currency,
            fact.default,
            card_never=fact.card_never,
            names_case=fact.name in naming,
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


def compile_flow(policies: Policies, flow: Flow, stratum: int) -> Program:
    """The program of one flow, read off its machine."""
    machine = FlowMachine(flow, policies.organisation)
    index = {name: number for number, name in enumerate(machine.states)}
    calendar = flow.calendar or policies.organisation.calendar or ALWAYS
    places = {at: number for number, at in enumerate(_timers_in_file_order(flow))}
    states = tuple(
        _state(policies, flow, flow.states[name], machine.ways(name), index, calendar, places)
        for name in machine.states
    )
    starts: dict[str, int] = {}
    for state in flow.states.values():
        for event in state.start_on:
            starts.setdefault(event, index[state.name])
    return Program(
        flow=flow.name,
        version=flow.version,
        title=flow.title,
        calendar=calendar,
        states=states,
        clocks=compile_clocks(policies, flow, list(index), calendar, places),
        starts=starts,
        events=frozenset(flow.events),
        required={event.name: event.required for event in flow.events.values() if event.required},
        key=flow.subject if flow.every is None else None,
        every=_every(policies.organisation, flow, index, calendar),
        stratum=stratum,
        counts_visits="case.visits." in policies.sources[flow.at.file].text,
        templates=compile_templates(policies, flow),
        happenings={event.name: EventTable(event.title or event.name, event.by) for event in flow.events.values()},
        moves={
            **{each.renamed_from: each.name for each in flow.states.values() if each.renamed_from is not None},
            **flow.moves_to,
        },
        keep=_kept(policies.organisation, flow.keep),
    )


def _kept(organisation: Organisation, text: str | None) -> Limit | None:
    return None if text is None else parse_limit(limit_text(text, organisation))


def _state(
    policies: Policies,
    flow: Flow,
    state: State,
    ways: dict[str, tuple[FlowTransition, ...]],
    index: dict[str, int],
    calendar: str,
    places: dict[tuple[str, ...], int],
) -> StateTable:
    def rules(found: tuple[FlowTransition, ...], trigger: str | None) -> tuple[RuleTable, ...]:
        return tuple(
            RuleTable(
                when=way.guard.function if way.guard is not None else None,
                to=-1 if way.dest is None else index[way.dest],
                effects=compile_effects(
                    policies, flow, way.rule.effects, trigger, flow.states[way.dest or state.name].title
                ),
                spends=compile_spending(policies, flow, state, way.rule.effects, trigger),
            )
            for way in found
        )

    afters = tuple(
        AfterTable(
            trigger=f"after {each.limit}",
            limit=parse_limit(limit_text(each.limit, policies.organisation)),
            calendar=calendar,
            rules=rules(ways[f"after {each.limit}"], None),
            place=places["after", state.name, each.limit],
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
        ways={trigger: rules(found, trigger) for trigger, found in ways.items() if trigger not in timers},
        afters=afters,
        enter=compile_effects(policies, flow, state.enter, None, state.title),
        leave=compile_effects(policies, flow, state.leave, None, state.title),
    )


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


def _watch(organisation: Organisation, watch: Watch, stratum: int) -> WatchTable:
    return WatchTable(
        name=watch.name,
        counts=watch.count,
        by=watch.by,
        reaches=watch.reaches,
        within=parse_limit(limit_text(watch.within, organisation)),
        calendar=organisation.calendar or ALWAYS,
        raises=watch.raises,
        stratum=stratum,
    )


def _every(organisation: Organisation, flow: Flow, index: dict[str, int], calendar: str) -> Every | None:
    if flow.every is None:
        return None
    named = [state.name for state in flow.states.values() if "every" in state.start_on]
    return Every(
        period=parse_limit(limit_text(flow.every, organisation)),
        calendar=calendar,
        starting=instant_of(flow.starting or "1970-01-01", organisation.timezone),
        subject=flow.subject or flow.name,
        state=index[(named or starts_of(flow))[0]],
    )


def instant_of(text: str, timezone: str) -> int:
    """Microseconds since 1970 of an ISO date or time; one without an offset is in ``timezone``."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return microseconds(moment)


OWNER = "owner"
"""The calendar of a clock that counts in the calendar of the state's owner."""


def compile_clocks(
    policies: Policies, flow: Flow, states: list[str], calendar: str, places: Mapping[tuple[str, ...], int]
) -> tuple[ClockTable, ...]:
    """The clocks of ``flow`` in the order of the file; ``calendar`` is the one of clocks that name none."""
    return tuple(
        ClockTable(
            name=clock.name,
            title=clock.title,
            limits=tuple(_limit(policies, flow, each) for each in clock.limits),
            phases=tuple(_phase(clock, state) for state in states),
            calendars=tuple(_calendar(policies, flow, clock, state, calendar) for state in states),
            goes_on=clock.again == "continue",
            restarts_on=frozenset(clock.restarts_on),
            warns=tuple(sorted((_warn(each) for each in clock.warn_at), key=lambda each: each.share)),
            counts_from=clock.counts_from,
            target=clock.target,
            place=places["clock", clock.name],
        )
        for clock in flow.clocks.values()
    )


def _limit(policies: Policies, flow: Flow, choice: LimitChoice) -> LimitTable:
    limit = parse_limit(limit_text(choice.limit, policies.organisation))
    if choice.when is None:
        return LimitTable(None, limit, choice.rolls is not None, frozenset(limit.reads))
    guard = compile_expression(choice.when, scope_of(policies.organisation, flow), "flag")
    return LimitTable(guard.function, limit, choice.rolls is not None, frozenset((*limit.reads, *guard.reads)))


def _phase(clock: Clock, state: str) -> Phase:
    if state in clock.runs_in:
        return Phase.RUNNING
    return Phase.PAUSED if state in clock.pauses_in else Phase.STOPPED


def _calendar(policies: Policies, flow: Flow, clock: Clock, state: str, default: str) -> str:
    if clock.calendar != OWNER:
        return clock.calendar or default
    owner = policies.organisation.roles.get(flow.states[state].owner or flow.owner)
    return owner.calendar if owner is not None and owner.calendar is not None else default


def _warn(text: str) -> WarnTable:
    return WarnTable(int(Fraction(text.strip().removesuffix("%").strip()) * 10_000))


def compile_effects(
    policies: Policies, flow: Flow, effects: Effects | None, trigger: str | None, state: str
) -> EffectsTable | None:
    """The table of ``effects``, or None where there are none. ``trigger`` is what they follow, ``state`` the title of
    that in which the case is after them."""
    if effects is None:
        return None
    scope = scope_of(policies.organisation, flow, trigger)
    clocks = list(flow.clocks)
    facts = policies.organisation.facts

    def function(text: str) -> Function:
        return compile_expression(text, scope, None).function

    def argument(name: str, text: str) -> ArgumentTable:
        expression = compile_expression(text, scope, None)
        read = sorted({*expression.reads, *expression.reads_event})
        return ArgumentTable(
            name, expression.function, expression.type, tuple(fact for fact in read if facts[fact].private)
        )

    table = EffectsTable(
        set=tuple((fact, function(text)) for fact, text in effects.set.items()),
        assign=_assignee(policies, effects.assign),
        send=effects.send,
        tell=tuple((each.role, compile_notice(policies, flow, each.say, state, trigger)) for each in effects.tell),
        request=tuple(
            (each.action, tuple(argument(name, text) for name, text in each.arguments.items()))
            for each in effects.request
        ),
        open=tuple(OpenTable(each.flow, each.on, each.keep_time) for each in effects.open),
        raises=tuple(
            RaiseTable(
                each.event, function(each.subject), tuple((name, function(text)) for name, text in each.data.items())
            )
            for each in effects.raises
        ),
        extend=tuple(
            ExtendTable(clocks.index(each.clock), parse_limit(limit_text(each.by, policies.organisation)), each.at_most)
            for each in effects.extend
        ),
    )
    return table if table != _NOTHING else None


def compile_spending(
    policies: Policies, flow: Flow, state: State, effects: Effects, trigger: str | None
) -> SpendTable | None:
    """What a transition gives away, and how much whoever acts in ``state`` may; None where it gives nothing away."""
    if effects.spends is None:
        return None
    name = state.owner or flow.owner
    role = policies.organisation.roles.get(name)
    most = role.authority if role is not None else None
    amount = compile_expression(effects.spends, scope_of(policies.organisation, flow, trigger), "money")
    return SpendTable(amount.function, Decimal(0) if most is None else most, name)


_NOTHING = EffectsTable((), None, (), (), (), (), (), ())


def _assignee(policies: Policies, name: str | None) -> tuple[str | None, str | None] | None:
    """(role, None) or (None, fact): who is to do the work."""
    if name is None:
        return None
    return (name, None) if name in policies.organisation.roles else (None, name)
