"""``carepolicy completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

from carepolicy.cli.app import COMPLETION, NAME


@click.command(
    epilog='\b\nExamples:\n  eval "$(carepolicy completion bash)"\n'
    "  carepolicy completion fish > ~/.config/fish/completions/carepolicy.fish\n"
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print the completion script for SHELL, to be evaluated when the shell starts."""
    from click.shell_completion import get_completion_class

    from carepolicy.cli.app import app

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(script(app, {}, NAME, COMPLETION).source())
