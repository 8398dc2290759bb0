"""The command line: one file a command, each thin over the library. No command is imported before it is called."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit status."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from carepolicy._version import __version__

        sys.stdout.write(f"carepolicy {__version__}\n")
        return
    import gc

    # Modules live until the process ends. Looking through them for garbage while they are imported takes a tenth of
    # the time of a short command.
    gc.set_threshold(100_000, 20, 20)
    from carepolicy.cli.app import run

    _end(run(arguments))


def _end(status: int) -> NoReturn:
    """End the process, after all that asked to be called then. Python would take apart, one by one, all things that it
    has made, which takes a twentieth of the time of a short command; the system takes back their memory at once."""
    import atexit
    from contextlib import suppress

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # who would read it has gone, or closed it
            stream.flush()
    os._exit(status)
