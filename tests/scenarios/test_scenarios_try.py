"""``carepolicy try``: a walk by hand, driven by the terminal library's own pipe, and once in a real terminal."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import pexpect
import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from carepolicy.cli.app import run as run_all
from carepolicy.cli.walk import keep_walking, length
from carepolicy.scenarios.scenario import read_text
from carepolicy.scenarios.stage import CannotPlay, Stage
from carepolicy.scenarios.verdict import judge
from carepolicy.scenarios.walk import Walk, WalkMove

FRIDAY = "2026-03-06 15:30"


@pytest.fixture
def walk(here: Path) -> Walk:
    stage = Stage("policies")
    return Walk(stage, stage.policies.flows["inquiry"], FRIDAY)


def typed(walk: Walk, *lines: str) -> str:
    """What is shown to one who types these lines, and then ends the input."""
    return shown_for(walk, "".join(f"{line}\r" for line in lines) + "\x04")


def shown_for(walk: Walk, keys: str) -> str:
    """What is shown to one who presses these keys. In a thread of its own: another test of this process may have
    a browser open, whose event loop then runs in this one."""
    shown = StringIO()
    with create_pipe_input() as pipe, ThreadPoolExecutor(1) as thread:
        pipe.send_text(keys)
        session: PromptSession[str] = PromptSession(input=pipe, output=DummyOutput())
        thread.submit(keep_walking, walk, session, Console(file=shown, width=110)).result()
    return shown.getvalue()


def test_the_card_the_clocks_and_what_may_happen_are_shown(walk: Walk) -> None:
    told = typed(walk, "asked", "gold", "", "")
    assert "inquiry / no case yet   2026-03-06 15:30" in told
    assert "inquiry / received   2026-03-06 15:30" in told
    assert "owner: care_agent" in told
    assert "First reply  running  due 2026-03-09 09:30  2 d 18 h left" in told
    assert "1  answered_it  We answer" in told
    assert "next (2026-03-09 09:30)" in told


def test_time_moves_and_a_late_clock_says_by_how_much(walk: Walk) -> None:
    told = typed(walk, "1", "", "", "", "next", "wait 30 minutes")
    assert "First reply  late  due 2026-03-09 11:30  30 min over" in told
    assert "clock first_reply is late" in told


def test_a_step_is_taken_back(walk: Walk) -> None:
    typed(walk, "asked", "", "", "", "next", "undo")
    assert (walk.now, len(walk.moves)) == (FRIDAY, 1)
    told = typed(walk, "undo", "undo")
    assert "there is nothing to take back" in told
    assert walk.state is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("answered", 'did you mean "answered_it"?'),
        ("wait", "wait how long?"),
        ("wait soon", "`soon` is not an amount of time"),
        ("until yesterday", '"yesterday" is no time'),
        ("until 2026-03-01 10:00", "is before"),
        ("answered_it", "no open case takes it"),
        ("next", "nothing happens by itself here"),
        ("save x.yaml", "no case has been opened yet"),
        ("save", "save to which file?"),
        ("99", "is no event of this flow"),
        ("help", "let so much time pass"),
        ("history", "nothing happened so far"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_walk_goes_on(walk: Walk, line: str, said: str) -> None:
    told = typed(walk, line, "answer" if line.startswith("save ") else "", "asked", "", "", "")
    assert said in " ".join(told.split())
    assert walk.state is not None or line in ("answered_it", "until yesterday")


def test_a_value_of_the_wrong_type_is_asked_for_again(walk: Walk) -> None:
    told = typed(walk, "asked", "golden", "gold", "", "")
    assert "one of these is expected: standard, gold" in told
    assert walk.moves == [WalkMove("asked", {"customer.tier": "gold"})]


def test_the_end_of_input_while_an_event_is_asked_for_goes_back(walk: Walk) -> None:
    assert "nothing was done" in shown_for(walk, "asked\r\x04quit\r")
    assert walk.moves == []


def test_a_saved_walk_is_a_scenario_that_passes(walk: Walk, capsys: pytest.CaptureFixture[str]) -> None:
    told = typed(
        walk, "wait 1 hour", "asked", "", "", "", "next", "answered_it", "save policies/scenarios/w.yaml", "Late: sorry"
    )
    assert "carepolicy test policies/scenarios/w.yaml runs it" in " ".join(told.split())
    text = Path("policies/scenarios/w.yaml").read_text()
    assert text.startswith('scenario: "Late: sorry"\nflow: inquiry\nsteps:\n')
    assert "state: done, sent: [apology]" in text
    assert run_all(["test", "policies/scenarios/w.yaml"]) == 0
    assert "is there already; nothing was written" in " ".join(
        typed(walk, "save policies/scenarios/w.yaml", "x").split()
    )


def test_any_walk_comes_out_the_same_when_it_is_tested(here: Path) -> None:
    dice = random.Random(3)
    stage = Stage("policies")
    flow = stage.policies.flows["inquiry"]
    for _ in range(40):
        walk = Walk(stage, flow)
        for _ in range(8):
            events = walk.events()
            timer = walk.next_timer()
            moves = [WalkMove(wait="20 minutes"), *([WalkMove(until=timer)] if timer else [])]
            moves += [
                WalkMove(each.name, {"order.total": dice.choice(["5", "500"])})
                for each in events
                if each.name == "escalated"
            ]
            moves += [WalkMove(each.name) for each in events if not each.required]
            walk.take(dice.choice(moves))
            if dice.random() < 0.1:
                walk.undo()
        if walk.state is not None:
            scenarios, findings = read_text(walk.scenario("A walk"), "walk")
            assert findings == []
            assert judge(stage, scenarios[0]).passed


def test_a_move_that_is_refused_changes_nothing(walk: Walk) -> None:
    walk.take(WalkMove("asked"))
    before = walk.history()
    with pytest.raises(CannotPlay):
        walk.take(WalkMove("escalated"))
    assert walk.history() == before
    assert walk.moves == [WalkMove("asked")]


def test_without_a_terminal_it_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all(["try", "inquiry"]) == 2
    assert "try needs a terminal" in capsys.readouterr().err
    assert run_all(["try", "inqiry"]) == 2
    assert 'did you mean "inquiry"?' in capsys.readouterr().err


def test_in_a_real_terminal(here: Path) -> None:
    command = ["-c", "from carepolicy.cli import main; main()", "try", "inquiry", "--at", FRIDAY]
    child = pexpect.spawn(sys.executable, command, cwd=str(here), encoding="utf-8", timeout=30, dimensions=(40, 110))
    child.expect("1  asked  A question comes")
    child.send("asked\r")
    for _ in range(3):
        child.expect("Enter for none")
        child.send("\r")
    child.expect("due 2026-03-09 11:30")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_lengths_are_said_as_people_say_them() -> None:
    assert [length(each) for each in (0, 59, 3_600, 5_400, 90_000, 864_000)] == [
        "0 min", "1 min", "1 h", "1 h 30 min", "1 d 1 h", "10 d",
    ]  # fmt: skip
