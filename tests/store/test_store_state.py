"""What a case is made of is kept whole; it lives by the version it began under; flows open cases by time once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from msgspec.structs import astuple

from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.case import Case, Subject
from carepolicy.engine.instants import text_of
from carepolicy.engine.program import live_program
from carepolicy.engine.round import Round
from carepolicy.engine.stepper import Stepper
from carepolicy.store.cases.snapshot import Freezer
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.records.verify import Verification
from carepolicy.store.versions.install import install_folder
from shops import EVENTS, SHOP
from stories import compiled, event, write_set

WORKED_OUT = {"next", "head", "mid", "tail", "totals"}
"""What of a case is not kept, since it follows from the rest."""

FLOW = """\
    flow: inquiry
    version: 1
    title: An inquiry
    purpose: Inquiries are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.name]}}
      nudged: {title: Nudged, by: customer}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 2 seconds, runs_in: [open]}
    states:
      open: {title: Open, start_on: asked, owner: care_agent, on: {nudged: {note: seen}, answered: done}}
      done: {title: Done, final: answered}
"""

LATER = FLOW.replace("version: 1", "version: 2").replace("      nudged: {title: Nudged, by: customer}\n", "")
LATER = LATER.replace("nudged: {note: seen}, ", "").replace("2 seconds", "2 hours").replace("open", "waiting")

SURVEY = """\
    flow: survey
    version: 1
    title: A survey
    purpose: We ask each month.
    owner: care_lead
    subject: shop
    every: 1 month
    starting: 2026-01-31
    events:
      filled: {title: Filled, by: staff}
    states:
      asked: {title: Asked, start_on: every, owner: care_agent, on: {filled: done}}
      done: {title: Done, final: filled}
