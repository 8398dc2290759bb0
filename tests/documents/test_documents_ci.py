"""What continuous integration and packagers take from the repository fits the program."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from carepolicy.cli import app

ROOT = Path(__file__).parents[2]


def test_the_commands_of_the_action_are_commands_with_these_options(capsys: pytest.CaptureFixture[str]) -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    called = re.findall(r"carepolicy (check|test)((?: --[\w-]+)*)", "\n".join(each.get("run", "") for each in steps))
    assert {command for command, _ in called} == {"check", "test"}
    for command, options in called:
        assert app.run([command, "--help"]) == 0
        told = capsys.readouterr().out
        assert all(option in told for option in options.split())


def test_each_input_of_the_action_is_used() -> None:
    action = (ROOT / "action.yml").read_text()
    for name in yaml.safe_load(action)["inputs"]:
        assert f"inputs.{name}" in action


def test_the_image_installs_extras_that_there_are() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"\[([a-z,]+)\]\"", (ROOT / "Dockerfile").read_text())
    assert named
    assert all(each in extras for group in named for each in group.split(","))


def test_what_the_configuration_page_shows_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(
        r"^```toml\n(.*?)^```$", (ROOT / "docs/configuration.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (tmp_path / "carepolicy.toml").write_text(example)
    monkeypatch.chdir(tmp_path)
    assert app.run(["outbox", "send", "--help"]) == 0
    assert app.run(["init", "shop/policies"]) == 0
    assert app.run(["check"]) == 0


def test_every_command_has_a_man_page(tmp_path: Path) -> None:
    pytest.importorskip("click_man", reason="pip install click-man")
    subprocess.run([sys.executable, ROOT / "docs/man_pages.py", tmp_path], check=True, timeout=120)
    pages = {each.stem for each in tmp_path.iterdir()}
    assert {"carepolicy", "carepolicy-check", "carepolicy-case-show", "carepolicy-outbox-send"} <= pages
    assert "Examples" in (tmp_path / "carepolicy-check.1").read_text()
