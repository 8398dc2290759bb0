"""The work of a case grows with what happens to it, not with its square; and what would not end is cut, and told."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from carepolicy.engine import round as rounds
from carepolicy.engine import stepper
from carepolicy.engine.case import Case
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.program import Bundle
from carepolicy.store.cases.snapshot import Freezer
from stories import compiled, event, flow_text, without_fast

CASES: dict[str, Any] = yaml.load((Path(__file__).parent / "growth.yaml").read_text(), yaml.BaseLoader)
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+00:00")


def bundle_of(flows: dict[str, Any], folder: Path) -> Bundle:
    events = ("asked", "moved", "changed")
    return compiled(folder, *(flow_text(name, parts, ["customer.tier"], events) for name, parts in flows.items()))


def log(kinds: list[str], times: int) -> list[dict[str, Any]]:
    """Events a minute apart: asked, and then some kinds in turn (`moved gold` brings a tier)."""
    found = [event("asked", MONDAY.isoformat(), id="0")]
    for number in range(1, times):
        kind, _, tier = kinds[number % len(kinds)].partition(" ")
        at = (MONDAY + timedelta(minutes=number)).isoformat()
        found.append(event(kind, at, id=str(number), data={"customer.tier": tier} if tier else None))
    return found


def run(bundle: Bundle, events: list[dict[str, Any]], until: timedelta | None = None) -> list[dict[str, Any]]:
    lines = [(number, orjson.dumps(each)) for number, each in enumerate(events, 1)]
    end = None if until is None else int((MONDAY + until).timestamp()) * 1_000_000
    with OrderedRun(Run(bundle)) as work:
        text = work.feed(lines) + "".join(work.finish(end))
    return [orjson.loads(line) for line in text.splitlines()]


def calls(bundle: Bundle, events: list[dict[str, Any]]) -> int:
    """How many functions a run calls, which is the same on any machine."""
    count = 0

    def note(*_: Any) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run(bundle, events)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", CASES["grows"])
def test_twice_the_events_are_twice_the_work(name: str, tmp_path: Path) -> None:
    case = CASES["grows"][name]
    bundle = bundle_of({"small": case}, tmp_path)
    run(bundle, log(case["events"], 400))  # calendars are compiled as far as they are asked
    once, twice = (calls(bundle, log(case["events"], times)) for times in (200, 400))
    assert twice < 2.3 * once


def case_after(bundle: Bundle, events: list[dict[str, Any]]) -> Case:
    work = Run(bundle)
    work.feed([(number, orjson.dumps(each)) for number, each in enumerate(events, 1)])
    (subject,) = work.strata[0].subjects.values()
    assert subject.only is not None
    return subject.only


@pytest.mark.parametrize("name", CASES["grows"])
def test_a_case_is_not_saved_in_more_bytes_the_more_has_happened_to_it(name: str, tmp_path: Path) -> None:
    case = CASES["grows"][name]
    bundle = bundle_of({"small": case}, tmp_path)
    sizes = []
    for times in (800, 1_600, 3_200):
        found = case_after(bundle, log(case["events"], times))
        sizes.append(len(Freezer(found.program, frozenset()).freeze(found).body))
    assert max(sizes) - min(sizes) < 3_000  # a few stretches are kept one by one


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("name", CASES["grows"])
def test_what_is_summed_up_is_what_was_counted_one_by_one(
    name: str, alone: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["grows"][name]
    bundle = bundle_of({"small": case}, tmp_path)
    events = log(case["events"], 300)
    monkeypatch.setattr(rounds, "MOST_SEGMENTS", 1_000)
    by_ones = run(bundle, events)
    for most in (1, 2, 64):
        monkeypatch.setattr(rounds, "MOST_SEGMENTS", most)
        if alone:
            with without_fast():
                assert run(bundle, events) == by_ones
        else:
            assert run(bundle, events) == by_ones


@pytest.mark.parametrize("name", CASES["ends"])
def test_what_would_not_end_is_cut_and_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepper, "IN_A_LIFE", 1_500)
    case = CASES["ends"][name]
    records = run(bundle_of(case["flows"], tmp_path), log(case["events"], 3), timedelta(days=3))
    told = [each["data"] for each in records if each["type"] == "carepolicy.event.rejected"]
    assert {each["code"] for each in told} == {"CP923"}
    assert told[0]["event"] == {"type": case["cut"]}
    assert len(told) < 1_100
    assert len({each["id"] for each in records}) == len(records) < 10_000


def test_a_case_that_was_cut_goes_on_with_the_next_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepper, "IN_A_LIFE", 50)
    case = CASES["ends"]["a timer that leads back to its own state"]
    bundle = bundle_of(case["flows"], tmp_path)
    records = run(bundle, [*log(case["events"], 1), event("changed", "2026-03-04T09:00:00")])
    assert records[-1]["type"] == "carepolicy.case.closed"


def test_a_loop_of_one_case_cuts_no_other(tmp_path: Path) -> None:
    circle = CASES["ends"]["timers that chase each other at one instant"]["flows"]["small"]
    other = {"states": {"open": {"title": "Open", "start_on": "asked", "after": {"1 hour": "done"}}, "done": DONE}}
    records = run(bundle_of({"a": circle, "b": other}, tmp_path), log(["moved"], 1), timedelta(days=1))
    assert [each["flow"] for each in records if each["type"] == "carepolicy.event.rejected"] == ["a"]
    assert [each["time"][11:16] for each in records if each["type"] == "carepolicy.case.closed"] == ["10:00"]


DONE = {"title": "Done", "final": "done"}
