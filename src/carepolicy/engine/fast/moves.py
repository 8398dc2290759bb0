"""Moves written out: what an often-seen event does in a state, as one Python function made for it alone.

``Stepper.deliver`` takes any event in any state, and says what an event means. Most of what it asks is known
before the case, though: which transitions there are, which clocks they touch, what their records say. So for
a state and an event that come often, the same steps are written out in Python without those questions.
What is not plain (clocks that go on, limits that hang on facts, effects that open cases) is left to the stepper, at
its place among the steps. Tests hold the two against each other on random flows: they write the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.case import Case
from carepolicy.engine.clocks import begin_anew
from carepolicy.engine.effects import assign_task
from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.fast.clocks import look, operate
from carepolicy.engine.fast.code import Code
from carepolicy.engine.instants import NEVER
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.engine.effects import LiveEffects
    from carepolicy.engine.program import LiveProgram, LiveState, LiveWay, Move, Open, Operations


def write_move(program: LiveProgram, state: LiveState, event: str) -> Move | None:
    """The move of an event in a state; None where the stepper has to look at more than is known beforehand.

    Data that takes a value away (None) goes the stepper's way.
    """
    ways = state.ways.get(event)
    if not ways or program.listens_to_met or any(way.spends is not None for way in ways):
        return None
    code = Code("move(stepper, subject, case, now, when, event)")
    code.add("case.now = now", "facts = before = case.facts")
    if program.brings(event):
        code.add("if event:", "    if None in event.values():")
        code.add(f"        return stepper.interpret(subject, case, {event!r}, now, when, event)")
        code.add("    case.facts = facts = before | event")
    sure = False
    for way in ways:
        if way.when is not None:
            code.add(f"if {code.name(way.when, 'guard')}(facts, event, case):")
            with code.deeper():
                _write_way(code, program, state, way, event)
        else:
            _write_way(code, program, state, way, event)
            sure = True
            break
    if not sure:
        code.add("case.facts = before", "return False")
    move: Move = code.function()
    return move


def _write_way(code: Code, program: LiveProgram, state: LiveState, way: LiveWay, event: str) -> None:
    effects = () if way.to is None else _known(state.leave, way.effects, way.to.enter)
    if way.to is None or any(each.opens_cases for each in effects):
        code.add(
            f"stepper.take(case, {code.name(way, 'way')}, now, when, event)",
            "stepper.settle(subject, case, now)",
            "return True",
        )
        return
    code.begin_records(program)
    for each in _known(state.leave, way.effects):
        _run(code, each)
    if way.moved is not None:
        code.record("case.moved", code.name(way.moved, "moved"))
    facts_set = any(each.sets_facts for each in _known(state.leave, way.effects))
    brought = program.reads_of(event)
    looks = _enter(code, program, state, way.to, way.ops, brought, facts_set, "return True")
    timed = any(event in (clock.warned_trigger, clock.late_trigger) for clock in program.clocks)  # it has just fired
    extended = any(each.extends_clocks for each in effects)
    if way.ops or looks or timed or extended or state.afters or way.to.afters or way.to.final is not None:
        _settle(code, program, way.to)
    code.add("return True")


def _known(*effects: LiveEffects | None) -> tuple[LiveEffects, ...]:
    return tuple(each for each in effects if each is not None)


def _run(code: Code, effects: LiveEffects, event: str = "event") -> None:
    code.call(f"{code.name(effects, 'effects')}.run(stepper, case, now, when, {event})")


def _enter(
    code: Code, program: LiveProgram, before: LiveState | None, state: LiveState, ops: Operations,
    brought: frozenset[str], facts_set: bool, *rest: str,
) -> bool:  # fmt: skip
    """Enter a state, from nowhere where there is none ``before``; whether limits may be looked up by it.

    That is so where a fact that clocks read may be another than before: one that the event may have ``brought``, or
    that was set before. ``rest`` ends the move where lateness is taken on the way, which may lead anywhere.
    """
    event = code.name(NO_DATA, "nothing") if before is None else "event"
    code.add(f"case.state = {code.name(state, 'state')}", "case.entered = now")
    if program.counts_visits:
        code.add(f"case.visit({state.name!r})")
    if state.channel is not None:
        code.add(f"case.channel = {state.channel!r}")
    facts_set = facts_set and bool(program.reads)
    tests = [f"event and not {code.name(brought, 'reads')}.isdisjoint(event)"] if brought else []
    tests += ["case.facts is not facts"] if facts_set else []
    if program.clocks and tests and (facts_set or any(operation is begin_anew for _, operation in ops)):
        code.add(f"if {' or '.join(tests)}:")
        with code.deeper():
            code.call(f"stepper.operate(case, {code.name(ops, 'ops')}, event, facts, now, when)")
        if ops:
            code.add("else:")
            with code.deeper():
                operate(code, state, ops, before is None)
    else:
        for clock in program.clocks:
            look(code, clock, state, brought)
            operate(code, state, tuple(each for each in ops if each[0] is clock), before is None)
    if state.final is not None:
        if state.enter is not None:
            _run(code, state.enter, event)
        code.add("case.closed = True")
        if before is not None and before.afters:
            code.add("case.afters = ()")
        code.record("case.closed", code.name(state.closed, "closed"))
        code.end_records()
        return bool(tests)
    if state.afters:
        _start_timers(code, state)
    elif before is not None and before.afters:
        code.add("case.afters = ()")
    if program.assigns:
        code.add("if case.assigned is not None:")
        with code.deeper():
            code.call(f"{code.name(assign_task, 'assign')}(stepper, case, {code.name(state, 'state')}, when)")
        code.add("else:", "    case.holder = None")
        if state.task is not None:
            with code.deeper():
                code.record("task.assigned", code.name(state.task, "task"))
    elif state.task is not None:
        code.record("task.assigned", code.name(state.task, "task"))
    looks = bool(program.reads) and state.enter is not None and state.enter.sets_facts
    if looks:
        code.add("known_facts = case.facts")
    if state.enter is not None:
        _run(code, state.enter, event)
    if looks:
        code.call("stepper.look_at_facts(case, known_facts, now, when)")
    code.end_records()
    if program.clocks and before is not None:
        code.add("if case.pending:")
        with code.deeper():
            code.add("stepper.take_pending(case, now, when)", "stepper.settle(subject, case, now)", *rest)
    return looks or bool(tests)


def _start_timers(code: Code, state: LiveState) -> None:
    """The timers of a state. One of elapsed time falls due at an instant that is known at once."""
    if any(after.elapsed is None for after in state.afters):
        code.add(f"case.afters = stepper.timers_of(case, {code.name(state, 'state')}, now)")
        return
    timers = (f"(now + {each.elapsed}, {each.place}, {code.name(each, 'after')})" for each in state.afters)
    code.add(f"case.afters = ({', '.join(timers)},)")


def _settle(code: Code, program: LiveProgram, state: LiveState) -> None:
    """Let go of a closed case; note when the next timer falls due."""
    if state.final is not None:
        place = program.place
        code.add(
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
        code.add("stepper.plan(subject)")
        return
    clocks = [clock for clock in program.clocks if clock.phases[state.index] is not Phase.STOPPED]
    if elapsed or len(clocks) != 1:
        code.add(f"soonest = now + {min(elapsed)}" if elapsed else f"soonest = {NEVER}")
        for clock in clocks:
            code.add(f"held = rounds[{clock.index}]", "if held is not None and held.next < soonest:")
            code.add("    soonest = held.next")
    else:
        code.add(f"held = rounds[{clocks[0].index}]", f"soonest = {NEVER} if held is None else held.next")
    code.add(
        "case.next = soonest",
        "if subject.only is None or subject.openings:",
        "    stepper.plan(subject)",
        "else:",
        "    subject.next = soonest",
    )


def write_opening(program: LiveProgram, state: LiveState) -> Open | None:
    """How a case is opened in a state; None where that opens other cases, or the state is final."""
    if program.listens_to_met or state.final is not None or any(each.opens_cases for each in _known(state.enter)):
        return None
    code = Code("open_case(stepper, subject, now, when, facts, received)")
    code.add(
        f"known = subject.sequences.get({program.place}, 0)",
        f"case = {code.name(Case, 'case')}({code.name(program, 'program')}, subject.name, known)",
        "case.facts = facts",
        "case.opened = case.now = now",
        "case.received = received",
        "cases = subject.cases",
        f"cases[{program.place}] = case",
        "subject.only = case if len(cases) == 1 else None",
    )
    code.begin_records(program)
    code.record("case.opened", code.name(state.opened, "opened"))
    _enter(code, program, None, state, state.starting, frozenset(), False)
    _settle(code, program, state)
    code.add("return case")
    opening: Open = code.function()
    return opening
