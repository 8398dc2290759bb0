"""A set that says the same as the installed one never differs from it, whatever happens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.cli import running
from shops import POLICIES, Shop

DEMO = Path(POLICIES).parent / "examples" / "demo" / "events.jsonl"


@pytest.fixture
def said_again(tmp_path: Path) -> str:
    """The policies of Harbour & Finch with one more comment, which makes another set of them."""
    folder = tmp_path / "again"
    shutil.copytree(POLICIES, folder)
    with (folder / "organisation.yaml").open("a") as file:
        file.write("\n# the same, said again\n")
    return str(folder)


@pytest.mark.parametrize(
    "options", [("--batch", "1"), ("--batch", "40"), ("--batch", "9", "--lateness", "2h")], ids=str
)
def test_the_same_policies_do_not_differ_over_a_log(
    shop: Shop, said_again: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    lines = DEMO.read_bytes().splitlines(keepends=True)
    half = len(lines) // 2
    log = tmp_path / "log"
    log.write_bytes(b"".join(lines[:half]))
    run = ["run", str(log), "--store", shop.url, "--quiet", *options]
    assert running.run(run) == 0
    begun = shop("apply", "--shadow", "--policies", said_again, "--now", orjson.loads(lines[half - 1])["time"])
    assert begun.status == 0, begun
    log.write_bytes(b"".join(lines))
    assert running.run([*run, "--resume"]) == 0
    shop("tick", "--now", "2026-06-01")
    told = shop("apply", "--shadow", "--policies", said_again, "--format", "json")
    found: dict[str, Any] = json.loads(told.out)
    assert (told.status, found["differences"]) == (0, {}), found
    assert found["cases"] > 10
    assert found["totals"]["messages"]["installed"] > 10
    again = shop("apply", "--shadow", "--policies", said_again, "--format", "json")
    assert again.out == told.out
