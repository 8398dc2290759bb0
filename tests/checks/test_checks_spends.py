"""Money that is given away: what the check proves of it the engine never has to refuse, and what is more it refuses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepolicy.api import Engine
from carepolicy.checks import CheckedSet
from carepolicy.checks.people.cp507_overspent import find
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.findings import Severity
from carepolicy.policy.load import load_policies
from laws import examples
from random_flows import GUARDS, ORGANISATION, cases
from stories import event, write_set

FLOW = """\
flow: paying
version: 1
owner: care_lead
events:
  asked: {carries: {optional: [order.total, complaint.attempts, case.urgent, customer.tier]}}
  closing: {}
states:
  here: {start_on: closing, owner: care_agent, on: {asked: %s}, after: {2 hours: %s}}
  done: {final: done}
"""
WITH_AUTHORITY = ORGANISATION.replace("people: [Aoife, Ben]", "people: [Aoife, Ben], authority: 100")
REFUSED = "carepolicy.event.rejected"


def load(root: Path, on: str, after: str = "{note: nothing}") -> Any:
    policies, findings = load_policies(write_set(root, FLOW % (on, after), organisation=WITH_AUTHORITY))
    assert policies is not None, findings
    return policies


def records(policies: Any, data: dict[str, Any], number: int = 0) -> list[Any]:
    subject = f"s-{number}"
    events = [event("closing", "2026-03-02T09:00:00", subject), event("asked", "2026-03-02T10:00:00", subject, data)]
    return list(Engine(compile_policies(policies), False, timedelta(0)).run(events, until=None))


@pytest.mark.parametrize(
    ("data", "taken"),
    [({"order.total": "99.99"}, True), ({"order.total": "100"}, True), ({"order.total": "100.01"}, False), ({}, False)],
)
def test_more_than_the_authority_is_refused_and_changes_nothing(
    data: dict[str, Any], taken: bool, tmp_path: Path
) -> None:
    policies = load(tmp_path, "{to: done, spends: order.total, set: {complaint.attempts: '9'}}")
    found = records(policies, data)
    assert any(each["type"] == "carepolicy.case.closed" for each in found) is taken
    refused = [each["data"] for each in found if each["type"] == REFUSED]
    assert [(each["code"], each["event"]["type"], each["state"]) for each in refused] == (
        [] if taken else [("CP925", "asked", "here")]
    )
    assert all("100.01" not in each["reason"] for each in refused)


def test_a_timer_that_would_give_too_much_away_is_refused_as_well(tmp_path: Path) -> None:
    policies = load(tmp_path, "{set: {complaint.attempts: '1'}}", "{to: done, spends: order.total}")
    events = [
        event("closing", "2026-03-02T09:00:00"),
        event("asked", "2026-03-02T10:00:00", data={"order.total": "250"}),
        event("asked", "2026-03-02T12:00:00"),
    ]
    found = list(Engine(compile_policies(policies), False, timedelta(0)).run(events, until=None))
    assert [(each["data"]["code"], each["data"]["event"]) for each in found if each["type"] == REFUSED] == [
        ("CP925", {"type": "after 2 hours"})
    ]


def test_what_is_refused_is_so_however_often_it_comes(tmp_path: Path) -> None:
    policies = load(tmp_path, "{spends: order.total, tell: care_lead}")
    events = [event("closing", "2026-03-02T09:00:00")]
    amounts = [("250" if number % 3 else "20") for number in range(150)]
    events += [
        event(
            "asked", f"2026-03-02T10:{number // 60:02}:{number % 60:02}", data={"order.total": amount}, id=str(number)
        )
        for number, amount in enumerate(amounts)
    ]
    found = list(Engine(compile_policies(policies), False, timedelta(0)).run(events, until=None))
    assert sum(each["type"] == REFUSED for each in found) == sum(Decimal(each) > 100 for each in amounts)


@given(st.lists(st.sampled_from(GUARDS), min_size=1, max_size=3, unique=True), st.integers(0, 3))
@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck), deadline=None)
def test_what_is_proved_is_never_refused_and_a_case_that_is_told_is_one(
    tmp_path_factory: pytest.TempPathFactory, guards: list[str], spending: int
) -> None:
    ways = [f"{{when: '{guard}', to: done}}" for guard in guards]
    ways.append("{to: done}")
    spending = min(spending, len(guards))
    ways[spending] = ways[spending].replace("to: done", "to: done, spends: order.total")
    policies = load(tmp_path_factory.mktemp("set"), f"[{', '.join(ways)}]")
    findings = list(find(CheckedSet(policies, date(2026, 3, 2))))
    bundle = compile_policies(policies)
    state = bundle.programs[0].states[0]
    way = state.ways["asked"][spending]
    assert way.spends is not None
    overspent = False
    for facts, brought in cases():
        taken = next(each for each in state.ways["asked"] if each.when is None or each.when(facts, brought, None))
        amount = way.spends.amount(facts, brought, None)
        overspent |= taken is way and amount is not None and amount > way.spends.most
    if not findings:
        assert not overspent, ways
    if any(each.severity is Severity.ERROR for each in findings):
        assert overspent, ways
