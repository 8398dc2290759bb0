"""Commands as people call them: in this process, or each in a process of its own where that is the point."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir, suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from unittest import mock

from click.testing import CliRunner

from carepolicy.cli import app


class Told(NamedTuple):
    """The exit status of a command, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, cwd: Path | None = None, stdin: bytes = b"", **environment: str) -> Told:
    """Call a command in this process, as the program does, from whatever comes of it to its exit status."""
    with (
        chdir(cwd or "."),
        mock.patch.dict(os.environ, _alone(environment), clear=True),
        CliRunner().isolation(stdin) as (out, err, _),
    ):
        status = app.run([*arguments])
        sys.stdout.flush()
        sys.stderr.flush()
        return Told(status, out.getvalue().decode(), err.getvalue().decode())


def on_terminal(*arguments: str, cwd: Path | None = None, **environment: str) -> str:
    """What a command writes to a terminal, on which standard output and standard error are one."""
    here, there = os.openpty()
    came: list[bytes] = []
    reader = Thread(target=_read_to_end, args=(here, came))
    with (
        chdir(cwd or "."),
        mock.patch.dict(os.environ, _alone(environment), clear=True),
        os.fdopen(there, "w") as screen,
        mock.patch.multiple(sys, stdout=screen, stderr=screen),
    ):
        reader.start()
        app.run([*arguments])
    reader.join()
    os.close(here)
    return b"".join(came).decode()


def _read_to_end(terminal: int, came: list[bytes]) -> None:
    with suppress(OSError):  # how Linux says that nobody has the other end open
        while piece := os.read(terminal, 1 << 16):
            came.append(piece)


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
