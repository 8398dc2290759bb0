"""A stream on Spark writes the records that a run writes, however it was broken off."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.engine.instants import DAY, text_of
from carepolicy.machine.bundle import load_bundle, to_bytes
from carepolicy.spark.keeper import Keeper
from carepolicy.spark.lines import subject_and_time
from carepolicy.spark.session import SparkFault
from carepolicy.spark.stream import _named, ended, files_of
from commands import run
from laws import examples
from shops import EVENTS, SHOP
from spark.operators import Operators
from spark.strata import LAST, event_at, in_time, set_of_strata, told_time


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """The shop with flows of several strata."""
    return set_of_strata(tmp_path_factory.mktemp("set") / "shop")


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
    assert {"the desk", "the week", "C-0", "C-1"} <= {subject for subject, _ in by_case(written)}


def by_case(lines: list[str]) -> dict[tuple[str, str], list[int]]:
    """The numbers of the records of each case, as they were written."""
    found: dict[tuple[str, str], list[int]] = {}
    for each in map(json.loads, lines):
        if "sequence" in each:
            found.setdefault((each["subject"], each["flow"]), []).append(each["sequence"])
    return found


@settings(max_examples=examples(8), deadline=None)
@given(cuts=st.lists(st.integers(0, 400), max_size=9), seed=st.integers(0, 1_000), late=st.sampled_from([0, 3 * DAY]))
def test_strata_hear_in_the_order_of_time_however_the_stream_is_cut_and_broken_off(shop, whole_run, cuts, seed, late):
    pytest.importorskip("pyspark")
    mixed = random.Random(seed)
    stream, lines = Operators(load_bundle(str(shop)), late // 1_000), on_their_way(in_time(), late, mixed)
    for begin, end in pairwise([0, *sorted({min(cut, len(lines)) for cut in cuts}), len(lines)]):
        stream.batch(lines[begin:end], mixed)
        if mixed.random() < 0.3:
            stream = stream.begun_anew()
    stream.batch([], mixed)
    whole = whole_run(stream.until())
    assert Counter(stream.written) == Counter(whole)
    assert by_case(stream.written) == by_case(whole)
    flows = {json.loads(line).get("flow") for line in whole}
    assert {"regular_customer", "week_of_complaints", "chronic_problem"} <= flows


def on_their_way(lines: list[bytes], late: int, mixed: random.Random) -> list[tuple[str, bytes]]:
    """Lines with their places, as they come when each is on its way for up to ``late`` microseconds; those of a subject
    in their order."""
    arrived: dict[str | None, int] = {}
    found = []
    for number, line in enumerate(lines):
        subject, time = subject_and_time(line)
        arrives = max((time or 0) + mixed.randint(0, late), arrived.get(subject, 0))
        arrived[subject] = arrives
        found.append((arrives, number, line))
    return [(f"{number:06}", line) for _, number, line in sorted(found)]


@pytest.fixture(scope="module")
def whole_run(shop) -> Callable[[int], list[str]]:
    """The records of a run of all lines, with what falls due by an instant."""

    @cache
    def records(until: int) -> list[str]:
        found = run("run", "-", "--policies", str(shop), "--until", text_of(until), stdin=b"\n".join(in_time()))
        return found.stdout.splitlines()

    return records


def test_what_comes_late_to_a_higher_stratum_happens_when_it_comes_or_is_refused(shop):
    pytest.importorskip("pyspark")
    stream, mixed = Operators(load_bundle(str(shop))), random.Random(1)

    def complaint(at: str, about: str, customer: str = "C-1") -> tuple[str, bytes]:
        line = event_at(f"2026-03-{at}:00:00Z", "complaint_received", about, **{"customer.id": customer})
        return f"{at} {about}", line

    stream.batch([complaint("04T12", "one"), complaint("05T12", "two", "C-2")], mixed)
    stream.batch([complaint("05T14", "three", "C-2")], mixed)
    assert told(stream, "regular_customer", "C-1") == [("case.opened", "2026-03-04T12:00:00+00:00")]
    stream.batch([complaint("04T14", "four"), complaint("04T11", "five")], mixed)
    assert told(stream, "regular_customer", "C-1") == [("case.opened", "2026-03-04T12:00:00+00:00")]
    refused = [each for each in map(json.loads, stream.written) if each["type"] == "carepolicy.event.rejected"]
    assert [(each["subject"], each["data"]["code"]) for each in refused] == [("C-1", "CP908")]


def told(stream: Operators, flow: str, subject: str) -> list[tuple[str, str]]:
    """What happened to cases, and when."""
    found = [each for each in map(json.loads, stream.written) if each.get("flow") == flow]
    kinds = ("case.opened", "case.moved", "case.closed")
    return [
        (each["type"].removeprefix("carepolicy."), each["time"])
        for each in found
        if each["subject"] == subject and each["type"].removeprefix("carepolicy.") in kinds
    ]


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
    for line in [*EVENTS.read_bytes().splitlines(), LAST]:
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


class Query:
    """A query of Spark that ends in one way."""

    lastProgress = {"batchId": 7}  # noqa: N815, RUF012

    def __init__(self, fault: Exception | None) -> None:
        self.fault = fault
        self.stopped = False

    def awaitTermination(self) -> None:  # noqa: N802
        if self.fault is not None:
            raise self.fault

    def stop(self) -> None:
        self.stopped = True


def test_a_stream_begins_again_where_a_busy_machine_was_too_slow_for_spark():
    errors = pytest.importorskip("pyspark.errors")
    slow = errors.StreamingQueryException("terminated with exception: Python worker failed to connect back. XXKST")
    queries = [Query(slow), Query(slow), Query(None)]
    coming = iter(queries)
    assert ended(lambda: next(coming)) == {"batchId": 7}
    assert all(each.stopped for each in queries)
    other = errors.StreamingQueryException("terminated with exception: the disk is full")
    for always in (slow, other):
        with pytest.raises(errors.StreamingQueryException) as fault:
            ended(lambda always=always: Query(always))
        assert fault.value is always


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


def test_a_folder_whose_log_is_of_something_else_is_told(tmp_path: Path) -> None:
    log = tmp_path / "_spark_metadata"
    log.mkdir()
    for entry in ("{}", "[]", "no JSON"):
        (log / "0").write_text(f"v1\n{entry}\n", encoding="utf-8")
        with pytest.raises(SparkFault, match="holds no records of a stream: its log cannot be read"):
            files_of(str(tmp_path))
