"""Small flows and logs for laws: written as YAML by hypothesis, read and checked like a manager's own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from carepolicy.api import Engine, Flow
from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.scope import Scope, scope_of
from carepolicy.machine.bundle import PolicyErrors, compile_folder
from carepolicy.machine.flowmachine import Standstill
from carepolicy.machine.program import Bundle
from carepolicy.policy.load import load_policies
from stories import write_set

ORGANISATION = """\
    organisation: Harbour & Finch
    timezone: Europe/London
    languages: [en]
    calendar: office
    calendars:
      office:
        title: Office hours
        hours: {mon-thu: [09:00-12:30, 13:30-17:30], fri: 09:00-16:00}
      always: {title: Round the clock, hours: {mon-sun: 00:00-24:00}}
    roles:
      care_agent: {title: Care agent, calendar: office, people: [Aoife, Ben], deputy: care_lead}
      care_lead: {title: Care team lead, calendar: always, people: [Chidi], deputy: care_agent}
    channels:
      email: {title: E-mail, address: care@harbour.example, to: customer.name}
      phone: {title: Phone, address: "+44 20 7946 0000"}
    facts:
      customer.tier: {type: choice, of: [standard, gold], default: standard}
      customer.name: {type: text, private: true}
      order.total: {type: money, currency: GBP}
      order.ship_by: {type: time}
      complaint.attempts: {type: number, default: 0}
      case.urgent: {type: flag}
"""

MESSAGES = """\
    language: en
    messages:
      hello: {subject: "About {case}", text: 'Dear {customer.name}, "{order.total}" until {order.ship_by}'}
"""
OF_THE_FIRST_CLOCK = '      limits: {text: "{clock.c0.limit} by {clock.c0.due}; {case}"}\n'

CARRIED = "[customer.tier, customer.name, order.total, order.ship_by, complaint.attempts, case.urgent]"

GUARDS = (
    'customer.tier == "gold"',
    'customer.tier != "gold"',
    "order.total > 100",
    "order.total <= 100",
    "has(order.total)",
    "!has(order.total)",
    "complaint.attempts >= 2",
    "complaint.attempts < 2 || case.urgent",
    "case.urgent",
    "!case.urgent",
    'case.urgent && customer.tier == "gold"',
    '!(order.total > 100 && customer.tier == "gold")',
    "order.total > 50 ? case.urgent : complaint.attempts == 0",
)

OF_EVENTS = ("event.order.total > 100", "has(event.case.urgent)", 'event.customer.tier == "gold"')

LIMITS = (
    "2 hours",
    "20 minutes",
    "3 business hours",
    "less than 3 business hours",
    "1 business day",
    "less than 2 business days",
    "30 business minutes",
    "close of business day 1",
    "1 month",
    "until order.ship_by",
    "{first_of: [3 business hours, until order.ship_by]}",
    "{first_of: [2 hours, less than 1 business hour, close of business day 1]}",
)

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Loaded:
    """A set that was checked and compiled, without the cache of ``carepolicy.load``."""

    bundle: Bundle
    flows: dict[str, Flow]

    def records(self, events: list[dict[str, Any]], until: datetime | None = None, reveal: bool = False) -> list[Any]:
        return list(Engine(self.bundle, reveal, timedelta(0)).run(events, until))


@dataclass(frozen=True)
class Small:
    """A flow as text, and what a test needs to know of it."""

    text: str
    events: tuple[str, ...]
    starts: tuple[str, ...]
    clocks: tuple[str, ...] = ()

    def load(self) -> Loaded:
        messages = MESSAGES + OF_THE_FIRST_CLOCK if self.clocks else MESSAGES
        with tempfile.TemporaryDirectory() as folder:
            root = str(write_set(Path(folder), self.text, organisation=ORGANISATION, messages=messages))
            try:
                bundle = compile_folder(root)
            except PolicyErrors as wrong:
                if {each.code for each in wrong.findings} == {"CP310"}:
                    reject()  # goes round for ever at one instant: the check is right
                raise
            policies, _ = load_policies(root)
        assert policies is not None
        return Loaded(bundle, {name: Flow(policies, flow) for name, flow in policies.flows.items()})


@cache
def cases() -> tuple[tuple[dict[str, Any], dict[str, Any]], ...]:
    """Facts, and what the event at hand brought of them: every case that the guards above can tell from another."""
    names = ("order.total", "complaint.attempts", "case.urgent", "customer.tier")
    totals = (None, *map(Decimal, ("20", "75.50", "100", "100.01", "250")))
    values = product(totals, (0, 1, 2, 4), (None, True, False), ("standard", "gold"))
    found = []
    for chosen, brought in product(values, product((True, False), repeat=3)):
        facts = {name: value for name, value in zip(names, chosen, strict=True) if value is not None}
        bearing = dict(zip(("order.total", "case.urgent", "customer.tier"), brought, strict=True))
        found.append((facts, {name: value for name, value in facts.items() if bearing.get(name)}))
    return tuple(found)


@cache
def truth_of(guard: str) -> frozenset[int]:
    """The cases for which a guard holds, by their indexes."""
    function = compile_expression(guard, scope(), "flag").function
    return frozenset(n for n, (facts, event) in enumerate(cases()) if function(facts, event, Standstill()) is True)


@cache
def scope() -> Scope:
    """What a guard of a small flow may name where an event carries everything."""
    events = f"events:\n  e0: {{carries: {{optional: {CARRIED}}}}}\n"
    states = "states:\n  s0: {start_on: e0, on: {e0: done}}\n  done: {final: done}\n"
    with tempfile.TemporaryDirectory() as folder:
        text = f"flow: small\nversion: 1\nowner: care_lead\n{events}{states}"
        policies, findings = load_policies(write_set(Path(folder), text, organisation=ORGANISATION))
    assert policies is not None, findings
    return scope_of(policies.organisation, policies.flows["small"], "e0")


EFFECTS = (
    "tell: care_lead",
    "tell: {role: care_agent, say: 'Case {case}: {order.total} of {customer.name}'}",
    "tell: {role: care_agent, say: 'Then {order.total}, {customer.name}', in_hours: true}",
    "set: {complaint.attempts: complaint.attempts + 1}",
    "set: {case.urgent: complaint.attempts > 1}",
    "request: {refund: {amount: order.total, to: customer.name}}",
    "send: hello",
    "assign: care_lead",
)
OF_CLOCKS = ("send: limits", "extend: {clock: c0, by: 1 hour, at_most: 2}", "extend: {clock: c0, by: 1 business day}")


def no_effects() -> st.SearchStrategy[str]:
    return st.just("")


def some_effects(clocks: bool) -> st.SearchStrategy[str]:
    """The effects of a transition or a state, each kind once, in YAML's flow style: ``tell: care_lead``."""
    known = st.sampled_from((*EFFECTS, *OF_CLOCKS) if clocks else EFFECTS)
    chosen = st.lists(known, max_size=2, unique_by=lambda each: each.split(":")[0])
    return chosen.map(", ".join)


