"""Files that a command writes: all of them first, and then their names, since a reader of names may go away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_all(texts: Mapping[Path, str], mode: str = "w") -> None:
    """Write texts to their files, whose folders are made, and name the files. ``mode`` "x" writes over nothing."""
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8", newline="\n") as file:
            file.write(text)
    for path in texts:
        click.echo(str(path))
