"""`store status`: how a store is doing, in numbers that hold, and which of them are past their bounds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from shops import Shop

ADA = "customer.email=ada@example.org"


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """Of three cases one is late and one is closed; one message has failed and is parked; two events were not taken."""
    for number in (1, 2, 3):
        shop.event("email_received", f"mail-{number}", f"2026-03-02 10:0{number}", ADA)
    shop.event("reply_sent", "mail-1", "2026-03-02 10:30")
    shop.event("reply_sent", "mail-9", "2026-03-02 10:30")
    shop("event", "no_such_event", "mail-1", "--at", "2026-03-02 10:30")
    shop("tick", "--now", "2026-03-02 16:02")
    parked = json.loads(shop("outbox", "take", "--now", "2026-03-02 16:00").out)
    shop("outbox", "fail", parked["id"], "--park", "--lease", "1")
    return shop


def status(shop: Shop, now: str, *bounds: str) -> tuple[int, dict[str, Any]]:
    said = shop("store", "status", "--now", now, "--format", "json", *bounds)
    return said.status, json.loads(said.out)


def test_a_status_counts_what_there_is(busy: Shop) -> None:
    done, told = status(busy, "2026-03-02 17:02")
    listed = busy("case", "list", "--format", "jsonl").lines()
    assert (done, told["open"], told["late"]) == (0, len(listed), sum(each["late"] for each in listed))
    assert told["late"] > 0
    requests = busy("outbox", "list", "--state", "all", "--format", "jsonl").lines()
    counts = {state: sum(each["state"] == state for each in requests) for state in told["outbox"]}
    assert (told["outbox"], told["outbox"]["parked"]) == (counts, 1)
    assert sum(told["dead"].values()) == 2
    oldest = min(each["record"]["time"] for each in requests if each["state"] in ("waiting", "leased"))
    assert told["waiting_age"] == (datetime.fromisoformat(told["now"]) - datetime.fromisoformat(oldest)).total_seconds()
    assert told["size"] > 10_000


def test_timers_that_nobody_fires_make_a_lag(busy: Shop) -> None:
    due = status(busy, "2026-03-02 16:02")[1]["next_due"]
    assert status(busy, due)[1]["lag"] == 0
    later = due[:17] + "30" + due[19:]
    assert status(busy, later)[1]["lag"] == 30
    assert status(busy, later, "--max-lag", "30s")[0] == 0
    assert status(busy, later, "--max-lag", "29s")[0] == 1


@pytest.mark.parametrize(
    ("name", "number"), [("open", 3), ("waiting", None), ("parked", 1), ("dead", 2), ("late", None)]
)
def test_what_is_past_a_bound_is_named_and_what_is_at_it_is_not(busy: Shop, name: str, number: int | None) -> None:
    now = "2026-03-02 17:02"
    if number is None:
        told = status(busy, now)[1]
        number = told["late"] if name == "late" else told["outbox"]["waiting"]
    assert status(busy, now, f"--max-{name}", str(number))[0] == 0
    done, told = status(busy, now, f"--max-{name}", str(number - 1))
    assert (done, told["past"]) == (1, [{"what": name, "is": number, "most": number - 1}])
    said = busy("store", "status", "--now", now, f"--max-{name}", str(number - 1))
    assert (said.status, f"(--max-{name})" in said.err) == (1, True)
    assert "dead letters 2 (1 CP904, 1 CP911)" in said.out


def test_a_status_of_what_is_no_store_says_so(shop: Shop) -> None:
    said = shop("store", "status")
    assert said.status in (2, 3)
    assert "Traceback" not in said.err
