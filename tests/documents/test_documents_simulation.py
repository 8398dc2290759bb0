"""docs/simulation.md does not lie: its staff file is one, and its commands print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from commands import run

PAGE = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_the_file_and_the_commands_of_the_page_are_true(tmp_path: Path) -> None:
    assert run("init", "policies", cwd=tmp_path).returncode == 0
    ((name, text),) = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / name).write_text(text, encoding="utf-8")
    blocks = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for command, shown in blocks:
        program, *words = shlex.split(command)
        assert program == "carepolicy"
        done = run(*words, cwd=tmp_path)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", shown)
