"""`plan` and `apply`: what a changed set does to open cases, told before, and done wholly or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carepolicy.engine.intake import numbered_lines
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine import cache
from carepolicy.machine.bundle import KIND, to_bytes
from carepolicy.machine.program import Bundle
from carepolicy.store.contract import Store
from carepolicy.store.faults import Busy
from carepolicy.store.live.memory import StoreMemory
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.sql.sqlite import SqliteStore
from carepolicy.store.versions.apply import RefusedPlan, apply_bundle, plan_bundle
from carepolicy.store.versions.install import install
from changing import AT, FLOW, Changing
from laws import examples
from random_flows import MONDAY, logs, small_flows
from shops import Shop, contents, rows


@pytest.fixture
def changing(capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path) -> Changing:
    found = Changing(capfd, url, str(tmp_path / "set"))
    found.become()
    for subject in ("m-1", "m-2"):
        found.event("written", subject, AT, "customer.email=ada@example.org")
    found.event("looked", "m-2", "2026-03-02 16:10")
    return found


def due(shop: Shop, subject: str) -> str:
    found = json.loads(shop("case", "show", subject, "--format", "json").out)
    return str(found["cases"][0]["clocks"][0]["due"])


def test_a_new_holiday_moves_due_times_which_the_plan_names_before_anything_changes(changing: Changing) -> None:
    before = changing.state()
    changing.become(closed="2026-03-03")
    status, fates = changing.plan()
    assert (status, fates["due"]["count"]) == (0, 2)
    assert fates["due"]["examples"][0] == {
        "subject": "m-1", "flow": "inquiry", "state": "fresh", "clock": "reply",
        "before": "2026-03-03T12:00:00+00:00", "after": "2026-03-04T12:00:00+00:00",
    }  # fmt: skip
    assert changing.state() == before
    assert "2 due times move" in changing.apply()
    assert due(changing, "m-1") == "2026-03-04T12:00:00+00:00"
    assert changing("tick", "--now", "2026-03-03 16:00").out == ""
    late = changing("tick", "--now", "2026-03-04 16:00").lines()
    assert [each["time"] for each in late if each["type"].endswith("late")] == ["2026-03-04T12:00:00+00:00"] * 2
    assert changing("verify").status == 0
    assert changing.apply() == "this set is installed already\n"


def test_a_case_whose_state_is_gone_refuses_the_set_until_it_is_told_where_to(changing: Changing) -> None:
    before = changing.state()
    gone = FLOW.replace("looked: seen, ", "").replace("  seen: {title: Seen, owner: agent, on: {answered: done, reply.late: {tell: lead}}}\n", "").replace("[fresh, seen]", "[fresh]").replace("  looked: {title: Somebody looks at it, by: staff}\n", "")  # fmt: skip # noqa: E501
    changing.become(gone)
    status, fates = changing.plan()
    assert (status, fates["refused"], fates["gone"]["examples"]) == (
        1, True, [{"subject": "m-2", "flow": "inquiry", "state": "seen"}],
    )  # fmt: skip
    assert "nothing was changed" in changing.apply(status=1)
    assert changing.state() == before
    changing.become(gone + "moves_to: {seen: fresh}\n")
    assert changing.plan()[1]["moved"]["count"] == 1
    changing.apply()
    assert [each[4] for each in changing.state()] == ["fresh", "fresh"]
    assert [each[5] for each in changing.state()] == ["agent", "agent"]
    assert due(changing, "m-2") == "2026-03-03T12:00:00+00:00"


def test_a_renamed_state_takes_its_cases_along_and_a_final_one_closes_them(changing: Changing) -> None:
    renamed = FLOW.replace("  seen: {title: Seen,", "  read: {title: Read, renamed_from: seen,").replace("looked: seen", "looked: read").replace("fresh, seen]", "fresh, read]")  # fmt: skip # noqa: E501
    changing.become(renamed)
    changing.apply()
    assert [each[4] for each in changing.state()] == ["fresh", "read"]
    changing.become(renamed.replace("  read: {title: Read, renamed_from: seen, owner: agent, on: {answered: done, reply.late: {tell: lead}}}\n", "").replace("looked: read, ", "").replace("[fresh, read]", "[fresh]").replace("  looked: {title: Somebody looks at it, by: staff}\n", "") + "moves_to: {read: done}\n")  # fmt: skip # noqa: E501
    assert changing.plan()[1]["closed"]["count"] == 1
    changing.apply()
    assert [each[1] for each in changing.state()] == ["m-1"]
    assert "closed in done" in changing("case", "show", "m-2").out
    assert changing("verify").status == 0


def test_cases_of_a_flow_that_is_gone_go_on_by_the_version_they_live_by(changing: Changing) -> None:
    changing.become(None)
    assert changing.plan()[1]["kept"]["count"] == 2
    changing.apply()
    assert changing("event", "answered", "m-1", "--at", "2026-03-02 16:40").status == 0
    assert [each[1] for each in changing.state()] == ["m-2"]


def test_a_shorter_promise_makes_clocks_late_at_once_and_can_be_taken_back(changing: Changing) -> None:
    changing.become(FLOW.replace("4 business hours", "20 minutes"))
    status, fates = changing.plan()
    assert (status, fates["late"]["count"]) == (0, 2)
    changing.become(FLOW.replace("4 business hours", "8 business hours"))
    changing.apply()
    assert due(changing, "m-1") == "2026-03-03T16:00:00+00:00"
    changing.become()
    changing.apply()
    assert due(changing, "m-1") == "2026-03-03T12:00:00+00:00"


def test_a_shorter_promise_makes_a_clock_that_pauses_late_at_once_too(changing: Changing) -> None:
    pausing = FLOW.replace("[fresh, seen]", "[fresh], pauses_in: [seen]")
    changing.become(pausing)
    changing.apply()
    changing.become(pausing.replace("4 business hours", "5 minutes"))
    _, fates = changing.plan()
    assert [(each["subject"], each.get("before")) for each in fates["late"]["examples"]] == [
        ("m-1", "2026-03-03T12:00:00+00:00"),
        ("m-2", None),
    ]
    changing.apply()
    late = changing("tick", "--now", "2026-03-02 16:40").lines()
    told = [(each["subject"], each["data"].get("due")) for each in late if each["type"].endswith("clock.late")]
    assert told == [("m-1", "2026-03-02T16:05:00+00:00"), ("m-2", None)]
    assert changing("verify").status == 0


LEAVING = FLOW.replace(
    "answered: done, reply.late: {tell: lead}}}\n  done", "answered: done, reply.late: done}}\n  done"
)
WITHOUT_SEEN = (
    FLOW.replace("looked: seen, ", "").replace("[fresh, seen]", "[fresh]")
    .replace("  looked: {title: Somebody looks at it, by: staff}\n", "")
    .replace("  seen: {title: Seen, owner: agent, on: {answered: done, reply.late: {tell: lead}}}\n", "")
)  # fmt: skip


def test_what_is_due_comes_first_in_a_plan_too(changing: Changing) -> None:
    changing.become(LEAVING)
    changing.apply()
    before = contents(changing)
    changing.become(WITHOUT_SEEN)
    assert changing.plan()[1]["refused"], "m-2 is in a state that is gone"
    then = ("--policies", changing.policies, "--format", "json", "--now", "2026-03-12 16:00")
    planned = changing("plan", *then)
    assert contents(changing) == before
    told = json.loads(planned.out)
    assert (planned.status, told["refused"], told["open_cases"]) == (0, False, 1), "it has left that state by then"
    assert told["due_first"]["late"] == 2
    applied = changing("apply", *then)
    assert (applied.status, json.loads(applied.out)) == (0, {**told, "applied": True})


def test_a_refused_apply_changes_nothing_though_timers_are_due(changing: Changing) -> None:
    before = contents(changing)
    changing.become(WITHOUT_SEEN)
    then = ("--policies", changing.policies, "--format", "json", "--now", "2026-03-12 16:00")
    planned, applied = changing("plan", *then), changing("apply", *then)
    assert (planned.status, applied.status, planned.out) == (1, 1, applied.out)
    assert json.loads(planned.out)["due_first"] == {"records": 4, "late": 2}
    assert contents(changing) == before
    assert "comes first, by the installed set: 4 records, 2 of them" in changing("plan", *then[:2], *then[4:]).out


def test_a_set_with_errors_is_not_applied(changing: Changing) -> None:
    before = changing.state()
    changing.become(FLOW.replace("answered: done", "answered: dome"))
    said = changing("apply", "--policies", changing.policies)
    assert (said.status, 'did you mean "done"' in said.err) == (2, True)
    assert changing.state() == before


KILLED = """
import os, sys
from carepolicy.cli import app
from carepolicy.store.versions import apply
apply._keep = lambda *_, keep=apply._keep: (keep(*_), os.kill(os.getpid(), 9))
sys.exit(app.run(["apply", "--store", sys.argv[1], "--policies", sys.argv[2], "--now", "2026-03-02 16:30"]))
"""


def test_one_that_is_killed_on_the_way_has_changed_nothing(changing: Changing) -> None:
    before = changing.state(), rows(changing, "SELECT count(*) FROM policy_versions")
    changing.become(closed="2026-03-03")
    done = subprocess.run([sys.executable, "-c", KILLED, changing.url, changing.policies], env=os.environ, check=False)
    assert done.returncode == -SIGKILL
    assert (changing.state(), rows(changing, "SELECT count(*) FROM policy_versions")) == before
    changing.apply()


@given(small_flows(clocks=True, effects=True), st.data())
@settings(max_examples=examples(7))
def test_moving_to_the_same_policies_between_any_two_events_changes_no_byte(small: Any, data: st.DataObject) -> None:
    bundle = small.load().bundle
    events = data.draw(logs(small.events, subjects=2, first=small.starts[0]))
    lines = [orjson.dumps(each) for each in events]
    end = int((MONDAY + timedelta(days=60)).timestamp()) * 1_000_000
    store = SqliteStore(":memory:")
    with store.transaction() as transaction:
        install(transaction, bundle.digest, 0, {})
    kept = {bundle.digest: bundle}
    told = ""
    at = data.draw(st.integers(1, len(lines)))
    operation = Operation(store, None, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "load", lambda kind, digest: to_bytes(kept[digest]) if kind == KIND else None)
        for number, line in enumerate(lines, 1):
            told += operation.take([(number, line)]).records
            if number == at:
                again = replace(bundle, digest=f"{bundle.digest}-again")
                kept[again.digest] = again
                plan = apply_bundle(store, again, {}, DataKeys(store), 0, 3)
                assert set(plan.fates.counts) <= {"stuck"}, plan
        told += "".join(done.records for done in operation.tick(end))
    with OrderedRun(Run(bundle)) as run:
        whole = "".join(run.feed(block) for block in numbered_lines([b"\n".join(lines)])) + "".join(run.finish(end))
    assert told == whole


@given(st.data())
@settings(max_examples=examples(7))
def test_what_a_plan_says_an_apply_does_and_to_tick_before_changes_nothing(data: st.DataObject) -> None:
    small, other = data.draw(small_flows(clocks=True, effects=True)), data.draw(small_flows(clocks=True, effects=True))
    bundle, later = small.load().bundle, replace(other.load().bundle, digest="later")
    lines = [orjson.dumps(each) for each in data.draw(logs(small.events, subjects=3, first=small.starts[0]))]
    now = int((MONDAY + timedelta(hours=data.draw(st.integers(0, 400)))).timestamp()) * 1_000_000
    kept = {bundle.digest: bundle, later.digest: later}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "load", lambda kind, digest: to_bytes(kept[digest]) if kind == KIND else None)
        one, two = worked(bundle, lines), SqliteStore(":memory:")
        one._connection.backup(two._connection)
        before = dump(one)
        plan = plan_bundle(one, later, {}, DataKeys(one), now, 99)
        assert dump(one) == before
        if plan.refused:
            with pytest.raises(RefusedPlan) as refused:
                apply_bundle(one, later, {}, DataKeys(one), now, 99)
            assert (refused.value.plan.as_dict(), dump(one)) == (plan.as_dict(), before)
            return
        assert apply_bundle(one, later, {}, DataKeys(one), now, 99).as_dict() == plan.as_dict()
        told = "".join(done.records for done in Operation(two, None, 0).tick(now))
        assert told.count("\n") == plan.fired
        apply_bundle(two, later, {}, DataKeys(two), now, 99)
        assert dump(two) == dump(one)


def worked(bundle: Bundle, lines: list[bytes]) -> SqliteStore:
    """A store that has taken some lines."""
    store = SqliteStore(":memory:")
    with store.transaction() as transaction:
        install(transaction, bundle.digest, 0, {})
    Operation(store, None, 0).take(list(enumerate(lines, 1)))
    return store


UNLIKE = {"datakeys": "id", "sealings": "id", "shreds": "id"}


def dump(store: SqliteStore) -> list[str]:
    """All that a store holds. What is sealed is other bytes each time, as are the macs and the names of data keys."""
    with store.reading() as transaction:
        tables = transaction.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sums' ORDER BY name"
        )
        found = []
        for (name,) in tables:
            columns = [
                row[1]
                for row in transaction.rows(f"PRAGMA table_info({name})")
                if row[1] not in ("sealed", "mac", UNLIKE.get(name))
            ]
            found += [f"{name} {row}" for row in transaction.rows(f"SELECT {', '.join(columns or ['1'])} FROM {name}")]
    return found


def test_an_apply_far_ahead_of_the_clock_must_be_meant(changing: Changing) -> None:
    before = contents(changing)
    changing.become(closed="2026-03-03")
    far = ("--policies", changing.policies, "--now", "2140-01-01")
    assert changing("plan", *far).status == 0
    said = changing("apply", *far)
    assert (said.status, "Add --yes" in said.err) == (2, True)
    assert contents(changing) == before
    assert changing("apply", *far, "--yes").status == 0


def load_soon(store: Store) -> None:
    """Load a subject, if that need not be waited for."""
    with store.transaction() as transaction:
        transaction.run("SET LOCAL lock_timeout = '50ms'")
        transaction.load([("", "m-1")])


def test_nobody_writes_cases_in_postgresql_while_a_set_is_applied(postgres: str) -> None:
    applying, event = open_store(postgres), open_store(postgres)
    with applying.transaction() as transaction:
        transaction.keep_others_out()
        with pytest.raises(Busy):
            load_soon(event)
        with event.reading() as other:
            assert other.rows("SELECT count(*) FROM subjects") == [(0,)]


def test_an_event_that_waits_for_an_apply_is_taken_by_the_new_set(
    capfd: pytest.CaptureFixture[str], postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = Changing(capfd, postgres, str(tmp_path / "set"))
    changing.become()
    changing.event("written", "m-1", AT)
    changing.become(FLOW.replace("4 business hours", "8 business hours"))
    begin, meanwhile = StoreMemory.begin, [changing.apply]

    def begin_late(memory: StoreMemory, transaction: Any) -> None:
        begin(memory, transaction)
        if meanwhile:
            meanwhile.pop()()

    monkeypatch.setattr(StoreMemory, "begin", begin_late)
    assert changing.event("looked", "m-1", "2026-03-02 16:40").status == 0
    assert [each[3:5] for each in changing.state()] == [(2, "seen")]
