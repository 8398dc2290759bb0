"""`carepolicy run --store`: the bytes are those of a run without a store, whatever the batches and whoever kills it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from carepolicy.cli import app
from killing import Survivor, share_of_lines
from shops import EVENTS, SHOP

ROOT = Path(__file__).parents[2]
DEMO = str(EVENTS)


def run(*arguments: str, policies: str = SHOP) -> int:
    return app.run(["run", "--policies", policies, *arguments, "--quiet"])


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], str]:
    return lambda name: str(tmp_path / name)


@pytest.mark.parametrize(
    ("batch", "lateness"), [("1", ()), ("7", ()), ("20ms", ()), ("7", ("--lateness", "2h"))], ids=str
)
def test_the_bytes_are_those_of_a_run_without_a_store(
    url: str, files: Callable[[str], str], batch: str, lateness: tuple[str, ...]
) -> None:
    told = [*("--output", files("a")), *("--dead-letters", files("ad")), *lateness]
    assert run(DEMO, *told) == 0
    kept = [*("--output", files("b")), *("--dead-letters", files("bd")), *lateness]
    assert run(DEMO, *kept, "--store", url, "--batch", batch) == 0
    assert Path(files("a")).read_bytes() == Path(files("b")).read_bytes()
    assert Path(files("ad")).read_bytes() == Path(files("bd")).read_bytes()


def test_a_line_with_names_that_no_index_can_hold_stops_nobody(url: str, files: Callable[[str], str]) -> None:
    """Random letters, since databases pack what repeats itself."""
    letters = random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000)
    long, longest = "".join(letters), "".join(letters[:1000])
    good = [json.loads(line) for line in Path(DEMO).read_text().splitlines()[:20]]
    last = good[-1]
    bad = [{**last, "id": "x", name: long} for name in ("id", "source", "subject", "type")]
    bad.append({**last, "id": long, "type": "unknown"})
    bad.append({**last, "id": "m", "type": "carepolicy.merge", "data": {"into": long}})
    fine = [{**good[0], "id": longest, "source": longest[::-1], "subject": longest}]
    log = Path(files("log"))
    log.write_text("\n".join(map(json.dumps, [*good, *bad, *fine, *good])) + "\n")
    kept = ["--dead-letters", files("d"), "--output", files("b"), "--store", url]
    assert run(str(log), *kept) == 1
    assert run(str(log), "--dead-letters", files("ad"), "--output", files("a")) == 1
    assert Path(files("a")).read_bytes() == Path(files("b")).read_bytes()
    assert Path(files("ad")).read_bytes() == Path(files("d")).read_bytes()
    assert sum('"CP912"' in line for line in Path(files("d")).read_text().splitlines()) == 4


def test_until_fires_what_falls_due_after_the_last_event(url: str, files: Callable[[str], str]) -> None:
    run(DEMO, "--until", "2026-06-01", "--output", files("a"))
    run(DEMO, "--until", "2026-06-01", "--output", files("b"), "--store", url)
    assert Path(files("a")).read_bytes() == Path(files("b")).read_bytes()


def test_a_run_goes_on_only_when_it_is_told_to_and_then_with_what_is_new(
    url: str, files: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    lines = Path(DEMO).read_bytes().splitlines(keepends=True)
    log = Path(files("log"))
    log.write_bytes(b"".join(lines[:100]))
    store = ["--store", url, "--output", files("b")]
    assert run(str(log), *store) == 0
    before = Path(files("b")).read_bytes()
    assert run(str(log), *store[:2]) == 2
    assert "read up to line 100 already; --resume" in capfd.readouterr().err
    log.write_bytes(b"".join(lines))
    run(str(log), *store, "--resume")
    after = Path(files("b")).read_bytes()
    assert after.startswith(before)
    assert len(after) > len(before)
    run(str(log), *store, "--resume")
    assert Path(files("b")).read_bytes() == after


def test_an_output_that_another_run_wrote_is_refused(
    url: str, files: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    run(DEMO, "--store", url, "--output", files("b"))
    Path(files("other")).write_text("{}\n" * 3)
    assert run(DEMO, "--store", url, "--output", files("other"), "--resume") == 2
    assert "name the file that it wrote" in capfd.readouterr().err
    assert Path(files("other")).read_text() == "{}\n" * 3


def test_records_may_be_written_to_what_is_no_file(url: str) -> None:
    assert run(DEMO, "--store", url, "--output", "/dev/null", "--dead-letters", "/dev/null") == 0
    assert run(DEMO, "--store", url, "--output", "/dev/null", "--resume") == 0


def test_a_pipe_is_read_as_it_comes(url: str, files: Callable[[str], str]) -> None:
    run(DEMO, "--output", files("a"))
    command = [sys.executable, "-m", "carepolicy", "run", "--store", url, "--policies", SHOP, "--batch", "10000"]
    lines = Path(DEMO).read_bytes().splitlines(keepends=True)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(lines[0])
        process.stdin.flush()
        first = process.stdout.readline()  # comes although the input is not at its end
        process.stdin.write(b"".join(lines[1:]))
        process.stdin.close()
        assert first + process.stdout.read() == Path(files("a")).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch", "10"], "go with --store"),
        (["--store", "sqlite:///x.db", "--batch", "many"], "a number of events"),
        (["--store", "sqlite:///x.db", "--batch", "0"], "a number of events"),
        (["--store", "nowhere"], "names no store"),
        (["--store", "sqlite:///x.db", "--policies", "elsewhere"], "there is no folder elsewhere"),
        (["--store", "sqlite:///x.db", "--reveal"], "does not go with --store"),
    ],
)
def test_wrong_usage_is_told(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(DEMO, *arguments) == 2
    assert words in capfd.readouterr().err
    assert os.listdir(tmp_path) == []


def test_ten_kills_at_random_instants_lose_and_double_nothing(url: str, files: Callable[[str], str]) -> None:
    from complaint_events import lines

    policies = str(ROOT / "benchmarks" / "complaints")
    log, output = Path(files("log")), Path(files("b"))
    log.write_bytes(b"".join(lines(1_500)))
    run(str(log), "--output", files("a"), policies=policies)
    whole = Path(files("a")).read_bytes()
    command = ["run", str(log), "--store", url, "--policies", policies, "--batch", "10", "--quiet", "--resume"]
    survivor = Survivor([*command, "--output", str(output)], kills=10, longest=0.8)
    survivor.live(share_of_lines(output, whole.count(b"\n")))
    assert output.read_bytes() == whole
