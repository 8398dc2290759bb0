"""docs/layers.md does not lie: its files make the sets, and its commands print what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"
PAGE = (Path(__file__).parents[2] / "docs" / "layers.md").read_text(encoding="utf-8")


def typed(command: str, where: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(SOURCES)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=where, env=environment, timeout=60, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip
    return done.stdout


def test_the_files_and_commands_of_the_page_are_true(tmp_path: Path) -> None:
    files = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(files) == 4
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n{text}")
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        commands = re.findall(r"^\$ (.*)$", block, re.MULTILINE)
        assert "".join(f"$ {command}\n{typed(command, tmp_path)}" for command in commands) == block
