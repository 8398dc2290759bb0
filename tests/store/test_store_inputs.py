"""Progress belongs to what an input holds, not to its name; what is half written waits; one process reads an input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carepolicy.cli import app
from carepolicy.store.open import open_store
from complaint_events import lines
from laws import examples
from shops import Said, Shop

COMPLAINTS = str(Path(__file__).parents[2] / "benchmarks" / "complaints")
LINES = lines(12)
LONG = lines(600)
"""More than is compared when an input is looked up."""
HALF = LINES[2][:40]
TAKEN = "SELECT id FROM events"
REFUSED = "SELECT code FROM dead_letters WHERE code <> 'CP910' ORDER BY no"


@pytest.fixture
def desk(capfd: pytest.CaptureFixture[str], url: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("CAREPOLICY_POLICIES", COMPLAINTS)
    return Shop(capfd, url, COMPLAINTS)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@pytest.fixture
def piped(desk: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """A run of what comes through a pipe that then ends."""

    def run(text: bytes, *more: str) -> Said:
        reading, writing = os.pipe()
        os.write(writing, text)
        os.close(writing)
        with open(reading, encoding="utf-8") as end:
            monkeypatch.setattr("sys.stdin", end)
            return desk("run", "-", "--quiet", *more)

    return run


def asked(url: str, sql: str) -> list[str]:
    """One column of a store."""
    store = open_store(url)
    with store.reading() as transaction:
        found = [value for (value,) in transaction.rows(sql)]
    store.close()
    return found


def ids(desk: Shop) -> list[str]:
    """The events that were taken, in the order of the log."""
    return in_order(asked(desk.url, TAKEN))


def in_order(taken: list[str]) -> list[str]:
    return [each for each in map(id_of, LINES) if each in taken]


def id_of(line: bytes) -> str:
    return str(orjson.loads(line)["id"])


def refused(desk: Shop) -> list[str]:
    return asked(desk.url, REFUSED)


def test_a_rotated_log_is_known_by_what_it_holds_and_the_new_one_of_its_name_is_new(desk: Shop, log: Path) -> None:
    output = log.with_name("records")
    run = ["--quiet", "--resume", "--output", str(output)]
    log.write_bytes(b"".join(LINES[:4]))
    assert desk("run", str(log), *run).status == 0
    first = output.read_bytes()
    log.rename(log.with_name("log.jsonl.1"))
    log.write_bytes(b"".join(LINES[6:8]))
    assert desk("run", str(log), *run).status == 0
    assert output.read_bytes().startswith(first)
    with log.with_name("log.jsonl.1").open("ab") as old:
        old.write(LINES[4])
    again = desk("run", str(old.name), "--quiet", "--resume")
    assert (again.status, '"subject"' in again.out) == (0, True)
    assert ids(desk) == [*map(id_of, LINES[:5]), *map(id_of, LINES[6:8])]
    assert refused(desk) == []


def test_one_pipe_after_the_other_is_read(desk: Shop, piped: Callable[..., Said]) -> None:
    for each in (LINES[0:3], LINES[3:6]):
        assert piped(b"".join(each)).status == 0
    assert piped(b"".join(LINES[3:6])).status == 2
    assert piped(b"".join(LINES[3:8]), "--resume").status == 0
    assert (ids(desk), refused(desk)) == ([*map(id_of, LINES[:8])], [])


def test_an_input_is_free_as_soon_as_the_store_of_its_reader_is_closed(desk: Shop) -> None:
    with closing(open_store(desk.url)) as last:
        for _ in range(50):
            with closing(open_store(desk.url)) as store:
                assert store.share_is_mine(7, 0)
            assert last.share_is_mine(7, 0)
            last.leave_share(7, 0)


def test_a_half_written_last_line_is_left_until_it_is_whole_or_said_to_be_final(desk: Shop, log: Path) -> None:
    log.write_bytes(b"".join(LINES[:2]) + HALF)
    said = desk("run", str(log), "--quiet")
    assert (said.status, "left for --resume" in said.err) == (0, True)
    log.write_bytes(b"".join(LINES[:3]) + HALF)
    assert desk("run", str(log), "--resume").status == 0
    assert (ids(desk), refused(desk)) == ([*map(id_of, LINES[:3])], [])
    assert desk("run", str(log), "--resume", "--final").status == 1
    assert refused(desk) == ["CP901"]


def test_the_end_of_a_pipe_ends_a_line_and_one_that_grows_is_read_again(desk: Shop, piped: Callable[..., Said]) -> None:
    assert piped(b"".join(LINES[:2]) + HALF).status == 1
    assert piped(b"".join(LINES[:4]), "--resume").status == 1  # the count of the whole log has the half line too
    assert (ids(desk), refused(desk)) == ([*map(id_of, LINES[:4])], ["CP901"])


@pytest.mark.parametrize(
    ("grows", "codes"),
    [(b"\n", []), (b" \r\n", []), (LINES[3], ["CP901"]), (b"rest\n", ["CP901"])],
    ids=["its end", "blanks and its end", "another event", "something else"],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_whole_event_without_a_line_break_is_taken_and_is_not_skipped_when_it_grows(
    desk: Shop, log: Path, grows: bytes, codes: list[str], workers: str
) -> None:
    if workers != "1" and desk.url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    output = log.with_name("records")
    run = ["--quiet", "--resume", "--workers", workers, "--output", str(output)]
    log.write_bytes(b"".join(LINES[:3]).rstrip(b"\n"))
    assert desk("run", str(log), *run).status == 0
    first = output.read_bytes()
    assert ids(desk) == [*map(id_of, LINES[:3])]
    with log.open("ab") as end:
        end.write(grows + LINES[4])
    assert desk("run", str(log), *run).status == (1 if codes else 0)
    assert (ids(desk), refused(desk)) == ([*map(id_of, (*LINES[:3], LINES[4]))], codes)
    assert output.read_bytes().startswith(first)
    assert output.read_bytes().count(b"event.rejected") == len(codes)
    if workers != "1":
        plain = desk("run", str(log), "--quiet", "--resume")
        assert (plain.status, plain.out) == (1 if codes else 0, "")


@given(cuts=st.lists(st.integers(0, sum(map(len, LINES))), max_size=4), pipe=st.booleans())
@example(cuts=[0, 0, 1], pipe=False)
@example(cuts=[len(LINES[0]) - 1, len(LINES[0])], pipe=True)
@settings(max_examples=examples(10))
def test_a_log_that_grows_in_any_pieces_loses_no_line_and_takes_none_twice(cuts: list[int], pipe: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder = Path(os.environ["CAREPOLICY_CACHE"])
        store, log = folder / "growing.db", folder / "growing.jsonl"
        for each in folder.glob("growing*"):
            each.unlink()
        whole = b"".join(LINES)
        for end in (*sorted(cuts), len(whole)):
            log.write_bytes(whole[:end])
            if pipe:
                reading, writing = os.pipe()
                os.write(writing, whole[:end])
                os.close(writing)
                patch.setattr("sys.stdin", open(reading, encoding="utf-8"))  # noqa: SIM115 - the next one takes its place
            run = ["run", "-" if pipe else str(log), "--policies", COMPLAINTS, "--store", f"sqlite:///{store}"]
            assert app.run([*run, "--quiet", "--resume", "--output", os.devnull]) in (0, 1)
        assert in_order(asked(f"sqlite:///{store}", TAKEN)) == [*map(id_of, LINES)]
        assert set(asked(f"sqlite:///{store}", REFUSED)) <= ({"CP901"} if pipe else set())


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (LONG[:-1], "has lost its end: it was read up to line 600"),
        ([*LONG[:-1], LINES[0]], "line 600 of LOG is not what it was"),
        ([*LONG[:-1], HALF], "has lost its end"),
    ],
    ids=["cut", "changed", "cut within a line"],
)
def test_a_log_of_which_something_is_gone_is_not_gone_on_with(
    desk: Shop, log: Path, now: list[bytes], words: str
) -> None:
    log.write_bytes(b"".join(LONG))
    assert desk("run", str(log), "--quiet", "--output", os.devnull).status == 0
    log.write_bytes(b"".join(now))
    said = desk("run", str(log), "--quiet", "--resume")
    assert (said.status, words.replace("LOG", str(log)) in said.err) == (2, True), said.err


def test_two_processes_do_not_read_one_input_and_a_kill_frees_it(desk: Shop, log: Path) -> None:
    log.write_bytes(b"".join(LINES))
    command = [sys.executable, "-m", "carepolicy", "run", "-", "--store", desk.url, "--quiet", "--resume"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINES[0])
        process.stdin.flush()
        assert process.stdout.readline()
        said = desk("run", str(log), "--resume")
        assert (said.status, f"process {process.pid} on" in said.err) == (3, True)
        process.kill()
    assert desk("run", str(log), "--resume", "--quiet").status == 0
    assert (ids(desk), refused(desk)) == ([*map(id_of, LINES)], [])


def test_stores_of_one_database_do_not_keep_each_other_from_reading(
    desk: Shop, new_url: Callable[[], str], log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, other = open_store(desk.url), open_store(new_url())
    assert [one.share_is_mine(1, 0), other.share_is_mine(1, 0)] == [True, True]
    assert open_store(desk.url).share_is_mine(1, 0) is False
    one.close()
    other.close()


def test_an_id_under_two_subjects_is_taken_by_the_first_line_whatever_the_workers(
    postgres: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    other = {**orjson.loads(LINES[0]), "subject": "c-other"}
    log.write_bytes(b"".join([*LINES, orjson.dumps(other) + b"\n"]))
    run = ["run", str(log), "--policies", COMPLAINTS, "--quiet", "--output"]
    assert app.run([*run, str(tmp_path / "one")]) == 1
    assert app.run([*run, str(tmp_path / "two"), "--store", postgres, "--workers", "2"]) == 1
    assert "1 id stands under several subjects, so one worker" in capfd.readouterr().err
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()
