"""The command line: one file a command, each thin over the library. No command is imported before it is called."""

from __future__ import annotations

import sys


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

    status = run(arguments)
    gc.freeze()  # else Python looks through all of them twice more when it ends, which takes another tenth
    sys.exit(status)
