"""docs/tutorial.md and docs/guide.md do not lie: what they have you write makes the sets, at each step, and what they
have you type prints what they show."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from commands import run

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
JSON_LINES = "march.jsonl"
"""Where the tutorial has the events of its month."""


class Block(NamedTuple):
    step: int
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    """What stands in a page between backticks, and in which of its steps: below which heading."""
    steps = (ROOT / "docs" / page).read_text(encoding="utf-8").split("\n## ")
    fenced = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return [Block(number, *each) for number, step in enumerate(steps) for each in fenced.findall(step)]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, and a home for keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize("page", ["tutorial.md", "guide.md"])
def test_a_reader_who_does_all_that_the_page_says_sees_what_it_shows(page: str, desk: Path) -> None:
    done: list[str] = []
    for block, following in pairwise([*blocks(page), Block(-1, "", "")]):
        done += followed(block, desk)
        if block.language == "yaml" and (following.language, following.step) != ("yaml", block.step):
            checked = run("check", "--strict", cwd=desk)
            assert checked.returncode == 0, checked.stdout
    assert len(done) > 15


def followed(block: Block, desk: Path) -> Iterator[str]:
    """Do what a block says, and tell each thing that was done."""
    if block.language in ("yaml", "toml"):
        yield written(block, desk)
    elif block.language == "json":
        (desk / JSON_LINES).write_text(block.text, encoding="utf-8")
        yield JSON_LINES
    elif block.language == "console":
        commands = re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)
        said = "".join(f"$ {command}\n{typed(command, desk)[1]}" for command in commands)
        assert counted(said) == counted(block.text)
        yield from commands
    elif "pip install" in block.text:
        (name, extras) = re.findall(r'^pip install "(\w+)\[([\w,]+)\]"$', block.text, re.MULTILINE)[0]
        assert name == PROJECT["name"]
        assert {*extras.split(",")} <= PROJECT["optional-dependencies"].keys()
    else:
        assert block.language == "sh"
        for command in block.text.splitlines():
            status, out = typed(command, desk)
            assert status == 0, out
            yield command


def written(block: Block, desk: Path) -> str:
    """Write a file, or put a piece into the file that is there, as a reader does: what it says, where it says it."""
    name = re.findall(r"^# ([^\s:]+)", block.text)[0]
    path = desk / name
    if block.text.startswith(f"# {name}: "):  # "# flows/repair.yaml: add"
        yaml = YAML()
        whole = yaml.load(path.read_text(encoding="utf-8"))
        put_into(whole, yaml.load(block.text))
        out = StringIO()
        yaml.dump(whole, out)
        path.write_text(out.getvalue(), encoding="utf-8")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text.partition("\n")[2], encoding="utf-8")
    return name


def put_into(whole: Any, piece: Any) -> None:
    for key, value in piece.items():
        if isinstance(value, dict) and isinstance(whole.get(key), dict):
            put_into(whole[key], value)
        else:
            whole[key] = value


def typed(command: str, desk: Path) -> tuple[int, str]:
    """A line that is typed: its exit status, and what it prints."""
    program, *words = shlex.split(command)
    if program == "carepolicy":
        done = run(*words, cwd=desk)
        return done.returncode, done.stdout + done.stderr
    assert program == "sed"
    edited = subprocess.run(["bash", "-c", command], cwd=desk, check=False, timeout=60, capture_output=True)
    return edited.returncode, (edited.stdout + edited.stderr).decode()


def counted(told: str) -> str:
    """What was told, whatever the number of files of the library, and the lines where a reader puts things."""
    told = re.sub(r"^\d+ files: ", "90 files: ", told, flags=re.MULTILINE)
    return re.sub(r"\.yaml:\d+: no scenario", ".yaml: no scenario", told)
