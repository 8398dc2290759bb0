"""`carepolicy coverage`: what carries each requirement, and whether a scenario shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands import run

ORGANISATION = """
organisation: Try shop
timezone: Europe/London
languages: [en]
calendar: office
calendars: {office: {title: Office, hours: {mon-fri: 09:00-17:00}}}
roles: {agent: {title: Agent, people: [Aoife], deputy: lead}, lead: {title: Lead, people: [Ben], deputy: agent}}
channels: {email: {title: E-mail, address: care@example.org, to: customer.email}}
facts: {customer.email: {type: text, private: true, title: Address}, customer.language: {type: text, default: en}}
"""
FLOW = """
flow: ticket
version: 1
title: Ticket
purpose: Try.
owner: agent
covers: [R1]
events:
  opened: {title: Opened, by: customer, carries: {required: [customer.email]}}
  solved: {title: Solved, by: staff}
clocks:
  reply: {title: Reply, limit: 3 business hours, runs_in: [open], covers: [R2]}
states:
  open:
    title: Open
    start_on: opened
    owner: agent
    channel: email
    waits: customer
    enter: {send: ack}
    on: {solved: done, reply.late: {tell: lead}}
  done: {title: Done, final: resolved, covers: [R3]}
"""
MESSAGES = """
language: en
messages:
  ack: {subject: We have it, text: "Thank you.\\n{message.contact}"}
  contact: {text: care@example.org, covers: [R4]}
"""
REQUIREMENTS = """
requirements:
  R1: {text: Tickets are answered., source: our word, kind: flow}
  R2: {text: In three hours., kind: limit}
  R3: {text: And they end.}
  R4: {text: The address stands in each message., kind: content}
"""
SHOWN = """
scenario: A ticket is solved in time
flow: ticket
covers: [R1, R2, R3, R4]
steps:
  - {at: 2026-03-02 10:00, event: opened, data: {customer.email: x@example.org}}
  - {at: 2026-03-02 11:00, event: solved}
  - expect: {state: done, met: [reply]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "policies"
    for name, text in {
        "organisation.yaml": ORGANISATION, "flows/ticket.yaml": FLOW, "messages/en.yaml": MESSAGES,
        "requirements.yaml": REQUIREMENTS, "scenarios/shown.yaml": SHOWN,
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def told(shop: Path, *more: str) -> tuple[int, dict[str, Any]]:
    ended = run("coverage", "--policies", str(shop), "--format", "json", *more)
    return ended.returncode, {each["id"]: each for each in json.loads(ended.stdout)["requirements"]}


def change(shop: Path, file: str, old: str, new: str) -> None:
    text = (shop / file).read_text()
    assert old in text
    (shop / file).write_text(text.replace(old, new))


def test_each_requirement_is_shown_by_a_scenario_that_goes_through_what_claims_it(shop: Path) -> None:
    status, found = told(shop, "--fail-under", "100")
    assert status == 0
    assert {name: [(each["kind"], each.get("flow"), each.get("name")) for each in one["carried_by"]]
            for name, one in found.items()} == {
        "R1": [("flow", "ticket", None)], "R2": [("clock", "ticket", "reply")],
        "R3": [("state", "ticket", "done")], "R4": [("message", None, "contact")],
    }  # fmt: skip
    assert all(one["shown"] for one in found.values())
    assert found["R2"]["carried_by"][0]["line"] == 12


@pytest.mark.parametrize(
    ("file", "old", "new", "name", "claims"),
    [
        ("scenarios/shown.yaml", "covers: [R1, R2, R3, R4]", "covers: [R1, R3, R4]", "R2", 1),
        ("flows/ticket.yaml", "covers: [R2]", "covers: []", "R2", 0),
        ("scenarios/shown.yaml", '  - {at: 2026-03-02 11:00, event: solved}\n  - expect: {state: done, met: [reply]}',
         "  - expect: {state: open}", "R2", 1),
        ("flows/ticket.yaml", ", covers: [R3]", "", "R3", 0),
        ("messages/en.yaml", "\\n{message.contact}", "", "R4", 1),
    ],
)  # fmt: skip
def test_a_claim_alone_is_not_enough(shop: Path, file: str, old: str, new: str, name: str, claims: int) -> None:
    change(shop, file, old, new)
    status, found = told(shop, "--fail-under", "100")
    assert status == 1
    assert not found[name]["shown"]
    assert len(found[name]["carried_by"]) == claims
    assert told(shop)[0] == 0


def test_a_tagged_scenario_that_fails_shows_nothing(shop: Path) -> None:
    change(shop, "scenarios/shown.yaml", "state: done", "state: open")
    status, found = told(shop)
    assert status == 1
    assert [one["failed"] for one in found.values()] == [["A ticket is solved in time"]] * 4
    assert not any(one["shown"] for one in found.values())


def test_the_text_names_what_carries_and_what_shows(shop: Path) -> None:
    change(shop, "flows/ticket.yaml", ", covers: [R3]", "")
    ended = run("coverage", "--policies", str(shop))
    assert ended.stdout.splitlines()[-3:] == [
        "ok  R4  The address stands in each message.",
        f"      message contact ({shop}/messages/en.yaml:5): shown by “A ticket is solved in time”",
        "3 of 4 requirements are met, each shown by a scenario",
    ]
    assert "NO  R3  And they end.\n      nothing carries it\n" in ended.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("flows/ticket.yaml", "covers: [R2]", "covers: [R1, Rr2]", "flows/ticket.yaml:12:80"),
        ("flows/ticket.yaml", "covers: [R1]", "covers: Rr2", "flows/ticket.yaml:7:9"),
        ("scenarios/shown.yaml", "[R1, R2, R3, R4]", "[R1, Rr2]", "scenarios/shown.yaml:4:14"),
        ("messages/en.yaml", "covers: [R4]", "covers: [Rr2]", "messages/en.yaml:5:46"),
    ],
)
def test_an_id_that_no_requirement_has_is_told_at_its_place(
    shop: Path, file: str, old: str, new: str, place: str
) -> None:
    change(shop, file, old, new)
    ended = run("coverage", "--policies", str(shop))
    assert ended.returncode == 2
    assert f'{shop}/{place}: CP290 unknown requirement "Rr2"' in ended.stderr
    assert 'did you mean "R2"?' in ended.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("requirements:\n  R1: {txt: x}\n", "CP110"),
        ("requirements:\n  R1: {text: x, kind: limits}\n", "limit"),
        ("requirements: [\n", "CP10"),
        ("", "CP1"),
    ],
)
def test_a_file_of_requirements_that_cannot_be_read_is_told(shop: Path, text: str, said: str) -> None:
    (shop / "requirements.yaml").write_text(text)
    ended = run("coverage", "--policies", str(shop))
    assert ended.returncode == 2
    assert f"{shop}/requirements.yaml:" in ended.stderr
    assert said in ended.stderr


def test_a_set_without_requirements_is_told_what_to_write(shop: Path) -> None:
    (shop / "requirements.yaml").unlink()
    ended = run("coverage", "--policies", str(shop))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"there is no file {shop}/requirements.yaml" in ended.stderr


def test_requirements_beside_the_organisation_are_no_fault_of_the_set(shop: Path) -> None:
    assert run("check", "--policies", str(shop), "--strict").stdout.count("requirements.yaml") == 0
    assert run("fmt", "--check", str(shop)).returncode in (0, 1)
