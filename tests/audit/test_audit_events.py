"""`map events` prints what a mapping makes of a log, as events that a run takes."""

from __future__ import annotations

import json
from pathlib import Path

from commands import run

HELPDESK = str(Path(__file__).parents[2] / "examples" / "helpdesk")
MAPPING = """\
mapping: tickets
flow: helpdesk_ticket
reads: {format: csv}
subject: ticket
subject_as: slug
source: /desk
time: at
event: {column: what, values: {Written: ticket_inserted, Taken: taken_in_charge}}
facts: {ticket.service_level: {column: level}}
"""
FIRST = "Ticket 2,Written,2024-03-04T10:00:00Z,level_1\nTicket 1,Written,2024-03-04T11:00:00Z,level_2\n"
LATER = "Ticket 1,Taken,2024-03-05T12:00:00+01:00,level_2\n"


def events(tmp_path, rows, mapping=MAPPING):
    log, file = tmp_path / "tickets.csv", tmp_path / "tickets.yaml"
    log.write_text("ticket,what,at,level\n" + rows)
    file.write_text(mapping)
    return run("map", "events", str(log), "--map", str(file), "--policies", HELPDESK)


def test_events_come_by_case_and_time_with_ids_that_a_longer_log_gives_them_again(tmp_path):
    first = events(tmp_path, FIRST)
    longer = events(tmp_path, LATER + FIRST)
    assert (first.returncode, longer.returncode, first.stderr) == (0, 0, "")
    found = [json.loads(line) for line in longer.stdout.splitlines()]
    assert [(each["id"], each["time"]) for each in found] == [
        ("ticket-1/1", "2024-03-04T11:00:00+00:00"),
        ("ticket-1/2", "2024-03-05T11:00:00+00:00"),
        ("ticket-2/1", "2024-03-04T10:00:00+00:00"),
    ]
    assert found[0] == {
        "specversion": "1.0", "id": "ticket-1/1", "source": "/desk", "type": "ticket_inserted", "subject": "ticket-1",
        "time": "2024-03-04T11:00:00+00:00", "data": {"ticket.service_level": "level_2"},
    }  # fmt: skip
    assert "data" not in found[1]
    assert set(first.stdout.splitlines()) < set(longer.stdout.splitlines())


def test_a_run_takes_the_events_and_an_audit_of_the_log_says_the_same(tmp_path):
    told = events(tmp_path, FIRST + LATER)
    (tmp_path / "events.jsonl").write_text(told.stdout)
    asked = ("--policies", HELPDESK, "--format", "json")
    by_events = run("audit", str(tmp_path / "events.jsonl"), *asked)
    by_mapping = run("audit", str(tmp_path / "tickets.csv"), "--map", str(tmp_path / "tickets.yaml"), *asked)
    assert json.loads(by_events.stdout) == json.loads(by_mapping.stdout)
    assert json.loads(by_events.stdout)["flows"]["helpdesk_ticket"]["clocks"]["first_response"]["rounds"] == 2


def test_rows_that_make_no_event_are_named_and_the_others_are_printed(tmp_path):
    told = events(
        tmp_path, FIRST + "Ticket 3,Dance,2024-03-04T10:00:00Z,level_1\n,Taken,2024-03-04T10:00:00Z,level_1\n"
    )
    assert (told.returncode, len(told.stdout.splitlines())) == (1, 2)
    assert told.stderr.splitlines() == [
        'row 3: no event stands for "Dance" in the column what',
        "row 4: the column ticket, which names the case, is empty",
        "2 rows made no event",
    ]


def test_cases_that_would_be_called_the_same_are_not_made_one(tmp_path):
    told = events(tmp_path, FIRST + "ticket-1,Written,2024-03-04T10:00:00Z,level_1\n")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == (
        'carepolicy: "Ticket 1" and "ticket-1" would both be called ticket-1: leave subject_as: out\n'
    )
    kept = events(
        tmp_path, FIRST + "ticket-1,Written,2024-03-04T10:00:00Z,level_1\n", MAPPING.replace("subject_as: slug\n", "")
    )
    assert [json.loads(line)["subject"] for line in kept.stdout.splitlines()] == ["Ticket 1", "Ticket 2", "ticket-1"]


def test_an_event_has_the_id_that_its_log_gives_it(tmp_path):
    told = events(tmp_path, FIRST, MAPPING + "id: level\n")
    assert [json.loads(line)["id"] for line in told.stdout.splitlines()] == ["level_2", "level_1"]
