"""The program: the table of its commands, the group that imports one when it is called, and ``run``, which turns
whatever comes of a command into an exit status, so that nobody sees a traceback."""

from __future__ import annotations

import errno
import os
import sys
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from carepolicy._version import __version__
from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.cli.configuration import configuration
from carepolicy.cli.status import (
    COMPLETION,
    INTERRUPTED,
    NAME,
    UNREACHABLE,
    USAGE,
    CommandError,
    Loudness,
    log_as,
    no_colour,
    say,
    without_logins,
    without_urls,
)
from carepolicy.engine.cards import mask_cards
from carepolicy.policy.files import layers_of
from carepolicy.policy.likeness import did_you_mean
from carepolicy.store.url import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

VERBOSE = "carepolicy.verbose"
"""Where a context notes that --verbose was said; it is told when all options are known."""


class CommandEntry(Struct, frozen=True):
    """In which module below this room a command is defined (as ``command``), and what it does in one line."""

    module: str
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "init": CommandEntry("init", "Lay down a small working policy set"),
    "check": CommandEntry("check", "Find what is wrong in a policy set"),
    "explain": CommandEntry("explain", "Say what a code of the check means"),
    "fmt": CommandEntry("fmt", "Lay out policy files; comments are kept"),
    "test": CommandEntry("test", "Run scenarios: do the policies do what they say"),
    "coverage": CommandEntry("coverage", "Say what carries each requirement, and what shows it"),
    "try": CommandEntry("walk", "Walk through a flow by hand"),
    "scenarios": CommandEntry("scenarios", "Suggest scenarios for what none goes through"),
    "run": CommandEntry("run", "Events in, records out"),
    "event": CommandEntry("event", "Let one event happen, durably, or each line of standard input"),
    "tick": CommandEntry("tick", "Fire what is due"),
    "verify": CommandEntry("verify", "Find what was altered, put in, lost or put back in a store"),
    "audit": CommandEntry("audit", "Say which promises were kept in the past"),
    "stream": CommandEntry("stream", "Run a stream of events on a cluster"),
    "simulate": CommandEntry("simulate", "Say what staff and coming cases make of the promises"),
    "map": CommandEntry("map", "Draft a mapping of a log to events, and print the events that it makes"),
    "case": CommandEntry("case", "Look at cases"),
    "plan": CommandEntry("plan", "Say what a changed set would do to the open cases"),
    "apply": CommandEntry("apply", "Install a changed set and move the open cases to it"),
    "customer": CommandEntry("customer", "Show, hand over or erase what is held about a customer"),
    "contact": CommandEntry("contact", "Show who said what to whom and when"),
    "outbox": CommandEntry("outbox", "Carry out what cases ask for"),
    "dead": CommandEntry("dead", "Look at events that were not taken, and take them again"),
    "store": CommandEntry("store", "Copy a store, put it back, and see how it is doing"),
    "key": CommandEntry("key", "Look after the keys that seal private facts"),
    "due": CommandEntry("due", "Say when a limit ends, and why"),
    "graph": CommandEntry("graph", "Draw the chart of a flow"),
    "diff": CommandEntry("diff", "Say what changed between two policy sets"),
    "handbook": CommandEntry("handbook", "Write the staff handbook"),
    "texts": CommandEntry("texts", "Keep the catalogues of texts in other languages"),
    "schema": CommandEntry("schema", "Print or write the JSON Schemas of policies, records and audits"),
    "completion": CommandEntry("completion", "Print the completion script for a shell"),
}


NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
"""What a disk says that cannot take more: nothing is wrong with how the command was called."""


