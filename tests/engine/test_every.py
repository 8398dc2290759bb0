"""Flows that open cases by time: every so often, for a subject that they name, whether or not anything happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.cli import app
from carepolicy.engine.instants import parse
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder

ORGANISATION = """
organisation: Try shop
timezone: Europe/London
calendar: office
calendars: {office: {title: Office, hours: {mon-fri: 09:00-17:00}}}
roles: {lead: {title: Lead, people: [Ben, Chidi]}}
"""
FLOW = """
flow: review
version: 1
owner: lead
subject: knowledge-base
every: EVERY
starting: STARTING
events: {reviewed: {title: The review is done, by: staff}}
states:
  due: {title: Review is due, start_on: every, owner: lead, on: {reviewed: done}, AFTER}
  done: {title: Done, final: done}
"""


def policies(root: Path, every: str, starting: str, after: str = "waits: us") -> Path:
    (root / "flows").mkdir(parents=True)
    (root / "organisation.yaml").write_text(ORGANISATION)
    flow = FLOW.replace("EVERY", every).replace("STARTING", starting).replace("AFTER", after)
    (root / "flows/review.yaml").write_text(flow)
    return root


def reviewed(number: int, at: str) -> str:
    event = {"specversion": "1.0", "id": str(number), "source": "/t", "type": "reviewed", "subject": "knowledge-base"}
    return json.dumps({**event, "time": f"{at}:00Z"})


def openings(root: Path, until: str, *done: str) -> list[str]:
    """When cases are opened, where they are done at some times, and time goes on until another."""
    run = OrderedRun(Run(compile_folder(str(root))))
    records = run.feed([(n, reviewed(n, at).encode()) for n, at in enumerate(done, 1)])
    records += "".join(run.finish(parse(f"{until}:00Z")))
    found: list[dict[str, Any]] = [orjson.loads(line) for line in records.splitlines()]
    return [each["time"][:16] for each in found if each["type"] == "carepolicy.case.opened"]


@pytest.mark.parametrize(
    ("every", "starting", "until", "gives"),
    [
        ("1 week", "2026-03-02 09:00", "2026-03-01T00:00", []),
        ("1 week", "2026-03-02 09:00", "2026-03-02T08:59", []),
        ("1 week", "2026-03-02 09:00", "2026-03-02T09:00", ["2026-03-02T09:00"]),
        # weeks of 168 hours, also where the clocks go forward (29 March)
        (
            "2 weeks", "2026-03-02 09:00", "2026-04-01T00:00",
            ["2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"],
        ),
        # months keep the hour on the wall, and their ends are those of the month in which it began
        (
            "1 month", "2026-01-31 09:00", "2026-06-01T00:00",
            ["2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31T08:00", "2026-04-30T08:00", "2026-05-31T08:00"],
        ),
        (
            "6 months", "2025-08-31 09:00", "2026-09-01T00:00",
            ["2025-08-31T08:00", "2026-02-28T09:00", "2026-08-31T08:00"],
        ),
        (
            "2 business days", "2026-03-02 10:00", "2026-03-10T23:00",
            ["2026-03-02T10:00", "2026-03-04T10:00", "2026-03-06T10:00", "2026-03-10T10:00"],
        ),
        ("1 day", "2026-03-02", "2026-03-03T23:00", ["2026-03-02T00:00", "2026-03-03T00:00"]),
        ("1 week", "2026-03-02T09:00+01:00", "2026-03-02T12:00", ["2026-03-02T08:00"]),
    ],
)  # fmt: skip
def test_a_case_is_opened_at_each_period_of_its_start(
    tmp_path: Path, every: str, starting: str, until: str, gives: list[str]
) -> None:
    assert openings(policies(tmp_path / "p", every, starting, "after: {1 hour: done}"), until) == gives


def test_a_period_that_comes_while_a_case_is_open_opens_none_and_moves_nothing(tmp_path: Path) -> None:
    root = policies(tmp_path / "p", "1 week", "2026-03-02 09:00")
    assert openings(root, "2026-03-25T00:00", "2026-03-17T10:00") == ["2026-03-02T09:00", "2026-03-23T09:00"]
    # done at the very instant of a period: the event comes first, as before a clock that falls late then
    assert openings(root, "2026-03-18T00:00", "2026-03-16T09:00") == ["2026-03-02T09:00", "2026-03-16T09:00"]


def test_what_many_logs_and_workers_say_is_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = policies(tmp_path / "p", "1 week", "2026-01-05 09:00")
    log = tmp_path / "log.jsonl"
    log.write_text("".join(reviewed(n, f"2026-0{n}-20T10:00") + "\n" for n in (1, 2, 3)))
    told = []
    for workers in ("1", "2"):
        more = ("--until", "2026-05-01", "--workers", workers)
        assert app.run(["run", str(log), "--policies", str(root), *more]) == 0
        told.append(capfd.readouterr().out)
    assert told[0] == told[1]
    assert told[0].count("case.opened") == 4


@pytest.mark.parametrize("ticks", [["2026-05-01"], ["2026-01-01", "2026-01-06", "2026-02-01", "2026-05-01"]])
def test_a_store_that_was_away_for_long_opens_what_it_missed_at_its_own_time(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ticks: list[str]
) -> None:
    monkeypatch.setenv("CAREPOLICY_KEY", "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A=")
    root = policies(tmp_path / "p", "1 month", "2026-01-31 09:00", "after: {1 week: done}")
    store = ("--store", f"sqlite:///{tmp_path}/s.db", "--policies", str(root))
    records = ""
    for now in ticks:
        assert app.run(["tick", *store, "--now", now]) in (0, 1)
        records += capfd.readouterr().out
    opened = [each["time"][:16] for each in map(orjson.loads, records.splitlines()) if each["type"].endswith("opened")]
    assert opened == ["2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31T08:00", "2026-04-30T08:00"]
    silent = tmp_path / "silent.jsonl"
    silent.write_text("")
    assert app.run(["run", str(silent), "--policies", str(root), "--until", "2026-05-01"]) == 0
    assert capfd.readouterr().out == records
