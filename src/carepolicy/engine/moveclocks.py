"""What a move does to clocks, written out: a plain start and a plain end; the rest is done by ``clocks``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from carepolicy.engine import clocks
from carepolicy.engine.case import Round
from carepolicy.engine.due import plan
from carepolicy.engine.instants import NEVER
from carepolicy.engine.values import NO_DATA
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.engine.clocks import LiveClock, LiveLimit
    from carepolicy.engine.program import LiveState, Operations
    from carepolicy.engine.source import Source


def operate(source: Source, target: LiveState, ops: Operations, opening: bool) -> None:
    """Write out operations on clocks, of a case that has just come to the state ``target``, or been opened in it, where
    no fact that a clock reads is another than before."""
    for clock, operation in ops:
        general = f"{source.name(operation, 'operation')}(out, case, {source.name(clock, 'clock')}, now, when)"
        limits = clock.choices[target.index]
        if operation is clocks.begin and clock.counts_from is None and not clock.goes_on and _plain(limits):
            if opening:
                _start(source, clock, limits, general, "received != now")
            else:
                source.add(f"if rounds[{clock.index}] is None:")
                with source.deeper():
                    handed = f"case.received != now == case.opened and not case.seen & {clock.bit}"
                    _start(source, clock, limits, general, handed)
        elif operation is clocks.end and not clock.goes_on:
            _end(source, clock, general)
        elif operation is clocks.stand_still:
            _pause(source, clock, general)
        elif operation is clocks.go_on:
            _resume(source, clock, limits, general)
        else:
            source.call(general)


def look(source: Source, clock: LiveClock, target: LiveState, brought: frozenset[str]) -> None:
    """Write out that a clock's limit is looked up again where an event has brought a fact that it reads, and that
    nothing comes of it where the same limit holds as before: as ``look_again``."""
    reads = clock.reads & brought
    if not reads:
        return
    again = f"{source.name(clocks.look_again, 'look_again')}(out, case, {source.name(clock, 'clock')}, now, when)"
    source.add(f"if event and not {source.name(reads, 'reads')}.isdisjoint(event):")
    with source.deeper():
        source.add(f"held = rounds[{clock.index}]")
        if clock.phases[target.index] is Phase.RUNNING:
            source.add("if held is None:")
            with source.deeper():
                source.call(again)
            source.add("elif not held.late:")
        else:
            source.add("if held is not None and not held.late:")
        with source.deeper():
            limits = clock.choices[target.index]
            if any(each is not limits for each in clock.choices) or any(limit.until for limit in limits):
                source.call(again)
                return
            source.add(f"if held.limit is not ({_chosen(source, limits)}):")
            with source.deeper():
                source.call(again)


def _chosen(source: Source, limits: tuple[LiveLimit, ...]) -> str:
    """The first of some limits whose guard holds, as an expression: as ``choose``."""
    if not limits:
        return "None"
    chosen, others = source.name(limits[0], "limit"), limits[1:]
    if limits[0].when is None:
        return chosen
    guard = f"{source.name(limits[0].when, 'applies')}(case.facts, {source.name(NO_DATA, 'nothing')}, case)"
    return f"{chosen} if {guard} else {_chosen(source, others)}"


def _plain(limits: tuple[LiveLimit, ...]) -> bool:
    return bool(limits) and all(limit.plain for limit in limits)


def _start(source: Source, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str, handed_over: str) -> None:
    """As ``clocks.start``. The first round of a case that was handed over counts from its receipt: not plain."""
    source.add(f"if {handed_over}:")
    with source.deeper():
        source.call(general)
    source.add("else:")
    with source.deeper():
        _choose(source, clock, limits)


def _choose(source: Source, clock: LiveClock, limits: tuple[LiveLimit, ...]) -> None:
    """Begin a round with the first limit whose guard holds."""
    branch = "if"
    for limit in limits:
        if limit.when is None:
            if branch == "if":
                _begin(source, clock, limit)
            else:
                source.add("else:")
                with source.deeper():
                    _begin(source, clock, limit)
            break
        guard = f"{source.name(limit.when, 'applies')}(case.facts, {source.name(NO_DATA, 'nothing')}, case)"
        source.add(f"{branch} {guard}:")
        with source.deeper():
            _begin(source, clock, limit)
        branch = "elif"


def _begin(source: Source, clock: LiveClock, limit: LiveLimit) -> None:
    """A round with a limit that is known, begun now."""
    source.add(
        f"case.seen |= {clock.bit}",
        f"base = {_position(source, limit)}",
        f"soonest = due = {_instant(source, limit, limit.amount)}",
    )
    if clock.warns:
        share = -(-limit.amount * clock.warns[0] // 1_000_000)
        source.add(f"warns = {_instant(source, limit, share)}", "if warns < due:", "    soonest = warns")
    made = f"{source.name(clock, 'clock')}, {source.name(limit, 'limit')}, now, base, {limit.amount}, due, soonest"
    source.add(f"rounds[{clock.index}] = {source.name(Round, 'round')}({made})")
    source.clock_record("clock.started", limit, "due", "0")


def _instant(source: Source, limit: LiveLimit, amount: int | str) -> str:
    """The instant at which ``amount`` is used of a limit that counts from ``base``."""
    position = f"base + {amount}"
    return position if limit.instant is None else f"{source.name(limit.instant, 'instant')}({position})"


def _end(source: Source, clock: LiveClock, general: str) -> None:
    """As ``clocks.stop``, for a round that is in time and whose limit is the one that was written down."""
    source.add(f"held = rounds[{clock.index}]", "if held is not None:")
    with source.deeper():
        _by_limit(source, _known(clock), _is_known, general, partial(_meet, source, clock))


def _pause(source: Source, clock: LiveClock, general: str) -> None:
    """As ``clocks.pause``, for such a round."""
    source.add(f"held = rounds[{clock.index}]", "if held is not None and held.running:")
    with source.deeper():
        _by_limit(source, _known(clock), _is_known, general, partial(_stand_still, source))


def _resume(source: Source, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str) -> None:
    """As ``clocks.go_on``, for such a round."""
    source.add(f"held = rounds[{clock.index}]", "if held is None:")
    with source.deeper():
        source.call(general)
    source.add("elif not held.running:")
    with source.deeper():
        plain = tuple(limit for limit in limits if limit.plain)
        _by_limit(source, plain, _is_to_go_on, general, partial(_go_on, source, clock))


def _known(clock: LiveClock) -> tuple[LiveLimit, ...]:
    """The plain limits that a round of a clock may have, each once."""
    return tuple(dict.fromkeys(limit for limits in clock.choices for limit in limits if limit.plain))


def _by_limit(
    source: Source, limits: tuple[LiveLimit, ...], test: Callable[[Source, LiveLimit], str], general: str,
    write: Callable[[LiveLimit], None],
) -> None:  # fmt: skip
    """What ``write`` writes for the limit of which ``test`` holds, or else what is done to any round."""
    branch = "if"
    for limit in limits:
        source.add(f"{branch} {test(source, limit)} and not held.given and not held.late:")
        with source.deeper():
            write(limit)
        branch = "elif"
    if branch == "if":
        source.call(general)
        return
    source.add("else:")
    with source.deeper():
        source.call(general)


def _is_known(source: Source, limit: LiveLimit) -> str:
    in_time = ">" if limit.strict else ">="  # it may be past, and its own turn to say so be yet to come
    return f"held.limit is {source.name(limit, 'limit')} and held.due {in_time} now"


def _is_to_go_on(source: Source, limit: LiveLimit) -> str:
    wrong = " - len(held.segments)" if limit.rounded else ""
    return f"held.limit.place == {limit.place} and held.used < {limit.amount}{wrong}"


def _meet(source: Source, clock: LiveClock, limit: LiveLimit) -> None:
    """A round ends in time."""
    source.add(
        f"rounds[{clock.index}] = None",
        f"used = {_position(source, limit)} - held.base if held.running else held.used",
        _in_seconds(limit),
    )
    source.clock_record("clock.met", limit, "None", "used")


def _stand_still(source: Source, limit: LiveLimit) -> None:
    """A round stands still."""
    source.add(
        f"held.used = used = {_position(source, limit)} - held.base",
        "held.running = False",
        "held.segments += ((held.since, now),)",
        f"held.next = {NEVER}",
        _in_seconds(limit),
    )
    source.clock_record("clock.paused", limit, "None", "used")


def _go_on(source: Source, clock: LiveClock, limit: LiveLimit) -> None:
    """A round goes on, with a limit in the calendar of the state that it goes on in."""
    amount = f"{limit.amount} - len(held.segments)" if limit.rounded else f"{limit.amount}"
    source.add(
        f"held.limit = {source.name(limit, 'limit')}",
        "used = held.used",
        f"held.base = base = {_position(source, limit)} - used",
        f"held.due = due = {_instant(source, limit, amount)}",
        "held.since = now",
        "held.running = True",
        f"{source.name(plan, 'plan')}(held)" if clock.warns else "held.next = due",
        _in_seconds(limit),
    )
    source.clock_record("clock.resumed", limit, "due", "used")


def _position(source: Source, limit: LiveLimit) -> str:
    """Where the instant lies in the basis of a limit."""
    return "now" if limit.position is None else f"{source.name(limit.position, 'position')}(now)"


def _in_seconds(limit: LiveLimit) -> str:
    """As ``seconds`` of ``used``."""
    unit = limit.unit
    return f"used = 0 if used < 0 else round(used / {unit}, 6) if used % {unit} else used // {unit}"
