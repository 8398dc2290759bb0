"""`apply --shadow`: another set is tried beside the installed one, and it is told where the two differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from cryptography.fernet import Fernet

from carepolicy.engine.instants import parse
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.url import shadow_url
from changing import FLOW, Changing
from shops import everything_in, rows

AT = "2026-03-02 16:00"
NOW = ("--now", "2026-03-02 16:30")
SHORTER = FLOW.replace("4 business hours", "2 business hours")


class Trying(Changing):
    """A shop that tries other policies."""

    def shadow(self, *arguments: str, status: int | None = None) -> Any:
        said = self("apply", "--shadow", "--policies", self.policies, "--format", "json", *NOW, *arguments)
        assert said.status == status if status is not None else said.status in (0, 1), (said.out, said.err)
        return json.loads(said.out)

    def report(self) -> tuple[int, dict[str, Any]]:
        said = self("apply", "--shadow", "--policies", self.policies, "--format", "json")
        assert said.status in (0, 1), said.err
        return said.status, json.loads(said.out)

    def live(self) -> Any:
        """All that live operation has, but for what is noted for the shadow."""
        tables = ("subjects", "cases", "records", "outbox", "events", "contacts", "policy_versions", "dead_letters")
        return [rows(self, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]


@pytest.fixture
def trying(capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path) -> Trying:
    found = Trying(capfd, url, str(tmp_path / "set"))
    found.become()
    for subject in ("m-1", "m-2"):
        found.event("written", subject, AT, "customer.email=ada@example.org")
    return found


def test_nothing_is_installed_and_differences_are_told_with_names(trying: Trying) -> None:
    before = trying.live()
    trying.become(SHORTER)
    begun = trying.shadow(status=0)
    assert (begun["applied"], begun["tried"], begun["fates"]["due"]["count"]) == (False, True, 2)
    assert trying.live() == before
    status, told = trying.report()
    assert (status, told["events"], told["cases"], told["differ"]) == (1, 0, 2, 2)
    assert told["differences"]["due"]["examples"][0] == {
        "subject": "m-1", "flow": "inquiry", "clock": "reply",
        "installed": "2026-03-03T12:00:00+00:00", "shadow": "2026-03-03T10:00:00+00:00",
    }  # fmt: skip
    trying.event("looked", "m-1", "2026-03-02 16:40")
    trying("tick", "--now", "2026-03-03 11:00")
    trying.event("answered", "m-2", "2026-03-03 11:30")
    told = trying.report()[1]
    assert told["events"] == 2
    assert told["totals"]["late"] == {"installed": 0, "shadow": 2}
    assert told["totals"]["notices"] == {"installed": 0, "shadow": 2}
    assert told["differences"]["late"]["examples"][1] == {
        "subject": "m-2", "flow": "inquiry",
        "installed": [], "shadow": [{"what": "reply", "time": "2026-03-03T10:00:00+00:00"}],
    }  # fmt: skip
    said = trying("apply", "--shadow", "--policies", trying.policies)
    assert "m-1 (inquiry): installed nothing; shadow reply, Tue 2026-03-03 10:00" in said.out
    assert "2 of 2 cases differ" in said.out


def renamed(text: str) -> str:
    seen = "  seen: {title: Seen,"
    assert seen in text
    text = text.replace(seen, "  read: {title: Read, renamed_from: seen,")
    return text.replace("looked: seen", "looked: read").replace("fresh, seen]", "fresh, read]")


def test_a_renamed_state_is_no_difference_and_another_one_is(trying: Trying) -> None:
    trying.event("looked", "m-1", "2026-03-02 16:10")
    trying.become(renamed(FLOW))
    trying.shadow(status=0)
    trying.event("looked", "m-2", "2026-03-02 16:40")
    status, told = trying.report()
    assert (status, told["cases"], told["differ"], told["differences"]) == (0, 2, 0, {})
    assert trying("apply", "--shadow", "--stop").status == 0
    trying.become(FLOW.replace("looked: seen, answered: done,", "looked: seen, answered: seen,"))
    trying.shadow(status=0)
    trying.event("written", "m-3", "2026-03-02 16:45")
    trying.event("answered", "m-3", "2026-03-02 16:50")
    told = trying.report()[1]["differences"]
    assert told["state"]["examples"] == [
        {"subject": "m-3", "flow": "inquiry", "installed": "closed: answered", "shadow": "seen"}
    ]
    assert told["tasks"]["examples"][0]["shadow"] == [{"what": "agent", "time": "2026-03-02T16:50:00+00:00"}]


def test_an_event_that_one_set_alone_knows_is_told(trying: Trying) -> None:
    more = FLOW.replace("  answered: {title", "  praised: {title: Praise, by: customer}\n  answered: {title")
    trying.become(more.replace("{looked: seen,", "{looked: seen, praised: done,"))
    trying.shadow(status=0)
    assert trying("event", "praised", "m-1", "--at", "2026-03-02 16:40", "--policies", trying.policies).status == 1
    told = trying.report()[1]["differences"]
    assert told["state"]["examples"][0]["shadow"] == "closed: answered"
    assert told["refused"]["examples"][0]["installed"][0]["what"] == "praised (CP904)"


def test_a_set_that_would_be_refused_is_not_tried(trying: Trying) -> None:
    gone = FLOW.replace("  fresh: {title: New,", "  new: {title: New,").replace("[fresh, seen]", "[new, seen]")
    trying.become(gone)
    assert trying.shadow(status=1)["refused"]
    assert rows(trying, "SELECT count(*) FROM shadow") == [(0,)]
    trying.become(FLOW.replace("answered: done", "answered: dome"))
    assert trying("apply", "--shadow", "--policies", trying.policies).status == 2
    trying.become()
    assert trying.shadow(status=0)["installed_already"]
    assert rows(trying, "SELECT count(*) FROM journal") == [(0,)]


def test_to_apply_a_set_or_to_stop_ends_what_is_tried(trying: Trying) -> None:
    trying.become(SHORTER)
    trying.shadow(status=0)
    trying.event("looked", "m-1", "2026-03-02 16:40")
    trying.become(FLOW.replace("4 business hours", "3 business hours"))
    assert "differs from the set that is tried" in trying("apply", "--shadow", "--policies", trying.policies).err
    assert "is ended" in trying("apply", "--policies", trying.policies, "--now", "2026-03-02 16:50").out
    assert trying("apply", "--shadow", "--stop").out == "no set is tried beside the installed one\n"
    assert rows(trying, "SELECT count(*) FROM journal") == [(0,)]
    trying.become(SHORTER)
    assert trying.shadow("--now", "2026-03-02 17:00", status=0)["tried"]
    assert trying("apply", "--stop").status == 2
    assert trying("apply", "--shadow", "--stop").out.startswith("ended")
    assert trying("verify").status == 0


def test_a_store_without_cases_is_tried_from_its_first_event_on(
    capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    empty = Trying(capfd, url, str(tmp_path / "set"))
    empty.become()
    empty("tick", "--policies", empty.policies)
    empty.become(SHORTER)
    assert empty.shadow(status=0)["open_cases"] == 0
    assert empty.report() == (0, {**empty.report()[1], "cases": 0, "differ": 0, "events": 0})
    empty.event("written", "m-1", "2026-03-02 16:40")
    assert empty.report()[1]["differ"] == 1


KILLED = """
import os, sys
from carepolicy.cli import app
from carepolicy.store.shadow import trial
if sys.argv[3] == "begin":
    trial.apply_bundle = lambda *_: os.kill(os.getpid(), 9)
