"""Who is given work while people are away: the deputy of their role, and back again when they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.checks import check_folder
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.handbook.book import Book, calendars_of
from carepolicy.handbook.home import matrix_of
from carepolicy.machine.bundle import compile_folder

ORGANISATION = """
organisation: Harbour & Finch
timezone: Europe/London
roles:
  agent: {title: Agent, people: [Aoife, Ben], deputy: lead}
  lead: {title: Lead, people: [Chidi], deputy: head}
  head: {title: Head, people: [Dara, Aoife]}
facts:
  customer.account_owner: {type: text}
"""
FLOW = """
flow: ticket
version: 1
owner: agent
events:
  opened: {by: customer, carries: {optional: [customer.account_owner]}}
  asked: {by: staff}
  solved: {by: staff}
states:
  open: {owner: agent, start_on: opened, on: {asked: {to: asked, assign: ASSIGN}, solved: done}}
  asked: {owner: lead, on: {solved: done}}
  done: {final: resolved}
"""
BOTH = "away: {Aoife: [2026-03-10/2026-03-20], ben: {dates: 2026-03-12/2026-03-14, title: Holiday}}"


def tasks(root: Path, away: str, assign: str, when: str, owner: str | None = None) -> list[str]:
    """To whom a case is given that is opened at a time and asked about a second later."""
    root.mkdir(exist_ok=True)
    (root / "flows").mkdir(exist_ok=True)
    (root / "organisation.yaml").write_text(ORGANISATION + away + "\n")
    (root / "flows/ticket.yaml").write_text(FLOW.replace("ASSIGN", assign))
    data = {} if owner is None else {"customer.account_owner": owner}
    lines = [
        {"specversion": "1.0", "id": str(n), "source": "/t", "type": kind, "subject": "t-1", "time": f"{when}:0{n}Z",
         "data": given}
        for n, (kind, given) in enumerate((("opened", data), ("asked", {})))
    ]  # fmt: skip
    run = OrderedRun(Run(compile_folder(str(root))))
    records = run.feed([(n, json.dumps(each).encode()) for n, each in enumerate(lines, 1)])
    records += "".join(run.finish(None))
    found: list[dict[str, Any]] = [orjson.loads(line) for line in records.splitlines()]
    given = [each["data"] for each in found if each["type"] == "carepolicy.task.assigned"]
    return [" ".join(filter(None, (each["role"], each.get("person")))) for each in given]


@pytest.mark.parametrize(
    ("away", "assign", "when", "owner", "gives"),
    [
        ("", "agent", "2026-03-12T10:00", None, ["agent", "agent"]),
        (BOTH, "agent", "2026-03-11T10:00", None, ["agent", "agent"]),  # Ben is there
        (BOTH, "agent", "2026-03-12T00:00", None, ["lead", "lead"]),
        (BOTH, "agent", "2026-03-14T23:59", None, ["lead", "lead"]),
        (BOTH, "agent", "2026-03-15T00:00", None, ["agent", "agent"]),
        (BOTH, "head", "2026-03-12T10:00", None, ["lead", "head"]),  # Dara is there
        (BOTH, "customer.account_owner", "2026-03-12T10:00", "Chidi", ["lead", "lead Chidi"]),
        (BOTH, "customer.account_owner", "2026-03-12T10:00", "Ben", ["lead", "lead"]),
        (BOTH, "customer.account_owner", "2026-03-11T10:00", "Ben", ["agent", "lead Ben"]),
        (BOTH, "customer.account_owner", "2026-03-12T10:00", "Eve", ["lead", "lead Eve"]),  # nobody knows her
        (BOTH, "customer.account_owner", "2026-03-12T10:00", None, ["lead", "lead"]),
        ("away: {Ben: 2026-03-11}", "customer.account_owner", "2026-03-11T10:00", " BEN ", ["agent", "lead"]),
        ("away: {Chidi: 2026-03-11}", "lead", "2026-03-11T10:00", None, ["agent", "head"]),
        # the deputy is away as well, and its own deputy has it
        (
            "away: {Aoife: 2026-03-11, Ben: 2026-03-11, Chidi: 2026-03-11}",
            "agent", "2026-03-11T10:00", None, ["head", "head"],
        ),
        # everybody is away, and so it stays where it is
        (
            "away: {Aoife: 2026-03-11, Ben: 2026-03-11, Chidi: 2026-03-11, Dara: 2026-03-11}",
            "agent", "2026-03-11T10:00", None, ["agent", "agent"],
        ),
        # the days are those of the organisation's zone, which is an hour ahead of UTC in summer
        ("away: {Aoife: 2026-07-01, Ben: 2026-07-01}", "agent", "2026-06-30T23:00", None, ["lead", "lead"]),
        ("away: {Aoife: 2026-07-01, Ben: 2026-07-01}", "agent", "2026-07-01T23:00", None, ["agent", "agent"]),
    ],
)  # fmt: skip
def test_work_goes_to_who_is_there(
    tmp_path: Path, away: str, assign: str, when: str, owner: str | None, gives: list[str]
) -> None:
    assert tasks(tmp_path / "set", away, assign, when, owner) == gives


def test_a_set_says_in_its_handbook_who_is_away(tmp_path: Path) -> None:
    tasks(tmp_path / "set", BOTH, "agent", "2026-03-11T10:00")
    policies, _ = check_folder(tmp_path / "set")
    assert policies is not None
    rows = {row.name: row.people for row in matrix_of(Book(policies, "en", 2026, calendars_of(policies)))}
    assert rows["agent"] == (
        "Aoife – away Tuesday 10 March 2026 – Friday 20 March 2026, "
        "Ben – away Thursday 12 March 2026 – Saturday 14 March 2026 (Holiday)"
    )
    assert rows["lead"] == "Chidi"


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ("2026-08-14/2026-08-03", "2026-08-03 is before 2026-08-14"),
        ("[{dates: 2026-02-30, title: Holiday}]", '"2026-02-30" is no date'),
        ("August", '"August"'),
        ("{title: Holiday}", "dates"),
    ],
)
def test_days_that_are_none_are_told(tmp_path: Path, days: str, says: str) -> None:
    root = tmp_path / "set"
    tasks(root, "", "agent", "2026-03-11T10:00")
    (root / "organisation.yaml").write_text(f"{ORGANISATION}away: {{Aoife: {days}}}\n")
    _, findings = check_folder(root)
    assert says in "; ".join(each.message for each in findings)
