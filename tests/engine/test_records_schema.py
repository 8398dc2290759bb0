"""All that is written as records, and all that ``case`` says of them in JSON, is as its schema says."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from carepolicy.api import Engine
from carepolicy.engine.history import schema
from carepolicy.machine.bundle import compile_folder
from commands import run
from golden.outputs import bad, nested
from oracle.differences import Refused, compiled
from oracle.interpreter import GoesRound
from oracle.random_sets import random_trial
from shops import EVENTS, SHOP

ROOT = Path(__file__).parents[2]
DEMO = EVENTS.read_bytes()
RECORD = Draft202012Validator(schema.record_schema())
CASE = Draft202012Validator(schema.case_schema())


def kinds_of(records: list[dict[str, Any]]) -> set[str]:
    """The kinds of some records, each of which is as the schema says."""
    for each in records:
        RECORD.validate(each)
    return {each["type"].removeprefix("carepolicy.") for each in records}


def test_both_are_schemas() -> None:
    for each in (RECORD, CASE):
        Draft202012Validator.check_schema(each.schema)


def test_every_record_of_the_demo_is_as_the_schema_says() -> None:
    policies = compile_folder(SHOP)
    logs = [each.splitlines() for each in (DEMO, nested(DEMO), bad())]
    kinds = set().union(*(kinds_of(list(Engine(policies, True, timedelta(0)).run(log))) for log in logs))
    assert {"case.closed", "clock.late", "message.requested", "task.assigned", "event.rejected"} <= kinds


def test_every_record_of_random_sets_is_as_the_schema_says() -> None:
    kinds: set[str] = set()
    for seed in range(120):
        try:
            trial = random_trial(seed)
            bundle = compiled(tuple(trial.texts().items()), trial.often)
        except (Refused, GoesRound):
            continue
        kinds |= kinds_of(list(Engine(bundle, False, timedelta(0)).run(trial.events, trial.until)))
    assert {"clock.extended", "clock.cancelled", "clock.restarted", "clock.ended", "case.moved"} <= kinds


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "carepolicy.case.begun"},
        {"data": {"state": "new", "more": 1}},
        {"data": {}},
        {"sequence": 0},
        {"sequence": None},
        {"flow": 7},
        {"more": "x"},
    ],
)
def test_what_is_no_record_is_refused(wrong: dict[str, Any]) -> None:
    right = {
        "specversion": "1.0", "id": "f/m-1/1", "source": "/carepolicy/shop", "type": "carepolicy.case.opened",
        "subject": "m-1", "time": "2026-03-02T09:00:00+00:00", "flow": "f", "flowversion": 1, "sequence": 1,
        "data": {"state": "new"},
    }  # fmt: skip
    assert RECORD.is_valid(right)
    assert not RECORD.is_valid({name: each for name, each in {**right, **wrong}.items() if each is not None})


def test_what_case_says_in_json_is_as_the_schema_says(tmp_path: Path) -> None:
    records = tmp_path / "records.jsonl"
    records.write_text(run("run", "--quiet", "--policies", SHOP, cwd=tmp_path, stdin=DEMO).stdout)
    subjects = sorted({json.loads(line)["subject"] for line in records.read_text().splitlines()})
    asked = [("show", each) for each in subjects] + [("list",), ("due",)]
    for each in asked:
        said = run("case", *each, "--records", str(records), "--format", "json", cwd=tmp_path)
        CASE.validate(json.loads(said.stdout))
    lines = run("case", "list", "--records", str(records), "--format", "jsonl", cwd=tmp_path).stdout.splitlines()
    for line in lines:
        CASE.validate(json.loads(line))
    assert len(subjects) > 3
    assert lines
