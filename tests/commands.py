"""Commands as people call them: in this process, or each in a process of its own where that is the point."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from click.testing import CliRunner

from carepolicy.cli import running


class Told(NamedTuple):
    """The exit status of a command, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, cwd: Path | None = None, stdin: bytes = b"", **environment: str) -> Told:
    """Call a command in this process, as the program does, from whatever comes of it to its exit status."""
    with chdir(cwd or "."), mock.patch.dict(os.environ, _alone(environment), clear=True):
        with CliRunner().isolation(stdin) as (out, err, _):
            status = running.run([*arguments])
            sys.stderr.flush()
        return Told(status, out.getvalue().decode(), err.getvalue().decode())


def process(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from carepolicy.cli import main; main()", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=60, env=_alone(environment),
    )  # fmt: skip


def _alone(environment: dict[str, str]) -> dict[str, str]:
    """The environment without settings of carepolicy but the cache of the tests, and with the given ones."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CAREPOLICY_")}
    return {**clean, "CAREPOLICY_CACHE": os.environ["CAREPOLICY_CACHE"], **environment}
