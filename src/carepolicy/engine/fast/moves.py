"""Moves written out: what an often-seen event does in a state, as one Python function made for it alone.

``Stepper.deliver`` takes any event in any state, and says what an event means. Most of what it asks is known
before the case, though: which transitions there are, which clocks they touch, what their records say. So for
a state and an event that come often, the same steps are written out in Python without those questions.
What is not plain (clocks that go on, limits that hang on facts, effects that open cases) is left to the stepper, at
its place among the steps. Tests hold the two against each other on random flows: they write the same bytes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from carepolicy.engine import clocks
from carepolicy.engine.case import Case
from carepolicy.engine.clocks import begin_anew
from carepolicy.engine.effects import assign_task
from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.fast.code import Begin, Code
from carepolicy.engine.instants import NEVER
from carepolicy.engine.round import Round, end_stretch, plan, stretches_of
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.engine.case import Effects, LiveAfter, LiveProgram, LiveState, LiveWay, Move, Open, Operations
    from carepolicy.engine.round import LiveClock, LiveLimit


def write_move(program: LiveProgram, state: LiveState, event: str, begin: Begin = Code) -> Move | None:
    """The move of an event in a state; None where the stepper has to look at more than is known beforehand."""
    ways = state.ways.get(event)
    if not ways or not _may_be_written(program, ways):
        return None
    code = begin("move(stepper, subject, case, now, when, event)")
    code.add("case.now = now", "facts = before = case.facts")
    if program.brings(event):
        code.add("if event:", "    case.facts = facts = before | event")
    timed = any(event in (clock.warned_trigger, clock.late_trigger) for clock in program.clocks)
    return _write_ways(code, program, state, ways, program.reads_of(event), timed)


def write_timer(program: LiveProgram, state: LiveState, after: LiveAfter, begin: Begin = Code) -> Move | None:
    """What a state's timer does when it fires, as a move without data; None where the stepper has to look."""
    if not _may_be_written(program, after.ways):
        return None
    code = begin("timer(stepper, subject, case, now, when, event)")
    code.add("facts = before = case.facts")
    return _write_ways(code, program, state, after.ways, frozenset(), True)


def _may_be_written(program: LiveProgram, ways: tuple[LiveWay, ...]) -> bool:
    return not program.listens_to_met and all(way.spends is None for way in ways)


def _write_ways(
    code: Code, program: LiveProgram, state: LiveState, ways: tuple[LiveWay, ...], brought: frozenset[str], timed: bool
) -> Move:
    """The first of some ways whose guard holds. The event may have ``brought`` facts that clocks read; ``timed`` says
    that a clock or a timer has just fired."""
    sure = False
    for way in ways:
        write = _write_way if way.to is not None else _write_stay
        if way.when is not None:
            code.add(f"if {code.name(way.when, 'guard')}(facts, event, case):")
            with code.deeper():
                write(code, program, state, way, brought, timed)
        else:
            write(code, program, state, way, brought, timed)
            sure = True
            break
    if not sure:
        code.add("case.facts = before", "return False")
    move: Move = code.function()
    return move


def _write_way(
    code: Code, program: LiveProgram, state: LiveState, way: LiveWay, brought: frozenset[str], timed: bool
) -> None:
    assert way.to is not None, "a way that stays is written in another way"
    effects = _known(state.leave, way.effects, way.to.enter)
    if any(each.leaves_more for each in effects):
        _take(code, way)
        return
    code.begin_records(program)
    for each in _known(state.leave, way.effects):
        _run(code, each)
    if way.moved is not None:
        code.record("case.moved", way.moved)
    facts_set = any(each.sets_facts for each in _known(state.leave, way.effects))
    looks = _enter(code, program, state, way.to, way.ops, brought, facts_set, "return True")
    extended = any(each.extends_clocks for each in effects)
    if way.ops or looks or timed or extended or state.afters or way.to.afters or way.to.final is not None:
        _settle(code, program, way.to)
    code.add("return True")


