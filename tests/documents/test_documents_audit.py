"""docs/audit.md, docs/heat.md and examples/README.md do not lie: what they have you type prints what they show, and
every command is one."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from carepolicy.cli.app import app
from commands import run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
PAGES = (PAGE, *((ROOT / each).read_text(encoding="utf-8") for each in ("docs/heat.md", "examples/README.md")))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The root of the project, as far as the page needs it."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    shutil.copytree(ROOT / "examples" / "demo", tmp_path / "examples" / "demo")
    return tmp_path


def test_who_types_what_the_page_has_sees_what_it_shows(project: Path) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    typed = 0
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            program, *words = shlex.split(command)
            if program == "carepolicy":
                done = run(*words, cwd=project)
                assert (done.returncode, done.stderr) == (0, "")
                parts = "".join(f"{each}\n" for each in shown.splitlines()).split("...\n")
                assert all(each in done.stdout for each in parts), done.stdout
                typed += 1
            else:
                assert program in ("cp", "sed")
                subprocess.run(["bash", "-c", command], cwd=project, check=True, timeout=60)
    assert typed == 3


def commands() -> list[str]:
    """Every command of the pages that names what it is about."""
    found = [each for page in PAGES for each in re.findall(r"(?:`|^    |^\$ )(carepolicy [^`\n]*)", page, re.MULTILINE)]
    return list(dict.fromkeys(each for each in found if len(each.split()) > 2 and "…" not in each and "[" not in each))


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_pages_is_one(command: str) -> None:
    _, name, *words = shlex.split(command.partition(" > ")[0])
    above = click.Context(app, info_name="carepolicy", **app.context_settings)
    found = app.get_command(above, name)
    while isinstance(found, click.Group):
        name, *words = words
        found = found.get_command(above, name)
    assert found is not None
    found.make_context(name, words, parent=above)


def test_files_that_examples_name_are_there() -> None:
    for name in re.findall(r"^\| `([\w/.]+)`", PAGES[2], re.MULTILINE):
        assert (ROOT / "examples" / name).exists(), name
