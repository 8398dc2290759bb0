"""Notices that wait for an opening, in a store: given by `tick`, once, whatever happens to processes and policies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import pytest

from changing import FLOW, Changing
from shops import Shop, everything_in

WAITS = FLOW.replace(
    "answered: done,",
    "answered: {to: done, tell: {role: lead, say: 'Answered, {customer.email}.', in_hours: true}},",
)
NIGHT = "2026-03-02 20:00"


@pytest.fixture
def changing(capfd: pytest.CaptureFixture[str], url: str, tmp_path: Path) -> Changing:
    """A case that was answered in the night, of which the lead is to hear in the morning."""
    found = Changing(capfd, url, str(tmp_path / "set"))
    found.become(WAITS)
    written = tmp_path / "set" / "organisation.yaml"
    written.write_text(written.read_text().replace("people: [Bo],", "people: [Bo], may_see: [customer.email],"))
    found.event("written", "m-1", NIGHT, "customer.email=ada@example.org")
    found.event("answered", "m-1", "2026-03-02 20:10")
    return found


def told(shop: Shop, now: str) -> list[str]:
    said = shop("tick", "--now", now)
    assert said.status == 0, said.err
    return [
        f"{each['time'][5:16]} {each['subject']} {each['sequence']} v{each['flowversion']} {each['data']['text']}"
        for each in map(json.loads, said.out.splitlines())
        if each["type"] == "carepolicy.notice.requested"
    ]


def test_tick_gives_it_at_the_opening_and_once(changing: Changing) -> None:
    assert told(changing, "2026-03-03 08:59") == []
    found = told(changing, "2026-03-03 09:00")
    assert len(found) == 1
    assert found[0].startswith("03-03T09:00 m-1 7 v1 Answered, ")
    assert told(changing, "2026-03-04 09:00") == []
    assert changing("verify").status == 0


def test_what_is_private_in_it_is_sealed_while_it_waits_and_the_role_may_see_it_then(changing: Changing) -> None:
    assert b"m-1" in everything_in(changing)
    assert b"ada@example.org" not in everything_in(changing)
    assert "ada" not in told(changing, "2026-03-03 09:00")[0]
    assert b"ada@example.org" not in everything_in(changing)
    revealed = changing("case", "history", "m-1", "--reveal", "--as", "lead")
    assert "Answered, ada@example.org." in revealed.out, revealed.err


TICK = """
import os, sys
from carepolicy.cli import app
from carepolicy.store.live.memory import StoreMemory
StoreMemory.keep = lambda self: os.kill(os.getpid(), 9)
sys.exit(app.run(["tick", "--store", sys.argv[1], "--now", "2026-03-03 09:00"]))
"""


def test_a_tick_that_is_killed_has_told_nothing_and_the_next_tells_it(changing: Changing) -> None:
    done = subprocess.run([sys.executable, "-c", TICK, changing.url], env=os.environ, check=False)
    assert done.returncode == -SIGKILL
    assert len(told(changing, "2026-03-03 09:01")) == 1


def test_a_case_that_is_opened_meanwhile_goes_on_with_the_numbers(changing: Changing) -> None:
    changing.event("written", "m-1", "2026-03-02 21:00")
    changing.event("looked", "m-1", "2026-03-03 09:30")
    shown = changing("case", "history", "m-1").out
    numbers = [json.loads(line)["sequence"] for line in shown.splitlines() if line.startswith("{")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 8
    assert shown.count("Answered, ") == 1
    assert changing("verify").status == 0


def test_it_is_told_under_another_set_and_though_its_flow_is_gone(changing: Changing) -> None:
    changing.become(WAITS.replace("version: 1", "version: 2").replace("Answered, ", "Now "))
    changing.apply()
    changing.become(None)
    changing.apply()
    found = told(changing, "2026-03-03 09:00")
    assert [each.partition(" Answered")[0] for each in found] == ["03-03T09:00 m-1 7 v1"]
    assert changing("verify").status == 0


def test_a_store_and_a_run_write_the_same(changing: Changing, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    events = [
        ("written", "2026-03-02T20:00:00+00:00", {"customer.email": "ada@example.org"}),
        ("answered", "2026-03-02T20:10:00+00:00", {}),
    ]
    log.write_text(
        "".join(
            json.dumps(
                {
                    "specversion": "1.0",
                    "id": str(n),
                    "source": "/t",
                    "type": kind,
                    "subject": "m-9",
                    "time": at,
                    "data": data,
                }
            )
            + "\n"
            for n, (kind, at, data) in enumerate(events)
        )
    )
    from carepolicy.cli import app

    changing("status")
    changing._capfd.readouterr()
    app.run(["run", str(log), "--policies", changing.policies, "-q", "--until", "2026-03-03 09:00"])
    alone = changing._capfd.readouterr().out.splitlines()
    app.run(["run", str(log), "--policies", changing.policies, "-q", "--store", changing.url])
    stored = changing._capfd.readouterr().out.splitlines()
    stored += changing("tick", "--now", "2026-03-03 09:00").out.splitlines()
    assert [each for each in stored if '"m-9"' in each] == alone
    assert any("notice.requested" in each for each in alone)
