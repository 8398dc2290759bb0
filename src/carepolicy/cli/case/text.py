"""How ``carepolicy case`` prints cases: text for people, objects for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from carepolicy.cli.terminal import csv_rows, plain, table, width
from carepolicy.engine.history.cases import CaseView
from carepolicy.engine.history.words import NAMES, Titles, clock_in_words, due_in_words, record_in_words, time_in_words
from carepolicy.engine.instants import parse
from carepolicy.engine.record import Record

NOWHEN = "no time given"


def shown(
    subject: str, cases: Sequence[CaseView], loose: Sequence[Record], zone: ZoneInfo, titles: Titles = NAMES
) -> str:
    """The cases of a subject with their timelines; ``loose`` are records of events that reached no case."""
    parts = [_case(case, zone, titles) for case in cases]
    if loose:
        title = plain(f"events of {subject} that reached no case")
        parts.append("\n".join([title, *(f"  {_line(each, zone, titles)}" for each in loose)]) + "\n")
    return "\n".join(parts)


def _case(case: CaseView, zone: ZoneInfo, titles: Titles = NAMES) -> str:
    number = f", case {case.number}" if case.number > 1 else ""
    rows = [
        ("state", f"{titles.state(case.flow, case.state)}, since {_when(case.since, zone)}"),
        ("opened", _when(case.opened, zone)),
    ]
    if case.closed is not None:
        rows.append(("closed", f"{_when(case.closed, zone)}: {case.outcome}"))
    elif case.role is not None:
        rows.append(("owner", titles.role(case.role) + (f" ({case.person})" if case.person else "")))
    if case.clocks:
        rows.append(("clocks", ""))
    lines = [
        f"{case.subject}: {titles.flow(case.flow)}{number}",
        *(f"  {name:<8}{value}".rstrip() for name, value in rows),
    ]
    names = {name: titles.clock(case.flow, name) for name in case.clocks}
    wide = max(map(width, names.values()), default=0)
    lines += [
        f"    {names[each.name]}{' ' * (wide - width(names[each.name]))}  {clock_in_words(each, zone)}"
        for each in case.clocks.values()
    ]
    lines.append(f"  what happened (times of {zone.key})")
    lines += [f"    {_line(record, zone, titles)}" for record in case.records]
    return "\n".join(plain(each) for each in lines) + "\n"


def _line(record: Record, zone: ZoneInfo, titles: Titles = NAMES) -> str:
    when = time_in_words(record.at, zone) if record.when else NOWHEN
    return plain(f"{when:<20}  {record_in_words(record, zone, titles)}")


def line(record: Record, zone: ZoneInfo, titles: Titles = NAMES) -> str:
    """One record of many cases, in words."""
    case = " ".join(each for each in (record.subject, record.flow) if each) or "no subject"
    return f"{plain(case)}: {_line(record, zone, titles)}"


def _when(text: str, zone: ZoneInfo) -> str:
    return time_in_words(parse(text), zone)


def case_object(case: CaseView, zone: ZoneInfo, titles: Titles = NAMES) -> dict[str, Any]:
    """A case with its timeline, as docs/records.md describes it."""
    return {**case.as_dict(), "timeline": [_object(each, zone, titles) for each in case.records]}


def subject_object(
    subject: str, cases: Iterable[CaseView], loose: Iterable[Record], zone: ZoneInfo, titles: Titles = NAMES
) -> dict[str, Any]:
    """All that is known of a subject, as docs/records.md describes it."""
    return {
        "subject": subject,
        "timezone": zone.key,
        "cases": [case_object(case, zone, titles) for case in cases],
        "not_taken": [_object(each, zone, titles) for each in loose],
    }


def _object(record: Record, zone: ZoneInfo, titles: Titles = NAMES) -> dict[str, Any]:
    return {
        "time": record.when or None,
        "sequence": record.sequence or None,
        "type": f"carepolicy.{record.kind}",
        "words": record_in_words(record, zone, titles),
        "data": record.data,
    }


FIELDS = ("subject", "flow", "state", "owner", "person", "opened", "since", "late", "next_clock", "next_due")


def as_csv(cases: Iterable[CaseView]) -> Iterator[str]:
    """Open cases as rows of CSV; times are those of records, ``late`` names the clocks that are late."""
    return csv_rows(map(_flat, cases), FIELDS)


def _flat(case: CaseView) -> dict[str, str]:
    upcoming = case.next_due
    return {
        "subject": case.subject, "flow": case.flow, "state": case.state, "owner": case.role or "",
        "person": case.person or "", "opened": case.opened, "since": case.since,
        "late": " ".join(name for name, clock in case.clocks.items() if clock.late and clock.is_open),
        "next_clock": upcoming.name if upcoming is not None else "",
        "next_due": (upcoming.due or "") if upcoming is not None else "",
    }  # fmt: skip


def as_table(cases: Sequence[CaseView], zone: ZoneInfo) -> str:
    """Open cases, one a line: subject, flow, state, owner, and what falls due next."""
    rows = [("subject", "flow", "state", "owner", "next due")] if cases else []
    for case in cases:
        late = [name for name, clock in case.clocks.items() if clock.late and clock.is_open]
        upcoming = case.next_due
        told = [f"{', '.join(late)} late"] if late else []
        if upcoming is not None and upcoming.due is not None:
            told.append(f"{due_in_words(upcoming.due, zone)} {upcoming.name}")
        rows.append((case.subject, case.flow, case.state, case.person or case.role or "", "; ".join(told)))
    return table(rows)
