"""What a move does to clocks, written out: a plain start and a plain end; the rest is done by ``clocks``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from carepolicy.engine import clocks
from carepolicy.engine.case import Round
from carepolicy.engine.due import plan
from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.instants import NEVER
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.engine.clocks import LiveClock, LiveLimit
    from carepolicy.engine.fast.code import Code
    from carepolicy.engine.program import LiveState, Operations


def operate(code: Code, target: LiveState, ops: Operations, opening: bool) -> None:
    """Write out operations on clocks, of a case that has just come to the state ``target``, or been opened in it, where
    no fact that a clock reads is another than before."""
    for clock, operation in ops:
        general = f"{code.name(operation, 'operation')}(out, case, {code.name(clock, 'clock')}, now, when)"
        limits = clock.choices[target.index]
        if operation is clocks.begin and clock.counts_from is None and not clock.goes_on and _plain(limits):
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
    again = f"{code.name(clocks.look_again, 'look_again')}(out, case, {code.name(clock, 'clock')}, now, when)"
    code.add(f"if event and not {code.name(reads, 'reads')}.isdisjoint(event):")
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
            if any(each is not limits for each in clock.choices) or any(limit.until for limit in limits):
                code.call(again)
                return
            code.add(f"if held.limit is not ({_chosen(code, limits)}):")
            with code.deeper():
                code.call(again)


def _chosen(code: Code, limits: tuple[LiveLimit, ...]) -> str:
    """The first of some limits whose guard holds, as an expression: as ``choose``."""
    if not limits:
        return "None"
    chosen, others = code.name(limits[0], "limit"), limits[1:]
    if limits[0].when is None:
        return chosen
    guard = f"{code.name(limits[0].when, 'applies')}(case.facts, {code.name(NO_DATA, 'nothing')}, case)"
    return f"{chosen} if {guard} else {_chosen(code, others)}"


def _plain(limits: tuple[LiveLimit, ...]) -> bool:
    return bool(limits) and all(limit.plain for limit in limits)


def _start(code: Code, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str, handed_over: str) -> None:
    """As ``clocks.start``. The first round of a case that was handed over counts from its receipt: not plain."""
    code.add(f"if {handed_over}:")
    with code.deeper():
        code.call(general)
    code.add("else:")
    with code.deeper():
        _choose(code, clock, limits)


def _choose(code: Code, clock: LiveClock, limits: tuple[LiveLimit, ...]) -> None:
    """Begin a round with the first limit whose guard holds."""
    branch = "if"
    for limit in limits:
        if limit.when is None:
            if branch == "if":
                _begin(code, clock, limit)
            else:
                code.add("else:")
                with code.deeper():
                    _begin(code, clock, limit)
            break
        guard = f"{code.name(limit.when, 'applies')}(case.facts, {code.name(NO_DATA, 'nothing')}, case)"
        code.add(f"{branch} {guard}:")
        with code.deeper():
            _begin(code, clock, limit)
        branch = "elif"


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
        _by_limit(code, _known(clock), _is_known, general, partial(_meet, code, clock))


def _pause(code: Code, clock: LiveClock, general: str) -> None:
    """As ``clocks.pause``, for such a round."""
    code.add(f"held = rounds[{clock.index}]", "if held is not None and held.running:")
    with code.deeper():
        _by_limit(code, _known(clock), _is_known, general, partial(_stand_still, code))


def _resume(code: Code, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str) -> None:
    """As ``clocks.go_on``, for such a round."""
    code.add(f"held = rounds[{clock.index}]", "if held is None:")
    with code.deeper():
        code.call(general)
    code.add("elif not held.running:")
    with code.deeper():
        plain = tuple(limit for limit in limits if limit.plain)
        _by_limit(code, plain, _is_to_go_on, general, partial(_go_on, code, clock))


def _known(clock: LiveClock) -> tuple[LiveLimit, ...]:
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
    wrong = " - len(held.segments)" if limit.rounded else ""
    return f"held.limit.place == {limit.place} and held.used < {limit.amount}{wrong}"


def _meet(code: Code, clock: LiveClock, limit: LiveLimit) -> None:
    """A round ends in time."""
    code.add(
        f"rounds[{clock.index}] = None",
        f"used = {_position(code, limit)} - held.base if held.running else held.used",
        _in_seconds(limit),
    )
    code.clock_record("clock.met", limit, "None", "used")


def _stand_still(code: Code, limit: LiveLimit) -> None:
    """A round stands still."""
    code.add(
        f"held.used = used = {_position(code, limit)} - held.base",
        "held.running = False",
        "held.segments += ((held.since, now),)",
        f"held.next = {NEVER}",
        _in_seconds(limit),
    )
    code.clock_record("clock.paused", limit, "None", "used")


def _go_on(code: Code, clock: LiveClock, limit: LiveLimit) -> None:
    """A round goes on, with a limit in the calendar of the state that it goes on in."""
    amount = f"{limit.amount} - len(held.segments)" if limit.rounded else f"{limit.amount}"
    code.add(
        f"held.limit = {code.name(limit, 'limit')}",
        "used = held.used",
        f"held.base = base = {_position(code, limit)} - used",
        f"held.due = due = {_instant(code, limit, amount)}",
        "held.since = now",
        "held.running = True",
        f"{code.name(plan, 'plan')}(held)" if clock.warns else "held.next = due",
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
