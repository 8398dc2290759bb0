"""Colour is for terminals that have it, where ``NO_COLOR`` does not forbid it: for bars as for words."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from commands import on_terminal, process
from shops import EVENTS, SHOP

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(r"\x1b\[[0-9;]*3\d[0-9;]*m")
RUN = ("run", str(EVENTS), "--policies", SHOP, "--output", "records")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    flow = shutil.copytree(ROOT / "tests/checks/harbour", tmp_path / "policies") / "flows" / "email_inquiry.yaml"
    flow.write_text(flow.read_text().replace("reply_sent: answered", "reply_sent: answred", 1))
    return tmp_path


@pytest.mark.parametrize("command", [("check",), ("check", "--fix"), RUN], ids=["check", "fix", "run"])
@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "NO_COLOR": ""}, False),
    ],
    ids=str,
)
def test_a_terminal_gets_colour_where_it_has_and_wants_it(
    here: Path, command: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    shown = on_terminal(*command, cwd=here, **environment)
    assert "answred" in shown or "events" in shown
    assert bool(COLOUR.search(shown)) == coloured
    if environment["TERM"] == "dumb":
        assert "\x1b" not in shown


def test_a_pipe_gets_none_whatever_the_terminal_knows(here: Path) -> None:
    told = process("check", "--fix", cwd=here, TERM="xterm-256color")
    assert "answred" in told.stdout
    assert "+++ policies" in told.stderr
    assert "\x1b" not in told.stdout + told.stderr
