"""README.md does not lie: its commands exist, what it shows is what they print, its policy text is the real one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from carepolicy.cli.app import COMMANDS
from commands import run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLOW = ROOT / "policies" / "flows" / "email_inquiry.yaml"
CHART = ROOT / "docs" / "images" / "email_inquiry.svg"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def table() -> dict[str, tuple[str, str]]:
    """The table of commands: by name how the command is called, and what it does."""
    rows = re.findall(r"^\| `(\w+)([^`]*)`(?:, `[^`]*`)* \| (.*) \|$", README, re.MULTILINE)
    return {name: (call.strip(), does) for name, call, does in rows}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("policies", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def typed(command: str, where: Path) -> str:
    """What a command prints on a terminal, standard error among it; less what Graphviz's libraries say of fonts."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=where, env={**os.environ, "PATH": path}, timeout=60, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("Fontconfig"))


def test_the_table_of_commands_is_that_of_the_program() -> None:
    assert {name: does for name, (_, does) in table().items()} == {
        name: each.summary for name, each in COMMANDS.items()
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_options_and_subcommands_of_the_table_are_in_the_help(name: str) -> None:
    call = table()[name][0]
    told = run(name, "--help").stdout
    subcommands = [each for each in re.split(r"\\\|", call.split(" ")[0]) if each.islower()] if "\\|" in call else []
    for each in subcommands:
        assert re.search(rf"^  {each} ", told, re.MULTILINE), each
    options = re.findall(r"--\w+", call)
    if subcommands:
        told = run(name, subcommands[0], "--help").stdout
    for option in options:
        assert option in told, option


def test_what_is_shown_on_the_terminal_is_what_is_printed(project: Path) -> None:
    shown = blocks("console")
    assert len(shown) >= 4
    if any("graph" in each for each in shown):
        from carepolicy.charts import renderer

        if renderer() is None:
            shown = [each for each in shown if "carepolicy graph" not in each]
    for block in shown:
        commands = re.findall(r"^\$ (.*)$", block, re.MULTILINE)
        said = [f"$ {command}\n{typed(command, project)}" for command in commands]
        assert "".join(said) == block


def test_the_policy_text_is_that_of_the_set() -> None:
    text = FLOW.read_text(encoding="utf-8")
    shown = blocks("yaml")
    assert len(shown) == 2
    assert all(each in text for each in shown)


def test_the_python_example_runs(project: Path) -> None:
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=project, capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "complaint-302 acknowledge 2026-03-02T17:00:00+00:00" in done.stdout.splitlines()


def test_the_chart_shows_the_flow_as_it_is(project: Path) -> None:
    from carepolicy.charts import renderer

    if renderer() is None:
        pytest.skip("nothing draws here: no dot, no pygraphviz, no graphviz-pure")
    typed("carepolicy graph email_inquiry --output now.svg", project)
    assert words(CHART) == words(project / "now.svg"), f"draw it anew: carepolicy graph email_inquiry -o {CHART}"


def words(picture: Path) -> list[str]:
    """All words of a picture, in no order: the layout may differ with the version of Graphviz."""
    texts = ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")
    return sorted(word for text in texts for word in "".join(text.itertext()).split())


def test_every_link_to_a_file_leads_somewhere() -> None:
    links = [each for each in re.findall(r"\]\(([^)]+)\)", README) if "://" not in each]
    assert len(links) > 5
    assert [each for each in links if not (ROOT / each).exists()] == []


def test_the_example_of_a_bound_machine_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "bind_machine.py")],
        capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:4] == [
        "ticket 17 begins in received",
        "agent_assigned: now assigned",
        "first_reply.late: now overdue",
        "reply_sent: now answered",
    ]