def _write_stay(
    code: Code, program: LiveProgram, state: LiveState, way: LiveWay, brought: frozenset[str], timed: bool
) -> None:
    """A way that leaves the case where it is."""
    effects = way.effects
    if (effects is not None and effects.leaves_more) or any(each.limit.reads for each in state.afters):
        _take(code, way)
        return
    code.begin_records(program)
    if effects is not None:
        _run(code, effects)
        if program.assigns:
            _assign_named(code, state)
    facts_set = effects is not None and effects.sets_facts
    looks = _operate(code, program, state, way.ops, brought, facts_set, False)
    code.end_records()
    if way.ops or looks or timed or (effects is not None and effects.extends_clocks):
        if state.afters:
            code.add("stepper.plan(subject)")
        else:
            _settle(code, program, state)
    code.add("return True")


def _take(code: Code, way: LiveWay) -> None:
    """A way that the stepper takes."""
    code.add(
        f"stepper.take(case, {code.name(way, 'way')}, now, {code.when()}, event)",
        "stepper.settle(subject, case, now)",
        "return True",
    )


def _known(*effects: Effects | None) -> tuple[Effects, ...]:
    return tuple(each for each in effects if each is not None)


def _run(code: Code, effects: Effects, event: str = "event") -> None:
    code.call(f"{code.name(effects, 'effects')}.run(stepper, case, now, {code.when()}, {event})")


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
    may_look = _operate(code, program, state, ops, brought, facts_set, before is None)
    if state.final is not None:
        _close(code, before, state, event)
        return may_look
    if state.afters:
        _start_timers(code, state)
    elif before is not None and before.afters:
        code.add("case.afters = ()")
    _assign(code, program, state)
    looks = _act(code, program, state, event)
    code.end_records()
    if program.clocks and before is not None:
        code.add("if case.pending:")
        with code.deeper():
            code.add(f"stepper.take_pending(case, now, {code.when()})", "stepper.settle(subject, case, now)", *rest)
    return looks or may_look


def _operate(
    code: Code, program: LiveProgram, state: LiveState, ops: Operations, brought: frozenset[str], facts_set: bool,
    opening: bool,
) -> bool:  # fmt: skip
    """What a step does to the clocks of a case that is in a state now; whether limits may be looked up by it."""
    facts_set = facts_set and bool(program.reads)
    tests = [_brings(code, brought)] if brought else []
    tests += ["case.facts is not facts"] if facts_set else []
    if program.clocks and tests and (facts_set or any(operation is begin_anew for _, operation in ops)):
        _operate_where_sure(code, state, ops, " or ".join(tests), opening)
    else:
        for clock in program.clocks:
            look(code, clock, state, brought)
            operate(code, state, tuple(each for each in ops if each[0] is clock), opening)
    return bool(tests)


def _operate_where_sure(code: Code, state: LiveState, ops: Operations, test: str, opening: bool) -> None:
    """What entering a state does to clocks: by the stepper where a test says that limits are to be looked up."""
    code.add(f"if {test}:")
    with code.deeper():
        code.call(f"stepper.operate(case, {code.name(ops, 'ops')}, event, facts, now, {code.when()})")
    if ops:
        code.add("else:")
        with code.deeper():
            operate(code, state, ops, opening)


def _close(code: Code, before: LiveState | None, state: LiveState, event: str) -> None:
    """The case ends in the state that it has come to."""
    if state.enter is not None:
        _run(code, state.enter, event)
    code.add("case.closed = True")
    if before is not None and before.afters:
        code.add("case.afters = ()")
    code.record("case.closed", state.closed)
    code.end_records()


def _assign(code: Code, program: LiveProgram, state: LiveState) -> None:
    """Say who is to work on the case: whom an effect named, else the owner of its state."""
    if program.assigns:
        _assign_named(code, state)
        code.add("else:", "    case.holder = None")
        if state.task is not None:
            with code.deeper():
                _tell_owner(code, program, state)
    elif state.task is not None:
        _tell_owner(code, program, state)


def _assign_named(code: Code, state: LiveState) -> None:
    """Say who is to work on the case, where an effect has just named somebody."""
    code.add("if case.assigned is not None:")
    with code.deeper():
        code.call(f"{code.name(assign_task, 'assign')}(stepper, case, {code.name(state, 'state')}, {code.when()})")


def _tell_owner(code: Code, program: LiveProgram, state: LiveState) -> None:
    """Say that the owner has the work; it is known beforehand where never all who have the role are away."""
    if state.owner is not None and program.may_be_away(state.owner):
        code.call(f"stepper.tell_owner(case, {code.name(state, 'state')}, {code.when()})")
    elif state.task is not None:
        code.record("task.assigned", state.task)


