"""Runs a command and turns whatever comes of it into an exit status; nobody sees a traceback."""

from __future__ import annotations

import os
import sys
from typing import IO

from carepolicy.cli.plainly import plain_event
from carepolicy.cli.postponed import postpone
from carepolicy.cli.status import INTERRUPTED, UNREACHABLE, USAGE, Refused, log_as, say, without_logins, without_urls

NAME = "carepolicy"
COMPLETION = "_CAREPOLICY_COMPLETE"


def run(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; the exit status of the process."""
    log_as("text")
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else USAGE if ended.code else 0
    except BrokenPipeError:
        return _quiet()
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except Refused as refused:
        return _say(without_logins(str(refused)), refused.status)
    except (RecursionError, MemoryError):
        return _say("the input is nested too deeply, or too large to hold in memory", USAGE)
    except OSError as problem:
        return _say(_words(problem), USAGE if problem.filename is not None else UNREACHABLE)
    except Exception as problem:  # the last resort: a fault of ours, told in one line
        return _internal(problem)


def _run(arguments: list[str]) -> int:
    if COMPLETION in os.environ:
        from carepolicy.cli.app import complete

        return complete(os.environ[COMPLETION])
    asked = plain_event(arguments)
    if asked is not None:
        postpone("inspect")  # orjson imports dataclasses, which import it and use it where there is no docstring
        if sys.platform == "linux":
            postpone("platform", system=lambda: "Linux")  # orjson imports uuid, which asks no more
        from carepolicy.cli.eventwork import happen

        return happen(asked)
    from carepolicy.cli.app import invoke

    return invoke(arguments)


def _say(text: str, status: int) -> int:
    from carepolicy.engine.masking import mask_cards

    say(f"{NAME}: {mask_cards(text)}", "ended", "error", status=status)
    return status


def _words(problem: OSError) -> str:
    reason = problem.strerror or str(problem)
    return f"{problem.filename}: {reason}" if problem.filename is not None else reason


def _quiet() -> int:
    """The reader of our output has gone, as ``head`` does; say nothing, here or when Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 0


def _internal(problem: Exception) -> int:
    from carepolicy.businesstime.errors import NeverOpen, OutOfRange

    if isinstance(problem, NeverOpen | OutOfRange):
        return _say(f"a limit of the policies cannot fall due: {problem}", USAGE)
    if os.environ.get("CAREPOLICY_DEBUG") == "1":
        _traceback(sys.stderr)
    return _say(
        f"internal error: {type(problem).__name__}: {without_urls(str(problem))}\n"
        "This is a fault of carepolicy, not yours. Please report it where you got carepolicy from: the command, the\n"
        "policy files if they may be shown, and what the command prints with CAREPOLICY_DEBUG=1.",
        USAGE,
    )


def _traceback(to: IO[str]) -> None:
    import traceback

    traceback.print_exc(file=to)
