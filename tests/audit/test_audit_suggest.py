"""A drafted mapping is one that can be used, as far as it is sure of itself."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.audit.suggest import _cheapest, matched_events
from carepolicy.audit.tables import Table
from commands import run
from shops import LIBRARY, read_set

ROOT = Path(__file__).parents[2]
HELPDESK, MARKETPLACE = ROOT / "examples" / "helpdesk", ROOT / "examples" / "marketplace"
ACTIVITIES = {
    "Insert ticket": "ticket_inserted",
    "Assign seriousness": "seriousness_assigned",
    "Schedule intervention": "intervention_scheduled",
    "Closed": "ticket_closed",
}


def tickets(path: Path) -> None:
    draw = random.Random(2)
    lines = ["ticket_id;activity;timestamp;service_level"]
    for number in range(40):
        at = datetime(2024, 3, 1, 9) + timedelta(hours=draw.randrange(500))
        for name in ACTIVITIES:
            lines.append(f"T{number};{name};{at:%d.%m.%Y %H:%M};Value {number % 4 + 1}")
            at += timedelta(hours=draw.randrange(1, 30))
    path.write_text("\n".join(lines) + "\n")


def test_a_log_of_events_is_recognised_by_names_values_and_order(tmp_path):
    log = tmp_path / "Tickets 2024.csv"
    tickets(log)
    told = run("map", "suggest", str(log), "helpdesk_ticket", "--policies", str(HELPDESK))
    assert told.returncode == 0, told.stderr
    made = yaml.safe_load(told.stdout)
    assert made["mapping"] == "tickets_2024"
    assert (made["subject"], made["time"], made["event"]["column"]) == ("ticket_id", "timestamp", "activity")
    assert made["event"]["values"] == ACTIVITIES
    assert made["reads"] == {"format": "csv", "time_format": "%d.%m.%Y %H:%M"}
    assert made["facts"]["ticket.service_level"]["values"]["Value 2"] == "level_2"
    drafted = tmp_path / "tickets_2024.yaml"
    drafted.write_text(told.stdout)
    audit = run("audit", str(log), "--policies", str(HELPDESK), "--map", str(drafted))
    assert audit.returncode == 0, audit.stderr
    assert audit.stdout.startswith("160 events")


def test_a_row_a_case_is_recognised_by_its_columns_of_times(tmp_path):
    log = tmp_path / "orders.csv"
    rows = [f"O-{number},2024-01-{number + 1:02}T10:00,2024-01-{number + 1:02}T11:00,2024-01-{number + 3:02}T09:00"
            for number in range(20)]  # fmt: skip
    log.write_text("order_id,order_placed_at,payment_approved_at,delivered_at\n" + "\n".join(rows) + "\n")
    told = run("map", "suggest", str(log), "delivery", "--policies", str(MARKETPLACE))
    assert told.returncode == 0, told.stderr
    made = yaml.safe_load(told.stdout)
    assert made["subject"] == "order_id"
    assert made["events_from_columns"] == {
        "order_placed_at": "order_placed", "payment_approved_at": "payment_approved", "delivered_at": "delivered",
    }  # fmt: skip


def test_columns_and_values_that_share_words_are_told_apart_by_what_is_best_for_all_of_them(tmp_path):
    log = tmp_path / "sent.csv"
    rows = [f"O-{each},2024-01-{each + 1:02}T10:00,2024-01-{each + 1:02}T11:00,2024-01-{each + 2:02}T09:00,"
            f"2024-01-{each + 4:02}T09:00,2024-01-{each + 5:02}T00:00" for each in range(20)]  # fmt: skip
    log.write_text(
        "order_id,order_bought_time,order_approved_time,order_delivered_carrier_time,order_delivered_customer_time,"
        "order_estimated_time\n" + "\n".join(rows) + "\n"
    )
    told = run("map", "suggest", str(log), "delivery", "--policies", str(MARKETPLACE)).stdout
    made = yaml.safe_load(told)
    assert made["events_from_columns"] == {
        "order_approved_time": "payment_approved",
        "order_delivered_carrier_time": "handed_to_carrier",
        "order_delivered_customer_time": "delivered",
    }
    assert made["facts"] == {"order.estimated": {"column": "order_estimated_time"}}
    assert "# order_estimated_time" not in told, "a column that is a fact is told as no event that is missing"
    cases = [["Insert ticket", "Assign seriousness", "RESOLVED", "Resolve SW anomaly", "Resolve ticket", "Closed"]] * 3
    found = matched_events(cases, read_set(HELPDESK).flows["helpdesk_ticket"])
    assert (found["RESOLVED"].name, found["Resolve ticket"].name) == ("marked_resolved", "ticket_resolved")


def tables_of(rows: int) -> st.SearchStrategy[list[list[int]]]:
    columns = st.integers(max(rows, 1), 6)
    row = columns.map(lambda each: st.lists(st.integers(-9, 9), min_size=each, max_size=each))
    return row.flatmap(lambda each: st.lists(each, min_size=rows, max_size=rows))


@given(costs=st.integers(0, 5).flatmap(tables_of))
def test_no_other_choice_of_columns_is_cheaper(costs):
    places = _cheapest(costs)
    assert len(set(places)) == len(places) == len(costs)
    others = permutations(range(len(costs[0])), len(costs)) if costs else [()]
    assert sum(row[place] for row, place in zip(costs, places, strict=True)) == min(
        sum(row[place] for row, place in zip(costs, other, strict=True)) for other in others
    )


def test_what_cannot_be_drafted_says_why(tmp_path):
    log = tmp_path / "empty.csv"
    log.write_text("a,b\n1,2\n")
    told = run("map", "suggest", str(log), "delivery", "--policies", str(MARKETPLACE))
    assert (told.returncode, "no rows with times" in told.stderr) == (2, True)
    told = run("map", "suggest", str(log), "delivry", "--policies", str(MARKETPLACE))
    assert (told.returncode, 'did you mean "delivery"' in told.stderr) == (2, True)
    told = run("map", "suggest", str(tmp_path / "none.csv"), "delivery", "--policies", str(MARKETPLACE))
    assert (told.returncode, "no such file" in told.stderr) == (2, True)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("%d-%m-%Y:%H.%M", "%d-%m-%Y:%H.%M"), ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"), ("%d %B %Y", "%d %B %Y"),
        ("%a, %d %b %Y %H:%M:%S +0100", "%a, %d %b %Y %H:%M:%S %z"), ("%Y/%m/%d %H:%M:%S,125", "%Y/%m/%d %H:%M:%S,%f"),
        ("%d.%m.%y", "%d.%m.%y"), ("%Y-%m-%d %H:%M:%S UTC", None), ("%s", "unix"), ("%s000", "unix_ms"),
    ],
)  # fmt: skip
def test_the_way_in_which_times_are_written_is_found_and_read(tmp_path, written, form):
    log = tmp_path / "log.csv"
    rows = [f"T{day};{name};{datetime(2024, 3, day, 9, tzinfo=UTC).strftime(written)}"
            for day in range(1, 28) for name in ACTIVITIES]  # fmt: skip
    log.write_text("ticket_id;activity;time\n" + "\n".join(rows) + "\n")
    told = run("map", "suggest", str(log), "helpdesk_ticket", "--policies", str(HELPDESK))
    assert yaml.safe_load(told.stdout)["reads"].get("time_format") == form, told.stderr
    (tmp_path / "drafted.yaml").write_text(told.stdout)
    asked = ("audit", str(log), "--policies", str(HELPDESK), "--map", str(tmp_path / "drafted.yaml"))
    assert run(*asked).stdout.startswith("108 events, 2024-03-01 to 2024-03-27")


def test_numbers_are_times_only_where_their_column_is_called_so(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("ticket_id;activity;phone\nT1;Closed;1709280000\nT2;Closed;1709280001\n")
    told = run("map", "suggest", str(log), "helpdesk_ticket", "--policies", str(HELPDESK))
    assert "has no rows with times in them" in told.stderr


def test_a_draft_says_which_events_it_has_not_found(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("ticket_id;activity;at\n" + "".join(f"T1;{name};2024-03-0{number}T09:00Z\n" for number, name in
                                                      enumerate(("Closed", "Wait", "Pling"), 1)))  # fmt: skip
    told = run("map", "suggest", str(log), "helpdesk_ticket", "--policies", str(HELPDESK))
    (left,) = [each for each in told.stdout.splitlines() if each.startswith("# no value was found for: ")]
    assert "ticket_resolved" in left
    assert "ticket_closed" not in left
    log.write_text("ticket_id;activity;at\nT1;Pling;2024-03-01T09:00Z\nT1;Plong;2024-03-01T09:00Z\n")
    (tmp_path / "m.yaml").write_text(
        run("map", "suggest", str(log), "helpdesk_ticket", "--policies", str(HELPDESK)).stdout
    )
    told = run("audit", str(log), "--policies", str(HELPDESK), "--map", str(tmp_path / "m.yaml"))
    assert told.returncode == 2
    assert "CP112 a value is missing here" in told.stderr


def test_columns_and_values_of_any_signs_make_a_draft_that_can_be_read(tmp_path):
    log = tmp_path / "2024.csv"
    said = ['5" disc', "Insert ticket", "a: {b}\nand c\u2028\\d", "Null"]
    lines = ['"ticket ""id""",activity,"time\nof it"']
    for number in range(9):
        for hour, each in enumerate(said):
            told = each.replace('"', '""')
            lines.append(f'{number},"{told}",2024-03-01T{hour + 9:02}:00')
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = run("map", "suggest", str(log), "helpdesk_ticket", "--policies", str(HELPDESK))
    assert told.returncode == 0, told.stderr
    made = yaml.safe_load(told.stdout)
    assert (made["mapping"], made["subject"], made["time"]) == ("log_2024", 'ticket "id"', "time\nof it")
    assert made["event"]["values"] == {"Insert ticket": "ticket_inserted"}
    drafted = tmp_path / "log_2024.yaml"
    drafted.write_text(told.stdout.replace("    # ", "    ").replace(": no event is like it", ": ticket_closed"))
    assert set(yaml.safe_load(drafted.read_text())["event"]["values"]) == {*said}


