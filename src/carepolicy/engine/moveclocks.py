"""What a move does to clocks, written out: a plain start and a plain end; the rest is done by ``rounds``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine import rounds
from carepolicy.engine.case import Round
from carepolicy.engine.instants import text_of

if TYPE_CHECKING:
    from carepolicy.engine.live import LiveProgram, LiveState, Operations
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit
    from carepolicy.engine.source import Source


def operate(source: Source, program: LiveProgram, target: LiveState, ops: Operations) -> None:
    """Write out operations on clocks, of a case that has just come to the state ``target``."""
    for clock, operation in ops:
        general = f"{source.name(operation, 'operation')}(out, case, {source.name(clock, 'clock')}, now, when)"
        limits = clock.choices[target.index]
        if operation is rounds.begin and clock.counts_from is None and not clock.goes_on and _plain(limits):
            _start(source, clock, limits, general)
        elif operation is rounds.end and not clock.goes_on:
            _end(source, clock, general)
        else:
            source.call(general)


def _plain(limits: tuple[LiveLimit, ...]) -> bool:
    return all(limit.plain for limit in limits)


def _start(source: Source, clock: LiveClock, limits: tuple[LiveLimit, ...], general: str) -> None:
    """As ``rounds.start``. The first round of a case that was handed over counts from its receipt: not plain."""
    source.add(f"if rounds[{clock.index}] is None:")
    with source.deeper():
        source.add(f"if case.received != now == case.opened and not case.seen & {clock.bit}:")
        with source.deeper():
            source.call(general)
        source.add("else:")
        with source.deeper():
            source.add(f"seen = case.seen | {clock.bit}")
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
                guard = (
                    f"{source.name(limit.when, 'applies')}(case.facts, {source.name(rounds.NOTHING, 'nothing')}, case)"
                )
                source.add(f"{branch} {guard}:")
                with source.deeper():
                    _begin(source, clock, limit)
                branch = "elif"


def _begin(source: Source, clock: LiveClock, limit: LiveLimit) -> None:
    """A round with a limit that is known, begun now."""
    made = f"{source.name(Round, 'round')}({source.name(clock, 'clock')}, {source.name(limit, 'limit')}, now)"
    base = "now" if limit.first is None else f"{source.name(limit.first, 'position')}(now)"
    source.add(
        "case.seen = seen",
        f"held = rounds[{clock.index}] = {made}",
        f"held.base = base = {base}",
        f"held.amount = {limit.amount}",
        f"held.due = due = {_instant(source, limit, limit.amount)}",
    )
    if clock.warns:
        share = -(-limit.amount * clock.warns[0] // 1_000_000)
        source.add(f"warns = {_instant(source, limit, share)}", "held.next = warns if warns < due else due")
    else:
        source.add("held.next = due")
    source.record(limit.fresh.kind, limit.fresh.data, f"{source.name(text_of, 'text_of')}(due)")


def _instant(source: Source, limit: LiveLimit, amount: int) -> str:
    """The instant at which ``amount`` is used of a limit that counts from ``base``."""
    position = f"base + {amount}"
    return position if limit.instant is None else f"{source.name(limit.instant, 'instant')}({position})"


def _end(source: Source, clock: LiveClock, general: str) -> None:
    """As ``rounds.stop``, for a round that is in time and whose limit is the one that was written down."""
    source.add(
        f"held = rounds[{clock.index}]",
        "if held is not None:",
        "    limit = held.limit",
        "    if held.late or held.amount != limit.amount:",
    )
    with source.deeper(), source.deeper():
        source.call(general)
    source.add("    else:")
    with source.deeper(), source.deeper():
        source.add(
            f"rounds[{clock.index}] = None",
            "if held.running:",
            "    position = limit.position",
            "    used = (now if position is None else position(now)) - held.base",
            "else:",
            "    used = held.used",
            "kind, data = limit.plainly_met",
            "unit = limit.unit",
            "told = round(used / unit, 6) if used % unit else used // unit",
            "number += 1",
            "write(f'{head}{number}{kind}{middle}{number}{data % told}')",
        )
