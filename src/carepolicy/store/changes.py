"""Statements that write, taken apart, so that the macs and sums of what they change can be kept (see ``sums``).

There is no other way to write than through here: a statement of another form, or on a table or column that ``tables``
does not name, is an error of the program.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.store.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.store.tables import Table

WRITES = ("INSERT", "UPDATE", "DELETE")

_INSERT = re.compile(
    r"INSERT INTO (?P<table>\w+) \((?P<columns>[^()]*)\)\s+VALUES \((?P<values>[^()]*)\)"
    r"(?:\s+ON CONFLICT(?: \((?P<key>[^()]*)\))? DO (?P<does>NOTHING|UPDATE SET .*?))?"
    r"(?:\s+RETURNING (?P<asked>[\w, ]+))?",
    re.DOTALL,
)
_UPDATE = re.compile(r"UPDATE (?P<table>\w+) SET (?P<sets>.*?)(?:\s+WHERE (?P<where>.*))?", re.DOTALL)
_DELETE = re.compile(r"DELETE FROM (?P<table>\w+)(?:\s+WHERE (?P<where>.*))?", re.DOTALL)
_VALUE = re.compile(r"\s*(?:(?P<given>\?)|(?P<number>-?\d+)|'(?P<text>[^']*)'|(?P<null>NULL))\s*(?:,|$)")


class Insert(NamedTuple):
    """``INSERT``: a row as it is by itself, and which of its ``places`` take the values given, in their order. Of a row
    of the same ``key`` that is there already: whether the statement ``leaves`` it alone, or how it ``changes`` it.
    ``asked`` are the columns that are to be told; ``sql`` puts in a whole row and its mac."""

    table: Table
    values: tuple[Any, ...]
    places: tuple[int, ...]
    key: tuple[str, ...]
    leaves: bool
    changes: str | None
    asked: tuple[int, ...]
    sql: str

    def row(self, given: Sequence[Any]) -> list[Any]:
        """The whole row, but for the number that a serial table gives it."""
        row = list(self.values)
        for place, value in zip(self.places, given, strict=False):  # what is left over is not for the row
            row[place] = value
        return row


class Update(NamedTuple):
    """``UPDATE``: ``values`` of the values given belong to what is set, the others to ``where``."""

    table: Table
    where: str
    values: int
    sql: str


class Delete(NamedTuple):
    """``DELETE``."""

    table: Table
    sql: str


@lru_cache(maxsize=512)
def taken_apart(sql: str) -> Insert | Update | Delete:
    """What a statement that writes does."""
    plain = sql.strip()
    if found := _INSERT.fullmatch(plain):
        return _insert(plain, found)
    if (found := _UPDATE.fullmatch(plain)) and "SELECT" not in found["sets"]:
        return Update(_table(found, sql), found["where"] or "1 = 1", found["sets"].count("?"), plain)
    if (found := _DELETE.fullmatch(plain)) is not None:
        return Delete(_table(found, sql), plain)
    raise AssertionError(f"a statement of a form that the sums do not know: {sql}")


def _table(found: re.Match[str], sql: str) -> Table:
    table = TABLES.get(found["table"])
    assert table is not None, f"a table that the sums do not know: {sql}"
    return table


def _insert(sql: str, found: re.Match[str]) -> Insert:
    table = _table(found, sql)
    names = found["columns"].replace(",", " ").split()
    assert set(names) <= set(table.columns), f"a column that the sums do not know: {sql}"
    places: list[int] = []
    values = dict(zip(table.columns, table.defaults, strict=True))
    texts = list(_VALUE.finditer(found["values"]))
    assert "".join(each[0] for each in texts) == found["values"], f"a value that the sums do not know: {sql}"
    for name, value in zip(names, texts, strict=True):
        if value["given"]:
            places.append(table.columns.index(name))
        else:
            values[name] = int(value["number"]) if value["number"] else value["text"]
    columns = (*table.columns, "mac")
    asked = (found["asked"] or "").replace(",", " ").split()
    does = found["does"] or ""
    return Insert(
        table,
        tuple(values[name] for name in table.columns),
        tuple(places),
        tuple((found["key"] or "").replace(",", " ").split()),
        does == "NOTHING",
        sql[: found.end("does")] if does.startswith("UPDATE") else None,
        tuple(table.columns.index(each) for each in asked),
        f"INSERT INTO {table.name} ({', '.join(columns)}){{overriding}} VALUES ({', '.join('?' * len(columns))})",
    )
