"""`audit --store`: what a store tells of the events that it took is what an audit of their log tells."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

import carepolicy
from carepolicy.audit.schema import audit_schema
from carepolicy.store.sql import statements
from carepolicy.store.sql.transaction import SqlTransaction
from changing import AT, Changing
from commands import run
from shops import EVENTS, SHOP, Shop, rows
from stories import INQUIRY, INQUIRY_MESSAGES, ORGANISATION, write_set

AUDIT = Draft202012Validator(audit_schema())
ONLY_EVENTS_TELL = ("variants", "variants_in_all", "trace_time")


def audit(shop: Shop, *asked: str) -> dict[str, Any]:
    """What an audit of the store says."""
    said = shop("audit", *asked, "--format", "json")
    assert said.status == 0, said.err
    found: dict[str, Any] = orjson.loads(said.out)
    AUDIT.validate(found)
    return found


def audit_of_log(log: Path, *asked: str) -> dict[str, Any]:
    """What an audit of a log says, but for what only events tell."""
    told = run("audit", str(log), "--policies", SHOP, *asked, "--format", "json")
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = orjson.loads(told.stdout)
    for flow in found["flows"].values():
        flow |= dict.fromkeys(ONLY_EVENTS_TELL)
    return found


def some_events(tmp_path: Path) -> Path:
    """A log that ends while cases are open and clocks run."""
    log = tmp_path / "some.jsonl"
    log.write_bytes(b"".join(EVENTS.read_bytes().splitlines(keepends=True)[:80]))
    return log


@pytest.mark.parametrize("until", [[], ["--until", "2026-06-01"]], ids=["by itself", "until June"])
def test_a_store_is_audited_to_the_figures_of_the_log_that_it_took(
    shop: Shop, tmp_path: Path, until: list[str]
) -> None:
    log = some_events(tmp_path)
    assert shop("run", str(log), "--quiet").status in (0, 1)
    before = rows(shop, "SELECT count(*) FROM records")
    found = audit(shop, *until)
    assert found.pop("store") == {"let_go": 0, "erased": 0}
    assert sum(len(flow["due"]) for flow in found["flows"].values()) > 1
    assert found == audit_of_log(log, *until)
    assert rows(shop, "SELECT count(*) FROM records") == before, "nothing is written"


def test_events_that_came_one_by_one_are_counted_like_those_of_a_log(shop: Shop, tmp_path: Path) -> None:
    lines = EVENTS.read_bytes().splitlines()
    untaken = {"specversion": "1.0", "source": "/desk", "time": "2026-03-27T10:00:00+00:00", "subject": "mail-999"}
    lines += [lines[3], orjson.dumps({**untaken, "id": "n-1", "type": "reply_sent"})]
    lines.append(orjson.dumps({**untaken, "id": "n-2", "type": "reply_snet"}))
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\n".join(lines) + b"\n")
    with carepolicy.open_store(shop.url, SHOP) as store:
        for line in lines:
            store.post(orjson.loads(line))
    found = audit(shop)
    assert (found["rejected"], found["duplicates"], found["not_taken"]["CP911"] > 0) == (1, 1, True)
    del found["store"]
    assert found == audit_of_log(log)


@pytest.mark.parametrize("table", ["events", "untaken"])
def test_ids_are_looked_up_and_no_table_is_gone_through_for_them(file_shop: Shop, table: str) -> None:
    file_shop.event("reply_sent", "mail-999", "2026-03-27 10:00")
    sql = statements.count_taken(3) if table == "events" else statements.untaken(3)
    with sqlite3.connect(file_shop.file()) as store:
        found = store.execute(f"EXPLAIN QUERY PLAN {sql}", ("",) * sql.count("?")).fetchall()
    plan = "; ".join(str(row[-1]) for row in found)
    assert f"SEARCH {table} USING" in plan
    assert f"SCAN {table}" not in plan


def test_an_audit_asks_no_more_often_for_many_events_that_were_not_taken_than_for_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    rows_of = SqlTransaction.rows

    def noted(self: SqlTransaction, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return rows_of(self, sql, values)

    def questions() -> int:
        asked.clear()
        audit(shop)
        return len(asked)

    shop("run", str(EVENTS), "--quiet")
    with carepolicy.open_store(shop.url, SHOP) as store:
        untaken = {"specversion": "1.0", "source": "/desk", "time": "2026-03-27T10:00:00+00:00", "type": "reply_sent"}
        store.post({**untaken, "id": "n-0", "subject": "mail-999"})
        monkeypatch.setattr(SqlTransaction, "rows", noted)
        once, found = questions(), audit(shop)["events"]
        for number in range(1, 30):
            store.post({**untaken, "id": f"n-{number}", "subject": "mail-999"})
    assert questions() == once
    assert audit(shop)["events"] == found + 29


def test_a_store_stands_in_place_of_a_log_and_only_alone(shop: Shop, store_key: str) -> None:
    shop("run", str(EVENTS), "--quiet")
    one = run("audit", shop.url, "--policies", SHOP, "--format", "json", CAREPOLICY_KEY=store_key)
    assert orjson.loads(one.stdout) == audit(shop)
    for asked, reason in (
        ((shop.url, str(EVENTS)), "one store is audited by itself"),
        ((shop.url, "--by", "customer.tier"), "--by needs the events"),
        ((shop.url, "--sweep", "email_inquiry.first_reply.limit=1h..8h"), "--sweep needs the events"),
        ((shop.url, "--map", "orders"), "--map needs the events"),
        ((), "name a LOG, or a --store"),
    ):
        told = run("audit", *asked, "--policies", SHOP)
        assert (told.returncode, reason in told.stderr) == (2, True), told.stderr


def test_a_store_that_is_configured_is_audited_where_nothing_else_is_named(
    file_shop: Shop, tmp_path: Path, store_key: str
) -> None:
    log = some_events(tmp_path)
    file_shop("run", str(log), "--quiet")
    project = tmp_path / "project"
    project.mkdir()
    (project / "carepolicy.toml").write_text(f'store = "{file_shop.url}"\npolicies = "{SHOP}"\n')
    for environment in ({}, {"CAREPOLICY_STORE": file_shop.url}):
        asked = ("--policies", SHOP, "--format", "json")
        where = tmp_path if environment else project
        stored = run("audit", *asked, cwd=where, CAREPOLICY_KEY=store_key, **environment)
        assert "store" in orjson.loads(stored.stdout), stored.stderr
        of_log = run("audit", str(log), *asked, cwd=where, CAREPOLICY_KEY=store_key, **environment)
        assert of_log.returncode == 0, of_log.stderr
        assert "store" not in orjson.loads(of_log.stdout)


def test_a_set_that_is_tried_does_to_the_open_cases_what_a_plan_says(shop: Shop, tmp_path: Path) -> None:
    shop("run", str(some_events(tmp_path)), "--quiet")
    other = tmp_path / "other"
    shutil.copytree(SHOP, other)
    file = other / "organisation.yaml"
    text = file.read_text()
    file.write_text(
        re.sub(r"^(  (?:complaint_decision|remedy_within|progress_every): )\d+", r"\g<1>1", text, flags=re.M)
    )
    assert file.read_text() != text
    found = audit(shop, "--against", str(other))
    planned = orjson.loads(
        shop("plan", "--policies", str(other), "--now", found["to"], "--examples", "999", "--format", "json").out
    )
    assert planned.pop("applied") is False
    assert found["plan"] == planned
    assert found["plan"]["open_cases"] > 0
    assert set(found["plan"]["fates"]) & {"late", "due"}
    said = shop("audit", "--against", str(other))
    assert f"were {other} applied:\n" in said.out
    assert said.out.endswith("open cases; nothing stands against it\n")
    assert shop("audit", "--against", SHOP).out.endswith("this set is installed already\n")
    assert "no-such-set" in shop("audit", "--against", "no-such-set").err


def test_erased_subjects_count_and_it_is_said_that_they_were_erased(shop: Shop) -> None:
    shop("run", str(EVENTS), "--quiet")
    before = audit(shop)
    assert shop("customer", "erase", "mail-201", "--by", "Mia", "--force", "--yes").status == 0
    after = audit(shop)
    assert after.pop("store") == {"let_go": 0, "erased": 1}
    del before["store"]
    assert after == before
    assert "private facts of 1 subject were erased; no figure is made of those" in shop("audit").out


def test_nothing_private_is_told_in_any_form(shop: Shop, tmp_path: Path) -> None:
    shop("run", str(EVENTS), "--quiet")
    report, export = tmp_path / "report", tmp_path / "cases.json"
    said = shop("audit", "--report", str(report), "--export", str(export))
    assert said.status == 0, said.err
    assert (report / "index.html").exists()
    told = [said.out.encode(), said.err.encode(), export.read_bytes()]
    told += [each.read_bytes() for each in report.rglob("*") if each.is_file()]
    everything = b"".join(told)
    assert b"mail-201" in everything
    for secret in (b"amy@customer.example", b"Amy Ash"):
        assert secret in EVENTS.read_bytes()
        assert secret not in everything


def test_a_clock_below_its_target_fails_a_store_too(shop: Shop) -> None:
    shop("run", str(EVENTS), "--quiet")
    said = shop("audit", "--fail-under", "100")
    assert (said.status, "in time, less than 100%" in said.err) == (1, True)
    assert "<failure" in shop("audit", "--fail-under", "100", "--format", "junit").out
    assert "::" in shop("audit", "--fail-under", "100", "--format", "github").out


def test_flows_of_older_versions_count_though_the_installed_set_has_them_no_more(
    capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    changing = Changing(capfd, url, str(tmp_path / "set"))
    changing.become()
    for subject in ("m-1", "m-2"):
        changing.event("written", subject, AT, "customer.email=ada@example.org")
    before = audit(changing, "--policies", changing.policies)["flows"]["inquiry"]
    changing.become(None)
    changing.apply()
    found = audit(changing, "--policies", changing.policies)["flows"]
    assert list(found) == ["inquiry"]
    after = found["inquiry"]
    assert (after["cases"], after["open"]) == (before["cases"], before["open"]) == (2, 2)
    assert after["clocks"]["reply"]["rounds"] == before["clocks"]["reply"]["rounds"] == 2
    assert after["due"] == before["due"]


def test_cases_of_which_keep_has_let_records_go_are_left_out_and_that_is_said(
    capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = "    keep: {facts: 30 days, records: 1 year}\n"
    folder = write_set(tmp_path / "set", INQUIRY, organisation=ORGANISATION + keep, messages=INQUIRY_MESSAGES)
    monkeypatch.setenv("CAREPOLICY_POLICIES", str(folder))
    shop = Shop(capfd, url, str(folder))
    for subject in ("m-1", "m-2"):
        shop.event("asked", subject, "2025-01-06T10:00Z")
    shop.event("answered", "m-1", "2025-01-06T11:00Z")
    for each in shop("outbox", "take", "--limit", "9", "--now", "2025-01-06T12:00Z").lines():
        shop("outbox", "done", each["id"], "--lease", "1")
    assert audit(shop)["flows"]["inquiry"]["cases"] == 2
    for day in ("2025-01-07", "2025-03-01", "2026-01-10", "2026-01-12"):
        assert shop("tick", "--now", day, "--quiet").status == 0
    found = audit(shop)
    assert found["store"] == {"let_go": 1, "erased": 1}
    assert (found["flows"]["inquiry"]["cases"], found["flows"]["inquiry"]["open"]) == (1, 1)
    said = shop("audit").out
    assert "1 subject has let go of records (keep:), and the cases that began in them are left out" in said
