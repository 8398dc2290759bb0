"""Writes the man pages of all commands into a folder, from their own help (``make man``)."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click_man.core import write_man_pages

from carepolicy._version import __version__
from carepolicy.cli.app import app


def write(folder: Path) -> None:
    """One page for each command and each command below it, such as carepolicy-case-show.1."""
    folder.mkdir(parents=True, exist_ok=True)
    context = click.Context(app, info_name="carepolicy")
    commands = {name: command for name in app.list_commands(context) if (command := app.get_command(context, name))}
    for command in (*commands.values(), app):
        _take_examples(command)
    whole = click.Group("carepolicy", commands=commands, help=app.help, params=app.params)
    write_man_pages("carepolicy", whole, version=__version__, target_dir=str(folder))


def _take_examples(command: click.Command) -> None:
    """Let the examples, which stand at the end of a command's help, stand in its description."""
    command.help = f"{command.help}\n\n{command.epilog or ''}"
    for below in getattr(command, "commands", {}).values():
        _take_examples(below)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "out/man"))