def run(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; the exit status of the process."""
    _open_what_is_closed()
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
    except CommandError as refused:
        return _say(without_logins(str(refused)), refused.status)
    except (RecursionError, MemoryError):
        return _say("the input is nested too deeply, or too large to hold in memory", USAGE)
    except OSError as problem:
        stuck = problem.filename is None or problem.errno in NO_ROOM
        return _say(_words(problem), UNREACHABLE if stuck else USAGE)
    except Exception as problem:  # the last resort: a fault of ours, told in one line
        return _internal(problem)


def _open_what_is_closed() -> None:
    """Who starts a program may have closed its standard streams (``>&-``): what goes there goes nowhere, and no file
    that is opened later, such as a store, gets their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _run(arguments: list[str]) -> int:
    if COMPLETION in os.environ:
        lacking = [each for each in ("COMP_WORDS", "COMP_CWORD") if each not in os.environ]
        if os.environ[COMPLETION].endswith("_complete") and lacking:
            raise CommandError(
                f"{COMPLETION} is set, but not {' and '.join(lacking)}: it is for the script that "
                "`carepolicy completion` prints; unset it to run a command"
            )
        from click.shell_completion import shell_complete

        return shell_complete(app, {}, NAME, COMPLETION, os.environ[COMPLETION])
    return _invoke(arguments)


def _say(text: str, status: int) -> int:
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
    if isinstance(problem, NeverOpen | OutOfRange):
        return _say(f"a limit of the policies cannot fall due: {problem}", USAGE)
    if os.environ.get("CAREPOLICY_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    return _say(
        f"internal error: {type(problem).__name__}: {without_urls(str(problem))}\n"
        "This is a fault of carepolicy, not yours. Please report it where you got carepolicy from: the command, the\n"
        "policy files if they may be shown, and what the command prints with CAREPOLICY_DEBUG=1.",
        USAGE,
    )


def _invoke(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; the exit status. What click finds wrong with them is told."""
    try:
        with app.make_context(NAME, list(arguments), color=False if no_colour() else None) as context:
            app.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return USAGE
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as problem:
        if isinstance(problem, click.UsageError) and problem.ctx is not None:
            say(problem.ctx.get_usage())
            say(f"Try `{problem.ctx.command_path} --help`.")
        say(f"{NAME}: {without_urls(problem.format_message())}")
        return problem.exit_code
    return 0


def _give_loudness(command: click.Command) -> None:
    """Give a command, or those below a group, --quiet and --verbose where it has none of its own."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _give_loudness(below)
        return
    taken = {option for each in command.params for option in each.opts}
    work = command.callback
    if "--verbose" in taken or work is None:
        return
    if "--quiet" not in taken:
        names = ["--quiet"] if "-q" in taken else ["-q", "--quiet"]
        words = "Say nothing but results and errors."
        command.params.append(click.Option(names, is_flag=True, expose_value=False, callback=_be_quiet, help=words))

    @wraps(work)
    def told(*values: Any, **named: Any) -> Any:
        context = click.get_current_context()
        if context.meta.get(VERBOSE):
            _tell_what_is_used(context.params)
        return work(*values, **named)

    words = "Say which configuration, policies and store are used."
    names = ["-v", "--verbose"]
    command.params.append(click.Option(names, is_flag=True, expose_value=False, callback=_be_verbose, help=words))
    command.callback = told


def _be_quiet(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    Loudness.quiet = value


def _be_verbose(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    context.meta[VERBOSE] = value


def _tell_what_is_used(parameters: Mapping[str, Any]) -> None:
    say(f"{NAME}: version {__version__}, Python {sys.version.split()[0]}")
    say(f"{NAME}: configuration {configuration().file or 'in no file'}")
    if isinstance(parameters.get("policies"), str):
        said = os.pathsep.join(map(os.path.abspath, layers_of(parameters["policies"])))
        say(f"{NAME}: policies {said}")
    if isinstance(parameters.get("store"), str):
        say(f"{NAME}: store {shown(parameters['store'])}")


EPILOG = """\b
Examples:
  carepolicy init
  carepolicy check
  carepolicy due "3 business hours" --from "2026-03-06 16:30" --explain
"""


class Commands(click.Group):
    """A group that reads its list of commands from a table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now; None where there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(f"carepolicy.cli.{entry.module}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"carepolicy.cli.{entry.module}.command is no command")
        command.name = cmd_name
        _give_loudness(command)
        defaults = configuration().defaults(cmd_name, command, COMMANDS)
        if defaults:
            ctx.default_map = {**(ctx.default_map or {}), cmd_name: defaults}
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name. Raises a usage error that names the nearest right one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or "carepolicy --help lists all commands"
            ctx.fail(f'there is no command "{args[0]}"; {hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands for the shell, without importing any of them."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=entry.summary) for name, entry in COMMANDS.items() if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="carepolicy", message="%(prog)s %(version)s")
def app() -> None:
    """Customer-care policies that a manager can read, a machine can run and an audit can hold to its word.

    Exit status: 0 done and nothing wrong, 1 the answer is no, 2 wrong usage or unreadable input,
    3 a store or service could not be reached, 130 interrupted.
    """