else:
    def kill(self, entries, step=trial.Trial.step):
        step(self, entries)
        os.kill(os.getpid(), 9)
    trial.Trial.step = kill
command = ["apply", "--shadow", "--now", "2026-03-02 16:30"]
sys.exit(app.run([*command, "--store", sys.argv[1], "--policies", sys.argv[2]]))
"""


def killed(trying: Trying, when: str) -> None:
    command = [sys.executable, "-c", KILLED, trying.url, trying.policies, when]
    assert subprocess.run(command, env=os.environ, check=False).returncode == -SIGKILL


def test_one_that_is_killed_goes_on_and_takes_nothing_twice(trying: Trying) -> None:
    trying.become(SHORTER)
    killed(trying, "begin")
    trying.event("looked", "m-1", "2026-03-02 16:20")
    assert trying.shadow(status=0)["tried"]
    trying.event("looked", "m-2", "2026-03-02 16:40")
    trying("tick", "--now", "2026-03-02 17:00")
    trying.event("answered", "m-2", "2026-03-02 17:10")
    killed(trying, "step")
    killed(trying, "step")
    status, told = trying.report()
    assert (status, told["events"]) == (1, 2)
    assert set(told["differences"]) == {"due"}
    assert told["totals"]["refused"] == {"installed": 0, "shadow": 0}


def test_a_fault_of_the_shadow_does_not_hurt_live_operation(file_shop: Any, tmp_path: Path) -> None:
    trying = Trying(file_shop._capfd, file_shop.url, str(tmp_path / "set"))
    trying.become()
    trying.event("written", "m-1", AT)
    trying.become(SHORTER)
    trying.shadow(status=0)
    Path(f"{trying.file()}-shadow").write_bytes(b"no store" * 1_000)
    assert trying.event("looked", "m-1", "2026-03-02 16:40").status == 0
    said = trying("apply", "--shadow", "--policies", trying.policies)
    assert (said.status, "care.db-shadow is no store" in said.err) == (2, True)
    assert trying("apply", "--shadow", "--stop").status == 0
    assert not Path(f"{trying.file()}-shadow").exists()


def test_private_facts_are_told_nowhere(trying: Trying) -> None:
    trying.become(
        FLOW.replace("reply.late: {tell: lead}", "reply.late: {tell: {role: lead, say: 'Call {customer.email}'}}")
    )
    trying.shadow(status=0)
    trying.event("written", "m-3", "2026-03-02 16:45", "customer.email=bob@example.org")
    trying("tick", "--now", "2026-03-06 16:00")
    beside = Trying(trying._capfd, shadow_url(trying.url))
    assert b"bob@example" not in everything_in(trying) + everything_in(beside)
    said = trying("apply", "--shadow", "--policies", trying.policies, "--format", "json")
    assert "example.org" not in said.out
    assert json.loads(said.out)["differences"]["notices"]["count"] == 3
    assert b"bob@example" not in everything_in(trying) + everything_in(beside)


def sealed_in(url: str) -> list[Any]:
    store = open_store(url)
    with store.reading() as transaction:
        found = [
            transaction.rows(f"SELECT sealed FROM {table} WHERE subject = 'm-1' AND sealed IS NOT NULL")
            for table in ("cases", "records")
        ]
        journal = transaction.rows("SELECT 1 FROM journal WHERE sealed IS NOT NULL")
    store.close()
    return [*found, journal]


def test_what_is_erased_is_erased_there_too_and_a_new_key_seals_it_too(
    trying: Trying, monkeypatch: pytest.MonkeyPatch
) -> None:
    trying.become(SHORTER)
    trying.shadow(status=0)
    trying.event("looked", "m-2", "2026-03-02 16:40", "customer.email=bob@example.org")
    old = os.environ["CAREPOLICY_KEY"]
    new = Fernet.generate_key().decode()
    monkeypatch.setenv("CAREPOLICY_KEY", f"{new},{old}")
    assert trying("key", "rotate").status == 0
    monkeypatch.setenv("CAREPOLICY_KEY", new)
    assert trying.report()[1]["events"] == 1
    trying.event("answered", "m-1", "2026-03-02 16:50")
    assert len(sealed_in(shadow_url(trying.url))[0]) == 1
    erased = trying("customer", "erase", "m-1", "--by", "Mia", "--yes", "--policies", trying.policies)
    assert erased.status == 0, erased.err
    assert sealed_in(trying.url) == sealed_in(shadow_url(trying.url)) == [[], [], []]
    assert trying.report()[1]["events"] == 2


def test_ticks_that_fire_nothing_are_noted_once_a_minute(trying: Trying) -> None:
    trying.become(SHORTER)
    trying.shadow(status=0)
    store = open_store(trying.url)
    operation = Operation(store, None, 0)
    start = parse("2026-03-02T17:00:00+00:00")
    for seconds in (0, 20, 40, 61, 80):
        assert "".join(done.records for done in operation.tick(start + seconds * 1_000_000)) == ""
    store.close()
    noted = [(start + seconds * 1_000_000,) for seconds in (0, 61)]
    assert rows(trying, "SELECT until FROM journal ORDER BY no") == noted
