"""One runner, with a memory that is handed in and a schedule."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import orjson
import pytest

from carepolicy.engine import codes
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.record import Record, text_of_all
from carepolicy.engine.run import Run, Schedule
from carepolicy.machine.bundle import load_bundle
from carepolicy.machine.program import Bundle
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from complaint_events import lines as complaint_lines
from shops import EVENTS, SHOP

ROOT = Path(__file__).parents[2]
COMPLAINTS = str(ROOT / "benchmarks" / "complaints")
DEMO = EVENTS.read_bytes().splitlines()


@cache
def bundle_of(folder: str) -> Bundle:
    return load_bundle(folder)


def numbered(log: list[bytes], first: int = 1) -> list[tuple[int, bytes]]:
    return list(enumerate(log, first))


def fed(run: Run, log: list[bytes], first: int = 1) -> list[Record]:
    return [record for each in run.feed(numbered(log, first)) for record in each.records]


def finished(run: Run) -> list[Record]:
    ending = run.finish()
    return [*(record for each in ending.caused for record in each.records), *ending.due]


@pytest.mark.parametrize("cut", [1, 60, 1500, 2999])
def test_a_run_goes_on_where_another_stopped_if_it_is_handed_its_memory(cut: int) -> None:
    bundle, log = bundle_of(COMPLAINTS), complaint_lines(3000)
    whole = Run(bundle)
    wanted = text_of_all([*fed(whole, log), *finished(whole)])
    memory = ProcessMemory()
    begun = Run(bundle, memory=memory)
    told = fed(begun, log[:cut])
    gone_on = Run(bundle, memory=memory, programs=begun.programs)
    told += fed(gone_on, log[cut:], cut + 1)
    assert text_of_all([*told, *finished(gone_on)]) == wanted
    assert gone_on.open_cases == whole.open_cases


def test_an_event_that_a_memory_knows_is_not_taken_again_by_another_run() -> None:
    bundle, log, memory = bundle_of(COMPLAINTS), complaint_lines(20), ProcessMemory()
    fed(Run(bundle, memory=memory), log)
    again = Run(bundle, memory=memory)
    told = fed(again, log)
    assert {each.kind for each in told} == {"event.duplicate"}
    assert again.tally == {codes.DUPLICATE: len(log)}


def test_a_schedule_changes_nothing_for_a_set_of_one_stratum() -> None:
    bundle, log = bundle_of(COMPLAINTS), complaint_lines(3000)
    runs = [Run(bundle, schedule=each) for each in Schedule]
    one, other = (text_of_all([*fed(run, log), *finished(run)]) for run in runs)
    assert one == other


@pytest.mark.parametrize("size", [1, 7, 200])
def test_a_store_gives_the_records_of_a_run_at_once_with_a_memory_of_its_own(size: int, tmp_path: Path) -> None:
    run = Run(bundle_of(SHOP), schedule=Schedule.AT_ONCE)
    operation = Operation(open_store(f"sqlite:///{tmp_path}/care.db"), SHOP, 0)
    tally: Counter[str] = Counter()
    for begin in range(0, len(DEMO), size):
        lines = numbered(DEMO[begin : begin + size], begin + 1)
        done = operation.take(list(lines))
        assert done.records == text_of_all([record for each in run.feed(lines) for record in each.records])
        tally += done.tally
    assert run.tally == tally != {}
    assert run.levels == 3


def test_at_once_each_line_has_its_records_with_what_it_caused_in_higher_strata() -> None:
    run = Run(bundle_of(SHOP), schedule=Schedule.AT_ONCE)
    caused = run.feed(numbered(DEMO))
    assert [each.line for each in caused] == sorted(each.line for each in caused)
    assert {each.stratum for each in caused} == {0, 2}
    by_line = {each.line: each.records for each in caused if each.stratum == 0}
    for line, records in by_line.items():
        assert records[0].subject == orjson.loads(DEMO[line - 1])["subject"]
