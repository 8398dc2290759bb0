"""A customer whose telephone number is written in several ways is one customer: in look-ups, exports and erasures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shops import Shop

ORGANISATION = """
organisation: Try shop
timezone: Europe/London
roles: {agent: {title: Agent, people: [Aoife], may_see: [customer.email, customer.phone]}}
channels:
  email: {title: E-mail, address: care@shop.example, to: customer.email}
  phone: {title: Phone, address: "+44 20 7946 0000", to: customer.phone}
facts:
  customer.email: {type: EMAIL, private: true}
  customer.phone: {type: PHONE, private: true}
  caller.phone: {type: phone}
"""
FLOW = """
flow: ticket
version: 1
owner: agent
events:
  wrote: {by: customer, carries: {optional: [customer.email, customer.phone]}}
  solved: {by: staff}
states:
  open: {owner: agent, start_on: wrote, on: {solved: done}}
  done: {final: resolved}
"""
CALLS = """
flow: calls
version: 1
owner: agent
subject: caller.phone
events: {rang: {by: customer, carries: {required: [caller.phone]}}}
states: {open: {owner: agent, start_on: rang, on: {rang: done}}, done: {final: resolved}}
"""
WAYS = ("+44 20 7946 0123", "+442079460123", "020 7946 0123", "+44 (0)20 7946 0123")


@pytest.fixture(params=["phone", "text"])
def desk(request: pytest.FixtureRequest, file_shop: Shop, tmp_path: Path) -> Shop:
    """A shop whose fact is a telephone number, and one whose texts are reached by telephone."""
    root = tmp_path / "policies"
    organisation = ORGANISATION.replace("PHONE", request.param)
    organisation = organisation.replace("EMAIL", "email" if request.param == "phone" else "text")
    for path, text in {
        "organisation.yaml": organisation, "flows/ticket.yaml": FLOW, "flows/calls.yaml": CALLS
    }.items():  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    file_shop.policies = str(root)
    return file_shop


@pytest.fixture
def four(desk: Shop) -> Shop:
    for number, way in enumerate(WAYS, 1):
        said = desk.event("wrote", f"m-{number}", f"2026-03-02 09:0{number}", f"customer.phone={way}")
        assert said.status == 0, said.err
    desk.event("wrote", "m-9", "2026-03-02 10:00", "customer.phone=020 7946 0199", "customer.email=Ada@Example.org")
    return desk


def subjects(shop: Shop, *arguments: str) -> set[str]:
    said = shop(*arguments, "--format", "json", "--policies", shop.policies)
    assert said.status == 0, said.err
    found = json.loads(said.out)
    return {each["subject"] for each in found.get("contacts", found.get("held", []))}


@pytest.mark.parametrize("way", [*WAYS, "+44-20-7946-0123"])
def test_all_that_a_customer_wrote_is_found_however_the_number_is_written(four: Shop, way: str) -> None:
    everything = {"m-1", "m-2", "m-3", "m-4"}
    assert subjects(four, "contact", way) == everything
    assert subjects(four, "customer", "show", way) == everything


def test_an_address_is_found_in_whatever_letters(four: Shop) -> None:
    assert subjects(four, "contact", "ADA@example.ORG") == {"m-9"}


def test_what_is_erased_of_one_way_is_erased_of_all(four: Shop) -> None:
    for number in (1, 2, 3, 4):
        four.event("solved", f"m-{number}", "2026-03-02 11:00")
    erase = ("customer", "erase", WAYS[3], "--by", "Aoife", "--yes", "--policies", four.policies)
    assert four(*erase).status == 0
    export = four("customer", "export", WAYS[0], "--reveal", "--as", "agent", "--policies", four.policies)
    assert not any(way in export.out for way in WAYS)
    assert subjects(four, "contact", "020 7946 0199") == {"m-9"}


def test_a_case_that_is_named_by_a_number_is_found_however_it_is_written(desk: Shop) -> None:
    desk.event("rang", "call-1", "2026-03-02 09:00", "caller.phone=020 7946 0555")
    desk.event("rang", "call-2", "2026-03-02 09:10", "caller.phone=+44 (0)20 7946 0555")
    assert subjects(desk, "customer", "show", "0044 20 7946 0555") == {"+442079460555"}
    said = desk("case", "list", "--format", "json", "--policies", desk.policies)
    assert [(each["subject"], each["state"]) for each in json.loads(said.out)["cases"]] == []


def test_a_text_that_is_no_number_is_found_as_it_is_written(desk: Shop) -> None:
    desk.event("wrote", "m-1", "2026-03-02 09:00", "customer.phone=ask at desk 4")
    assert subjects(desk, "contact", "Ask at desk 4") <= {"m-1"}
