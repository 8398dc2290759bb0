"""A case is copied when it is kept and taken up again, moved by an apply, and merged: no copy forgets a field of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import astuple

from carepolicy.engine.case import CARRIED, OWN, Case, LiveProgram
from carepolicy.engine.instants import DAY, NEVER
from carepolicy.engine.intake import Incoming
from carepolicy.engine.round import Kept, PartUsed, Round, Summed
from carepolicy.machine.bundle import load_bundle
from carepolicy.store.contract import CaseRow, SubjectRow
from carepolicy.store.live.memory import StoreMemory
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.sql.sqlite import SqliteStore
from carepolicy.store.sql.statements import CASE_COLUMNS, SUBJECT_COLUMNS
from carepolicy.store.versions.apply import moved, target_of
from carepolicy.store.versions.install import Installed
from stories import write_set

TICKET = """\
    flow: ticket
    version: 1
    title: A ticket
    purpose: Tickets are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.email]}}
      asked_early: {title: Asked early, by: customer}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 2 business hours, runs_in: [open], warn_at: [50%]}
      cure:
        title: Cure
        promise: "Within {limit}."
        limit: 3 business days
        runs_in: [open, waiting]
        pauses_in: [stuck]
        warn_at: [50%]
    states:
      open:
        title: Open
        start_on: asked
        owner: care_agent
        on: {answered: done, cure.late: {tell: care_lead}}
      waiting: {title: Waits, owner: care_agent, on: {answered: done, cure.late: {tell: care_lead}}}
      stuck:
        title: Stuck
        owner: care_lead
        on: {answered: open, reply.late: {tell: care_lead}}
        after: {2 days: open}
      done: {title: Done, final: answered}
"""

FIRST_CLOCK = """\
      first: {title: First, promise: "Within {limit}.", limit: 1 hour, runs_in: [early]}
"""
FIRST_STATE = """\
      early: {title: Early, start_on: asked_early, owner: care_agent, on: {answered: done}}
"""

NOON = 1_772_452_800_000_000  # Monday, 2 March 2026, 12:00
EARLIER = ((NOON - DAY, NOON - DAY // 2),)
SUMMED = Summed(3, NOON - 3 * DAY, (("elapsed", "office", 7_000_000), ("business_time", "office", 5_000_000)))

FILLED: dict[str, Callable[[LiveProgram], Any]] = {
    "afters": lambda ticket: ((NOON + 2 * DAY, 0, ticket.states[2].afters[0]),),
    "assigned": lambda ticket: ("care_lead", "Chidi"),
    "channel": lambda ticket: "phone",
    "entered": lambda ticket: NOON,
    "extended": lambda ticket: {1: 2},
    "facts": lambda ticket: {"customer.email": "ada@example.org", "customer.name": "Ada"},
    "holder": lambda ticket: ("care_agent", "Aoife"),
    "fired": lambda ticket: 5,
    "kept": lambda ticket: {
        0: Kept(EARLIER, 4_000_003, "elapsed", 1, (ticket.clocks[1].choices[0][0].limit,), summed=SUMMED)
    },
    "pending": lambda ticket: (ticket.clocks[1],),
    "received": lambda ticket: NOON - DAY,
    "seen": lambda ticket: ticket.clocks[0].bit | ticket.clocks[1].bit,
    "state": lambda ticket: ticket.states[2],
    "visited": lambda ticket: {"open": 3, "waiting": 1},
}
"""A value for each field that is handed on, unlike the one that it begins with."""

ROUND: dict[str, Callable[[LiveProgram], Any]] = {
    "amount": lambda ticket: 4_000_000,
    "base": lambda ticket: 17,
    "due": lambda ticket: NOON - 5,
    "given": lambda ticket: (ticket.clocks[0].choices[0][0].limit,),
    "late": lambda ticket: True,
    "mark": lambda ticket: 4_000_001,
    "marked": lambda ticket: 2,
    "next": lambda ticket: NEVER,
    "parts": lambda ticket: (PartUsed(3, 4), PartUsed(5)),
    "running": lambda ticket: False,
    "segments": lambda ticket: EARLIER,
    "since": lambda ticket: NOON - DAY,
    "started": lambda ticket: NOON - 2 * DAY,
    "summed": lambda ticket: SUMMED,
    "totals": lambda ticket: {("elapsed", ""): (1, 7)},
    "used": lambda ticket: 4_000_002,
    "warned": lambda ticket: 1,
}
"""The same for a round that was late when it began to pause; its clock and limit are what it is made of."""

MADE_OF = {"clock", "limit"}
WORKED_OUT = {"base", "next", "totals"}
"""What of a round that pauses is worked out when it goes on, or when it is asked for."""
OF_THE_CLOCK = {"marked", "parts"}
"""What says something of the clock's own warnings and limits, so that it changes where these do."""


