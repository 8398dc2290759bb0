"""Rows of CSV (RFC 4180) that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would take for a formula."""


def rows(entries: Iterable[Mapping[str, str]], fields: Sequence[str]) -> Iterator[str]:
    """The head, and a row for each entry as it comes, each with its line break."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\r\n")
    writer.writeheader()
    for each in entries:
        yield out.getvalue()
        out.seek(0)
        out.truncate()
        writer.writerow({name: _cell(value) for name, value in each.items()})
    yield out.getvalue()


def _cell(value: str) -> str:
    return "'" + value if value.startswith(FORMULAS) else value
