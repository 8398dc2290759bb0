"""What lateness holds back is personal data too: shown, and erased, before it is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from carepolicy.cli.times import wall_clock
from carepolicy.engine.instants import text_of
from carepolicy.store.live.run import StoredRun
from carepolicy.store.sql.statements import OPEN_INPUT
from shops import Shop, everything_in, rows

ADA, BOB = "ada@example.org", "bob@example.org"


def line(number: int, type_: str, subject: str, at: str, **data: str) -> str:
    event = {
        "specversion": "1.0", "id": str(number), "source": "/t", "type": type_, "subject": subject,
        "time": f"2026-03-02T{at}:00+00:00", "data": {name.replace("_", "."): value for name, value in data.items()},
    }  # fmt: skip
    return json.dumps(event) + "\n"


def interrupted(shop: Shop, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is stopped before it takes what it holds back."""

    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StoredRun, "finish", stop)
        assert shop("run", str(log), "--lateness", "6 hours", "--policies", shop.policies).status == 130


def shown(shop: Shop, who: str) -> list[dict[str, Any]]:
    said = shop("customer", "show", who, "--format", "json")
    assert said.status == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["held"]
    return found


def test_what_an_unfinished_run_holds_back_is_shown_handed_over_and_erased(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        line(1, "email_received", "m-1", "10:00", customer_email=ADA, customer_name="Ada Lovelace")
        + line(2, "email_received", "m-2", "10:01", customer_email=BOB)
    )
    interrupted(shop, log, monkeypatch)
    assert rows(shop, "SELECT count(*) FROM records") == [(0,)]
    (ada,) = shown(shop, ADA)
    assert (ada["subject"], ada["events_held_back"], ada["open_cases"]) == ("m-1", 1, [])
    assert "1 event that a run holds back" in shop("customer", "show", "m-1").out
    told = json.loads(shop("customer", "export", ADA, "--reveal", "--as", "care_lead").out)
    assert told["held_back"][0]["data"] == {"customer.email": ADA, "customer.name": "Ada Lovelace"}
    assert ADA not in shop("customer", "export", ADA).out

    said = shop("customer", "erase", ADA, "--by", "Mia", "--yes")
    assert (said.status, "1 event of it wait in a run that was not finished" in said.err) == (1, True), said.err
    before = {bytes(each) for (each,) in rows(shop, "SELECT sealed FROM held WHERE subject = 'm-1'")}
    said = shop("customer", "erase", ADA, "--by", "Mia", "--yes", "--force")
    assert (said.status, "1 event that a run holds back" in said.out) == (0, True), said.err
    after = {bytes(each) for (each,) in rows(shop, "SELECT sealed FROM held WHERE subject = 'm-1'")}
    assert before.isdisjoint(after)
    assert [each for each in before if each in everything_in(shop)] == []
    assert shop("customer", "show", ADA).status == 1

    said = shop("run", str(log), "--lateness", "6 hours", "--resume", "--policies", shop.policies)
    assert (said.status, "1 x CP907 (required data is missing)" in said.err) == (1, True), said.err
    assert [each["subject"] for each in shown(shop, BOB)] == ["m-2"]
    assert rows(shop, "SELECT DISTINCT type FROM records WHERE subject = 'm-1'") == [("carepolicy.event.rejected",)]
    assert shop("verify").status == 0


def test_a_run_that_is_still_at_work_forgets_what_was_erased_of_what_it_holds_back(shop: Shop) -> None:
    """Another process erases between two transactions of the run."""
    from carepolicy.store.live.late import Late
    from carepolicy.store.live.operation import Operation
    from carepolicy.store.open import open_store

    store = open_store(shop.url)
    operation = Operation(store, shop.policies, wall_clock())
    with store.transaction() as transaction:
        number = transaction.rows(OPEN_INPUT, ("log", 1))[0][0]
    late = Late(number, 6 * 3_600_000_000, operation.sealer)

    def give(number: int, subject: str, **data: str) -> None:
        def work(transaction: Any) -> None:
            event = operation.memory(transaction).run.intake.read(
                1, line(number, "email_received", subject, "10:00", **data)
            )
            late.release(transaction, [event])

        operation.attempt(work)

    give(1, "m-1", customer_email=ADA)
    assert shop("customer", "erase", "m-1", "--by", "Mia", "--yes", "--force").status == 0
    give(2, "m-1", customer_name="A Name")
    released = operation.attempt(late.rest)
    store.close()
    assert [dict(each.data) for each in released] == [{}, {"customer.name": "A Name"}]


def test_a_single_event_that_waits_is_shown_and_erased(shop: Shop) -> None:
    now = text_of(wall_clock())
    said = shop(
        "event", "email_received", "m-1", f"customer.email={ADA}", "--at", now, "--lateness", "1 hour",
        "--policies", shop.policies,
    )  # fmt: skip
    assert said.status == 0, said.err
    (ada,) = shown(shop, ADA)
    assert (ada["subject"], ada["events_held_back"]) == ("m-1", 1)
    assert shop("customer", "erase", ADA, "--by", "Mia", "--yes", "--force").status == 0
    (left,) = shown(shop, "m-1")
    assert left["events_held_back"] == 1
    told = json.loads(shop("customer", "export", "m-1", "--reveal", "--as", "care_lead").out)
    assert told["held_back"][0]["data"] == {}