def _act(code: Code, program: LiveProgram, state: LiveState, event: str) -> bool:
    """The effects of entering a state; whether limits are looked up after them, since they set facts."""
    if state.enter is None:
        return False
    looks = bool(program.reads) and state.enter.sets_facts
    if looks:
        code.add("known_facts = case.facts")
    _run(code, state.enter, event)
    if program.assigns:
        _assign_named(code, state)
    if looks:
        code.call(f"stepper.look_at_facts(case, known_facts, now, {code.when()})")
    return looks


def _start_timers(code: Code, state: LiveState) -> None:
    """The timers of a state, each with when it fires."""
    timers = ""
    for fires, each in zip(_fires(state), state.afters, strict=True):
        after = code.name(each, "after")
        code.add(f"{fires} = {f'{after}.due(now, case.facts)' if each.elapsed is None else f'now + {each.elapsed}'}")
        timers += f"({fires}, {each.place}, {after}), "
    code.add(f"case.afters = ({timers.rstrip()})")


def _fires(state: LiveState) -> tuple[str, ...]:
    """The names under which a function has when each timer of a state fires."""
    return tuple(f"fires_{number}" for number in range(len(state.afters)))


def _settle(code: Code, program: LiveProgram, state: LiveState) -> None:
    """Let go of a closed case; note when the next timer falls due."""
    if state.final is not None:
        place = program.place
        code.add(
            "before = subject.sequences",
            f"subject.sequences = {{**before, {place}: number}} if before else {{{place}: number}}",
            f"del subject.cases[{place}]",
            "if subject.cases or subject.timers:",
            "    subject.find_only()",
            "    stepper.plan(subject)",
            "else:",
            "    subject.only = None",
            f"    subject.next = {NEVER}",
        )
        return
    if any(after.limit.reads for after in state.afters):  # what is set as the state is entered may move it
        code.add("stepper.plan(subject)")
        return
    fires = _fires(state)
    clocks = [clock for clock in program.clocks if clock.phases[state.index] is not Phase.STOPPED]
    if fires or len(clocks) != 1:
        first = f"min({', '.join(fires)})" if len(fires) > 1 else "".join(fires)
        code.add(f"soonest = {first or NEVER}")
        for clock in clocks:
            code.add(f"held = rounds[{clock.index}]", "if held is not None and held.next < soonest:")
            code.add("    soonest = held.next")
    else:
        code.add(f"held = rounds[{clocks[0].index}]", f"soonest = {NEVER} if held is None else held.next")
    code.add(
        "case.next = soonest",
        "if subject.only is None or subject.timers:",
        "    stepper.plan(subject)",
        "else:",
        "    subject.next = soonest",
    )


def write_opening(program: LiveProgram, state: LiveState, begin: Begin = Code) -> Open | None:
    """How a case is opened in a state; None where that opens other cases, or the state is final."""
    if program.listens_to_met or state.final is not None or any(each.leaves_more for each in _known(state.enter)):
        return None
    code = begin("open_case(stepper, subject, now, when, facts, received)")
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
    code.record("case.opened", state.opened)
    _enter(code, program, None, state, state.starting, frozenset(), False)
    _settle(code, program, state)
    code.add("return case")
    opening: Open = code.function()
    return opening


def operate(code: Code, target: LiveState, ops: Operations, opening: bool) -> None:
    """Write out operations on clocks, of a case that has just come to the state ``target``, or been opened in it, where
    no fact that a clock reads is another than before."""
    for clock, operation in ops:
        general = f"{code.name(operation, 'operation')}(out, case, {code.name(clock, 'clock')}, now, {code.when()})"
        limits = clock.choices[target.index]
        plain = clock.counts_from is None and not clock.goes_on and not clock.marks and _plain(limits)
        if operation is clocks.begin and plain:
            if opening:
                _start(code, clock, limits, general, "received != now")
            else:
                code.add(f"if rounds[{clock.index}] is None:")
                with code.deeper():
                    handed = f"case.received != now == case.opened and not case.seen & {clock.bit}"
                    _start(code, clock, limits, general, handed)
        elif operation is clocks.end and not clock.goes_on:
            _end(code, clock, general)
        elif operation is clocks.stand_still:
            _pause(code, clock, general)
        elif operation is clocks.go_on:
            _resume(code, clock, limits, general)
        else:
            code.call(general)


