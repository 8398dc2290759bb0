"""The converters and the demo's logs: what they write is what the policies take."""

from __future__ import annotations

import gzip
import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import carepolicy
from shops import library

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
SILENT = {"carepolicy.event.rejected", "carepolicy.event.duplicate"}


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


marketplace = _script("marketplace_to_events")
helpdesk = _script("helpdesk_to_events")

needs_marketplace = pytest.mark.skipif(
    not (DATA / "marketplace_orders.csv").exists(), reason="the marketplace's log is not here (../shared/data)"
)
needs_helpdesk = pytest.mark.skipif(
    not (DATA / "helpdesk.xes.gz").exists(), reason="the help desk's log is not here (../shared/data)"
)


def _row(**columns: str) -> dict[str, str]:
    names = ("order_id", "order_estimated_delivery_date", *marketplace.EVENTS)
    return {**dict.fromkeys(names, ""), "order_id": "o1", **columns}


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("10/2/2017 10:56", "2017-10-02T10:56:00-03:00"),
        ("12/2/2017 10:56", "2017-12-02T10:56:00-02:00"),
        ("10/15/2017 0:30", "2017-10-15T01:30:00-02:00"),
        ("2/17/2018 23:30", "2018-02-17T23:30:00-02:00"),
    ],
    ids=["winter", "summer", "an hour that never was", "an hour that was twice"],
)
def test_a_local_time_of_the_marketplace_gets_its_offset(written: str, instant: str) -> None:
    assert marketplace.local_instant(written).isoformat() == instant


def test_an_order_becomes_events_in_the_order_of_time_and_at_one_time_in_that_of_its_way() -> None:
    row = _row(
        order_purchase_timestamp="10/2/2017 10:56",
        order_approved_at="10/2/2017 10:56",
        order_delivered_customer_date="10/10/2017 21:25",
        order_delivered_carrier_date="10/4/2017 19:55",
        order_estimated_delivery_date="10/14/2017 0:00",
    )
    events = marketplace.events_of(row)
    assert [event["type"] for event in events] == list(marketplace.EVENTS.values())
    # The day after is the one on which the clocks went forward at midnight.
    assert events[0]["data"] == {"order.estimated": "2017-10-14T23:59:59-03:00"}
    assert all("data" not in event for event in events[1:])
    assert len({event["id"] for event in events}) == 4


def test_what_did_not_happen_to_an_order_is_no_event() -> None:
    events = marketplace.events_of(_row(order_purchase_timestamp="1/5/2018 9:00"))
    assert [event["type"] for event in events] == ["order_placed"]


def _xes(path: Path, *events: dict[str, str]) -> str:
    inner = "".join(
        "<event>" + "".join(f'<string key="{key}" value="{value}" />' for key, value in event.items()) + "</event>"
        for event in events
    )
    trace = f'<trace><string key="concept:name" value="Case 7" />{inner}</trace>'
    text = f'<log xmlns="http://www.xes-standard.org/">{trace}</log>'
    path.write_bytes(gzip.compress(text.encode()))
    return str(path)


def test_facts_of_a_ticket_travel_once_and_again_when_they_change(tmp_path: Path) -> None:
    day = "2012-10-09T14:50:17+00:00"
    path = _xes(
        tmp_path / "log.xes.gz",
        {
            "concept:name": "Assign seriousness",
            "time:timestamp": day,
            "service_level": "Value 1",
            "customer": "Value 5",
        },
        {"concept:name": "Wait", "time:timestamp": day, "service_level": "Value 1", "customer": "Value 5"},
        {"concept:name": "Closed", "time:timestamp": day, "service_level": "Value 2", "customer": "Value 5"},
    )
    events: list[dict[str, Any]] = list(helpdesk.converted(path))
    assert [event["type"] for event in events] == ["seriousness_assigned", "put_on_hold", "ticket_closed"]
    assert [event.get("data") for event in events] == [
        {"ticket.service_level": "level_1", "customer.account": "Value 5"},
        None,
        {"ticket.service_level": "level_2"},
    ]
    assert {event["subject"] for event in events} == {"case-7"}


def test_an_activity_that_is_not_known_stops_the_converter(tmp_path: Path) -> None:
    path = _xes(tmp_path / "log.xes.gz", {"concept:name": "Dance", "time:timestamp": "2012-10-09T14:50:17+00:00"})
    with pytest.raises(KeyError, match="Dance"):
        list(helpdesk.converted(path))


@pytest.mark.parametrize(
    ("mark", "separator", "told"),
    [("", ",", ""), ("\ufeff", ",", ""), ("\ufeff", ";", "semicolon"), ("", "\t", "tab"), ("", "|", "bar")],
    ids=repr,
)
def test_a_file_that_a_spreadsheet_saved_is_read_or_its_separator_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: str, separator: str, told: str
) -> None:
    row = _row(order_purchase_timestamp="10/2/2017 10:56")
    saved = tmp_path / "orders.csv"
    saved.write_text(mark + "".join(separator.join(each) + "\r\n" for each in (row, row.values())), "utf-8")
    status = marketplace.main([str(saved)])
    out, err = capsys.readouterr()
    assert (status, out.count("\n"), told in err) == (2 if told else 0, 0 if told else 1, True)


@needs_marketplace
def test_real_orders_go_their_way() -> None:
    with open(DATA / "marketplace_orders.csv", newline="", encoding="utf-8") as file:
        import csv

        events = list(marketplace.converted(csv.DictReader(file)))
    records = list(library().engine().run(events))
    assert not [each for each in records if each["type"] in SILENT]
    closed = [each for each in records if each["type"] == "carepolicy.case.closed"]
    delivered = {each["subject"] for each in closed if each["data"]["outcome"] == "delivered"}
    assert delivered == {event["subject"] for event in events if event["type"] == "carrier_delivered"}
    # What nobody expected is a handful, of parcels that were handed over after they were delivered.
    assert sum(each["type"] == "carepolicy.event.unexpected" for each in records) < len(events) / 1_000


@needs_helpdesk
def test_real_tickets_go_their_way() -> None:
    events = list(helpdesk.converted(str(DATA / "helpdesk.xes.gz")))
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


CONVERTERS = ["helpdesk_to_events.py", "marketplace_to_events.py"]


def converting(converter: str, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / converter), str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("converter", CONVERTERS)
@pytest.mark.parametrize("content", [None, b"", b"# Read me\n", b"\xff\xfe\x00", b"<log><trace></trace></log>"])
def test_a_converter_says_in_a_line_what_it_cannot_read(converter: str, content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "log"
    if content is not None:
        file.write_bytes(content)
    ran = converting(converter, file)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert str(file) in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_converter_tells_of_an_order_that_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    columns = "order_id,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date"
    file.write_text(f"{columns},order_delivered_customer_date,order_estimated_delivery_date\na,3/13/2018 10:00\n")
    ran = converting("marketplace_to_events.py", file)
    assert (ran.returncode, "line 2 is cut short" in ran.stderr) == (2, True)


def test_a_converter_ends_in_silence_when_nobody_reads_on(tmp_path: Path) -> None:
    columns = "order_id,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date"
    rows = "".join(f"o-{number},3/13/2018 10:00,,,,\n" for number in range(20_000))
    file = tmp_path / "orders.csv"
    file.write_text(f"{columns},order_delivered_customer_date,order_estimated_delivery_date\n{rows}")
    command = [sys.executable, str(ROOT / "examples" / "marketplace_to_events.py"), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
