"""`keep:` lets go of ids, requests, records and dead letters when their time is over, and of nothing that is needed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.businesstime import parse_limit
from carepolicy.businesstime.calendar import Calendar
from carepolicy.businesstime.instants import microseconds
from carepolicy.store.privacy import erase
from shops import Shop, rows
from stories import INQUIRY, INQUIRY_MESSAGES, ORGANISATION, event, write_set

KEEP = "    keep: {facts: 30 days, events: 90 days, outbox: 30 days, records: 1 year, dead_letters: 60 days}\n"
BEGIN = datetime.fromisoformat("2025-01-06T10:00:00+00:00")


@pytest.fixture
def shop(capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two cases were answered, one twice and one with its message sent; a third is open; two events were not taken."""
    folder = write_set(tmp_path / "set", INQUIRY, organisation=ORGANISATION + KEEP, messages=INQUIRY_MESSAGES)
    monkeypatch.setenv("CAREPOLICY_POLICIES", str(folder))
    found = Shop(capfd, url, str(folder))
    for number, subject in enumerate(("m-1", "m-2", "m-3")):
        happen(found, "asked", subject, number, id=f"asked-{subject}")
    for subject in ("m-1", "m-2"):
        happen(found, "answered", subject, 60)
    happen(found, "answered", "m-9", 61)
    happen(found, "answered", "m-1", 62)
    sent = found("outbox", "take", "--limit", "9", "--now", day(0, 2)).lines()
    for each in sent:
        if each["record"]["subject"] != "m-2":
            assert found("outbox", "done", each["id"], "--lease", "1").status == 0
    return found


def day(days: int, hours: int = 0) -> str:
    return (BEGIN + timedelta(days=days, hours=hours)).isoformat()


def happen(shop: Shop, kind: str, subject: str, minutes: int, days: int = 0, id: str = "") -> list[Any]:
    at = (BEGIN + timedelta(days=days, minutes=minutes)).isoformat()
    said = shop("event", kind, subject, "--at", at, *(("--id", id) if id else ()))
    return [orjson.loads(line) for line in said.out.splitlines()]


def tick(shop: Shop, days: int) -> str:
    said = shop("tick", "--now", day(days), "--quiet")
    assert said.status == 0, said.err
    assert shop("verify").status == 0, shop("verify")
    return said.err


def count(shop: Shop, what: str) -> int:
    return int(rows(shop, f"SELECT count(*) FROM {what}")[0][0])


def test_each_thing_goes_when_its_time_is_over_and_what_is_left_is_proven(shop: Shop) -> None:
    before = {each: count(shop, each) for each in ("events", "outbox", "records", "dead_letters")}
    assert before["dead_letters"] == 2
    assert tick(shop, 0) == ""
    assert "outbox" not in tick(shop, 29)
    assert "let go of 2 of outbox" in tick(shop, 31)
    assert rows(shop, "SELECT state FROM outbox") == [("leased",)], "what was not carried out stays"
    assert "dead letters" not in tick(shop, 58)
    assert "let go of 2 of dead letters" in tick(shop, 61)
    assert count(shop, "events") == before["events"]
    tick(shop, 91)
    assert count(shop, "events") == 0
    assert count(shop, "records") == before["records"]
    went = tick(shop, 366)
    assert "of records" in went
    left = rows(shop, "SELECT DISTINCT subject FROM records ORDER BY subject")
    assert left == [("m-2",), ("m-3",)], "m-2 waits for its message, m-3 is open"
    assert count(shop, "contacts WHERE subject = 'm-1'") == 0
    assert tick(shop, 367) == ""


def test_a_chain_goes_on_behind_what_went_and_an_altered_cut_is_found(shop: Shop) -> None:
    tick(shop, 0)
    tick(shop, 366)
    assert next(each["sequence"] for each in happen(shop, "asked", "m-1", 0, days=370)) > 4
    happen(shop, "answered", "m-9", 0, days=370)
    assert shop("verify").status == 0
    assert next(each["sequence"] for each in shop("case", "history", "m-1").lines()) > 4
    _by_hand(shop, "UPDATE cuts SET number = number - 1 WHERE subject = 'm-1'")
    assert shop("verify").status == 1


def test_an_id_that_was_forgotten_is_no_duplicate_any_more(shop: Shop) -> None:
    tick(shop, 0)
    assert happen(shop, "asked", "m-3", 0, days=1, id="asked-m-3")[0]["type"] == "carepolicy.event.duplicate"
    tick(shop, 95)
    assert happen(shop, "asked", "m-3", 0, days=96, id="asked-m-3")[0]["type"] == "carepolicy.event.unexpected"


def test_nothing_goes_of_a_log_that_is_not_read_to_its_end(shop: Shop, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    lines = [event("asked", day(0), f"x-{number}", id=f"x-{number}") for number in range(5)]
    lines += [event("answered", day(0, 1), f"x-{number}", id=f"y-{number}") for number in range(5)]
    log.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in lines))
    assert shop("run", str(log), "--output", str(tmp_path / "out.jsonl"), "--until", day(0, 3)).status == 0
    whole = (tmp_path / "out.jsonl").read_bytes()
    _requests_are_done(shop)
    tick(shop, 0)
    tick(shop, 400)
    assert count(shop, "records WHERE input <> 0") == 0
    with log.open("ab") as file:
        file.write(orjson.dumps(event("asked", day(401), "x-9", id="x-9")) + b"\n")
    said = shop("run", str(log), "--output", str(tmp_path / "out.jsonl"), "--resume", "--until", day(401))
    assert said.status == 0, said.err
    told = (tmp_path / "out.jsonl").read_bytes()
    assert told.startswith(whole)
    assert b'"subject":"x-9"' in told[len(whole) :]
    assert shop("verify").status == 0


def _requests_are_done(shop: Shop) -> None:
    for each in shop("outbox", "take", "--limit", "99", "--now", day(0, 4)).lines():
        shop("outbox", "done", each["id"], "--lease", str(each["lease"]))


def _by_hand(shop: Shop, sql: str) -> None:
    if shop.url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(shop.file()) as connection:
            connection.execute(sql)
        return
    import psycopg

    from carepolicy.store.url import parsed, quoted

    address, name = parsed(shop.url)
    with psycopg.connect(address, autocommit=True) as there:
        there.execute(f"SET search_path TO {quoted(name)}".encode())
        there.execute(sql.encode())


@pytest.mark.parametrize("keep", ["90 days", "1 month", "3 business days", "7 years"])
def test_what_may_go_is_what_was_kept_so_long(keep: str) -> None:
    calendar, limit = Calendar.round_the_clock("Europe/London"), parse_limit(keep)
    now = microseconds(datetime.fromisoformat("2026-03-30T12:00:00+00:00"))
    bound = erase.bound_of(calendar, limit, now)
    assert calendar.add_us(bound, limit) <= now < calendar.add_us(bound + 1_000_000, limit)
