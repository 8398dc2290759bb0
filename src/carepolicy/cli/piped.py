"""Logs that come through a pipe: a log is read more than once, so what comes is copied first."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

from carepolicy.cli.status import CommandError
from carepolicy.files import named

STDIN = "-"
"""What names standard input among files."""

TERMINATED = 143
"""The exit status of who was ended by SIGTERM, as shells tell it."""


@contextmanager
def copied_pipes(paths: Sequence[str], plain: bool) -> Iterator[tuple[str, ...]]:
    """The paths of logs, with those of copies in place of ``-`` and of pipes. Those whose name does not say what they
    are, are lines of CloudEvents where they are ``plain``. What ends the command names them as they were named."""
    piped = [path for path in paths if _is_pipe(path)]
    if not piped:
        yield tuple(paths)
        return
    if len(set(piped)) < len(piped):
        raise CommandError(f"{piped[0]} can be read once: name it once")
    with tempfile.TemporaryDirectory(prefix="carepolicy-") as folder:
        copies = {path: _copied(path, os.path.join(folder, str(number)), plain) for number, path in enumerate(piped)}
        try:
            yield tuple(copies.get(path, path) for path in paths)
        except CommandError as fault:
            said = str(fault)
            for path, copy in copies.items():
                said = said.replace(copy, "standard input" if path == STDIN else path)
            raise CommandError(said, fault.status) from None


def _is_pipe(path: str) -> bool:
    if path == STDIN:
        return True
    with suppress(OSError):
        return stat.S_ISFIFO(os.stat(path).st_mode)
    return False


def _copied(path: str, folder: str, plain: bool) -> str:
    """The path of a copy, which has the ending of the name of what it is copied from."""
    os.mkdir(folder)
    name = "log" if path == STDIN else os.path.basename(path)
    copy = os.path.join(folder, f"{name}.jsonl" if plain and "." not in name else name)
    with named(copy), open(copy, "wb") as out:
        if path == STDIN:
            shutil.copyfileobj(sys.stdin.buffer, out)
        else:
            with open(path, "rb") as file:
                shutil.copyfileobj(file, out)
    return copy


@contextmanager
def ending_tidily() -> Iterator[None]:
    """SIGTERM ends what is done inside as an exception does: what was begun is taken away again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    told = False

    def end(number: int, frame: object) -> NoReturn:
        nonlocal told
        told = True
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except BaseException:  # what a library, or an import, makes of it
        if told:
            raise SystemExit(TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
