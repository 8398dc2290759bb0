"""`dead`: events that were not taken, shown as far as may be seen, and taken again once when the reason is gone."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from threading import Barrier, Thread
from typing import Any

import pytest

from carepolicy.store.live.batch import Wall
from carepolicy.store.live.deadletters import NoLetter, TakenAgain, take_again
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from shops import Shop, everything_in, rows
from stories import ORGANISATION, write_set

FLOW = """\
    flow: inquiry
    version: 1
    title: An inquiry
    purpose: Inquiries are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.email, customer.name, order.total]}}
      answered: {title: Answered, by: staff}
    states:
      open: {title: Open, start_on: asked, owner: care_agent, on: {answered: done}}
      done: {title: Done, final: answered}
"""
RENAMED = FLOW.replace("asked:", "question:").replace("start_on: asked", "start_on: question")
ADA = ("customer.email=ada@example.org", "customer.name=Ada Lovelace", "order.total=19.90")


@pytest.fixture
def shop(capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """An event came whose flow does not know it yet, and one too early."""
    monkeypatch.setenv("CAREPOLICY_POLICIES", str(tmp_path / "set"))
    organisation = ORGANISATION.replace("people: [Chidi]", "people: [Chidi], may_see: [customer.email]")
    found = Shop(capfd, url, str(write_set(tmp_path / "set", RENAMED, organisation=organisation)))
    found("event", "asked", "m-1", *ADA, "--id", "e-1", "--at", "2026-03-02 10:00")
    found("event", "answered", "m-2", "--id", "e-2", "--at", "2026-03-02 11:00")
    return found


def listed(shop: Shop, *arguments: str) -> list[dict[str, Any]]:
    return shop("dead", "list", "--format", "jsonl", *arguments).lines()


def mend(shop: Shop) -> None:
    """The set knows the event now."""
    (Path(shop.policies) / "flows" / "inquiry.yaml").write_text(dedent(FLOW))
    said = shop("apply", "--policies", shop.policies, "--now", "2026-03-02 12:00")
    assert said.status == 0, said


def test_a_list_says_why_which_were_not_taken_the_last_first(shop: Shop) -> None:
    assert [(each["code"], each["event"]["subject"]) for each in listed(shop)] == [("CP911", "m-2"), ("CP904", "m-1")]
    assert [each["event"]["id"] for each in listed(shop, "--code", "CP904")] == ["e-1"]
    assert [each["event"]["id"] for each in listed(shop, "--subject", "m-2")] == ["e-2"]
    assert len(listed(shop, "--limit", "1")) == 1
    assert len(json.loads(shop("dead", "list", "--format", "json").out)["dead_letters"]) == 2
    text = shop("dead", "list").out.splitlines()
    assert text[2].split()[:6] == ["1", "CP904", "Mon", "2026-03-02", "10:00", "m-1"]
    assert shop("dead", "list", "--code", "CP901").out == "nothing\n"


def test_what_is_private_in_one_is_sealed_and_shown_to_who_may_see_it(shop: Shop) -> None:
    assert b"ada@example.org" not in everything_in(shop)
    assert json.loads(shop("dead", "show", "1").out)["event"]["data"]["customer.email"] == "***"
    data = json.loads(shop("dead", "show", "1", "--reveal", "--as", "care_lead").out)["event"]["data"]
    assert data["customer.email"] == "ada@example.org"
    assert data["customer.name"] == "Ada Lovelace"
    assert shop("dead", "show", "9").status == 2


def test_one_is_taken_again_with_all_it_brought_when_the_policy_is_mended_and_only_once(shop: Shop) -> None:
    before = shop("dead", "again", "1")
    assert (before.status, "refused again" in before.out) == (1, True)
    mend(shop)
    now = listed(shop, "--code", "CP904")[0]["no"]
    said = shop("dead", "again", str(now), "--format", "jsonl")
    assert (said.status, said.lines()[-1]) == (0, {"no": now, "is": "taken"})
    facts = json.loads(shop("customer", "show", "m-1", "--reveal", "--as", "care_lead", "--format", "json").out)
    assert facts["held"][0]["open_cases"][0]["facts"] == {
        "customer.email": "ada@example.org", "customer.name": "Ada Lovelace", "order.total": "19.90",
    }  # fmt: skip
    again = shop("dead", "again", str(now))
    assert (again.status, "was taken again already" in again.err) == (1, True)
    assert len(rows(shop, "SELECT 1 FROM cases")) == 1
    assert [each["code"] for each in listed(shop)] == ["CP911"]
    assert shop("verify").status == 0
    assert "duplicate" in shop("event", "asked", "m-1", "--id", "e-1", "--at", "2026-03-02 10:00").out


def test_all_of_a_code_are_taken_in_the_order_in_which_they_came(shop: Shop) -> None:
    for number in range(3):
        shop("event", "asked", f"n-{number}", "--at", f"2026-03-02 10:0{number}")
    mend(shop)
    said = shop("dead", "again", "--code", "CP904")
    assert (said.status, [line.split(":")[1] for line in said.out.splitlines()]) == (0, [" taken, 2 records"] * 4)
    assert shop("dead", "again", "--code", "CP904").err == "there are no dead letters of CP904\n"


def test_one_that_is_out_of_order_by_now_can_happen_at_present(shop: Shop) -> None:
    mend(shop)
    shop("event", "asked", "m-2", "--at", "2026-03-02 13:00")
    assert shop("dead", "again", "2").status == 1
    no = listed(shop, "--subject", "m-2")[0]["no"]
    said = shop("dead", "again", str(no), "--at-present", "--format", "jsonl")
    assert (said.status, said.lines()[-1]["is"]) == (0, "taken")


def test_of_two_who_take_one_again_at_once_one_does(shop: Shop) -> None:
    mend(shop)
    barrier, told = Barrier(4), []

    def work() -> None:
        store = open_store(shop.url)
        operation = Operation(store, None, 0)
        operation.bundle()
        barrier.wait()
        try:
            told.append(take_again(operation, 1, Wall(lambda: 1_800_000_000_000_000), False))
        except NoLetter as fault:
            told.append(fault)
        store.close()

    threads = [Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    taken = [each for each in told if isinstance(each, TakenAgain)]
    assert [(each.no, each.code) for each in taken] == [(1, None)]
    assert len(told) == 4
    assert len(rows(shop, "SELECT 1 FROM records WHERE subject = 'm-1' AND sequence = 1")) == 1


def test_erasing_a_customer_reaches_events_that_were_not_taken(shop: Shop) -> None:
    assert shop("customer", "erase", "ada@example.org", "--by", "Mia", "--yes").status == 0
    assert rows(shop, "SELECT count(sealed) FROM dead_letters") == [(0,)]
    said = shop("dead", "again", "1")
    assert (said.status, "not kept whole" in said.err) == (1, True)


def test_what_tells_of_an_event_that_was_taken_is_not_taken_again(shop: Shop) -> None:
    mend(shop)
    for _ in range(2):
        shop("event", "asked", "n-1", "--id", "twice", "--at", "2026-03-02 10:00")
    no = listed(shop, "--code", "CP909")[0]["no"]
    said = shop("dead", "again", str(no))
    assert (said.status, "tells of an event that was taken" in said.err) == (1, True)
