"""What moves count as they happen is what their records tell: the same figures, to the digit."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.audit.counted import LocalHours
from carepolicy.audit.counts import WEEKDAYS
from carepolicy.audit.distribution import MOST, Distribution
from carepolicy.audit.figures import as_object
from carepolicy.audit.replay import Replay
from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.instants import datetime_of, read_instant
from carepolicy.engine.intake import Reading, Row
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from complaint_events import lines
from golden.outputs import SEEDS, bad, nested
from laws import examples
from oracle.differences import Refused, compiled
from oracle.interpreter import GoesRound
from oracle.random_sets import random_trial
from random_flows import logs, small_flows
from shops import EVENTS, SHOP
from stories import often

LATER = microseconds(datetime.fromisoformat("2026-09-01T00:00:00+00:00"))
COMPLAINTS = str(Path(__file__).parents[2] / "benchmarks" / "complaints")
DEMO = EVENTS.read_bytes()


def figures(
    bundle: Bundle, events: list[Any], until: int | None, by_records: bool, with_texts: bool = True
) -> tuple[Any, int]:
    """An audit of CloudEvents with what is open at its end, and how many records somebody heard. The engine is given
    events ``with_texts`` of times and ids, or without them where it may be."""
    heard: list[Any] = []
    replay = Replay(bundle, heard=heard.append if by_records else None)
    run = replay.running()
    take = run.take
    without = mock.patch.object(run, "take", lambda reading: take(_without_texts(reading)))
    numbered = [
        (number, each if isinstance(each, str) else orjson.dumps(each).decode())
        for number, each in enumerate(events, 1)
    ]
    with contextlib.nullcontext() if with_texts or run.levels > 1 else without:
        if replay.by_subject:
            numbered.sort(key=lambda each: _subject(each[1]))
            for _, group in groupby(numbered, key=lambda each: _subject(each[1])):
                replay.take_group_of_lines([*group])
        else:
            replay.take_group_of_lines(numbered)
        replay.finish(until)
    sent = {name: dict(flow.sent) for name, flow in replay.measures.flows.items()}
    still_open = sorted((each.subject, each.program.flow, each.sequence) for each in replay.open_cases())
    return (as_object(replay), sent, still_open), len(heard)


def _without_texts(reading: Reading) -> Reading:
    odd = {place for place, _ in reading.odd}
    rows = [row if place in odd else _without_text(row) for place, row in enumerate(reading.rows)]
    return Reading(rows, reading.odd, lambda event: str(event.line))


def _without_text(row: Row) -> Row:
    line, subject, kind, time, _, source, _, data, masked, raised = row
    return line, subject, kind, time, "", source, "", data, masked, raised


def _subject(line: str) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        return str(json.loads(line).get("subject"))
    return ""


def is_the_same(bundle: Bundle, events: list[Any], until: int | None) -> int:
    """Both ways tell the same; of so many records."""
    with often(-1):
        slow, records = figures(bundle, events, until, True)
    for times in (1, 3):
        with often(times):
            assert figures(bundle, events, until, True) == (slow, records)
            assert figures(bundle, events, until, False) == (slow, 0)
            assert figures(bundle, events, until, False, with_texts=False) == (slow, 0)
    return records


@pytest.mark.parametrize("log", [DEMO, nested(DEMO), bad()])
def test_the_demo_comes_to_the_figures_of_its_records(log: bytes) -> None:
    assert is_the_same(compile_folder(SHOP), log.decode("utf-8", "replace").splitlines(), None) > 10


def test_the_benchmark_comes_to_the_figures_of_its_records() -> None:
    told = [line.decode() if isinstance(line, bytes) else line for line in lines(1500)]
    assert is_the_same(compile_folder(COMPLAINTS), told, None) > 3000


@pytest.mark.parametrize("first", range(0, SEEDS, 40))
def test_random_sets_and_logs_come_to_the_figures_of_their_records(first: int) -> None:
    records = 0
    for seed in range(first, first + 40):
        with contextlib.suppress(Refused, GoesRound):
            trial = random_trial(seed)
            bundle = compiled(tuple(trial.texts().items()), trial.often)
            until = None if trial.until is None else microseconds(trial.until)
            records += is_the_same(bundle, trial.events, until)
    assert records > 100


@given(st.data())
@settings(max_examples=examples(30))
def test_small_flows_come_to_the_figures_of_their_records(data: st.DataObject) -> None:
    flow = data.draw(small_flows(clocks=data.draw(st.booleans()), effects=data.draw(st.booleans())))
    log = data.draw(logs(flow.events, subjects=3, longest=30, first=flow.starts[0]))
    is_the_same(flow.load().bundle, log, LATER)


def test_who_hears_of_rounds_or_asks_by_facts_is_told_of_records() -> None:
    bundle = compile_folder(COMPLAINTS)
    told: list[Any] = []
    for replay in (Replay(bundle, ("customer.tier",)), Replay(bundle, told=told.append)):
        assert replay.running().strata[0].stepper.hearer is None
    assert Replay(bundle).running().strata[0].stepper.hearer is not None


@given(
    st.sampled_from(["Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    st.lists(st.integers(1_200_000_000, 1_900_000_000).map(lambda second: second * 1_000_000), max_size=30),
)
@settings(max_examples=examples(100))
def test_hours_are_those_of_the_zone(zone: str, instants: list[int]) -> None:
    months, weekdays, hours = LocalHours(ZoneInfo(zone)).counted(instants)
    local = [datetime_of(each).astimezone(ZoneInfo(zone)) for each in instants]
    assert sorted(months.elements()) == sorted(f"{each:%Y-%m}" for each in local)
    assert sorted(weekdays.elements()) == sorted(WEEKDAYS[each.weekday()] for each in local)
    assert sorted(hours.elements()) == sorted(f"{each:%H}" for each in local)


def test_the_hours_of_a_day_on_which_clocks_change_are_told_apart() -> None:
    instants = [read_instant(f"2026-03-29T{hour:02}:15:00+00:00")[0] for hour in range(3)]
    _, _, hours = LocalHours(ZoneInfo("Europe/London")).counted(instants)
    assert dict(hours) == {"00": 1, "02": 1, "03": 1}


@pytest.mark.parametrize("different", [MOST, MOST + 1])
def test_durations_that_are_counted_together_are_as_those_that_are_counted_one_by_one(different: int) -> None:
    values = [number * 7_919_000 for number in range(different)]
    one_by_one, together, halves = Distribution(), Distribution(), Distribution()
    for value in values:
        one_by_one.add(value)
    together.add_some(values)
    halves.add_some(values[: MOST // 2])
    halves.add_some(values[MOST // 2 :])
    assert one_by_one.counts == together.counts == halves.counts
    assert len(together.counts) == different if different == MOST else len(together.counts) < MOST