def test_flags_of_json_are_told_as_a_mapping_meets_them(tmp_path):
    log = tmp_path / "tickets.jsonl"
    log.write_text('{"a": {"b": true, "c": 1.5}, "d": false, "e": null, "f": [1]}\n', encoding="utf-8")
    with Table([str(log)], "jsonl", None) as table:
        assert table.sample(9) == [{"a.b": "true", "a.c": "1.5", "d": "false", "e": None}]
        met = list(table.groups("d", ["a.b", "a.c", "d", "e"]))
    assert [(name, row[2:]) for name, rows in met for row in rows] == [("false", ("true", "1.5", "false", None))]


def test_where_no_mapping_is_named_those_of_the_set_are_told_or_what_drafts_one(tmp_path):
    log = tmp_path / "tickets.csv"
    tickets(log)
    drafts = f"`carepolicy map suggest {log} FLOW` drafts one\n"
    for policies, more, hint in (
        (HELPDESK, (), "in mappings/ of the set: helpdesk\n"),
        (HELPDESK, ("--map", "helpdsk"), 'did you mean "helpdesk"?\n'),
        (HELPDESK, ("--map", "orders"), "known here: helpdesk\n"),
        (LIBRARY, (), drafts),
        (LIBRARY, ("--map", "orders"), drafts),
    ):
        told = run("audit", str(log), "--policies", str(policies), *more)
        assert told.returncode == 2
        assert told.stderr.endswith(hint), told.stderr
