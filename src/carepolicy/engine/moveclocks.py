"""What a move does to clocks, written out: a plain start and a plain end; the rest is done by ``rounds``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine import rounds
from carepolicy.engine.case import Round
from carepolicy.engine.instants import HOUR, NEVER, hour_text, rest_text
from carepolicy.engine.settling import plan

if TYPE_CHECKING:
    from carepolicy.engine.live import LiveProgram, LiveState, Operations
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit
    from carepolicy.engine.source import Source


def operate(source: Source, program: LiveProgram, target: LiveState, ops: Operations, opening: bool) -> None:
    """Write out operations on clocks, of a case that has just come to the state ``target``, or been opened in it."""
    for clock, operation in ops:
        general = f"{source.name(operation, 'operation')}(out, case, {source.name(clock, 'clock')}, now, when)"
        limits = clock.choices[target.index]
        if operation is rounds.begin and clock.counts_from is None and not clock.goes_on and _plain(limits):
            if opening:
                _start(source, clock, limits, general, "received != now")
            else:
                source.add(f"if rounds[{clock.index}] is None:")
                with source.deeper():
                    handed = f"case.received != now == case.opened and not case.seen & {clock.bit}"
                    _start(source, clock, limits, general, handed)
        elif operation is rounds.end and not clock.goes_on:
            _end(source, clock, general)
        elif operation is rounds.stand_still:
            _pause(source, clock, general)
        elif operation is rounds.go_on:
            _resume(source, clock, limits, general)
        else:
            source.call(general)


def _plain(limits: tuple[LiveLimit, ...]) -> bool:
    return bool(limits) and all(limit.plain for limit in limits)


def _start(source: Source, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str, handed_over: str) -> None:
    """As ``rounds.start``. The first round of a case that was handed over counts from its receipt: not plain."""
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
        guard = f"{source.name(limit.when, 'applies')}(case.facts, {source.name(rounds.NOTHING, 'nothing')}, case)"
        source.add(f"{branch} {guard}:")
        with source.deeper():
            _begin(source, clock, limit)
        branch = "elif"


def _begin(source: Source, clock: LiveClock, limit: LiveLimit) -> None:
    """A round with a limit that is known, begun now."""
    base = "now" if limit.first is None else f"{source.name(limit.first, 'position')}(now)"
    source.add(
        f"case.seen |= {clock.bit}",
        f"base = {base}",
        f"soonest = due = {_instant(source, limit, limit.amount)}",
    )
    if clock.warns:
        share = -(-limit.amount * clock.warns[0] // 1_000_000)
        source.add(f"warns = {_instant(source, limit, share)}", "if warns < due:", "    soonest = warns")
    made = f"{source.name(clock, 'clock')}, {source.name(limit, 'limit')}, now, base, {limit.amount}, due, soonest"
    source.add(f"rounds[{clock.index}] = {source.name(Round, 'round')}({made})")
    source.record(limit.fresh.kind, limit.fresh.data, _text(source, "due"))


def _text(source: Source, instant: str) -> str:
    """The text of an instant, as what stands in braces in an f-string: as ``text_of``, without the call."""
    hours, rests = source.name(hour_text, "hours"), source.name(rest_text, "rests")
    return f"{hours}[{instant} // {HOUR}]}}{{{rests}[{instant} % {HOUR}]"


def _instant(source: Source, limit: LiveLimit, amount: int) -> str:
    """The instant at which ``amount`` is used of a limit that counts from ``base``."""
    position = f"base + {amount}"
    return position if limit.instant is None else f"{source.name(limit.instant, 'instant')}({position})"


def _end(source: Source, clock: LiveClock, general: str) -> None:
    """As ``rounds.stop``, for a round that is in time and whose limit is the one that was written down."""
    source.add(f"held = rounds[{clock.index}]", "if held is not None:", "    limit = held.limit")
    with source.deeper():
        branch = "if"
        for limit in dict.fromkeys(limit for limits in clock.choices for limit in limits if limit.plain):
            named = source.name(limit, "limit")
            source.add(f"{branch} limit is {named} and held.amount == {limit.amount} and not held.late:")
            with source.deeper():
                _meet(source, clock, limit)
            branch = "elif"
        if branch == "elif":
            source.add("else:")
            with source.deeper():
                source.call(general)
        else:
            source.call(general)


def _meet(source: Source, clock: LiveClock, limit: LiveLimit) -> None:
    """A round with a limit that is known ends in time."""
    position = "now" if limit.position is None else f"{source.name(limit.position, 'position')}(now)"
    source.add(
        f"rounds[{clock.index}] = None",
        f"used = {position} - held.base if held.running else held.used",
        f"used = 0 if used < 0 else round(used / {limit.unit}, 6) if used % {limit.unit} else used // {limit.unit}",
    )
    source.record(limit.plainly_met.kind, limit.plainly_met.data, "used")


def _told() -> tuple[str, ...]:
    """As ``seconds`` of ``used``, which is in units of ``limit``."""
    return (
        "unit = limit.unit",
        "used = 0 if used < 0 else round(used / unit, 6) if used % unit else used // unit",
    )


def _pause(source: Source, clock: LiveClock, general: str) -> None:
    """As ``rounds.pause``, of a round whose limit is the one that was written down."""
    source.add(
        f"held = rounds[{clock.index}]",
        "if held is not None and held.running:",
        "    limit = held.limit",
        "    if held.amount != limit.amount:",
    )
    with source.deeper(), source.deeper():
        source.call(general)
    source.add("    else:")
    with source.deeper(), source.deeper():
        source.add(
            "position = limit.position",
            "held.used = used = (now if position is None else position(now)) - held.base",
            "held.running = False",
            "held.segments += ((held.since, now),)",
            f"held.next = {NEVER}",
            "kind, data = limit.plainly_paused",
            *_told(),
        )
        source.write("{kind}", "{data % used}")


def _resume(source: Source, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str) -> None:
    """As ``rounds.go_on``, of a round that is in time and whose limit is the one that was written down."""
    source.add(f"held = rounds[{clock.index}]", "if held is None:")
    with source.deeper():
        source.call(general)
    source.add("elif not held.running:")
    with source.deeper():
        source.add(f"limit = {source.name(limits, 'limits')}[held.limit.place]")
        source.add("if held.late or held.extras or not limit.plain or held.amount != limit.amount:")
        with source.deeper():
            source.call(general)
        source.add("else:")
        with source.deeper():
            source.add(
                "held.limit = limit",
                "used = held.used",
                "position = limit.position",
                "if position is None:",
                "    held.base = base = now - used",
                "    held.due = due = base + limit.amount",
                "else:",
                "    held.base = base = position(now) - used",
                "    held.due = due = limit.instant(base + limit.amount)",
                "held.since = now",
                "held.running = True",
                f"{source.name(plan, 'plan')}(held)" if clock.warns else "held.next = due",
                "kind, data = limit.plainly_resumed",
                *_told(),
                f"due = f'{{{_text(source, 'due')}}}'",
            )
            source.write("{kind}", "{data % (due, used)}")
