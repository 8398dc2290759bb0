"""The group of all commands, which imports a command when it is called and not before."""

from __future__ import annotations

from importlib import import_module

import click

from carepolicy._version import __version__
from carepolicy.cli.commands import COMMANDS
from carepolicy.cli.running import COMPLETION, NAME
from carepolicy.cli.status import USAGE, say, without_urls
from carepolicy.cli.terminal import no_colour

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
@click.version_option(__version__, prog_name="carepolicy", message="%(prog)s %(version)s")
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
