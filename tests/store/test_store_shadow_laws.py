"""A set that says the same as the installed one never differs from it, whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.cli import app
from complaint_events import lines
from shops import EVENTS, SHOP, Shop


@pytest.fixture
def said_again(tmp_path: Path) -> str:
    """The policies of Harbour & Finch with one more comment, which makes another set of them."""
    folder = tmp_path / "again"
    shutil.copytree(SHOP, folder)
    with (folder / "organisation.yaml").open("a") as file:
        file.write("\n# the same, said again\n")
    return str(folder)


@pytest.mark.parametrize("options", [("--batch", "40"), ("--batch", "9", "--lateness", "2h")], ids=str)
def test_the_same_policies_do_not_differ_over_a_log(
    shop: Shop, said_again: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    demo = EVENTS.read_bytes().splitlines(keepends=True)
    half = len(demo) // 2
    log = tmp_path / "log"
    log.write_bytes(b"".join(demo[:half]))
    run = ["run", str(log), "--store", shop.url, "--quiet", *options]
    assert app.run(run) == 0
    begun = shop("apply", "--shadow", "--policies", said_again, "--now", orjson.loads(demo[half - 1])["time"])
    assert begun.status == 0, begun
    log.write_bytes(b"".join(demo))
    assert app.run([*run, "--resume"]) == 0
    shop("tick", "--now", "2026-06-01")
    told = shop("apply", "--shadow", "--policies", said_again, "--format", "json")
    found: dict[str, Any] = json.loads(told.out)
    assert (told.status, found["differences"]) == (0, {}), found
    assert found["cases"] > 10
    assert found["totals"]["messages"]["installed"] > 10
    again = shop("apply", "--shadow", "--policies", said_again, "--format", "json")
    assert again.out == told.out


@pytest.mark.soak
def test_a_set_that_is_begun_and_asked_about_while_others_write_misses_nothing(url: str, tmp_path: Path) -> None:
    """Three processes take the events of the same subjects, in whatever order they come to have their turn."""
    policies = str(Path(__file__).parents[2] / "benchmarks" / "complaints")
    again = shutil.copytree(policies, tmp_path / "again")
    with (again / "organisation.yaml").open("a") as file:
        file.write("\n# the same, said again\n")
    assert app.run(["tick", "--store", url, "--policies", policies, "--now", "2026-01-01", "--quiet"]) == 0
    every = lines(9_000)
    command = [sys.executable, "-m", "carepolicy", "run", "--store", url, "--policies", policies, "--quiet"]
    crew = []
    for number in range(3):
        log = tmp_path / f"log{number}"
        log.write_bytes(b"".join(line + b"\n" for line in every[number::3]))
        until = ["--until", "2026-01-01", "--output", os.devnull]
        crew.append(subprocess.Popen([*command, str(log), "--batch", "10", *until]))
    asked = [sys.executable, "-m", "carepolicy", "apply", "--shadow", "--store", url, "--policies", str(again)]
    told = [json.loads(b"{}")]
    left = 3  # so often it is asked at most when all is written: once to begin, once to compare
    try:
        while left and (any(each.poll() is None for each in crew) or "differ" not in told[-1]):
            left -= all(each.poll() is not None for each in crew)
            said = subprocess.run([*asked, "--now", "2026-01-05", "--format", "json"], capture_output=True, check=False)
            assert said.stdout, said.stderr.decode()
            told.append(json.loads(said.stdout))
        assert "differ" in told[-1], told[-1]
    finally:
        for each in crew:
            each.kill()  # does nothing where it has ended
    assert {each.wait() for each in crew} <= {0, 1}  # 1: some events came too late, or for nothing
    last = json.loads(subprocess.run([*asked, "--format", "json"], stdout=subprocess.PIPE, check=False).stdout)
    assert all(each.get("differ", 0) == 0 for each in [*told, last]), last
    assert 0 < last["events"] < len(every), "it was begun after the first and before the last event"
    assert last["totals"]["refused"]["installed"] > 0
