"""The mappings of real logs and the demo's logs: what they make is what the policies take."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import carepolicy
from commands import Told, run
from shops import library

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
SILENT = {"carepolicy.event.rejected", "carepolicy.event.duplicate"}


MAPPINGS = {"helpdesk": ("helpdesk", "examples/helpdesk"), "orders": ("examples/marketplace_orders.yaml", "policies")}
"""The mappings of the real logs, and the policies whose events they make."""

WAY = {
    "order_purchase_timestamp": "order_placed",
    "order_approved_at": "payment_authorised",
    "order_delivered_carrier_date": "handed_to_carrier",
    "order_delivered_customer_date": "carrier_delivered",
}
"""What happened at the times of an order, in the order in which it goes its way."""


def making(name: str, log: Path) -> Told:
    """The events that a mapping makes of a log, as the command tells them."""
    mapping, policies = MAPPINGS[name]
    file = str(ROOT / mapping) if mapping.endswith(".yaml") else mapping
    return run("map", "events", str(log), "--map", file, "--policies", str(ROOT / policies))


def made(name: str, log: Path) -> list[dict[str, Any]]:
    """The events, all rows of the log being understood."""
    told = making(name, log)
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


needs_marketplace = pytest.mark.skipif(
    not (DATA / "marketplace_orders.csv").exists(), reason="the marketplace's log is not here (../shared/data)"
)
needs_helpdesk = pytest.mark.skipif(
    not (DATA / "helpdesk.xes.gz").exists(), reason="the help desk's log is not here (../shared/data)"
)


def _orders(path: Path, *rows: dict[str, str], separator: str = ",", mark: str = "") -> Path:
    names = ("order_id", *WAY, "order_estimated_delivery_date")
    lines = [separator.join(names), *(separator.join(row.get(name, "") for name in names) for row in rows)]
    path.write_text(mark + "".join(f"{line}\r\n" for line in lines), "utf-8")
    return path


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("10/2/2017 10:56", "2017-10-02T13:56:00+00:00"),
        ("12/2/2017 10:56", "2017-12-02T12:56:00+00:00"),
        ("10/15/2017 0:30", "2017-10-15T03:30:00+00:00"),
        ("2/17/2018 23:30", "2018-02-18T01:30:00+00:00"),
    ],
    ids=["winter", "summer", "an hour that never was", "an hour that was twice"],
)
def test_a_local_time_of_the_marketplace_gets_its_offset(tmp_path: Path, written: str, instant: str) -> None:
    (event,) = made("orders", _orders(tmp_path / "o.csv", {"order_id": "o1", "order_purchase_timestamp": written}))
    assert event["time"] == instant


def test_an_order_becomes_events_in_the_order_of_time_and_at_one_time_in_that_of_its_way(tmp_path: Path) -> None:
    order = {
        "order_id": "o1",
        "order_purchase_timestamp": "10/2/2017 10:56",
        "order_approved_at": "10/2/2017 10:56",
        "order_delivered_customer_date": "10/10/2017 21:25",
        "order_delivered_carrier_date": "10/4/2017 19:55",
        "order_estimated_delivery_date": "10/14/2017 0:00",
    }
    events = made("orders", _orders(tmp_path / "o.csv", order))
    assert [event["type"] for event in events] == list(WAY.values())
    # The day after is the one on which the clocks went forward at midnight.
    assert events[0]["data"] == {"order.estimated": "2017-10-15T02:59:59+00:00"}
    assert all("data" not in event for event in events[1:])
    assert [event["id"] for event in events] == [f"o1/{kind}" for kind in WAY.values()]
    assert {event["source"] for event in events} == {"/marketplace/olist"}


def test_what_did_not_happen_to_an_order_is_no_event(tmp_path: Path) -> None:
    log = _orders(tmp_path / "o.csv", {"order_id": "o1", "order_purchase_timestamp": "1/5/2018 9:00"})
    assert [event["type"] for event in made("orders", log)] == ["order_placed"]


def _xes(path: Path, *events: dict[str, str]) -> Path:
    inner = "".join(
        "<event>" + "".join(f'<string key="{key}" value="{value}" />' for key, value in event.items()) + "</event>"
        for event in events
    )
    trace = f'<trace><string key="concept:name" value="Case 7" />{inner}</trace>'
    text = f'<log xmlns="http://www.xes-standard.org/">{trace}</log>'
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_facts_of_a_ticket_travel_once_and_again_when_they_change(tmp_path: Path) -> None:
    day, later = "2012-10-09T14:50:17+00:00", "2012-10-09T14:50:18+00:00"
    path = _xes(
        tmp_path / "log.xes.gz",
        {
            "concept:name": "Assign seriousness",
            "time:timestamp": day,
            "service_level": "Value 1",
            "customer": "Value 5",
        },
        {"concept:name": "Wait", "time:timestamp": day, "service_level": "Value 1", "customer": "Value 5"},
        {"concept:name": "Closed", "time:timestamp": later, "service_level": "Value 2", "customer": "Value 5"},
    )
    events = made("helpdesk", path)
    assert [event["type"] for event in events] == ["seriousness_assigned", "put_on_hold", "ticket_closed"]
    assert [event.get("data") for event in events] == [
        {"ticket.service_level": "level_1", "customer.account": "Value 5"},
        None,
        {"ticket.service_level": "level_2"},
    ]
    assert {event["subject"] for event in events} == {"case-7"}


def test_an_activity_that_is_not_known_is_told_with_its_row(tmp_path: Path) -> None:
    day = {"time:timestamp": "2012-10-09T14:50:17+00:00"}
    path = _xes(tmp_path / "log.xes.gz", {"concept:name": "Dance", **day}, {"concept:name": "Closed", **day})
    told = making("helpdesk", path)
    assert [json.loads(line)["type"] for line in told.stdout.splitlines()] == ["ticket_closed"]
    assert (told.returncode, told.stderr.splitlines()) == (
        1,
        ['row 1: no event stands for "Dance" in the column concept:name', "1 row made no event"],
    )


@pytest.mark.parametrize(
    ("mark", "separator"), [("", ","), ("\ufeff", ","), ("\ufeff", ";"), ("", "\t"), ("", "|")], ids=repr
)
def test_a_file_that_a_spreadsheet_saved_is_read(tmp_path: Path, mark: str, separator: str) -> None:
    row = {"order_id": "o1", "order_purchase_timestamp": "10/2/2017 10:56"}
    events = made("orders", _orders(tmp_path / "orders.csv", row, separator=separator, mark=mark))
    assert [(each["type"], each["subject"]) for each in events] == [("order_placed", "o1")]


@needs_marketplace
def test_real_orders_go_their_way() -> None:
    events = made("orders", DATA / "marketplace_orders.csv")
    records = list(library().engine().run(events))
    assert not [each for each in records if each["type"] in SILENT]
    closed = [each for each in records if each["type"] == "carepolicy.case.closed"]
    delivered = {each["subject"] for each in closed if each["data"]["outcome"] == "delivered"}
    assert delivered == {event["subject"] for event in events if event["type"] == "carrier_delivered"}
    # What nobody expected is a handful, of parcels that were handed over after they were delivered.
    assert sum(each["type"] == "carepolicy.event.unexpected" for each in records) < len(events) / 1_000


@needs_helpdesk
def test_real_tickets_go_their_way() -> None:
    events = made("helpdesk", DATA / "helpdesk.xes.gz")
    records = list(carepolicy.load(ROOT / "examples" / "helpdesk").engine().run(events))
    assert len({event["subject"] for event in events}) == 4_580
    assert not [each for each in records if each["type"] in SILENT]
    assert sum(each["type"] == "carepolicy.event.unexpected" for each in records) < len(events) / 1_000


def _lines(name: str) -> list[bytes]:
    return (ROOT / "examples" / "demo" / name).read_bytes().splitlines()


def test_the_demo_logs_are_what_their_script_writes(tmp_path: Path) -> None:
    for script in ("make_events.py", "steps.py", "stories.py"):
        (tmp_path / script).write_bytes((ROOT / "examples" / "demo" / script).read_bytes())
    subprocess.run([sys.executable, str(tmp_path / "make_events.py")], check=True, timeout=60)
    for name in ("events.jsonl", "bad_events.jsonl"):
        assert (tmp_path / name).read_bytes().splitlines() == _lines(name)


def test_the_demo_runs_clean_and_shows_what_a_month_has() -> None:
    records = list(library().engine().run(_lines("events.jsonl")))
    kinds = Counter(each["type"].removeprefix("carepolicy.") for each in records)
    assert not kinds.keys() & {"event.rejected", "event.duplicate"}
    assert kinds["event.unexpected"] == 2
    assert {each["flow"] for each in records if each["type"] == "carepolicy.case.opened"} == {
        "email_inquiry", "complaint", "complaint_decision", "complaint_remedy", "complaint_appeal", "order_fulfilment",
        "order_delivery", "production", "shipping_delay", "lost_or_wrong_item", "feedback_survey", "chronic_problem",
    }  # fmt: skip
    languages = Counter(each["data"]["language"] for each in records if each["type"] == "carepolicy.message.requested")
    assert languages["fr"] >= 10
    late = {each["data"]["clock"] for each in records if each["type"] == "carepolicy.clock.late"}
    assert {"first_reply", "reply_promise", "acknowledge", "decide", "shipping", "delivery"} <= late


def test_each_kind_of_bad_line_is_told_with_its_line() -> None:
    records = [*library().engine().run(_lines("bad_events.jsonl"))]
    taken = [each for each in records if each["type"] == "carepolicy.case.opened"]
    assert {each["subject"] for each in taken} == {"mail-901", "order-903"}
    assert "4111" not in json.dumps(records)


@pytest.mark.parametrize("name", MAPPINGS)
@pytest.mark.parametrize("content", [None, b"", b"# Read me\n", b"\xff\xfe\x00"])
def test_what_cannot_be_read_is_said_in_a_line(name: str, content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "log"
    if content is not None:
        file.write_bytes(content)
    told = making(name, file)
    assert (told.returncode, told.stdout) == (2, "")
    assert str(file) in told.stderr
    assert told.stderr.count("\n") == 1


def test_an_order_that_is_cut_short_is_told(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(f"order_id,{','.join(WAY)},order_estimated_delivery_date\na,3/13/2018 10:00\n")
    told = making("orders", file)
    assert (told.returncode, told.stdout, told.stderr.startswith("row 1: ")) == (1, "", True)


def test_nothing_is_said_when_nobody_reads_on(tmp_path: Path) -> None:
    rows = [{"order_id": f"o-{number}", "order_purchase_timestamp": "3/13/2018 10:00"} for number in range(20_000)]
    file = _orders(tmp_path / "orders.csv", *rows)
    mapping, policies = MAPPINGS["orders"]
    asked = ("map", "events", str(file), "--map", str(ROOT / mapping), "--policies", str(ROOT / policies))
    command = [sys.executable, "-m", "carepolicy", *asked]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
