"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def policies_option(command: Command) -> Command:
    """``--policies DIR``, the folder of the policy set, as the parameter ``root``."""
    return click.option(
        "--policies",
        "root",
        metavar="DIR",
        envvar="CAREPOLICY_POLICIES",
        default="policies",
        show_default=True,
        show_envvar=True,
        type=click.Path(file_okay=False),
        help="The folder of the policy set.",
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """``--format``, one of ``formats`` of which the first is the default, as the parameter ``form``."""

    def option(command: Command) -> Command:
        return click.option(
            "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print."
        )(command)

    return option
