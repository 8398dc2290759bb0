"""The contact log: over channels, flows and what staff typed; with nothing private unless a role may see it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from shops import Shop, everything_in

ADA = "customer.email=ada@example.org"


@pytest.fixture
def talked(shop: Shop) -> Shop:
    """Ada writes, is answered late and writes again; she also complains; Bob writes."""
    shop.event("email_received", "mail-1", "2026-03-02 10:00", ADA)
    shop.event("agent_assigned", "mail-1", "2026-03-02 10:05")
    shop.event("email_received", "mail-2", "2026-03-02 10:06", "customer.email=bob@example.org")
    shop.event("reply_sent", "mail-1", "2026-03-05 10:00")
    shop.event("customer_wrote", "mail-1", "2026-03-05 11:00")
    shop.event("complaint_received", "order-7", "2026-03-05 12:00", ADA, "customer.name=Ada Lovelace")
    text = "She is angry. Card 4111 1111 1111 1111. Call +44 20 7946 0999"
    said = shop(
        "contact", "add", "mail-1", "--channel", "phone", "--by", "Aoife", "--text", text, "--at", "2026-03-05 11:30"
    )
    assert (said.status, "card number" in said.err) == (0, True)
    note = ("--direction", "internal", "--at", "2026-03-05 11:40")
    shop("contact", "add", "mail-1", "--channel", "phone", "--by", "Ben", "--text", "Be kind", *note)
    return shop


def entries(shop: Shop, *arguments: str) -> list[dict[str, Any]]:
    said = shop("contact", *arguments, "--format", "json")
    assert said.status == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["contacts"]
    return found


def test_all_that_was_said_about_a_subject_is_in_order(talked: Shop) -> None:
    found = entries(talked, "mail-1")
    assert [each["time"] for each in found] == sorted(each["time"] for each in found)
    assert [each["kind"] for each in found if each["kind"] != "notice"] == [
        "customer", "message", "staff", "message", "staff", "message", "customer", "in", "internal",
    ]  # fmt: skip
    assert found[0]["said"] == "An e-mail arrives"
    assert (found[0]["from"], found[0]["to"]) == ("customer", "Harbour & Finch")
    assert [each["from"] for each in found if each["kind"] == "staff"] == ["Care agent", "Care team lead"]
    assert next(each for each in found if each["kind"] == "message")["state"] == "waiting"


def test_a_customer_is_found_by_address_over_all_flows(talked: Shop) -> None:
    assert {each["subject"] for each in entries(talked, "Ada@Example.org")} == {"mail-1", "order-7"}
    assert {each["subject"] for each in entries(talked, "bob@example.org")} == {"mail-2"}
    said = talked("contact", "eve@example.org")
    assert (said.status, "eve" in said.err, said.out) == (2, False, "")


def test_the_customers_view_has_no_notices_and_no_notes_of_our_own(talked: Shop) -> None:
    assert {each["kind"] for each in entries(talked, "mail-1")} > {"notice", "internal"}
    assert {each["kind"] for each in entries(talked, "mail-1", "--view", "customer")} == {
        "customer", "staff", "message", "in",
    }  # fmt: skip


def test_what_is_private_is_shown_to_a_role_that_may_see_it(talked: Shop) -> None:
    hidden = talked("contact", "mail-1", "--format", "json").out
    assert "ada@example.org" not in hidden
    assert "angry" not in hidden
    shown = talked("contact", "mail-1", "--reveal", "--as", "care_lead").out
    assert "ada@example.org" in shown
    assert "She is angry. Card **** **** **** 1111." in shown
    assert "ada@example.org" not in talked("contact", "mail-1", "--reveal", "--as", "warehouse").out


def test_no_byte_of_the_store_tells_what_was_said_or_whose_address_it_is(talked: Shop) -> None:
    everything = everything_in(talked)
    for secret in (b"angry", b"7946 0999", b"1111 1111", b"ada@example.org", b"Ada Lovelace"):
        assert secret not in everything


def test_as_csv_nothing_is_a_formula(file_shop: Shop) -> None:
    file_shop.event("email_received", "=1+1", "2026-03-02 10:00", ADA)
    add = ("contact", "add", "=1+1", "--channel", "phone", "--by", "Aoife")
    file_shop(*add, "--text", '=HYPERLINK("x")\n"quoted", twice', "--at", "2026-03-03 10:00")
    said = file_shop("contact", "=1+1", "--format", "csv", "--reveal", "--as", "care_lead")
    rows = list(csv.DictReader(io.StringIO(said.out, newline="")))
    assert rows[-1]["said"] == '\'=HYPERLINK("x")\n"quoted", twice'
    assert rows[0]["subject"] == "'=1+1"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("mail-11", "--channel", "phone", "--text", "x"), "--new"),
        (("mail-1", "--channel", "fone", "--text", "x"), 'did you mean "phone"'),
        (("mail-1", "--channel", "phone", "--text", "  "), "needs a text"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(file_shop: Shop, more: tuple[str, ...], words: str) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", ADA)
    said = file_shop("contact", "add", *more, "--by", "Aoife")
    assert (said.status, words in said.err) == (2, True)


def test_the_owner_of_accounts_sees_all_whose_cases_are_theirs(file_shop: Shop) -> None:
    file_shop.event("complaint_received", "order-7", "2026-03-05 12:00", ADA)
    file_shop.event("complaint_acknowledged", "order-7", "2026-03-05 12:10", "complaint.remedy_sought=money")
    assessed = (
        "complaint.severity=high",
        "complaint.cause=staff",
        "complaint.fault=ours",
        "complaint.about_person=Zed",
    )
    file_shop.event("complaint_assessed", "order-7", "2026-03-05 12:20", *assessed)
    file_shop.event("investigator_named", "order-7", "2026-03-05 12:30", "complaint.investigator=Eli")
    file_shop.event("complaint_received", "order-8", "2026-03-05 12:00", ADA)
    assert {each["subject"] for each in entries(file_shop, "--owner", "Eli")} == {"order-7"}
    assert entries(file_shop, "--owner", "Nobody") == []
    assert file_shop("contact").status == 2
    assert file_shop("contact", "order-7", "--owner", "Eli").status == 2
