"""Findings for people, continuous integration and editors: one finding type, several forms."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, cast

from carepolicy.policy.files import file_at
from carepolicy.policy.text import wide_encoding

if TYPE_CHECKING:
    from carepolicy.policy.findings import Finding

READ = 4_000_000
"""How many bytes of a file are read to show the lines that are wrong."""

FORMATS = ("text", "json", "sarif", "github", "junit")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: findings whose ``place.file`` can be opened from here, and the files that were read.

    ``texts`` holds the lines of each file that has a finding, as far as it could be read. ``strict``: warnings count.
    """

    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    texts: dict[str, Sequence[str]]
    strict: bool = False


def written(checked: Checked, form: str) -> str:
    """The findings in one of ``FORMATS``, with the newline at the end where there is anything."""
    write = cast("Callable[[Checked], str]", import_module(f"carepolicy.cli.formats.{form}_form").written)
    return write(checked)


def reported(root: str, findings: Sequence[Finding], files: Sequence[str] = ()) -> Checked:
    """Findings of the set in ``root``, told by paths that can be opened from here.

    ``files`` are those that were read, by their paths below ``root``.
    """
    told = tuple(replace(each, place=each.place._replace(file=file_at(root, each.place.file))) for each in findings)
    texts = {file: _lines(file) for file in sorted({each.place.file for each in told})}
    return Checked(told, tuple(file_at(root, file) for file in files), texts)


def _lines(file: str) -> Sequence[str]:
    """The lines of a file, cut as YAML cuts them; none of one that cannot be read, is no text, or is a pipe."""
    if not os.path.isfile(file):
        return ()
    try:
        with open(file, "rb") as opened:
            content = opened.read(READ)
        return content.decode(wide_encoding(content) or "utf-8", "replace").removeprefix("\ufeff").splitlines()
    except OSError:
        return ()
