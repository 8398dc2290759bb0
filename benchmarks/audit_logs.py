"""Logs of complaints for ``audit_speed.py``:

    python benchmarks/audit_logs.py FOLDER [--events 1000000] [--rich] [--forms jsonl,xes]

The same complaints (``complaint_events.py``) as CloudEvents in the order of time (``log.jsonl``), as a table in that
order (``log.parquet``), and as traces (``log.xes``, ``log.xes.gz``). A sparse log has of each event its case, what
happened, when, and what the flow needs; a rich one says of each event also the customer's tier, who did what with
which system and role, an identity, a cost, and notes, as real logs do, most of which no mapping reads. Logs are written
as they are made: no log stands in memory. Same arguments, same bytes of text, on every machine.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from complaint_events import START, history

FORMS = ("jsonl", "parquet", "xes", "xes.gz")

AT_A_TIME = 50_000
GAP = timedelta(minutes=7)
"""A complaint arrives so long after the one before."""


class Event(NamedTuple):
    """One row of a log: when, whose, what, and what it says besides."""

    at: datetime
    case: str
    place: int
    kind: str
    data: dict[str, Any]


def cases(count: int, rich: bool, seed: int = 7) -> Iterator[list[Event]]:
    """Complaints with ``count`` events in all, one after the other."""
    rng = random.Random(seed)
    number = made = 0
    while made < count:
        name = f"complaint-{number:07}"
        tier: dict[str, Any] = {}
        events = []
        for place, (kind, at, data) in enumerate(history(number, rng)):
            tier = tier or {"customer.tier": data["customer.tier"]}
            events.append(Event(at, name, place, kind, {**tier, **data} if rich else data))
        events = events[: count - made]
        made += len(events)
        number += 1
        yield events


def in_time(found: Iterator[list[Event]]) -> Iterator[Event]:
    """The events of complaints in the order of time. No complaint has an event before it arrives."""
    waiting: list[Event] = []
    for number, events in enumerate(found):
        while waiting and waiting[0].at < START + GAP * number:
            yield heappop(waiting)
        for each in events:
            heappush(waiting, each)
    while waiting:
        yield heappop(waiting)


def more_of(event: Event) -> dict[str, str]:
    """What a rich log says of an event beside its facts."""
    at = event.at.minute
    return {
        "org:resource": f"agent-{at % 40:02}", "org:role": ("care_agent", "care_lead", "investigator")[at % 3],
        "lifecycle:transition": "complete", "identity:id": f"{event.case}-{event.place}",
        "system": ("phone", "mail", "shop")[at % 3], "cost:total": f"{at}.50", "cost:currency": "EUR",
        "note": "as agreed with the customer & the shop",
    }  # fmt: skip


def write_events(events: Iterator[Event], folder: Path, rich: bool, forms: Sequence[str] = FORMS) -> None:
    """The CloudEvents and the table, or one of them."""
    plain = [("case", pa.string()), ("what", pa.string()), ("at", pa.timestamp("us", "UTC"))]
    plain += [("complaint.severity", pa.string()), ("complaint.amount", pa.string()), ("customer.tier", pa.string())]
    schema = pa.schema(plain + [(name, pa.string()) for name in more_of(next(iter(next(cases(1, False)))))] * rich)
    number = 0
    with ExitStack() as stack:
        lines = stack.enter_context((folder / "log.jsonl").open("wb")) if "jsonl" in forms else None
        table = None
        if "parquet" in forms:
            table = stack.enter_context(pq.ParquetWriter(folder / "log.parquet", schema))
        number = 0
        while block := list(islice(events, AT_A_TIME)):
            if lines is not None:
                for place, each in enumerate(block, number):
                    event = {"specversion": "1.0", "id": f"e-{place}", "source": "/benchmark", "type": each.kind}
                    event |= {"subject": each.case, "time": each.at.isoformat()}
                    lines.write(orjson.dumps({**event, "data": each.data} if each.data else event) + b"\n")
            if table is not None:
                table.write_table(pa.Table.from_pylist([row_of(each, rich) for each in block], schema))
            tell(number, number + len(block), "events by time")
            number += len(block)


def row_of(event: Event, rich: bool) -> dict[str, Any]:
    """A row of the table."""
    facts = {name: str(value) for name, value in event.data.items()}
    told = {"case": event.case, "what": event.kind, "at": event.at, **facts}
    return {**told, **more_of(event)} if rich else told


def tell(before: int, number: int, what: str) -> None:
    """Say how far it is, every million events."""
    if number // 1_000_000 > before // 1_000_000:
        print(f"{number:,} {what}", file=sys.stderr, flush=True)


HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
\t<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
\t<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
\t<classifier name="Activity" keys="concept:name"/>
\t<string key="concept:name" value="complaints"/>
"""


def trace_of(events: Sequence[Event], rich: bool) -> str:
    """A complaint as a trace of XES."""
    lines = ["\t<trace>", f'\t\t<string key="concept:name" value="{events[0].case}"/>']
    for each in events:
        lines += ["\t\t<event>", f'\t\t\t<string key="concept:name" value="{each.kind}"/>']
        lines.append(f'\t\t\t<date key="time:timestamp" value="{each.at.isoformat(timespec="milliseconds")}"/>')
        for name, value in each.data.items():
            lines.append(f'\t\t\t<{"int" if type(value) is int else "string"} key="{name}" value="{value}"/>')
        for name, text in more_of(each).items() if rich else ():
            kind = "float" if name == "cost:total" else "string"
            lines.append(f'\t\t\t<{kind} key="{name}" value="{text.replace("&", "&amp;")}"/>')
        lines.append("\t\t</event>")
    return "\n".join([*lines, "\t</trace>\n"])


def write_traces(found: Iterator[list[Event]], folder: Path, rich: bool, forms: Sequence[str] = FORMS) -> None:
    """The log as XES, plain and compressed, or one of them."""
    with ExitStack() as stack:
        files: list[Any] = []
        if "xes" in forms:
            files.append(stack.enter_context((folder / "log.xes").open("wb")))
        if "xes.gz" in forms:
            files.append(stack.enter_context(gzip.GzipFile(folder / "log.xes.gz", "wb", 6, mtime=0)))
        for file in files:
            file.write(HEAD.encode())
        number = 0
        while block := list(islice(found, AT_A_TIME // 10)):
            text = "".join(trace_of(each, rich) for each in block).encode()
            for file in files:
                file.write(text)
            more = sum(map(len, block))
            tell(number, number + more, "events by case")
            number += more
        for file in files:
            file.write(b"</log>\n")


def write_logs(folder: Path, count: int, rich: bool, forms: Sequence[str] = FORMS) -> None:
    """The logs of so many events in some forms, in a folder; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [each for each in forms if not (folder / f"{each}.made").exists()]
    if {"jsonl", "parquet"} & {*missing}:
        write_events(in_time(cases(count, rich)), folder, rich, missing)
    if {"xes", "xes.gz"} & {*missing}:
        write_traces(cases(count, rich), folder, rich, missing)
    for each in missing:
        (folder / f"{each}.made").touch()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rich", action="store_true")
    parser.add_argument("--forms", default=",".join(FORMS), help="only these, with commas between")
    asked = parser.parse_args(arguments)
    write_logs(asked.folder, asked.events, asked.rich, asked.forms.split(","))


if __name__ == "__main__":
    main()