def look(code: Code, clock: LiveClock, target: LiveState, brought: frozenset[str]) -> None:
    """Write out that a clock's limit is looked up again where an event has brought a fact that it reads, and that
    nothing comes of it where the same limit holds as before: as ``look_again``."""
    reads = clock.reads & brought
    if not reads:
        return
    again = f"{code.name(clocks.look_again, 'look_again')}(out, case, {code.name(clock, 'clock')}, now, {code.when()})"
    code.add(f"if {_brings(code, reads)}:")
    with code.deeper():
        code.add(f"held = rounds[{clock.index}]")
        if clock.phases[target.index] is Phase.RUNNING:
            code.add("if held is None:")
            with code.deeper():
                code.call(again)
            code.add("elif not held.late:")
        else:
            code.add("if held is not None and not held.late:")
        with code.deeper():
            limits = clock.choices[target.index]
            if any(each is not limits for each in clock.choices) or any(limit.moves or limit.parts for limit in limits):
                code.call(again)
                return
            code.add(f"if held.limit is not ({_chosen(code, limits)}):")
            with code.deeper():
                code.call(again)


FEW = 3
"""So many facts are looked for one by one."""


def _brings(code: Code, facts: frozenset[str]) -> str:
    """Whether the event brings one of some facts, as an expression."""
    if len(facts) > FEW:
        return f"event and not {code.name(facts, 'reads')}.isdisjoint(event)"
    return f"event and ({' or '.join(f'{fact!r} in event' for fact in sorted(facts))})"


def _chosen(code: Code, limits: tuple[LiveLimit, ...]) -> str:
    """The first of some limits whose guard holds, as an expression: as ``choose``."""
    if not limits:
        return "None"
    chosen, others = code.name(limits[0], "limit"), limits[1:]
    if limits[0].when is None:
        return chosen
    return f"{chosen} if {_applies(code, limits[0])} else {_chosen(code, others)}"


def _plain(limits: tuple[LiveLimit, ...]) -> bool:
    return bool(limits) and all(limit.plain for limit in limits)


def _start(code: Code, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str, handed_over: str) -> None:
    """As ``clocks.start``: a round begins with the first limit whose guard holds. The first round of a case that was
    handed over counts from its receipt: not plain."""
    code.add(f"if {handed_over}:")
    with code.deeper():
        code.call(general)
    code.add("else:")
    with code.deeper():
        branch = "if"
        for limit in limits:
            code.add(f"{branch} {_applies(code, limit)}:")
            with code.deeper():
                _begin(code, clock, limit)
            branch = "elif"


def _applies(code: Code, limit: LiveLimit) -> str:
    """Whether a limit's guard holds, as an expression."""
    if limit.when is None:
        return "True"
    return f"{code.name(limit.when, 'applies')}(case.facts, {code.name(NO_DATA, 'nothing')}, case)"