@st.composite
def transitions(draw: st.DrawFn, states: list[str], event: bool, effects: st.SearchStrategy[str]) -> str:
    """One value of a key of ``on:``, in YAML's flow style."""
    guards = st.sampled_from((*GUARDS, *OF_EVENTS) if event else GUARDS)
    kind = draw(st.sampled_from(("state", "state", "one", "list", "list", "stay")))
    said = draw(effects)
    more = said and f", {said}"
    if kind == "state":
        to = draw(st.sampled_from(states))
        return "{to: %s%s}" % (to, more) if more else to
    if kind == "stay":
        return "{note: stays%s}" % more
    if kind == "one":
        return "{when: '%s', to: %s%s}" % (draw(guards), draw(st.sampled_from(states)), more)
    ways, taken = [], frozenset[int]()
    for guard in draw(st.lists(guards, min_size=1, max_size=3)):
        if truth_of(guard) <= taken:
            continue  # the check would not let it pass: it is never taken
        taken |= truth_of(guard)
        to = draw(st.sampled_from((*states, None)))
        aim = "note: stays" if to is None else f"to: {to}"
        ways.append("{when: '%s', %s%s}" % (guard, aim, more))
    if draw(st.booleans()):
        ways.append("{to: %s%s}" % (draw(st.sampled_from(states)), more))
    return "[%s]" % ", ".join(ways)


@st.composite
def handlers(
    draw: st.DrawFn, triggers: list[str], states: list[str], effects: st.SearchStrategy[str], most: int = 3
) -> str:
    """The inside of an ``on:``, in YAML's flow style."""
    chosen = draw(st.lists(st.sampled_from(triggers), max_size=most, unique=True))
    return "{%s}" % ", ".join(f"{each}: {draw(transitions(states, '.' not in each, effects))}" for each in chosen)


