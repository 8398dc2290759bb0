"""Events that happen at once are taken, each once; an id is used up by what a case took; what is told late is waited
for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from at_once import play
from carepolicy.cli import app
from carepolicy.engine.instants import SECOND, text_of
from carepolicy.store.live.batch import Wall
from carepolicy.store.live.late import waits
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.sql.sqlite import SqliteStore
from shops import Shop
from stories import event, write_set

NOON = 1_772_452_800 * SECOND
"""2026-03-02 12:00 in UTC."""

FLOW = """\
    flow: inquiry
    version: 1
    title: An inquiry
    purpose: Inquiries are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer}
      nudged: {title: Nudged, by: customer, carries: {required: [customer.name]}}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 10 seconds, runs_in: [open]}
    states:
      open: {title: Open, start_on: asked, owner: care_agent, on: {nudged: {note: seen}, answered: done}}
      done: {title: Done, final: answered}
"""


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def operation(url: str, tmp_path: Path) -> Operation:
    return Operation(open_store(url), str(write_set(tmp_path / "set", FLOW)), 0)


def told(wall: Wall, kind: str, subject: str = "s-1", id: str = "", at: str = "", **more: Any) -> bytes:
    """The line of an event that happens now, unless it says when."""
    made = event(kind, at or "2026-03-02T12:00:00", subject, id=id or f"{kind} {wall.clock()} {at}", **more)
    return json.dumps({name: value for name, value in made.items() if name != "time" or at}).encode()


def happen(operation: Operation, wall: Wall, kind: str, subject: str = "s-1", **more: Any) -> list[str]:
    """Let an event happen, now unless it says when; the types of its records, or codes."""
    assert isinstance(wall.clock, Hands)
    wall.clock.now += SECOND
    return kinds(operation.take([(1, told(wall, kind, subject, **more))], wall).records)


def kinds(records: str) -> list[str]:
    found = [json.loads(line) for line in records.splitlines()]
    return [each["data"].get("code", each["type"].removeprefix("carepolicy.")) for each in found]


def test_of_events_that_many_processes_tell_at_once_none_is_lost_or_counted_twice(url: str) -> None:
    assert play(url, processes=5, rounds=3) == []


def test_an_event_without_a_time_never_comes_before_what_its_subject_has_seen(
    operation: Operation, hands: Hands
) -> None:
    wall = Wall(hands)
    happen(operation, wall, "asked")
    due = hands.now + 10 * SECOND
    list(operation.tick(due))
    hands.now = due - 5 * SECOND  # this machine's clock is behind that of the one that ticked
    done = operation.take([(1, told(wall, "answered"))], wall)
    assert kinds(done.records)[-1] == "case.closed"
    assert done.ahead == 5 * SECOND
    assert {json.loads(line)["time"] for line in done.records.splitlines()} == {text_of(due)}


REFUSED_FIRST: dict[str, tuple[str, list[str], list[str], dict[str, Any]]] = {
    "CP911": ("answered", [], ["asked"], {}),
    "CP910": ("asked", ["asked"], ["answered"], {}),
    "CP907": ("nudged", ["asked"], [], {"customer.name": "Ada"}),
    "CP908": ("answered", ["asked"], [], {}),
    "CP914": ("carepolicy.merge", ["asked"], [], {"into": "s-2"}),
}
"""By the code of the refusal: an event, what happened before it, what happens before it is tried again, and the data
with which it is."""


@pytest.mark.parametrize("code", REFUSED_FIRST)
def test_an_id_that_no_case_took_may_come_again_and_one_that_a_case_took_may_not(
    operation: Operation, hands: Hands, code: str
) -> None:
    kind, before, between, better = REFUSED_FIRST[code]
    wall = Wall(hands)
    for each in before:
        happen(operation, wall, each)
    early = {"at": text_of(NOON)} if code == "CP908" else {}
    first = [refused(operation, wall, kind, **early) for _ in range(3)]
    assert {each["data"]["code"] for each in first} == {code}
    assert len({each["id"] for each in first}) == 3
    for each in between:
        happen(operation, wall, each)
    assert code not in happen(operation, wall, kind, id="x", data=better)
    assert happen(operation, wall, kind, id="x", data=better) == ["CP909"]


def refused(operation: Operation, wall: Wall, kind: str, **more: Any) -> Any:
    done = operation.take([(1, told(wall, kind, id="x", **more))], wall)
    assert done.untaken == {("/test", "x")}
    return json.loads(done.records.splitlines()[0])


def test_within_one_log_the_second_line_of_an_id_is_a_duplicate_and_elsewhere_it_may_come_again(
    shop: Shop, tmp_path: Path
) -> None:
    set_of_it = str(write_set(tmp_path / "set", FLOW))
    log, other = tmp_path / "log", tmp_path / "other"
    lines = [
        event("answered", "2026-03-02T10:00:00", id="early"),
        event("asked", "2026-03-02T10:01:00"),
        event("answered", "2026-03-02T10:02:00", id="early"),
        event("asked", "2026-03-02T10:03:00", id="open already"),
    ]
    log.write_text("".join(json.dumps(each) + "\n" for each in lines))
    other.write_text(json.dumps({**lines[2], "time": "2026-03-02T10:05:00+00:00"}) + "\n")
    run = ["run", str(log), "--policies", set_of_it, "--quiet", "--output"]
    assert app.run([*run, str(tmp_path / "plain")]) == 1
    assert shop(*run, str(tmp_path / "kept"), "--batch", "1").status == 1
    plain = (tmp_path / "plain").read_text()
    assert (tmp_path / "kept").read_text() == plain
    assert kinds(plain)[-3:] == ["CP909", "clock.late", "CP910"]
    assert kinds(shop("run", str(other), "--policies", set_of_it).out) == ["case.moved", "clock.ended", "case.closed"]
    assert kinds(shop("run", str(other), "--policies", set_of_it, "--resume").out) == []
    third = shop("event", "asked", "s-1", "--id", "open already", "--source", "/test", "--policies", set_of_it)
    assert kinds(third.out)[0] == "case.opened"


def test_what_is_told_five_seconds_after_a_clock_fell_late_comes_in_time_where_a_tick_waits(
    operation: Operation, hands: Hands
) -> None:
    wall = Wall(hands)
    happen(operation, wall, "asked")
    late = hands.now + 15 * SECOND  # five seconds behind the due time
    assert not any(done.records for done in operation.tick(late - 60 * SECOND))
    hands.now = late
    assert "clock.met" in happen(operation, wall, "answered", at=text_of(late - 6 * SECOND))


def test_single_events_that_are_held_back_happen_in_the_order_of_their_times(
    operation: Operation, hands: Hands
) -> None:
    wall, patient = Wall(hands), Wall(hands, lateness=60 * SECOND)
    happen(operation, wall, "asked", "s-2")
    assert happen(operation, patient, "answered", at=text_of(NOON + 9 * SECOND)) == []
    assert happen(operation, patient, "asked", at=text_of(NOON + 5 * SECOND)) == []
    assert operation.take([(1, told(wall, "asked", id="x", at=text_of(NOON + 5 * SECOND)))], patient).held == 1
    assert operation.take([(1, told(wall, "asked", id="x"))], patient).tally == {"CP909": 1}
    hands.now = NOON + 65 * SECOND
    released = "".join(done.records for done in operation.tick(hands.now - patient.lateness))
    assert kinds(released) == ["case.opened", "clock.started", "task.assigned", "CP910"]
    # An event that does not wait brings those along that happened before it.
    assert kinds(operation.take([(1, told(wall, "asked", id="y"))], wall).records) == [
        "case.moved", "clock.met", "case.closed", "case.opened", "clock.started", "task.assigned",
    ]  # fmt: skip
    assert operation.store.attempt(waits) is False


FAR = "2149-12-31"


@pytest.mark.parametrize("command", [["event", "email_received", "mail-1", "--at", FAR], ["tick", "--now", FAR]])
def test_what_is_more_than_a_day_ahead_is_refused_unless_it_is_meant(shop: Shop, command: list[str]) -> None:
    said = shop(*command)
    assert (said.status, said.out, "more than a day ahead" in said.err, "--yes" in said.err) == (2, "", True, True)
    assert shop(*command, "--yes").status in (0, 1)


def test_a_line_on_standard_input_that_is_more_than_a_day_ahead_is_refused_and_its_id_may_come_again(
    operation: Operation, hands: Hands
) -> None:
    far = text_of(NOON + 25 * 3_600 * SECOND)
    for wall, code in ((Wall(hands), "CP915"), (Wall(hands, far=True), "case.opened")):
        assert kinds(operation.take([(1, told(wall, "asked", id="x", at=far))], wall).records)[0] == code


def test_who_comes_to_lay_out_a_store_and_finds_it_done_meanwhile_changes_nothing(
    file_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    seen = iter([0])  # what it saw before it had the lock
    found = SqliteStore._version
    monkeypatch.setattr(SqliteStore, "_version", lambda store: 0 if next(seen, None) == 0 else found(store))
    assert file_shop.event("reply_sent", "mail-1", "2026-03-02 10:30").status == 0