"""


def lines(*events: dict[str, Any]) -> list[tuple[int, bytes | str]]:
    return [(number, orjson.dumps(each)) for number, each in enumerate(events, 1)]


def parts(thing: Case | Round) -> dict[str, Any]:
    found = {name: getattr(thing, name) for name in type(thing).__slots__ if name not in WORKED_OUT}
    if isinstance(thing, Case):
        found["rounds"] = [None if held is None else parts(held) for held in thing.rounds]
    return found


def test_every_part_of_a_case_comes_back_as_it_was(url: str) -> None:
    operation = Operation(open_store(url), SHOP, 0)
    seen = 0
    lines = list(enumerate(EVENTS.read_bytes().splitlines(), 1))
    for begin in range(0, len(lines), 5):
        operation.take(lines[begin : begin + 5])
        memory = operation._memory
        assert memory is not None
        for stratum in memory.run.strata:
            for subject in stratum.subjects.values():
                for case in subject.cases.values():
                    freezer = memory._freezers[1, case.program.flow]
                    assert parts(freezer.thaw(subject.name, *astuple(freezer.freeze(case)))) == parts(case)
                    seen += 1
    assert seen > 50


def test_a_case_lives_by_the_version_that_it_was_opened_under(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    operation = Operation(store, str(write_set(tmp_path / "one", FLOW)), 0)
    operation.take(lines(event("asked", "2026-03-02T10:00:00", "old")))
    with store.transaction() as transaction:
        install_folder(transaction, str(write_set(tmp_path / "two", LATER)), 1)
    for turn, each in enumerate((operation, Operation(open_store(url), None, 0))):
        done = each.take(
            lines(
                event("nudged", "2026-03-02T10:00:01", "old", id=f"nudged-{turn}"),
                event("asked", "2026-03-02T10:00:01", f"new-{turn}", id=f"asked-{turn}"),
            )
        )
        assert done.tally.total() == 0
        told = [orjson.loads(line) for line in done.records.splitlines()]
        assert {record["flowversion"] for record in told} == {2}
    done = operation.take(lines(event("answered", "2026-03-02T10:00:02", "old")))
    told = [orjson.loads(line) for line in done.records.splitlines()]
    assert [record["flowversion"] for record in told] == [1, 1, 1]
    assert told[1]["data"]["limit"] == 2


def test_a_flow_opens_cases_by_time_once_however_many_processes_tick(url: str, tmp_path: Path) -> None:
    policies = str(write_set(tmp_path / "set", SURVEY))
    Operation(open_store(url), policies, 0).bundle()
    opened = []
    for until in ("2026-01-31T00:00:00", "2026-02-28T00:00:00", "2026-02-28T00:00:01", "2026-04-01T00:00:00"):
        operation = Operation(open_store(url), None, 0)
        at = microseconds(datetime.fromisoformat(until + "+00:00"))
        opened += [line for done in operation.tick(at) for line in done.records.splitlines() if "case.opened" in line]
        operation.take(lines(event("filled", until, "shop", id=until)))
    assert [orjson.loads(line)["time"][:10] for line in opened] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-30",
    ]  # 23:00 UTC


def test_a_subject_with_odd_characters_is_kept(url: str, tmp_path: Path) -> None:
    policies = str(write_set(tmp_path / "set", FLOW))
    names = ["a\0b", "a\\0b", "a\\\\0b", "\u2028", "é" * 200, "a/b", "' OR 1=1"]
    Operation(open_store(url), policies, 0).take(
        lines(*(event("asked", "2026-03-02T10:00:00", name, id=name) for name in names))
    )
    done = Operation(open_store(url), None, 0).take(
        lines(*(event("answered", "2026-03-02T10:00:01", name, id=f"{name}2") for name in names))
    )
    closed = [orjson.loads(line)["subject"] for line in done.records.split("\n") if "case.closed" in line]
    assert closed == names


@pytest.mark.parametrize("asleep", [False, True])
def test_a_store_wakes_who_waits_in_it_when_another_writes_what_falls_due(
    url: str, tmp_path: Path, asleep: bool
) -> None:
    """Also where it is written between the last look at the store and the sleep, which would last for a day."""
    policies = str(write_set(tmp_path / "set", FLOW))
    waiting = open_store(url)
    Operation(waiting, policies, 0).bundle()
    waiting.wait(0)  # on PostgreSQL it begins to listen
    with waiting.reading() as transaction:
        assert transaction.next_due() is None

    def write() -> None:
        Operation(open_store(url), None, 0).take(lines(event("asked", "2026-03-02T10:00:00", "s-1")))

    writer = Thread(target=write)
    writer.start()
    if not asleep:
        writer.join()
    assert waiting.wait(86_400)
    writer.join()


def test_a_watcher_fires_what_another_process_made_due_and_ends_with_130_on_ctrl_c(url: str, tmp_path: Path) -> None:
    policies = str(write_set(tmp_path / "set", FLOW))
    operation = Operation(open_store(url), policies, 0)
    operation.bundle()
    command = [sys.executable, "-m", "carepolicy", "tick", "--watch", "--store", url, "--policies", policies]
    output = tmp_path / "told"
    with output.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE) as process:
        try:
            now = text_of(time.time_ns() // 1_000)
            operation.take(lines({**event("asked", "2026-03-02T10:00:00", "s-1"), "time": now}))
            while b"clock.late" not in output.read_bytes():
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(timeout=20) == 130


def test_the_memory_forgets_what_a_transaction_did_that_was_undone(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    operation = Operation(store, str(write_set(tmp_path / "set", FLOW)), 0)
    operation.take(lines(event("asked", "2026-03-02T10:00:00", "s-1")))

    def fail(transaction: Any) -> None:
        from carepolicy.store.live.batch import Batch

        batch = Batch(operation.memory(transaction), transaction)
        batch.take(batch.read(lines(event("answered", "2026-03-02T10:00:01", "s-1"))))
        batch.close()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        operation.attempt(fail)
    done = operation.take(lines(event("answered", "2026-03-02T10:00:01", "s-1")))
    assert done.records.count("case.closed") == 1


def test_the_columns_of_records_are_those_of_their_lines_whatever_a_subject_is_called(url: str, tmp_path: Path) -> None:
    policies = str(write_set(tmp_path / "set", FLOW))
    names = [
        'say "hi"',
        'x","subject":"y',
        'inquiry/a/1","source":"',
        "a/b/2",
        "\\",
        '\\"/3',
        "\u2028\n",
        "é/",
        "a",
        "a/1",
    ]
    store = open_store(url)
    operation = Operation(store, policies, 0)
    for day, kind in enumerate(("asked", "nudged", "nudged", "answered", "asked", "answered"), 2):
        operation.take(lines(*(event(kind, f"2026-03-0{day}T10:00:00", name, id=f"{day}{name}") for name in names)))
    with store.reading() as transaction:
        verification = Verification(transaction)
        assert list(verification.faults()) == []
        assert verification.records > 100
    store.close()


def test_rounds_of_a_store_of_before_keep_the_time_that_was_given_and_used(tmp_path: Path) -> None:
    """Time given in the limit's own kind was part of its amount, and a clock that goes on kept stretches alone."""
    bundle = compiled(
        tmp_path, FLOW.replace("2 seconds", "2 hours").replace("runs_in: [open]", "runs_in: [open], again: continue")
    )
    program = live_program(0, bundle.programs[0], bundle)
    freezer, clock = Freezer(program, frozenset()), program.clocks[0]
    case = Stepper(bundle, [program]).open_case(Subject("x"), program, program.states[0], 0, text_of(0), {}, 0)
    begun = orjson.loads(freezer.freeze(case).body)
    reply = begun["rounds"]["reply"] | {
        "amount": clock.choices[0][0].amount + 90 * 60_000_000,
        "extras": ["1 business hour"],
    }
    old = orjson.dumps(begun | {"rounds": {"reply": reply}, "kept": {"reply": [[0, 60_000_000]]}})
    thawed = freezer.thaw("x", old, None)
    held, kept = thawed.rounds[0], (thawed.kept or {})[0]
    assert held is not None
    assert [str(each) for each in held.given] == ["1.5 hours", "1 business hour"]
    assert (kept.segments, kept.measure, kept.given) == (((0, 60_000_000),), "", ())
    again = freezer.thaw("x", freezer.freeze(thawed).body, None)
    assert again.rounds[0] is not None
    assert (again.rounds[0].given, again.kept) == (held.given, thawed.kept)