@st.composite
def small_flows(draw: st.DrawFn, clocks: bool = False, effects: bool = False) -> Small:
    """A flow of two to five open states and a final one; with ``clocks``, with one or two clocks and timers."""
    said = some_effects(clocks) if effects else no_effects()
    open_states = [f"s{number}" for number in range(draw(st.integers(2, 5)))]
    states = [*open_states, "done"]
    events = [f"e{number}" for number in range(draw(st.integers(2, 4)))]
    named = [f"c{number}" for number in range(draw(st.integers(1, 2)))] if clocks else []
    triggers = [*events, *(f"{clock}.{what}" for clock in named for what in ("late", "warned", "met"))]
    starts = {open_states[0]: events[0]}
    if draw(st.booleans()):
        starts[open_states[1]] = events[1]
    lines = ["flow: small", "version: 1", "title: Small", "purpose: A small flow.", "owner: care_lead", "events:"]
    lines += [f"  {each}: {{title: {each}, by: staff, carries: {{optional: {CARRIED}}}}}" for each in events]
    lines += ["  closing: {title: Every case can be closed, by: staff}"]
    if named:
        lines.append("clocks:")
        for name in named:
            lines += draw(clock_lines(name, open_states, events))
    lines.append("states:")
    for state in open_states:
        start = f", start_on: {starts[state]}" if state in starts else ""
        after = ""
        if clocks and draw(st.integers(0, 3)) == 0:
            limit = draw(st.sampled_from(("3 hours", "2 days", "4 business hours", "1 business day")))
            after = f", after: {{{limit}: {draw(transitions(states, False, said))}}}"
        owner = draw(st.sampled_from(("care_agent", "care_lead")))
        on = draw(handlers(triggers, states, said))
        around = draw(entering_and_leaving(said)) if effects else ""
        lines.append(f"  {state}: {{title: {state}, owner: {owner}{start}, on: {on}{after}{around}}}")
    around = draw(entering_and_leaving(said, leaving=False)) if effects else ""
    lines.append(f"  done: {{title: Done, final: done{around}}}")
    lines += ["anywhere:", "  closing: done"]
    for each in draw(st.lists(st.sampled_from(events), max_size=2, unique=True)):
        excepted = draw(st.lists(st.sampled_from(open_states), max_size=2, unique=True))
        guard = draw(st.sampled_from(("", f", when: '{draw(st.sampled_from(GUARDS))}'")))
        way = f"{{to: {draw(st.sampled_from(states))}{guard}, except: [{', '.join(excepted)}]}}"
        lines.append(f"  {each}: {way}")
    if draw(st.booleans()):
        within = draw(st.lists(st.sampled_from(open_states), min_size=1, max_size=3, unique=True))
        shared = draw(handlers(events, states, said))
        lines += ["phases:", f"  box: {{title: Box, states: [{', '.join(within)}], on: {shared}}}"]
    return Small("\n".join(lines) + "\n", tuple(events), tuple(starts.values()), tuple(named))


@st.composite
def entering_and_leaving(draw: st.DrawFn, effects: st.SearchStrategy[str], leaving: bool = True) -> str:
    """What a state's line says of its channel and of effects on entering and leaving."""
    said = draw(st.sampled_from(("", ", channel: email", ", channel: phone")))
    for key in ("enter", "leave") if leaving else ("enter",):
        within = draw(effects)
        said += f", {key}: {{{within}}}" if within else ""
    return said


@st.composite
def clock_lines(draw: st.DrawFn, name: str, open_states: list[str], events: list[str]) -> list[str]:
    """The lines of a clock that runs in some states and may pause in others."""
    runs = draw(st.lists(st.sampled_from(open_states), min_size=1, unique=True))
    rest = [state for state in open_states if state not in runs]
    pauses = [state for state in rest if draw(st.booleans())]
    limit = draw(st.sampled_from(LIMITS))
    if draw(st.booleans()):
        guard = draw(st.sampled_from(GUARDS))
        more = [f"{{is: {limit}}}"] if draw(st.booleans()) else []
        limit = "[%s]" % ", ".join(["{when: '%s', is: %s}" % (guard, draw(st.sampled_from(LIMITS))), *more])
    lines = [
        f"  {name}:",
        f"    title: {name}",
        "    promise: We do it within {limit}.",
        f"    limit: {limit}",
        f"    runs_in: [{', '.join(runs)}]",
    ]
    if pauses:
        lines.append(f"    pauses_in: [{', '.join(pauses)}]")
    if draw(st.booleans()):
        lines.append("    again: continue")
    if draw(st.integers(0, 2)) == 0:
        lines.append(f"    restarts_on: [{draw(st.sampled_from(events))}]")
    if draw(st.booleans()):
        lines.append("    warn_at: [50%, 80%]")
    lines.append(f"    calendar: {draw(st.sampled_from(('office', 'always', 'owner')))}")
    return lines


def data() -> st.SearchStrategy[dict[str, Any]]:
    """What an event brings, as JSON."""
    return st.fixed_dictionaries(
        {},
        optional={
            "customer.tier": st.sampled_from(("standard", "gold")),
            "order.total": st.sampled_from(("20", "75.50", "100", "100.01", "250")),
            "complaint.attempts": st.integers(0, 4),
            "case.urgent": st.booleans(),
            "customer.name": st.sampled_from(("Ada", 'O\'Brien "Bo"', "x\u2028y")),
            "order.ship_by": st.integers(-4, 200).map(lambda hours: (MONDAY + timedelta(hours=hours)).isoformat()),
        },
    )


@st.composite
def logs(
    draw: st.DrawFn, events: tuple[str, ...], subjects: int = 1, longest: int = 12, first: str | None = None
) -> list[dict[str, Any]]:
    """Events in the order of time; a step between two is from nothing to some days."""
    steps = st.sampled_from((0, 1, 600, 3600, 7200, 10800, 20000, 86400, 200000))
    at, made = MONDAY, []
    for number in range(draw(st.integers(1, longest))):
        at += timedelta(seconds=draw(steps)) + timedelta(microseconds=draw(st.sampled_from((0, 0, 1, 999_999))))
        kind = first if first is not None and number == 0 else draw(st.sampled_from(events))
        brings = draw(data())
        made.append(
            {
                "specversion": "1.0",
                "id": f"n{number}",
                "source": "/test",
                "type": kind,
                "subject": f"x{draw(st.integers(1, subjects))}",
                "time": at.isoformat(),
                **({"data": brings} if brings else {}),
            }
        )
    return made
