"""Logs as they come: garbage, mixed zones, equal times, copies of rows, and very many events of one subject."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from carepolicy.audit.figures import as_object
from carepolicy.audit.mapping import Mapper, known_to
from carepolicy.audit.replay import Replay
from carepolicy.audit.tables import Table
from carepolicy.checks.mappings import read_mapping
from carepolicy.machine.bundle import load_bundle
from commands import run
from shops import SHOP

HELPDESK = Path(__file__).parents[2] / "examples" / "helpdesk"

MAPPING = """\
mapping: tickets
flow: helpdesk_ticket
reads: {format: csv, timezone: Europe/Rome}
subject: ticket
time: at
event:
  column: what
  values: {written: ticket_inserted, taken: taken_in_charge, waits: put_on_hold, solved: ticket_resolved}
facts: {ticket.service_level: {column: level}}
"""

GOOD, ODD = "level_1", "level_9"


def audited(tmp_path, text: bytes) -> dict:
    log, mapping = tmp_path / "log.csv", tmp_path / "tickets.yaml"
    log.write_bytes(text)
    mapping.write_text(MAPPING)
    bundle = load_bundle(HELPDESK)
    made, findings = read_mapping(str(mapping), known_to(bundle))
    assert findings == []
    mapper, replay = Mapper(made, bundle), Replay(bundle)
    with Table([str(log)], "csv", made.reads, mapper.times) as table:
        replay.take_mapped(table, mapper)
    replay.finish()
    return as_object(replay)


def test_a_line_of_a_log_that_is_no_utf_8_is_left_out_and_named_and_all_others_count(tmp_path):
    good = (Path(__file__).parents[1] / "shop_logs" / "events.jsonl").read_bytes()
    log = tmp_path / "events.jsonl"
    log.write_bytes(b"\xff\xfe no text\n" + good)
    found = [
        json.loads(run("audit", str(path), "--policies", SHOP, "--format", "json").stdout)
        for path in (log, Path(__file__).parents[1] / "shop_logs" / "events.jsonl")
    ]
    reasons = found[0].pop("reasons")
    assert [each.partition(":")[0] for each in reasons] == ["CP901"]
    assert found[0].pop("rejected") == found[1].pop("rejected") + 1 == 1
    del found[1]["reasons"]
    assert found[0] == found[1]


def tickets(count: int) -> list[list[str]]:
    """Tickets that are written, taken and solved, with hours between; times in UTC."""
    rows, draw = [], random.Random(7)
    for number in range(count):
        at = datetime(2024, 3, 4, 8, tzinfo=UTC) + timedelta(minutes=draw.randrange(20_000))
        for what in ("written", "taken", "solved"):
            rows.append([f"T-{number}", what, at.isoformat(), GOOD])
            at += timedelta(minutes=draw.randrange(1, 900))
    return rows


def as_csv(rows) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["ticket", "what", "at", "level"])
    writer.writerows(rows)
    return out.getvalue().encode()


def verdicts(found) -> dict:
    return {name: (each["met"], each["late"], each["used"]) for name, each in clocks(found).items()}


def clocks(found) -> dict:
    return found["flows"]["helpdesk_ticket"]["clocks"]


def test_garbage_takes_nothing_from_the_rest_and_is_told(tmp_path):
    rows = tickets(400)
    clean = audited(tmp_path, as_csv(rows))
    spoilt = as_csv(rows).split(b"\r\n")
    garbage = [
        b"T-1,taken",
        b"T-2,taken,yesterday,level_1",
        b",taken,2024-03-05T10:00:00Z,level_1",
        b"\xff\xfe\x00broken,\xc3",
        b"T-3,token,2024-03-05T10:00:00Z,level_1",
        b"T-4,taken,2024-03-05T10:00:00Z,level_1,more,and more",
        b"",
        b"T-5,taken,2024-02-30T10:00:00Z,level_1",
    ]
    draw = random.Random(3)
    for each in garbage * 2:
        spoilt.insert(draw.randrange(1, len(spoilt)), each)
    found = audited(tmp_path, b"\r\n".join(spoilt))
    assert verdicts(found) == verdicts(clean)
    assert found["events"] == clean["events"] == 1_200
    assert found["rejected"] + found["duplicates"] >= 12
    assert any('did you mean "taken"' in each for each in found["reasons"])


def test_a_table_whose_lines_end_in_two_ways_is_read_like_one_whose_lines_do_not(tmp_path):
    lines = as_csv(tickets(40)).splitlines()
    mixed = b"".join(line + (b"\r\n" if number % 3 else b"\n") for number, line in enumerate(lines))
    assert audited(tmp_path, mixed) == audited(tmp_path, b"\n".join(lines))


def test_events_whose_lines_end_in_two_ways_are_read_like_others(tmp_path):
    log, mixed = Path(__file__).parents[1] / "shop_logs" / "events.jsonl", tmp_path / "events.jsonl"
    ends = (b"\r\n" if number % 3 else b"\n" for number in range(10_000))
    mixed.write_bytes(b"".join(line + end for line, end in zip(log.read_bytes().splitlines(), ends, strict=False)))
    found = [run("audit", str(path), "--policies", SHOP, "--format", "json") for path in (log, mixed)]
    assert found[0].stdout == found[1].stdout != ""


def test_times_of_many_zones_are_one_time(tmp_path):
    rows = tickets(100)
    draw = random.Random(5)
    mixed = []
    for ticket, what, at, level in rows:
        moment = datetime.fromisoformat(at)
        zone = draw.choice([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
        written = moment.astimezone(zone).isoformat(sep=draw.choice("T "))
        mixed.append([ticket, what, written.replace("+00:00", draw.choice(["Z", "+00:00"])), level])
    assert verdicts(audited(tmp_path, as_csv(mixed))) == verdicts(audited(tmp_path, as_csv(rows)))


def test_a_time_without_an_offset_is_of_the_zone_of_the_log(tmp_path):
    rows = [["T-1", "written", "2024-03-31 01:30:00", GOOD], ["T-1", "taken", "2024-03-31 03:30:00", GOOD]]
    found = audited(tmp_path, as_csv(rows))
    assert (found["from"], found["to"]) == ("2024-03-31T00:30:00+00:00", "2024-03-31T01:30:00+00:00")


def test_events_of_one_instant_go_in_the_order_of_the_flow(tmp_path):
    at = "2024-03-04T10:00:00Z"
    rows = [["T-1", what, at, GOOD] for what in ("solved", "taken", "written")]
    found = audited(tmp_path, as_csv(rows))
    assert found["unexpected"] == 0
    assert found["flows"]["helpdesk_ticket"]["variants"][0]["events"] == [
        "ticket_inserted", "taken_in_charge", "ticket_resolved",
    ]  # fmt: skip


def test_a_row_that_stands_there_twice_counts_once(tmp_path):
    rows = tickets(50)
    found = audited(tmp_path, as_csv(rows + rows[:30]))
    assert found["duplicates"] == 30
    assert found["events"] == 150


def test_a_value_that_the_fact_does_not_know_is_told_and_the_rest_goes_on(tmp_path):
    found = audited(tmp_path, as_csv([["T-1", "written", "2024-03-04T10:00:00Z", ODD], *tickets(3)]))
    assert found["rejected"] == 1
    assert found["events"] == 9


def test_a_log_without_rows_and_one_without_anything_are_told(tmp_path):
    assert audited(tmp_path, b"ticket,what,at,level\n")["events"] == 0
    empty, mapping = tmp_path / "empty.csv", tmp_path / "tickets.yaml"
    empty.write_bytes(b"")
    told = run("audit", str(empty), "--policies", str(HELPDESK), "--map", str(mapping))
    assert told.returncode == 2
    assert "empty.csv" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.soak
def test_two_million_events_of_one_subject(tmp_path):
    count = 2_000_000
    start = datetime(2010, 1, 1, tzinfo=UTC)
    log = tmp_path / "one.csv"
    with log.open("w") as file:
        file.write("ticket,what,at,level\n")
        file.write(f"T-1,written,{start.isoformat()},{GOOD}\n")
        for number in range(1, count):
            kind = "taken" if number % 2 else "waits"
            file.write(f"T-1,{kind},{(start + timedelta(minutes=2 * number)).isoformat()},{GOOD}\n")
    found = audited(tmp_path, log.read_bytes())
    assert found["events"] == count
    assert found["flows"]["helpdesk_ticket"]["states"]["waiting"]["visits"] == (count - 1) // 2
