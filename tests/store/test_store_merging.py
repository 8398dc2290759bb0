"""Subjects that became one: the survivor has the work, the lateness and the customers of all that became it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shops import Shop, rows
from stories import write_set

TICKET = """\
    flow: ticket
    version: 1
    title: A ticket
    purpose: Tickets are answered.
    owner: care_lead
    keep: 1 year
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.email, customer.account_owner]}}
      taken: {title: Somebody takes it, by: staff, carries: {optional: [customer.account_owner]}}
      moved_on: {title: It waits, by: staff}
      wrote: {title: Writes again, by: customer}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 1 hour, runs_in: [open, waiting]}
    states:
      open:
        title: Open
        start_on: asked
        owner: care_agent
        channel: email
        on: {taken: {assign: customer.account_owner}, wrote: {note: read}, moved_on: waiting, answered: done}
      waiting:
        title: Waits
        owner: care_agent
        on: {wrote: {note: read}, reply.late: {tell: care_lead}, answered: done}
      done: {title: Done, final: answered}
"""


@pytest.fixture
def shop(capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    from stories import ORGANISATION

    organisation = ORGANISATION.replace(
        "address: care@harbour.example}", "address: care@h.example, to: customer.email}"
    )
    policies = str(write_set(tmp_path / "set", TICKET, organisation=organisation))
    monkeypatch.setenv("CAREPOLICY_POLICIES", policies)
    return Shop(capfd, url, policies)


def merge(shop: Shop, subject: str, into: str, at: str) -> None:
    assert shop.event("carepolicy.merge", subject, at, f"into={into}").status == 0


@pytest.fixture
def chain(shop: Shop) -> Shop:
    """a was merged into b, and b into c, which knew nothing before; d into c as well."""
    for subject in "abd":
        shop.event("asked", subject, "2026-03-02 09:00", f"customer.email={subject}@example.org")
    merge(shop, "a", "b", "2026-03-02 09:10")
    merge(shop, "b", "c", "2026-03-02 09:20")
    merge(shop, "d", "c", "2026-03-02 09:30")
    shop.event("wrote", "a", "2026-03-02 09:40")
    return shop


def test_who_a_case_was_assigned_to_has_it_also_when_it_merges_into_a_subject_without_a_case(shop: Shop) -> None:
    shop.event("asked", "a", "2026-03-02 09:00", "customer.email=a@example.org")
    shop.event("taken", "a", "2026-03-02 09:05", "customer.account_owner=Aoife")
    merge(shop, "a", "b", "2026-03-02 09:10")
    assert rows(shop, "SELECT subject, role, person FROM cases") == [("b", "care_agent", "Aoife")]
    told = json.loads(shop("case", "show", "b", "--format", "json").out)["cases"][-1]
    assert (told["owner"], told["person"]) == ("care_agent", "Aoife")
    merge(shop, "b", "c", "2026-03-02 09:20")
    assert rows(shop, "SELECT subject, role, person FROM cases") == [("c", "care_agent", "Aoife")]
    shop.event("moved_on", "a", "2026-03-02 09:30")
    assert rows(shop, "SELECT subject, role, person FROM cases") == [("c", "care_agent", None)]


def test_lateness_that_nobody_heard_is_heard_in_the_survivor(shop: Shop) -> None:
    shop.event("asked", "a", "2026-03-02 09:00", "customer.email=a@example.org")
    merge(shop, "a", "b", "2026-03-02 11:00")
    told = shop.event("moved_on", "b", "2026-03-02 11:10").lines()
    assert [each["data"]["role"] for each in told if each["type"] == "carepolicy.notice.requested"] == ["care_lead"]


@pytest.mark.parametrize("who", ["a", "b", "c", "d", "a@example.org", "b@example.org", "d@example.org"])
def test_each_of_the_merged_shows_the_contacts_of_all(chain: Shop, who: str) -> None:
    told = json.loads(chain("contact", who, "--format", "json").out)
    said = sorted((each["subject"], each["said"]) for each in told["contacts"] if each["kind"] == "customer")
    assert said == [("a", "Asked"), ("a", "Writes again"), ("b", "Asked"), ("d", "Asked")]


def test_the_contacts_of_an_owner_are_also_those_of_what_was_merged(chain: Shop) -> None:
    chain.event("taken", "c", "2026-03-02 09:50", "customer.account_owner=Aoife")
    told = json.loads(chain("contact", "--owner", "Aoife", "--format", "json").out)
    assert {each["subject"] for each in told["contacts"]} == {"a", "b", "c", "d"}


@pytest.mark.parametrize("who", ["c", "a@example.org"])
def test_the_survivor_shows_and_erases_all_that_became_it(chain: Shop, who: str) -> None:
    chain.event("answered", "c", "2026-03-02 10:00")
    held = json.loads(chain("customer", "show", who, "--format", "json").out)["held"]
    assert {each["subject"] for each in held} == {"a", "b", "c", "d"}
    assert chain("customer", "erase", who, "--by", "Mia", "--yes").status == 0
    assert rows(chain, "SELECT count(sealed) FROM records") == rows(chain, "SELECT count(*) FROM holdings") == [(0,)]
    assert chain("verify").status == 0


def test_the_facts_of_what_was_merged_are_kept_as_long_as_the_survivor_is_open(chain: Shop) -> None:
    chain("tick", "--now", "2027-06-01", "--yes")
    assert len(rows(chain, "SELECT 1 FROM holdings")) >= 3, "the case is open, and holds what a, b and d told"
    assert chain("customer", "show", "a@example.org").status == 0
    chain("event", "answered", "c", "--at", "2027-06-02 10:00", "--yes")
    chain("tick", "--now", "2028-07-01", "--yes")
    assert rows(chain, "SELECT count(*) FROM holdings") == [(0,)]
