"""Findings for people, continuous integration and editors: one finding type, several forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from carepolicy.policy.findings import Finding

FORMATS = ("text", "json", "sarif", "github", "junit")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: findings whose ``place.file`` can be opened from here, and the files that were read.

    ``texts`` holds the lines of each file that has a finding, as far as it could be read.
    """

    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    texts: dict[str, Sequence[str]]


def written(checked: Checked, form: str) -> str:
    """The findings in one of ``FORMATS``, with the newline at the end where there is anything."""
    write = cast("Callable[[Checked], str]", import_module(f"carepolicy.cli.formats.{form}_form").written)
    return write(checked)
