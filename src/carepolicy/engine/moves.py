"""Moves written out: what an often-seen event does in a state, as one Python function made for it alone.

``Stepper.deliver`` takes any event in any state, and says what an event means. Most of what it asks is known
before the case, though: which transitions there are, which clocks they touch, what their records say. So for
a state and an event that come often, the same steps are written out in Python without those questions.
What is not plain (clocks that go on, limits that hang on facts, effects that open cases) is left to the stepper, at
its place among the steps. Tests hold the two against each other on random flows: they write the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from carepolicy.engine.case import Case
from carepolicy.engine.clocks import begin_anew
from carepolicy.engine.effects import assign_task
from carepolicy.engine.instants import NEVER
from carepolicy.engine.moveclocks import look, operate
from carepolicy.engine.source import Source
from carepolicy.engine.values import NO_DATA
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.engine.effects import LiveEffects
    from carepolicy.engine.program import LiveProgram, LiveState, LiveWay, Operations

Move = Callable[[Any, Any, Case, int, str, dict[str, Any]], bool]
"""``move(stepper, subject, case, now, when, data)``, with the meaning of ``Stepper.deliver``."""

Opening = Callable[[Any, Any, int, str, dict[str, Any], int], Case]
"""``opening(stepper, subject, now, when, facts, received)``, with the meaning of ``Stepper.open_case``."""


def write_move(program: LiveProgram, state: LiveState, event: str) -> Move | None:
    """The move of an event in a state; None where the stepper has to look at more than is known beforehand.

    A move is not for data that takes a value away (None).
    """
    ways = state.ways.get(event)
    if not ways or program.listens_to_met or any(way.spends is not None for way in ways):
        return None
    source = Source("move(stepper, subject, case, now, when, event)")
    source.add("case.now = now", "facts = before = case.facts")
    if program.brings(event):
        source.add("if event:", "    case.facts = facts = before | event")
    sure = False
    for way in ways:
        if way.when is not None:
            source.add(f"if {source.name(way.when, 'guard')}(facts, event, case):")
            with source.deeper():
                _write_way(source, program, state, way, event)
        else:
            _write_way(source, program, state, way, event)
            sure = True
            break
    if not sure:
        source.add("case.facts = before", "return False")
    move: Move = source.function()
    return move


def _write_way(source: Source, program: LiveProgram, state: LiveState, way: LiveWay, event: str) -> None:
    effects = () if way.to is None else _known(state.leave, way.effects, way.to.enter)
    if way.to is None or any(each.opens_cases for each in effects):
        source.add(
            f"stepper._take(case, {source.name(way, 'way')}, now, when, event)",
            "stepper.settle(subject, case, now)",
            "return True",
        )
        return
    source.begin_records(program)
    for each in _known(state.leave, way.effects):
        _run(source, each)
    if way.moved is not None:
        source.record("case.moved", source.name(way.moved, "moved"))
    facts_set = any(each.sets_facts for each in _known(state.leave, way.effects))
    brought = program.reads_of(event)
    looks = _enter(source, program, state, way.to, way.ops, brought, facts_set, "return True")
    timed = any(event in (clock.warned_trigger, clock.late_trigger) for clock in program.clocks)  # it has just fired
    extended = any(each.extends_clocks for each in effects)
    if way.ops or looks or timed or extended or state.afters or way.to.afters or way.to.final is not None:
        _settle(source, program, way.to)
    source.add("return True")


def _known(*effects: LiveEffects | None) -> tuple[LiveEffects, ...]:
    return tuple(each for each in effects if each is not None)


def _run(source: Source, effects: LiveEffects, event: str = "event") -> None:
    source.call(f"{source.name(effects, 'effects')}.run(stepper, case, now, when, {event})")


def _enter(
    source: Source, program: LiveProgram, before: LiveState | None, state: LiveState, ops: Operations,
    brought: frozenset[str], facts_set: bool, *rest: str,
) -> bool:  # fmt: skip
    """Enter a state, from nowhere where there is none ``before``; whether limits may be looked up by it.

    That is so where a fact that clocks read may be another than before: one that the event may have ``brought``, or
    that was set before. ``rest`` ends the move where lateness is taken on the way, which may lead anywhere.
    """
    event = source.name(NO_DATA, "nothing") if before is None else "event"
    source.add(f"case.state = {source.name(state, 'state')}", "case.entered = now")
    if program.counts_visits:
        source.add(f"case.visit({state.name!r})")
    if state.channel is not None:
        source.add(f"case.channel = {state.channel!r}")
    facts_set = facts_set and bool(program.reads)
    tests = [f"event and not {source.name(brought, 'reads')}.isdisjoint(event)"] if brought else []
    tests += ["case.facts is not facts"] if facts_set else []
    if program.clocks and tests and (facts_set or any(operation is begin_anew for _, operation in ops)):
        source.add(f"if {' or '.join(tests)}:")
        with source.deeper():
            source.call(f"stepper.operate(case, {source.name(ops, 'ops')}, event, facts, now, when)")
        if ops:
            source.add("else:")
            with source.deeper():
                operate(source, state, ops, before is None)
    else:
        for clock in program.clocks:
            look(source, clock, state, brought)
            operate(source, state, tuple(each for each in ops if each[0] is clock), before is None)
    if state.final is not None:
        if state.enter is not None:
            _run(source, state.enter, event)
        source.add("case.closed = True")
        if before is not None and before.afters:
            source.add("case.afters = ()")
        source.record("case.closed", source.name(state.closed, "closed"))
        source.end_records()
        return bool(tests)
    if state.afters:
        _start_timers(source, state)
    elif before is not None and before.afters:
        source.add("case.afters = ()")
    if program.assigns:
        source.add("if case.assigned is not None:")
        with source.deeper():
            source.call(f"{source.name(assign_task, 'assign')}(stepper, case, {source.name(state, 'state')}, when)")
        source.add("else:", "    case.holder = None")
        if state.task is not None:
            with source.deeper():
                source.record("task.assigned", source.name(state.task, "task"))
    elif state.task is not None:
        source.record("task.assigned", source.name(state.task, "task"))
    looks = bool(program.reads) and state.enter is not None and state.enter.sets_facts
    if looks:
        source.add("known_facts = case.facts")
    if state.enter is not None:
        _run(source, state.enter, event)
    if looks:
        source.call("stepper.look_at_facts(case, known_facts, now, when)")
    source.end_records()
    if program.clocks and before is not None:
        source.add("if case.pending:")
        with source.deeper():
            source.add("stepper._take_pending(case, now, when)", "stepper.settle(subject, case, now)", *rest)
    return looks or bool(tests)


def _start_timers(source: Source, state: LiveState) -> None:
    """The timers of a state. One of elapsed time falls due at an instant that is known at once."""
    if any(after.elapsed is None for after in state.afters):
        source.add(f"case.afters = stepper._afters(case, {source.name(state, 'state')}, now)")
        return
    timers = (f"(now + {each.elapsed}, {each.place}, {source.name(each, 'after')})" for each in state.afters)
    source.add(f"case.afters = ({', '.join(timers)},)")


def _settle(source: Source, program: LiveProgram, state: LiveState) -> None:
    """Let go of a closed case; note when the next timer falls due."""
    if state.final is not None:
        place = program.place
        source.add(
            f"subject.drop({place})",
            f"subject.sequences = {{**subject.sequences, {place}: number}}",
            "if subject.cases or subject.openings:",
            "    stepper.plan(subject)",
            "else:",
            f"    subject.next = {NEVER}",
        )
        return
    elapsed = [each.elapsed for each in state.afters if each.elapsed is not None]
    if len(elapsed) < len(state.afters):
        source.add("stepper.plan(subject)")
        return
    clocks = [clock for clock in program.clocks if clock.phases[state.index] is not Phase.STOPPED]
    if elapsed or len(clocks) != 1:
        source.add(f"soonest = now + {min(elapsed)}" if elapsed else f"soonest = {NEVER}")
        for clock in clocks:
            source.add(f"held = rounds[{clock.index}]", "if held is not None and held.next < soonest:")
            source.add("    soonest = held.next")
    else:
        source.add(f"held = rounds[{clocks[0].index}]", f"soonest = {NEVER} if held is None else held.next")
    source.add(
        "case.next = soonest",
        "if subject.only is None or subject.openings:",
        "    stepper.plan(subject)",
        "else:",
        "    subject.next = soonest",
    )


def write_opening(program: LiveProgram, state: LiveState) -> Opening | None:
    """How a case is opened in a state; None where that opens other cases, or the state is final."""
    if program.listens_to_met or state.final is not None or any(each.opens_cases for each in _known(state.enter)):
        return None
    source = Source("open_case(stepper, subject, now, when, facts, received)")
    source.add(
        f"known = subject.sequences.get({program.place}, 0)",
        f"case = {source.name(Case, 'case')}({source.name(program, 'program')}, subject.name, known)",
        "case.facts = facts",
        "case.opened = case.now = now",
        "case.received = received",
        "cases = subject.cases",
        f"cases[{program.place}] = case",
        "subject.only = case if len(cases) == 1 else None",
    )
    source.begin_records(program)
    source.record("case.opened", source.name(state.opened, "opened"))
    _enter(source, program, None, state, state.starting, frozenset(), False)
    _settle(source, program, state)
    source.add("return case")
    opening: Opening = source.function()
    return opening
