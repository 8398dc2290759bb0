"""Exit statuses, the same for all commands, and the error that ends a command with one of them."""

from __future__ import annotations

import click

DONE = 0
NO = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130


class Refused(click.ClickException):
    """Ends a command with a message on stderr and an exit status (2, wrong usage or unreadable input, by default)."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status