def _begin(code: Code, clock: LiveClock, limit: LiveLimit) -> None:
    """A round with a limit that is known, begun now."""
    code.add(
        f"case.seen |= {clock.bit}",
        f"base = {_position(code, limit)}",
        f"soonest = due = {_instant(code, limit, limit.amount)}",
    )
    if clock.warns:
        share = -(-limit.amount * clock.warns[0] // 1_000_000)
        code.add(f"warns = {_instant(code, limit, share)}", "if warns < due:", "    soonest = warns")
    made = f"{code.name(clock, 'clock')}, {code.name(limit, 'limit')}, now, base, {limit.amount}, due, soonest"
    code.add(f"rounds[{clock.index}] = {code.name(Round, 'round')}({made})")
    code.clock_record("clock.started", limit, "due", "0")


def _instant(code: Code, limit: LiveLimit, amount: int | str) -> str:
    """The instant at which ``amount`` is used of a limit that counts from ``base``."""
    position = f"base + {amount}"
    return position if limit.instant is None else f"{code.name(limit.instant, 'instant')}({position})"


def _end(code: Code, clock: LiveClock, general: str) -> None:
    """As ``clocks.stop``, for a round that is in time and whose limit is the one that was written down."""
    code.add(f"held = rounds[{clock.index}]", "if held is not None:")
    with code.deeper():
        _by_limit(code, _known_limits(clock), _is_known, general, partial(_meet, code, clock))


def _pause(code: Code, clock: LiveClock, general: str) -> None:
    """As ``clocks.pause``, for such a round."""
    code.add(f"held = rounds[{clock.index}]", "if held is not None and held.running:")
    with code.deeper():
        _by_limit(code, _known_limits(clock), _is_known, general, partial(_stand_still, code))


def _resume(code: Code, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str) -> None:
    """As ``clocks.go_on``, for such a round."""
    code.add(f"held = rounds[{clock.index}]", "if held is None:")
    with code.deeper():
        code.call(general)
    code.add("elif not held.running:")
    with code.deeper():
        plain = tuple(limit for limit in limits if limit.plain)
        _by_limit(code, plain, _is_to_go_on, general, partial(_go_on, code, clock))


def _known_limits(clock: LiveClock) -> tuple[LiveLimit, ...]:
    """The plain limits that a round of a clock may have, each once."""
    return tuple(dict.fromkeys(limit for limits in clock.choices for limit in limits if limit.plain))


def _by_limit(
    code: Code, limits: tuple[LiveLimit, ...], test: Callable[[Code, LiveLimit], str], general: str,
    write: Callable[[LiveLimit], None],
) -> None:  # fmt: skip
    """What ``write`` writes for the limit of which ``test`` holds, or else what is done to any round."""
    branch = "if"
    for limit in limits:
        code.add(f"{branch} {test(code, limit)} and not held.given and not held.late:")
        with code.deeper():
            write(limit)
        branch = "elif"
    if branch == "if":
        code.call(general)
        return
    code.add("else:")
    with code.deeper():
        code.call(general)


def _is_known(code: Code, limit: LiveLimit) -> str:
    in_time = ">" if limit.strict else ">="  # it may be past, and its own turn to say so be yet to come
    return f"held.limit is {code.name(limit, 'limit')} and held.due {in_time} now"


def _is_to_go_on(code: Code, limit: LiveLimit) -> str:
    wrong = f" - {code.name(stretches_of, 'stretches')}(held)" if limit.rounded else ""
    return f"held.limit.place == {limit.place} and held.used < {limit.amount}{wrong}"


def _meet(code: Code, clock: LiveClock, limit: LiveLimit) -> None:
    """A round ends in time."""
    code.add(
        f"rounds[{clock.index}] = None",
        f"used = {_position(code, limit)} - held.base if held.running else held.used",
        _in_seconds(limit),
    )
    code.clock_record("clock.met", limit, None, "used")


def _stand_still(code: Code, limit: LiveLimit) -> None:
    """A round stands still."""
    code.add(
        f"held.used = used = {_position(code, limit)} - held.base",
        "held.running = False",
        f"{code.name(end_stretch, 'end_stretch')}(held, now)",
        f"held.next = {NEVER}",
        _in_seconds(limit),
    )
    code.clock_record("clock.paused", limit, None, "used")


def _go_on(code: Code, clock: LiveClock, limit: LiveLimit) -> None:
    """A round goes on, with a limit in the calendar of the state that it goes on in."""
    wrong = f" - {code.name(stretches_of, 'stretches')}(held)" if limit.rounded else ""
    amount = f"{limit.amount}{wrong}"
    code.add(
        f"held.limit = {code.name(limit, 'limit')}",
        "used = held.used",
        f"held.base = base = {_position(code, limit)} - used",
        f"held.due = due = {_instant(code, limit, amount)}",
        "held.since = now",
        "held.running = True",
        f"{code.name(plan, 'plan')}(held)" if clock.plans else "held.next = due",
        _in_seconds(limit),
    )
    code.clock_record("clock.resumed", limit, "due", "used")


def _position(code: Code, limit: LiveLimit) -> str:
    """Where the instant lies in the basis of a limit."""
    return "now" if limit.position is None else f"{code.name(limit.position, 'position')}(now)"


def _in_seconds(limit: LiveLimit) -> str:
    """As ``seconds`` of ``used``."""
    unit = limit.unit
    return f"used = 0 if used < 0 else round(used / {unit}, 6) if used % {unit} else used // {unit}"