@pytest.fixture
def memory(tmp_path: Path) -> StoreMemory:
    return StoreMemory(
        Installed(1, load_bundle(str(write_set(tmp_path / "set", TICKET)))), [], DataKeys(SqliteStore(":memory:"))
    )


@pytest.fixture
def case(memory: StoreMemory) -> Case:
    """A case of which no field is as it was in the beginning."""
    program = memory.present["ticket"]
    found = Case(program, "a", 7)
    for name, value in FILLED.items():
        setattr(found, name, value(program))
    found.opened, found.now = NOON - DAY, NOON
    held = found.rounds[1] = Round(program.clocks[1], program.clocks[1].choices[0][0], NOON)
    for name, value in ROUND.items():
        setattr(held, name, value(program))
    return found


def by_names(case: Case) -> dict[str, Any]:
    """What a case hands on, with the names of what belongs to its program."""
    clocks = case.program.clocks
    found = {name: getattr(case, name) for name in CARRIED}
    found["state"] = case.state.name
    found["afters"] = [(due, after.trigger) for due, _, after in case.afters]
    found["seen"] = [clock.name for clock in clocks if case.seen & clock.bit]
    found["pending"] = [clock.name for clock in case.pending]
    for name in ("kept", "extended"):
        found[name] = {clocks[index].name: value for index, value in getattr(case, name).items()}
    return found


def of_round(held: Round | None) -> dict[str, Any]:
    assert held is not None
    return {name: getattr(held, name) for name in Round.__slots__ if name not in MADE_OF | WORKED_OUT}


def kept_and_taken_up(case: Case, memory: StoreMemory, _: Path) -> Case:
    freezer = memory._freezers[1, "ticket"]
    return freezer.thaw("a", *astuple(freezer.freeze(case)))


def moved_by_an_apply(case: Case, memory: StoreMemory, tmp_path: Path) -> Case:
    """To a set in which clocks and states stand in another order."""
    other = TICKET.replace("version: 1", "version: 2").replace("clocks:\n", f"clocks:\n{FIRST_CLOCK}")
    other = other.replace("states:\n", f"states:\n{FIRST_STATE}")
    later = StoreMemory(
        Installed(2, load_bundle(str(write_set(tmp_path / "later", other)))), [], DataKeys(SqliteStore(":memory:"))
    )
    program = later.present["ticket"]
    state = target_of(case, program)
    assert state is not None
    return moved(case, program, state, later.bundle.facts, NOON, later.run.strata[0].stepper)


def merged(case: Case, memory: StoreMemory, _: Path) -> Case:
    stratum = memory.run.strata[0]
    dict.clear(stratum.subjects)
    plain: dict[Any, Any] = {}
    stratum.subjects = plain
    stratum.subject(None, "a").put(case.program.place, case)
    when, into = "2026-03-02T12:00:00+00:00", {"into": "b"}
    stratum.merge(Incoming(1, "a", "carepolicy.merge", NOON, when, "/test", "1", into, False, False))
    return plain["b"].cases[case.program.place]


COPIES = (kept_and_taken_up, moved_by_an_apply, merged)


def test_each_field_of_a_case_and_of_a_round_is_filled_in_here_unlike_it_begins(case: Case) -> None:
    fresh = Case(case.program, "a", 0)
    assert set(FILLED) == set(CARRIED)
    assert set(ROUND) == set(Round.__slots__) - MADE_OF
    assert set(Case.__slots__) == {*OWN, *CARRIED}
    assert [name for name in CARRIED if getattr(fresh, name, None) == getattr(case, name)] == []
    held, begun = case.rounds[1], Round(case.program.clocks[1], case.program.clocks[1].choices[0][0], NOON)
    assert [name for name in ROUND if name != "next" and getattr(held, name) == getattr(begun, name)] == []


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_of_a_case_has_all_that_it_hands_on_and_its_rounds(
    case: Case, memory: StoreMemory, tmp_path: Path, copy: Callable[[Case, StoreMemory, Path], Case]
) -> None:
    wanted, held = by_names(case), of_round(case.rounds[1])
    copied = copy(case, memory, tmp_path)
    assert by_names(copied) == wanted
    found = of_round(next(each for each in copied.rounds if each is not None and each.clock.name == "cure"))
    changed = OF_THE_CLOCK if copy is moved_by_an_apply else set()
    assert {name for name in held if found[name] != held[name]} == changed


def test_a_shadow_copies_each_column_of_a_case_and_of_a_subject() -> None:
    assert tuple(CASE_COLUMNS.split(", ")) == CaseRow._fields
    assert tuple(SUBJECT_COLUMNS.split(", ")) == SubjectRow._fields
