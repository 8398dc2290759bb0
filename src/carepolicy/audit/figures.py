"""What an audit found, as one object for programs and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from carepolicy.audit.distribution import wilson
from carepolicy.businesstime.words import duration
from carepolicy.engine.codes import CODES
from carepolicy.engine.instants import NEVER, datetime_of, text_of

if TYPE_CHECKING:
    from carepolicy.audit.counts import ClockMeasure, Deviation, FlowMeasure, Verdicts
    from carepolicy.audit.replay import Replay

Key = TypeVar("Key", tuple[str, ...], tuple[str, str])

MOST_VARIANTS = 20
MOST_DUE = 1_000


def as_object(replay: Replay) -> dict[str, Any]:
    """The audit as JSON: see docs/audit.md."""
    seen, measures = replay.seen, replay.measures
    flows = {name: _flow(flow) for name, flow in measures.flows.items() if flow.cases or flow.deviations}
    if not replay.has_events:
        for told in flows.values():
            told |= {"variants": None, "variants_in_all": None, "trace_time": None}
    return {
        "events": seen.events,
        "rejected": seen.refused,
        "left_out": seen.left_out,
        "duplicates": seen.twice + measures.duplicates,
        "unexpected": measures.unexpected,
        "not_taken": dict(sorted(seen.not_taken.items())),
        "reasons": dict(seen.commonest(20)),
        "from": text_of(seen.first) if seen.first != NEVER else None,
        "to": text_of(seen.last) if seen.last != -NEVER else None,
        "flows": flows,
    }


def _flow(flow: FlowMeasure) -> dict[str, Any]:
    late_now = sum(each.late for each in flow.due)
    return {
        "cases": flow.cases,
        "open": flow.open,
        "reopened": flow.reopened,
        "outcomes": dict(sorted(flow.outcomes.items(), key=lambda each: (-each[1], each[0]))),
        "duration": flow.duration.summary(),
        "trace_time": flow.trace_time.summary(),
        "clocks": {name: _clock(clock) for name, clock in flow.clocks.items()},
        "states": {
            name: {
                "visits": state.visits,
                "again": state.again,
                "late": state.late,
                "skipped": state.skipped,
                "followed": max(state.visits - state.late - state.skipped - state.open, 0),
                "open": state.open,
                "time": state.time.summary(),
            }
            for name, state in flow.states.items()
        },
        "ways": [
            {"from": here, "on": on, "to": to, "count": count}
            for (here, on, to), count in sorted(flow.ways.items(), key=lambda each: (-each[1], each[0]))
        ],
        "deviations": _deviations(flow.deviations),
        "variants": [
            {"events": [*events], "count": variant.count, "subjects": variant.subjects.in_order()}
            for events, variant in _commonest(flow.variants)[:MOST_VARIANTS]
        ],
        "variants_in_all": len(flow.variants),
        "due": [
            {"subject": each.subject, "clock": each.clock, "due": text_of(each.when), "late": each.late}
            for each in sorted(flow.due)[:MOST_DUE]
        ],
        "late_now": late_now,
    }


def _commonest(found: Mapping[Key, Deviation]) -> list[tuple[Key, Deviation]]:
    return sorted(found.items(), key=lambda each: (-each[1].count, each[0]))


def _deviations(found: Mapping[tuple[str, str], Deviation]) -> dict[str, dict[str, Any]]:
    """By state and event, the commonest first."""
    told: dict[str, dict[str, Any]] = {}
    for (state, event), deviation in _commonest(found):
        told.setdefault(state, {})[event] = {
            "count": deviation.count,
            "subjects": deviation.subjects.in_order(),
        }
    return told


def _clock(clock: ClockMeasure) -> dict[str, Any]:
    share, interval = share_of(clock.met, clock.late)
    return {
        "rounds": clock.rounds,
        "met": clock.met,
        "late": clock.late,
        "cancelled": clock.cancelled,
        "running": clock.running,
        "share": share,
        "interval": interval,
        "target": clock.target,
        "kept": None if clock.target is None or share is None else not falls_short(clock.met, clock.late, clock.target),
        "used": clock.used.summary(),
        "late_subjects": clock.late_subjects.in_order(),
        "by": {
            dimension: {value: _verdicts(verdicts) for value, verdicts in sorted(values.items())}
            for dimension, values in clock.by.items()
        },
    }


def _verdicts(verdicts: Verdicts) -> dict[str, Any]:
    share, interval = share_of(verdicts.met, verdicts.late)
    return {"met": verdicts.met, "late": verdicts.late, "share": share, "interval": interval}


def share_of(met: int, late: int) -> tuple[float | None, list[float] | None]:
    """The share that was in time, and the interval (95 %) in which it lies; None of nothing."""
    found = wilson(met, met + late)
    if found is None:
        return None, None
    return round(met / (met + late), 6), [round(each, 6) for each in found]


def falls_short(met: int, late: int, wanted: float) -> bool:
    """Whether a share in time is below one that is wanted, as both are written: 567 of 1,000 keep 56.7 %."""
    return met < Fraction(str(wanted)) * (met + late)


def goal(share: float) -> str:
    """A share that somebody wrote, in full: "95%", "99.95%"."""
    return f"{100 * share:.6g}%"


def short_of(share: float, wanted: float) -> str:
    """A share that is below another, with as many digits as it takes to see that."""
    return next(
        (told for digits in range(1, 6) if (told := f"{share:.{digits}%}") != f"{wanted:.{digits}%}"), f"{share}"
    )


def below(replay: Replay, least: float | None) -> list[tuple[str, str, float, float]]:
    """Clocks whose share in time is below ``least`` (from 0 to 1), or None: below their own target; with both."""
    found = []
    for name, flow in replay.measures.flows.items():
        for clock, measure in flow.clocks.items():
            wanted = measure.target if least is None else least
            share, _ = share_of(measure.met, measure.late)
            if wanted is not None and share is not None and falls_short(measure.met, measure.late, wanted):
                found.append((name, clock, share, wanted))
    return found


def as_text(replay: Replay, titles: Mapping[str, str], breadth: int | None = None) -> Iterator[str]:
    """Lines for people: flow by flow the clocks, the steps and what the flow does not allow. Where a table of clocks
    has more columns of text than ``breadth``, they are told one by one."""
    seen, measures = replay.seen, replay.measures
    zone = ZoneInfo(replay.bundle.timezone)
    between = f", {day_of(seen.first, zone)} to {day_of(seen.last, zone)}" if seen.events else ""
    yield f"{_count(seen.events, 'event')}{between}"
    for number, what in (
        (seen.left_out, "left out by the mapping"), (seen.twice + measures.duplicates, "there twice"),
        (seen.refused, "not understood"),
    ):  # fmt: skip
        if number:
            yield f"{_count(number, 'row')} {what}"
    for reason, count in seen.commonest(3):
        yield f"  {count:,} x {reason} ({'first ' if count > 1 else ''}in row {seen.first_rows[reason]:,})"
    for code, count in sorted(seen.not_taken.items()):
        yield f"{_count(count, 'event')} not taken: {code} ({CODES[code].title})"
    for name, flow in measures.flows.items():
        if flow.cases or flow.deviations:
            yield ""
            yield from _flow_lines(titles.get(name, name), flow, breadth)


def day_of(instant: int, zone: tzinfo) -> str:
    """The day of an instant in a time zone: "2026-03-02"."""
    return datetime_of(instant).astimezone(zone).date().isoformat()


def _flow_lines(title: str, flow: FlowMeasure, breadth: int | None) -> Iterator[str]:
    again = f", {flow.reopened:,} opened again" if flow.reopened else ""
    yield f"{title}: {_count(flow.cases, 'case')}, {flow.open:,} open{again}"
    clocks = [(name, each) for name, each in flow.clocks.items() if each.rounds]
    rows = [["  clock", "in time", "share (95 %)", "target", "median", "90 %", "late now"]]
    for name, clock in clocks:
        share, interval = share_of(clock.met, clock.late)
        told = "" if share is None or interval is None else f"{share:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"
        missed = clock.target is not None and share is not None and falls_short(clock.met, clock.late, clock.target)
        target = "" if clock.target is None else f"{goal(clock.target)}{' missed' if missed else ''}"
        summary = clock.used.summary()
        running = sum(each.clock == name and each.late for each in flow.due)
        rows.append([
            f"  {name}", f"{clock.met:,} of {clock.met + clock.late:,}", told, target, in_words(summary["p50"]),
            in_words(summary["p90"]), f"{running:,}",
        ])  # fmt: skip
    yield from _told(rows, breadth) if clocks else ()
    for (state, event), deviation in _commonest(flow.deviations)[:5]:
        example = deviation.subjects.in_order()[0]
        yield f"  {deviation.count:,} x {event} in {state}, which the flow does not allow (as in {example})"


def _told(rows: Sequence[Sequence[str]], breadth: int | None) -> Iterator[str]:
    """The clocks as a table, or where it is too broad each in lines of its own."""
    table = [*_columns(rows)]
    if breadth is None or max(map(len, table)) <= breadth:
        yield from table
        return
    for name, met, share, target, median, most, running in rows[1:]:
        of_share, of_target = f", {share}" if share else "", f", target {target}" if target else ""
        yield f"{name}: {met} in time{of_share}{of_target}"
        used = f"median {median}, 90 % {most}, " if median else ""
        yield f"    {used}{running} late now"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(wide[place]) for place, cell in enumerate(row)).rstrip()


def in_words(seconds: float | None) -> str:
    """A time in short words; "" for none."""
    return "" if seconds is None else duration(seconds, days=True)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
