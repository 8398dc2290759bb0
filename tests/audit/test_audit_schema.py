"""What ``audit --format json`` prints is as its schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from carepolicy.audit.schema import audit_schema
from commands import run

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo" / "events.jsonl"
POLICIES = ROOT / "policies"
AUDIT = Draft202012Validator(audit_schema())


def audited(*asked: str, log: Path = DEMO, policies: Path = POLICIES) -> dict[str, Any]:
    said = run("audit", str(log), "--policies", str(policies), *asked, "--format", "json")
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    AUDIT.validate(found)
    return found


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(AUDIT.schema)


def test_an_audit_of_the_demo_is_as_the_schema_says() -> None:
    found = audited("--by", "customer.tier")
    flows = found["flows"].values()
    assert any(flow["due"] for flow in flows)
    assert any(clock["by"].get("customer.tier") for flow in flows for clock in flow["clocks"].values())


def test_an_audit_until_all_is_over_is_as_the_schema_says() -> None:
    found = audited("--until", "2027-12-31")
    clocks = [clock for flow in found["flows"].values() for clock in flow["clocks"].values()]
    assert {None, True, False} & {clock["kept"] for clock in clocks}
    assert any(clock["late_subjects"] for clock in clocks)


def test_what_another_set_and_other_limits_would_have_given_is_as_the_schema_says(tmp_path: Path) -> None:
    other = tmp_path / "other"
    for path in POLICIES.rglob("*"):
        if path.is_file():
            copy = other / path.relative_to(POLICIES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    flow = other / "flows" / "email_inquiry.yaml"
    text = flow.read_text("utf-8")
    changed = text.replace("{is: 3 business hours}", "{is: 1 business minute}", 1)
    assert changed != text
    flow.write_text(changed, "utf-8")
    found = audited("--against", str(other), "--sweep", "email_inquiry.first_reply.limit=1h..3h/1h")
    assert found["against"]["rounds"]
    assert len(found["sweep"]["points"]) == 3


def test_a_log_with_rows_that_make_no_event_is_as_the_schema_says(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(DEMO.read_bytes() + b'{"id": 7}\nnot json\n' + DEMO.read_bytes().splitlines(keepends=True)[0])
    found = audited(log=log)
    assert found["rejected"] == 2
    assert found["duplicates"] == 1


@pytest.mark.parametrize(
    "wrong",
    [{"events": -1}, {"events": None}, {"flows": []}, {"from": 7}, {"more": 1}, {"sweep": {"flow": "f"}}],
)
def test_what_is_no_audit_is_refused(wrong: dict[str, Any]) -> None:
    right = {
        "events": 0, "rejected": 0, "left_out": 0, "duplicates": 0, "unexpected": 0, "not_taken": {}, "reasons": {},
        "from": None, "to": None, "flows": {},
    }  # fmt: skip
    assert AUDIT.is_valid(right)
    assert not AUDIT.is_valid({name: each for name, each in {**right, **wrong}.items() if each is not None})
