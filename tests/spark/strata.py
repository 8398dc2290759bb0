"""A set of several strata, and events that go through all of them."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from shops import BAD_EVENTS, EVENTS, SHOP

DESK = """\
flow: desk_count
title: Count what waits
version: 1
owner: care_lead
every: 1 week
starting: 2026-03-02 09:00
subject: the desk

states:
  to_count:
    title: Count what waits
    start_on: every
    owner: care_agent
    waits: us
    after: {2 days: {to: counted}}
  counted: {title: Counted, final: counted}
"""
"""A flow that opens cases by time, whatever events there are."""

REGULAR = """\
flow: regular_customer
title: Look after who complains
version: 1
owner: care_lead
subject: customer.id
events:
  complaint_received: {title: A complaint comes, by: customer, carries: {required: [customer.id]}}

states:
  noted:
    title: Noted
    start_on: complaint_received
    owner: care_lead
    waits: us
    enter: {raise: {event: complainer_noted, subject: '"the week"'}}
    on:
      complaint_received: {raise: {event: complainer_noted, subject: '"the week"'}}
    after:
      3 days: {to: looked_at, raise: {event: problem_raised, subject: customer.id}}
  looked_at: {title: Looked at, final: looked_at}
"""
"""A flow whose cases are keyed by a fact, and that raises events, with an event and as time passes."""

WEEK = """\
flow: week_of_complaints
title: Look at a week of complaints
version: 1
owner: care_lead
every: 1 week
starting: 2026-03-02 09:00
subject: the week
events:
  complainer_noted: {title: Somebody complains, by: other}

states:
  to_look_at:
    title: Look at the complaints
    start_on: every
    owner: care_lead
    waits: us
    on: {complainer_noted: {tell: care_lead}}
    after: {5 days: {to: looked_at}}
  looked_at: {title: Looked at, final: looked_at}
"""
"""A flow that opens cases by time, and hears of what happens to others."""


def set_of_strata(folder: Path) -> Path:
    """The shop with flows that open cases by time, are keyed by a fact, and hear of what others raise. One of its
    watches counts what cases of several keys take."""
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("scenarios"))
    for name, text in {"desk_count": DESK, "regular_customer": REGULAR, "week_of_complaints": WEEK}.items():
        (folder / "flows" / f"{name}.yaml").write_text(text)
    return folder


def told_time(line: bytes) -> str:
    try:
        return str(json.loads(line)["time"])
    except (ValueError, LookupError, TypeError):
        return ""


def of_customer(line: bytes, hours: int) -> bytes:
    """The line; of a complaint so many hours later, with one of two customers."""
    event = json.loads(line)
    if event["subject"].startswith("complaint-"):
        later = datetime.fromisoformat(event["time"]) + timedelta(hours=hours)
        event |= {name: f"{event[name]}-{hours}" for name in ("id", "subject")} | {"time": later.isoformat()}
    if event["type"] == "complaint_received":
        event["data"]["customer.id"] = f"C-{sum(event['subject'].encode()) % 2}"
    return json.dumps(event).encode()


def event_at(time: str, kind: str, subject: str, **data: str) -> bytes:
    told = {"specversion": "1.0", "id": f"{kind} {time}", "source": "/test", "type": kind, "subject": subject}
    return json.dumps({**told, "time": time, "data": data}).encode()


LAST = event_at("2026-12-31T12:00:00Z", "nothing_more", "the end")


def in_time() -> list[bytes]:
    """Events of the shop in the order of time, some of them twice, with bad ones where they do not upset that; the last
    one comes when the time of all others has passed."""
    lines = [of_customer(line, hours) for line in EVENTS.read_bytes().splitlines() for hours in (0, 5, 11, 30, 31, 58)]
    lines = sorted(dict.fromkeys(lines), key=told_time)
    bad = [line for line in BAD_EVENTS.read_bytes().splitlines() if b'"backwards"' not in line]
    middle = len(lines) // 2
    return [*lines[:middle], *bad, *lines[middle:], *lines[-3:], LAST]
