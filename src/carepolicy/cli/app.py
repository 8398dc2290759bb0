"""The group of all commands, which imports a command when it is called and not before."""

from __future__ import annotations

import os
import sys
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from carepolicy._version import __version__
from carepolicy.cli.commands import COMMANDS
from carepolicy.cli.configuration import configuration
from carepolicy.cli.running import COMPLETION, NAME
from carepolicy.cli.status import USAGE, Loudness, say, without_urls
from carepolicy.cli.terminal import no_colour

VERBOSE = "carepolicy.verbose"
"""Where a context notes that --verbose was said; it is told when all options are known."""


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
        say(f"{NAME}: policies {os.path.abspath(parameters['policies'])}")
    if isinstance(parameters.get("store"), str):
        from carepolicy.store.url import shown

        say(f"{NAME}: store {shown(parameters['store'])}")


if TYPE_CHECKING:
    from collections.abc import Mapping


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
        defaults = configuration().defaults(cmd_name, command)
        if defaults:
            ctx.default_map = {**(ctx.default_map or {}), cmd_name: defaults}
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name. Raises a usage error that names the nearest right one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from carepolicy.policy.findings import did_you_mean

            hint = did_you_mean(args[0], COMMANDS) or "carepolicy --help lists all commands"
            ctx.fail(f'there is no command "{args[0]}"; {hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
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


def complete(instruction: str) -> int:
    """Tell a shell what the words of a command line may be completed to; the exit status."""
    from click.shell_completion import shell_complete

    return shell_complete(app, {}, NAME, COMPLETION, instruction)


def invoke(arguments: list[str]) -> int:
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
