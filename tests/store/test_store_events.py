"""`carepolicy event` and `tick`: durable, once each, and told in words when something is wrong."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from carepolicy.cli import app
from shops import SHOP


class Desk:
    """Commands on one store, run in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str], url: str) -> None:
        self._capfd = capfd
        self.url = url

    def __call__(self, *arguments: str, store: str | None = None) -> tuple[int, list[dict[str, Any]], str]:
        self._capfd.readouterr()
        status = app.run([*arguments, "--store", store or self.url, "--policies", SHOP])
        out, err = self._capfd.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def desk(capfd: pytest.CaptureFixture[str], url: str) -> Desk:
    return Desk(capfd, url)


@pytest.fixture
def file_desk(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Desk:
    return Desk(capfd, f"sqlite:///{tmp_path}/care.db")


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [each["type"].removeprefix("carepolicy.") for each in records]


def received(desk: Desk, *more: str) -> tuple[int, list[dict[str, Any]], str]:
    return desk("event", "email_received", "mail-1", "customer.email=x@example.org", "--at", "2026-03-02 10:00", *more)


def test_an_event_prints_the_records_of_what_follows_from_it(desk: Desk) -> None:
    status, records, err = received(desk)
    assert (status, err) == (0, "")
    assert kinds(records)[:3] == ["case.opened", "clock.started", "clock.started"]
    status, records, _ = desk("event", "reply_sent", "mail-1", "--at", "2026-03-02 11:00")
    assert status == 0
    assert kinds(records)[0] == "case.moved"


def test_the_second_event_of_an_id_has_no_effect(desk: Desk) -> None:
    received(desk, "--id", "a")
    status, records, err = received(desk, "--id", "a")
    assert status == 1
    assert kinds(records) == ["event.duplicate"]
    assert "CP909" in err
    assert received(desk, "--id", "a")[1][0]["id"].endswith("/2")


def test_timers_fire_in_the_order_of_their_due_times_and_only_once(desk: Desk) -> None:
    received(desk)
    status, records, _ = desk("tick", "--now", "2026-03-05")
    times = [each["time"] for each in records]
    assert status == 0
    assert times == sorted(times)
    assert kinds(records).count("clock.late") == 2
    assert desk("tick", "--now", "2026-03-05")[1] == []


def test_an_event_before_what_a_timer_has_told_is_out_of_order(desk: Desk) -> None:
    received(desk)
    desk("tick", "--now", "2026-03-05")
    status, records, err = desk("event", "reply_sent", "mail-1", "--at", "2026-03-02 11:00")
    assert (status, kinds(records)) == (1, ["event.rejected"])
    assert "CP908" in err


def test_values_are_typed_by_the_facts_and_a_wrong_one_is_told_without_the_value(desk: Desk) -> None:
    status, _, err = desk("event", "email_received", "mail-1", "customer.emial=x@example.org")
    assert (status, "x@example.org" in err) == (2, False)
    assert 'did you mean "customer.email"' in err
    status, _, err = desk("event", "email_received", "mail-1", "customer.email")
    assert (status, "KEY=VALUE" in err) == (2, True)


def test_an_unknown_event_is_rejected_with_the_nearest_right_name(desk: Desk) -> None:
    status, records, err = desk("event", "email_recieved", "mail-1", "--at", "2026-03-02 10:00")
    assert (status, kinds(records)) == (1, ["event.rejected"])
    assert 'did you mean "email_received"' in err


def test_private_facts_stand_nowhere_in_the_file(file_desk: Desk, tmp_path: Path) -> None:
    received(file_desk)
    everything = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"mail-1" in everything
    assert b"x@example.org" not in everything


def test_the_key_file_is_made_for_its_owner_alone(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAREPOLICY_KEY")
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(tmp_path / "keys" / "key"))
    assert received(desk)[0] == 0
    assert stat.S_IMODE(os.stat(tmp_path / "keys" / "key").st_mode) == 0o600
    assert desk("event", "reply_sent", "mail-1", "--at", "2026-03-02 11:00")[0] == 0
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(tmp_path / "keys" / "other"))
    status, _, err = desk("event", "customer_wrote", "mail-1", "--at", "2026-03-02 11:30")
    assert (status, "another key" in err) == (2, True)


def test_a_merged_subject_stays_merged(desk: Desk) -> None:
    received(desk)
    desk("event", "email_received", "mail-2", "customer.email=y@example.org", "--at", "2026-03-02 10:05")
    status, records, _ = desk("event", "carepolicy.merge", "mail-1", "into=mail-2", "--at", "2026-03-02 10:10")
    assert (status, kinds(records).count("case.closed")) == (0, 1)
    _, records, _ = desk("event", "reply_sent", "mail-1", "--at", "2026-03-02 10:20")
    assert {each["subject"] for each in records} == {"mail-2"}


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("care.db", 2, "names no store"),
        ("sqlite:///nowhere/care.db", 3, "there is no folder"),
        ("sqlite:///TMP", 2, "is a folder"),
        ("sqlite:///TMP/text", 2, "it is not an SQLite file"),
        ("sqlite:///TMP/other.db", 2, "but no store of carepolicy"),
    ],
)
def test_what_is_no_store_is_told_in_words_and_left_as_it_is(
    file_desk: Desk, tmp_path: Path, url: str, status: int, words: str
) -> None:
    (tmp_path / "text").write_text("Dear diary,\n" * 2000)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE diary (day TEXT)")
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    told, _, err = file_desk("tick", store=url.replace("TMP", str(tmp_path)))
    assert (told, words in err) == (status, True), err
    assert "Traceback" not in err
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_store_of_a_later_version_is_refused_and_not_touched(file_desk: Desk, tmp_path: Path) -> None:
    received(file_desk)
    with sqlite3.connect(tmp_path / "care.db") as store:
        store.execute("PRAGMA user_version=99")
    status, _, err = file_desk("tick")
    assert (status, "later carepolicy" in err) == (2, True)
