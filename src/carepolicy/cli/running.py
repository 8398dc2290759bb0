"""Runs a command and turns whatever comes of it into an exit status; nobody sees a traceback."""

from __future__ import annotations

import os
import sys
from typing import IO

import click

from carepolicy.cli.status import INTERRUPTED, UNREACHABLE, USAGE, Refused
from carepolicy.cli.terminal import no_colour

NAME = "carepolicy"
COMPLETION = "_CAREPOLICY_COMPLETE"


def run(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; the exit status of the process."""
    from carepolicy.cli.app import app

    try:
        if COMPLETION in os.environ:
            from click.shell_completion import shell_complete

            return shell_complete(app, {}, NAME, COMPLETION, os.environ[COMPLETION])
        status = _invoke(app, arguments)
        sys.stdout.flush()
        return status
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else USAGE if ended.code else 0
    except BrokenPipeError:
        return _quiet()
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return INTERRUPTED
    except click.ClickException as problem:
        _show(problem)
        return problem.status if isinstance(problem, Refused) else problem.exit_code
    except (RecursionError, MemoryError):
        return _say("the input is nested too deeply, or too large to hold in memory", USAGE)
    except OSError as problem:
        return _say(_words(problem), USAGE if problem.filename is not None else UNREACHABLE)
    except Exception as problem:  # the last resort: a fault of ours, told in one line
        return _internal(problem)


def _invoke(app: click.Command, arguments: list[str]) -> int:
    try:
        with app.make_context(NAME, list(arguments), color=False if no_colour() else None) as context:
            app.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return USAGE
    return 0


def _show(problem: click.ClickException) -> None:
    if isinstance(problem, click.UsageError) and problem.ctx is not None:
        click.echo(problem.ctx.get_usage(), err=True)
        click.echo(f"Try `{problem.ctx.command_path} --help`.", err=True)
    _say(problem.format_message())


def _say(text: str, status: int = 0) -> int:
    click.echo(f"{NAME}: {text}", err=True)
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
        f"internal error: {type(problem).__name__}: {problem}\n"
        "This is a fault of carepolicy, not yours. Please report it where you got carepolicy from: the command, the\n"
        "policy files if they may be shown, and what the command prints with CAREPOLICY_DEBUG=1.",
        USAGE,
    )


def _traceback(to: IO[str]) -> None:
    import traceback

    traceback.print_exc(file=to)
