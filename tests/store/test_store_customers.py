"""Personal data: told, handed over, erased by request and by `keep:`; chains and counts stay whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shops import Shop, everything_in, rows

ADA = "customer.email=ada@example.org"
PRIVATE = ("cases", "records", "contacts")


@pytest.fixture
def known(shop: Shop) -> Shop:
    """Ada's e-mail was answered and its case closed; Bob's is open."""
    shop.event("email_received", "mail-1", "2026-03-02 10:00", ADA, "customer.name=Ada Lovelace")
    shop.event("reply_sent", "mail-1", "2026-03-02 10:30")
    shop(
        "contact",
        "add",
        "mail-1",
        "--channel",
        "phone",
        "--by",
        "Aoife",
        "--text",
        "Thanks",
        "--at",
        "2026-03-02 11:00",
    )
    shop("tick", "--now", "2026-03-20")
    shop.event("email_received", "mail-2", "2026-03-20 10:00", "customer.email=bob@example.org")
    return shop


def sealed(shop: Shop, subject: str) -> int:
    """How many rows about a subject hold something private."""
    return sum(rows(shop, f"SELECT count(sealed) FROM {table} WHERE subject = '{subject}'")[0][0] for table in PRIVATE)


def held(shop: Shop, who: str, *more: str) -> list[dict[str, Any]]:
    said = shop("customer", "show", who, "--format", "json", *more)
    assert said.status == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["held"]
    return found


def test_what_is_held_is_shown_masked_and_revealed_to_a_role_that_may_see(known: Shop) -> None:
    (ada,) = held(known, "ada@example.org")
    assert (ada["subject"], ada["open_cases"], ada["typed_contacts"]) == ("mail-1", [], 1)
    assert ada["records_with_private_data"] > 0
    assert ada["erased_by_itself"].startswith("2029-03-")
    (bob,) = held(known, "bob@example.org")
    assert bob["open_cases"][0]["facts"] == {"customer.email": "***"}
    (bob,) = held(known, "mail-2", "--reveal", "--as", "care_lead")
    assert bob["open_cases"][0]["facts"] == {"customer.email": "bob@example.org"}
    assert "mail-1" in known("customer", "show", "ada@example.org").out
    assert known("customer", "show", "eve@example.org").status == 1


def test_an_export_hands_over_facts_records_and_contacts(known: Shop) -> None:
    told = json.loads(known("customer", "export", "ada@example.org", "--reveal", "--as", "care_lead").out)
    assert {
        each["to"] for each in (record["data"] for record in told["records"]) if "to" in each and "template" in each
    } == {"ada@example.org"}
    assert "Thanks" in [each["said"] for each in told["contacts"]]
    assert "notice" not in {each["kind"] for each in told["contacts"]}
    masked = known("customer", "export", "ada@example.org").out
    assert "ada@example.org" not in masked


def test_erasing_takes_what_is_private_and_leaves_the_chain_the_counts_and_a_record_of_it(known: Shop) -> None:
    before = rows(known, "SELECT subject, flow, sequence, line FROM records ORDER BY no")
    bob = sealed(known, "mail-2")
    dry = known("customer", "erase", "ada@example.org", "--by", "Mia", "--dry-run")
    assert (dry.status, dry.out.startswith("would be erased: private data of")) == (0, True)
    assert sealed(known, "mail-1") > 0
    assert known("customer", "erase", "ada@example.org", "--by", "Mia").status == 2
    said = known("customer", "erase", "ada@example.org", "--by", "Mia", "--yes", "--at", "2026-04-01 10:00")
    assert (said.status, said.out.startswith("erased: private data of")) == (0, True), said
    assert (sealed(known, "mail-1"), sealed(known, "mail-2")) == (0, bob)
    assert rows(known, "SELECT subject, flow, sequence, line FROM records ORDER BY no") == before
    assert known("verify").status == 0
    assert known("customer", "show", "ada@example.org").status == 1
    (left,) = held(known, "mail-1")
    assert left["records_with_private_data"] == 0
    assert (left["erasures"][0]["by"], left["erasures"][0]["time"]) == ("Mia", "2026-04-01T09:00:00+00:00")
    assert left["erasures"][0]["counts"]["records"] > 0
    assert "(erased)" in known("contact", "mail-1", "--reveal", "--as", "care_lead").out
    assert b"ada@example.org" not in everything_in(known)


def test_open_cases_refuse_it_by_name_unless_forced_and_then_go_on(known: Shop) -> None:
    said = known("customer", "erase", "bob@example.org", "--by", "Mia", "--yes")
    assert (said.status, "mail-2 (email_inquiry, received)" in said.err) == (1, True)
    assert sealed(known, "mail-2") > 0
    assert known("customer", "erase", "bob@example.org", "--by", "Mia", "--yes", "--force").status == 0
    assert sealed(known, "mail-2") == 0
    assert known.event("reply_sent", "mail-2", "2026-03-20 10:30").status == 0
    parked = known("outbox", "list", "--state", "parked", "--format", "jsonl").lines()
    assert [each["fault"] for each in parked if each["record"]["subject"] == "mail-2"] == [
        "erased at the request of the customer"
    ]


def test_what_is_kept_long_enough_is_erased_by_the_tick_and_no_sooner(known: Shop) -> None:
    until = held(known, "ada@example.org")[0]["erased_by_itself"][:10]
    assert known("tick", "--quiet", "--yes", "--now", "2029-03-01").err == ""
    before = sealed(known, "mail-1")
    assert before > 0
    said = known("tick", "--quiet", "--yes", "--now", f"{until} 23:59")
    assert (said.status, "private of 1 closed case" in said.err) == (0, True)
    assert sealed(known, "mail-1") == 0
    assert known("customer", "show", "ada@example.org").status == 1
    assert held(known, "mail-1")[0]["erasures"][0]["by"] == "keep"
    assert known("verify").status == 0


def test_a_case_that_opens_and_closes_in_one_batch_is_found_as_well(file_shop: Shop, tmp_path: Any) -> None:
    lines = [
        ("email_received", "2026-03-02T10:00:00+00:00", {"customer.email": "ada@example.org"}),
        ("reply_sent", "2026-03-02T10:30:00+00:00", {}),
    ]
    log = tmp_path / "log.jsonl"
    log.write_text(
        "".join(
            json.dumps(
                {"specversion": "1.0", "id": str(n), "source": "/t", "type": t, "subject": "m-1", "time": at, "data": d}
            )
            + "\n"
            for n, (t, at, d) in enumerate(lines)
        )
    )
    said = file_shop("run", str(log), "--until", "2026-04-01", "--policies", file_shop.policies)
    assert said.status == 0, said.err
    assert [each["subject"] for each in held(file_shop, "ada@example.org")] == ["m-1"]
