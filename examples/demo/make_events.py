"""Write the demo's logs beside this file: events.jsonl, a month in a small shop, and bad_events.jsonl.

    python examples/demo/make_events.py

The people, orders and complaints are made up. Nothing here is random, so the files are the same every time.
The month has what a month has: answers in time and late, a parcel that is lost, French customers, and events that
nobody expected. bad_events.jsonl has one line of each kind of bad input, also one event that comes twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from steps import Step, desk, moment, wrote

from stories import STORIES

HERE = Path(__file__).parent
SOURCES = {"customer": "/mailbox", "shop": "/shop", "desk": "/desk", "carrier": "/carrier", "house": "/warehouse"}


def events_of(subject: str, steps: list[Step]) -> Iterator[dict[str, object]]:
    """The CloudEvents of one story."""
    for number, (at, who, kind, facts) in enumerate(steps, 1):
        event: dict[str, object] = {
            "specversion": "1.0",
            "id": f"{subject}/{number}",
            "source": SOURCES[who],
            "type": kind,
            "subject": subject,
            "time": moment(at),
        }
        if facts:
            event["data"] = dict(facts)
        yield event


def month() -> list[dict[str, object]]:
    """All events in the order of time."""
    events = [event for subject, steps in STORIES.items() for event in events_of(subject, steps)]
    return sorted(events, key=lambda each: datetime.fromisoformat(str(each["time"])))


def bad_lines() -> list[bytes]:
    """One line of each kind of bad input among good ones. A line of 10 MB is left to the tests."""
    first = next(events_of("mail-901", [wrote("02 09:00", "amy")]))
    answer = next(events_of("mail-901", [desk("02 10:00", "reply_sent")]))
    plain: dict[str, object] = {**answer, "id": "x", "time": moment("02 11:00")}

    def changed(**changes: object) -> dict[str, object]:
        event = {**plain, **changes}
        return {key: value for key, value in event.items() if value is not None}

    def order(number: int, **facts: object) -> dict[str, object]:
        data = {name.replace("__", "."): value for name, value in facts.items()}
        return {**first, "id": f"o-{number}", "type": "order_placed", "subject": f"order-90{number}", "data": data}

    lines: list[object] = [
        first,
        b'{"specversion":"1.0","id":"cut","source":"/mailbox","type":"email_rec',
        b'["a list", "is no event"]',
        b"\xff\xfe not UTF-8",
        changed(id="no-subject", subject=None),
        changed(id=None),
        changed(id="no-type", type=None),
        changed(id="no-time", time=None),
        changed(id="old", specversion="0.3"),
        changed(id="unknown-type", type="reply_snet"),
        changed(id="no-offset", time="2026-03-02T11:00:00"),
        changed(id="no-such-day", time="2026-02-30T11:00:00+00:00"),
        changed(id="undeclared", data={"inquiry.tpoic": "order_status"}),
        changed(id="no-such-choice", data={"inquiry.topic": "weather"}),
        order(1, order__total="a lot"),
        order(2, customer__first_order="perhaps"),
        {**first, "id": "nothing-required", "subject": "mail-902", "data": {}},
        order(3, order__items="1 lamp, paid with 4111 1111 1111 1111"),
        {**answer, "id": "backwards", "time": moment("02 08:00")},
        answer,
        answer,
        {**plain, "id": "twice", "time": moment("02 12:00")},
        {**plain, "id": "nobody", "subject": "mail-999"},
    ]
    return [each if isinstance(each, bytes) else _line(each) for each in lines]


def _line(event: object) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def main() -> None:
    """Write both files."""
    (HERE / "events.jsonl").write_bytes(b"".join(_line(event) + b"\n" for event in month()))
    (HERE / "bad_events.jsonl").write_bytes(b"".join(line + b"\n" for line in bad_lines()))


if __name__ == "__main__":
    main()
