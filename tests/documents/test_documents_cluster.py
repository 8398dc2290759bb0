"""docs/cluster.md does not lie: its commands are ones, with options that they have, and its versions those that we ask
for."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from carepolicy.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
COMMANDS = re.findall(
    r"^ *(carepolicy [^|\n]*)", "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)), re.MULTILINE
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_one(command: str) -> None:
    _, name, *words = shlex.split(command)
    above = click.Context(
        app, info_name="carepolicy", **app.context_settings
    )  # a command keeps the help that it is given
    found = app.get_command(above, name)
    assert found is not None
    found.make_context(name, words, parent=above)


def test_the_page_has_an_audit_and_a_stream() -> None:
    assert {shlex.split(command)[1] for command in COMMANDS} == {"audit", "stream"}


def test_the_version_of_spark_is_what_the_extra_asks_for() -> None:
    (asked,) = (each for each in EXTRAS["spark"] if each.startswith("pyspark"))
    (told,) = re.findall(r"Spark (\d+\.\d+) or newer is a part of the extra", PAGE)
    assert asked.startswith(f"pyspark>={told},")


def test_every_extra_that_the_page_installs_is_one() -> None:
    named = {extra for each in re.findall(r"carepolicy\[([a-z,]+)\]", PAGE) for extra in each.split(",")}
    assert named <= set(EXTRAS)
