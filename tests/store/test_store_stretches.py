"""Stretches in which a clock has run: a store keeps few of them, and what they came to is what they came to before."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import astuple

from carepolicy.engine import round as rounds
from carepolicy.engine.case import Case
from carepolicy.engine.round import MOST_SEGMENTS, Round, stretches_of, used_before, used_in
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import load_bundle
from carepolicy.machine.program import Bundle
from carepolicy.store.cases.snapshot import Freezer
from carepolicy.store.live.memory import StoreMemory
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.sql.sqlite import SqliteStore
from carepolicy.store.versions.apply import moved
from carepolicy.store.versions.install import Installed
from stories import ORGANISATION, event, write_set

FLOW = """\
    flow: ticket
    version: 1
    title: A ticket
    purpose: Tickets are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer}
      waited: {title: Waited, by: staff}
      went_on: {title: Went on, by: staff}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 900 hours, runs_in: [open], pauses_in: [waiting]}
    states:
      open: {title: Open, start_on: asked, owner: care_agent, on: {waited: waiting, answered: done, reply.late: {tell: care_lead}}}
      waiting: {title: Waits, owner: care_agent, on: {went_on: open, answered: done}}
      done: {title: Done, final: answered}
"""  # noqa: E501
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
PAUSES = 3 * MOST_SEGMENTS


def log(pauses: int) -> list[tuple[int, bytes | str]]:
    """A ticket that pauses every 20 minutes, so that some stretches lie outside of hours; it runs at the end."""
    events = [event("asked", MONDAY.isoformat(), id="0")]
    for number in range(2 * pauses):
        at = (MONDAY + timedelta(minutes=10 * (number + 1))).isoformat()
        events.append(event("went_on" if number % 2 else "waited", at, id=str(number + 1)))
    return [(number, orjson.dumps(each)) for number, each in enumerate(events, 1)]


def memory_of(root: Path, flow: str = FLOW, organisation: str = ORGANISATION, number: int = 1) -> StoreMemory:
    folder = write_set(root, flow, organisation=organisation)
    return StoreMemory(Installed(number, load_bundle(str(folder))), [], DataKeys(SqliteStore(":memory:")))


def paused(root: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> Case:
    """A case that has paused often, as it is where so many stretches are kept one by one."""
    monkeypatch.setattr(rounds, "MOST_SEGMENTS", most)
    bundle: Bundle = load_bundle(str(write_set(root, FLOW)))
    run = Run(bundle)
    run.feed(log(PAUSES))
    found = run.strata[0].subjects["s-1"].only
    assert found is not None
    return found


def reply(case: Case) -> Round:
    held = case.rounds[-1]
    assert held is not None
    return held


def test_a_case_of_a_store_of_before_is_taken_up_with_all_its_stretches_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = paused(tmp_path / "before", monkeypatch, 1_000_000)
    freezer = Freezer(before.program, frozenset())
    body = freezer.freeze(before).body
    kept = orjson.loads(body)["rounds"]["reply"]
    assert (len(kept["segments"]), "summed" in kept) == (PAUSES, False)
    monkeypatch.setattr(rounds, "MOST_SEGMENTS", MOST_SEGMENTS)
    case = freezer.thaw("s-1", body, None)
    held, now = reply(case), case.now + 3_600_000_000
    assert (held.segments, stretches_of(held)) == ((), PAUSES)
    for limit in held.clock.all_measures():
        every = (*reply(before).segments, (held.since, now))
        assert used_before(held, limit, now) == used_in(every, limit, held.started) > 0
    again = freezer.thaw("s-1", *astuple(freezer.freeze(case)))
    assert reply(again).summed == held.summed
    assert len(freezer.freeze(case).body) < len(body) / 10


@pytest.mark.parametrize("limit", ["900 hours", "800 business hours", "90 business days", "close of business day 60"])
def test_an_apply_to_another_kind_of_time_counts_all_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    said = []
    later = memory_of(tmp_path / "later", FLOW.replace("900 hours", limit), number=2)
    for most in (1_000_000, MOST_SEGMENTS, 2):
        case = paused(tmp_path / f"set-{most}", monkeypatch, most)
        program = later.present["ticket"]
        stepper, now = later.run.strata[0].stepper, case.now + 1_800_000_000
        new = moved(case, program, program.states[0], later.bundle.facts, now, stepper)
        held = reply(new)
        said.append((held.due, rounds.used_of(held, now), stretches_of(held), [each.as_dict() for each in stepper.out]))
        stepper.out.clear()
        assert len(held.segments) < max(most, 2)
    assert said[0] == said[1] == said[2]


def test_a_calendar_that_came_later_takes_over_what_was_counted_in_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = ORGANISATION.replace("office", "desk")
    later = memory_of(tmp_path / "later", FLOW.replace("900 hours", "800 business hours"), renamed, 2)
    case = paused(tmp_path / "set", monkeypatch, MOST_SEGMENTS)
    office = next(each for each in reply(case).clock.all_measures() if each.measure == "business_time")
    summed = reply(case).summed
    assert summed is not None
    program, now = later.present["ticket"], case.now
    new = moved(case, program, program.states[0], later.bundle.facts, now, later.run.strata[0].stepper)
    held = reply(new)
    assert held.limit.calendar.name == "desk"
    assert rounds.used_of(held, now) == summed.used_as(office) > 0


def test_a_store_writes_no_more_for_each_pause_the_more_there_were(tmp_path: Path, url: str) -> None:
    folder = write_set(tmp_path / "set", FLOW)
    store = open_store(url)
    operation = Operation(store, str(folder), 0)
    sizes = []
    events = log(600)
    for begin in range(0, len(events), 100):
        operation.take(events[begin : begin + 100])
        with store.reading() as transaction:
            ((body,),) = transaction.rows("SELECT body FROM cases")
        sizes.append(len(bytes(body)))
    store.close()
    assert len(sizes) == 13
    assert max(sizes) < 3_500


def test_records_of_a_store_are_those_of_one_run_though_it_begins_anew_each_time(tmp_path: Path, url: str) -> None:
    folder = write_set(tmp_path / "set", FLOW.replace("900 hours", "90 business days"))
    told: list[list[Any]] = []
    for step in (1_000, 50):
        store = open_store(url if step == 50 else f"sqlite:///{tmp_path}/whole.db")
        events = log(PAUSES)
        for begin in range(0, len(events), step):
            Operation(store, str(folder), 0).take(events[begin : begin + step])
        with store.reading() as transaction:
            told.append([line for (line,) in transaction.rows("SELECT line FROM records ORDER BY sequence")])
        store.close()
    assert told[0] == told[1]
    assert len(told[0]) > 4 * PAUSES
