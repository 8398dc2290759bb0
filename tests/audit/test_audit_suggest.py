"""A drafted mapping is one that can be used, as far as it is sure of itself."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from commands import run

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


def test_what_cannot_be_drafted_says_why(tmp_path):
    log = tmp_path / "empty.csv"
    log.write_text("a,b\n1,2\n")
    told = run("map", "suggest", str(log), "delivery", "--policies", str(MARKETPLACE))
    assert (told.returncode, "no rows with times" in told.stderr) == (2, True)
    told = run("map", "suggest", str(log), "delivry", "--policies", str(MARKETPLACE))
    assert (told.returncode, 'did you mean "delivery"' in told.stderr) == (2, True)
    told = run("map", "suggest", str(tmp_path / "none.csv"), "delivery", "--policies", str(MARKETPLACE))
    assert (told.returncode, "no such file" in told.stderr) == (2, True)
