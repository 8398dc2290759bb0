"""Turn the orders of a Brazilian marketplace (CSV, one row an order) into CloudEvents for ``order_fulfilment``.

    python examples/marketplace_to_events.py marketplace_orders.csv > events.jsonl

The log says when an order was bought, approved, handed to the carrier and delivered, in local time
without an offset, and the day by which delivery was promised. Rows give no time for a cancellation, so
none is made up: such an order stays where its last event left it. The customer's number is left out: the
log has a new one for every order.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Sao_Paulo")
WRITTEN = "%m/%d/%Y %H:%M"
SOURCE = "/marketplace/olist"
EVENTS = {
    "order_purchase_timestamp": "order_placed",
    "order_approved_at": "payment_authorised",
    "order_delivered_carrier_date": "handed_to_carrier",
    "order_delivered_customer_date": "carrier_delivered",
}
"""By column: the event that happened at the instant in it, in the order in which an order goes its way."""

SEPARATORS = {";": "semicolon", "\t": "tab", "|": "bar"}
"""What spreadsheets put between columns instead of a comma, as the language of the machine has it."""


def local_instant(text: str, zone: ZoneInfo = ZONE) -> datetime:
    """The instant of a wall-clock time in ``zone``, with its offset.

    A time that happened twice (clocks went back) is the first of the two. One that never was (clocks went
    forward) is moved on by the hour that was left out. Raises ValueError for a text of another form.
    """
    return datetime.strptime(text, WRITTEN).replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


def events_of(row: dict[str, str]) -> list[dict[str, object]]:
    """The CloudEvents of one order, by time; equal times stand in the order of ``EVENTS``."""
    order = row["order_id"]
    found: list[tuple[datetime, dict[str, object]]] = []
    for column, kind in EVENTS.items():
        if row[column]:
            moment = local_instant(row[column])
            event: dict[str, object] = {
                "specversion": "1.0",
                "id": f"{order}/{kind}",
                "source": SOURCE,
                "type": kind,
                "subject": order,
                "time": moment.isoformat(),
            }
            found.append((moment.astimezone(UTC), event))
    found.sort(key=lambda each: each[0])
    events = [event for _, event in found]
    if row["order_estimated_delivery_date"]:
        estimated = _end_of_day(row["order_estimated_delivery_date"]).isoformat()
        for event in events:
            if event["type"] == "order_placed":
                event["data"] = {"order.estimated": estimated}
    return events


def _end_of_day(text: str) -> datetime:
    """The estimate is a day, written as its midnight; the order is in time until that day ends."""
    day = datetime.strptime(text, WRITTEN).date() + timedelta(days=1)
    last = local_instant(f"{day:%m/%d/%Y} 00:00").astimezone(UTC) - timedelta(seconds=1)
    return last.astimezone(ZONE)


def converted(rows: Iterable[dict[str, str]]) -> Iterator[dict[str, object]]:
    """The CloudEvents of all rows, by subject and then by time."""
    for row in sorted(rows, key=lambda each: each["order_id"]):
        yield from events_of(row)


def main(arguments: list[str]) -> int:
    """Read the file that is named, write JSON lines on stdout."""
    if len(arguments) != 1:
        print("usage: python marketplace_to_events.py ORDERS.csv > events.jsonl", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], newline="", encoding="utf-8-sig") as file:  # spreadsheets begin with a byte order mark
            for event in converted(_rows(file)):
                print(json.dumps(event, separators=(",", ":")))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has had enough, as `head` does. Python must not find that out again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, csv.Error) as problem:
        reason = (
            "is not UTF-8" if isinstance(problem, UnicodeDecodeError) else getattr(problem, "strerror", None) or problem
        )
        print(f"marketplace_to_events: {arguments[0]}: {reason}", file=sys.stderr)
        return 2
    return 0


def _rows(file: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file. Raises ValueError, with the line, for one that lacks a column."""
    rows = csv.DictReader(file)
    columns = ("order_id", *EVENTS, "order_estimated_delivery_date")
    found = rows.fieldnames or ()
    lacking = [name for name in columns if name not in found]
    if len(found) == 1 and (other := next((each for each in SEPARATORS if each in found[0]), None)):
        raise ValueError(f"the separator of its columns is a {SEPARATORS[other]}; save it with commas between them")
    if lacking:
        raise ValueError(f"it has no column {', '.join(lacking)}")
    for row in rows:
        if any(row[name] is None for name in columns):
            raise ValueError(f"line {rows.line_num} is cut short")
        yield row


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
