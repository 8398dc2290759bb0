"""A stream on Spark writes the records that a run writes, however it was broken off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carepolicy.machine.bundle import load_bundle, to_bytes
from carepolicy.spark.stream import Keeper, _named, files_of
from commands import run
from shops import BAD_EVENTS, EVENTS, SHOP

DESK = """\
flow: desk_count
title: Count what waits
version: 1
owner: care_lead
every: 1 week
starting: 2026-03-02 09:00
subject: the desk

states:
  to_count:
    title: Count what waits
    start_on: every
    owner: care_agent
    waits: us
    after: {2 days: {to: counted}}
  counted: {title: Counted, final: counted}
"""
"""A flow that opens cases by time, whatever events there are."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """The shop without what hears of several subjects, and with a flow that opens cases by time."""
    folder = tmp_path_factory.mktemp("set") / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("chronic_problem*", "scenarios"))
    organisation = folder / "organisation.yaml"
    text = organisation.read_text()
    organisation.write_text(text[: text.index("watches:")] + text[text.index("glossary:") :])
    (folder / "flows" / "desk_count.yaml").write_text(DESK)
    return folder


def told_time(line: bytes) -> str:
    try:
        return str(json.loads(line)["time"])
    except (ValueError, LookupError, TypeError):
        return ""


def in_time() -> list[bytes]:
    """Events of the shop in the order of time, some of them twice, with bad ones where they do not upset that."""
    lines = sorted(EVENTS.read_bytes().splitlines(), key=told_time)
    bad = [line for line in BAD_EVENTS.read_bytes().splitlines() if b'"backwards"' not in line]
    middle = len(lines) // 2
    return [*lines[:middle], *bad, *lines[middle:], *lines[-3:]]


def laid_down(folder: Path, lines: list[bytes], files: int) -> Path:
    """Lines in files that came one after another."""
    folder.mkdir()
    size = len(lines) // files + 1
    for number in range(files):
        path = folder / f"{number}.jsonl"
        path.write_bytes(b"\n".join(lines[number * size : (number + 1) * size]) + b"\n")
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    return folder


def test_a_stream_that_was_killed_goes_on_to_the_records_of_a_run(cluster, shop, tmp_path):
    lines = in_time()
    source, records, state = laid_down(tmp_path / "in", lines, 3), tmp_path / "records", tmp_path / "state"
    asked = ["stream", "--from", str(source), "--to", str(records), "--checkpoint", str(state), "--policies", str(shop)]
    killed = subprocess.Popen(
        [sys.executable, "-m", "carepolicy", *asked, "--files", "1"], start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        while not (state / "commits" / "0").exists():
            assert killed.poll() is None
            time.sleep(0.02)
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    assert not (state / "commits" / "2").exists(), "it was killed before it had read all"
    (records / "part-00000-left-behind-c000.txt").write_text('{"a record": "of a batch that was broken off"}\n')

    went_on = run(*asked, "--files", "1", "--once")
    assert went_on.returncode == 0, went_on.stderr
    until = datetime.fromisoformat(went_on.stderr.split()[4]) - timedelta(microseconds=1)
    written = [line for name in files_of(str(records)) for line in Path(name).read_text().splitlines()]
    told = ("--policies", str(shop), "--until", until.astimezone(UTC).isoformat())
    whole = run("run", "-", *told, stdin=b"\n".join(lines)).stdout.splitlines()
    assert Counter(written) == Counter(whole)
    assert by_case(written) == by_case(whole), "the records of a case are in their order"
    assert '"subject":"the desk"' in "".join(written)


def by_case(lines: list[str]) -> dict[tuple[str, str], list[int]]:
    """The numbers of the records of each case, as they were written."""
    found: dict[tuple[str, str], list[int]] = {}
    for each in map(json.loads, lines):
        if "sequence" in each:
            found.setdefault((each["subject"], each["flow"]), []).append(each["sequence"])
    return found


def test_a_checkpoint_of_another_set_is_refused(shop):
    keeper = Keeper(to_bytes(load_bundle(str(shop))))
    keeper.begin("the desk")
    body = keeper.put_down("the desk")
    other = Keeper(to_bytes(load_bundle(SHOP)))
    with pytest.raises(Exception, match="the checkpoint is of another policy set"):
        other.take_up("the desk", body)


def test_a_subject_goes_on_after_each_event_as_if_it_had_never_been_put_down(shop):
    bundle = load_bundle(str(shop))
    once, always = Keeper(to_bytes(bundle)), Keeper(to_bytes(bundle))
    codes = set()
    by_name: dict[str, list[bytes]] = {}
    for line in EVENTS.read_bytes().splitlines():
        by_name.setdefault(json.loads(line)["subject"], []).append(line)
    for name, lines in by_name.items():
        lines.sort(key=told_time)
        always.take_up(name, None)
        expected = always.events(lines)
        found, body = [], None
        for line in [*lines, lines[0]]:
            once.take_up(name, body)
            found += once.events([line])
            body = once.put_down(name)
        assert found[:-1] == expected
        codes.add(found[-1].data["code"])
        assert once.rings(name) == always.rings(name)
    assert codes == {"CP904", "CP909"}, "an event that comes again is refused, as one of a type that nobody knows is"


def test_what_is_refused_for_its_subject_names_no_state():
    pyarrow = pytest.importorskip("pyarrow")
    subjects = ["order-1", "4111 1111 1111 1111", "x" * 5_000]
    lines = [json.dumps({"subject": each, "time": "2026-03-02T10:00:00Z"}).encode() for each in subjects]
    columns = [lines, ["file:/events.jsonl"] * 3, [0] * 3]
    (found,) = _named(False, [pyarrow.record_batch(columns, ["line", "file", "begin"])])
    assert found.column("subject").to_pylist() == ["order-1", "", ""]
    assert found.column("line").to_pylist() == lines


def test_a_set_in_which_flows_hear_of_others_is_sent_to_a_store(tmp_path):
    asked = ("--from", str(tmp_path), "--to", str(tmp_path / "to"), "--checkpoint", str(tmp_path / "state"))
    found = run("stream", *asked, "--policies", SHOP)
    assert found.returncode == 3
    assert "chronic_problem, repeated_cause, repeated_customer hear of other subjects" in found.stderr


def test_kafka_without_its_connector_says_what_to_add(cluster, shop, tmp_path):
    asked = ("--from", "kafka://127.0.0.1:9/events", "--to", str(tmp_path / "to"), "--checkpoint", str(tmp_path / "c"))
    found = run("stream", *asked, "--policies", str(shop))
    assert found.returncode == 3
    assert found.stderr.startswith(
        "carepolicy: Spark has no connector for Kafka here: add --packages org.apache.spark:"
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--to", "here"], "a stream needs --from and --checkpoint"),
        (["--to", "here", "--from", "nowhere", "--checkpoint", "there"], "nowhere: there is no such folder"),
        (["--to", "here", "--list"], "here holds no records of a stream: No such file or directory"),
    ],
)
def test_what_is_lacking_is_said(tmp_path, options, why):
    found = run("stream", *options, "--policies", SHOP, cwd=tmp_path)
    assert (found.returncode, found.stderr.splitlines()[-1]) == (3 if "--list" in options else 2, f"carepolicy: {why}")
