"""The command line of `event` is read without click where it is plain, and as click reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carepolicy.cli.event import command
from carepolicy.cli.plainly import Asked, plain_event
from laws import examples

WORDS = ("email_received", "mail-1", "customer.tier=gold", "a b", "", "-", "--", "=", "x=--at")
OPTIONS = (
    "--at",
    "--id",
    "--source",
    "--store",
    "--policies",
    "-q",
    "--quiet",
    "--help",
    "-h",
    "-qq",
    "--at=now",
    "--st",
)
typed = st.lists(st.sampled_from(WORDS + OPTIONS), max_size=9)


def as_click_has_it(arguments: list[str]) -> Asked | None:
    """The same by click; None where it finds fault, or helps."""
    try:
        return Asked(**command.make_context("event", list(arguments)).params)
    except (click.ClickException, click.exceptions.Exit):
        return None


@given(typed, st.sampled_from(("", "sqlite:///x.db")), st.sampled_from(("", "there")))
@example(["a", "b", "--store", "", "--source", ""], "sqlite:///x.db", "there")
@settings(max_examples=examples(300))
def test_what_is_plain_is_read_as_click_reads_it(arguments: list[str], store: str, policies: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAREPOLICY_STORE", store)
        patch.setenv("CAREPOLICY_POLICIES", policies)
        asked = plain_event(["event", *arguments])
        if asked is not None:
            assert asked == as_click_has_it(arguments)


def test_every_option_of_the_command_is_known_to_the_plain_reading() -> None:
    for option in command.params:
        if isinstance(option, click.Option) and option.expose_value:  # --verbose and its like are given to all commands
            for name in option.opts:
                value = [] if option.is_flag else ["2026-03-02"]
                line = ["type", "subject", name, *value, "key=value"]
                asked = plain_event(["event", *line])
                assert asked is not None
                assert asked == as_click_has_it(line)


NOT_PLAIN = [["--help"], ["a", "b", "--hlep"], ["a"], ["a", "b", "--at"], ["a", "b", "--at", "--id"], ["a", "-x", "b"]]


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_click(line: list[str]) -> None:
    assert plain_event(["event", *line]) is None


def test_other_commands_are_left_to_click() -> None:
    assert plain_event(["tick"]) is None
    assert plain_event([]) is None


def test_a_plain_event_imports_no_click(tmp_path: Path) -> None:
    code = (
        "import sys; from carepolicy.cli.running import run; status = run(sys.argv[1:]); "
        "print(status, *{'click', 'inspect', 'cryptography'} & {name for name, each in sys.modules.items() "
        "if getattr(each, '__spec__', None)})"
    )
    complaints = str(Path(__file__).parents[2] / "benchmarks" / "complaints")
    line = ["--quiet", "--at", "2026-03-02 10:00", "--policies", complaints, "--store", f"sqlite:///{tmp_path}/care.db"]
    for subject in ("c-1", "c-2"):  # the first compiles the set
        event = [sys.executable, "-c", code, "event", "complaint_received", subject, "complaint.severity=low", *line]
        told = subprocess.run(event, capture_output=True, text=True, check=True)
        assert told.stderr == ""
    assert told.stdout == "0\n"
