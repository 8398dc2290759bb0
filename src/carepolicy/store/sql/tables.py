"""The tables of a store: their columns, what names a row, and what a statement that writes does to them.

Whatever is written is taken apart here, so that the macs and sums of what it changes can be kept (see ``sums``): a
statement of another form, or on a table or column that is not named here, is an error of the program. Tests hold the
columns against the tables of both kinds of database.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence


class Table(Struct, frozen=True):
    """A table of a store.

    ``columns`` stand in the order in which they are hashed; the first ``plain`` of them are plain values, the others
    bytes. ``key`` are the columns of the primary key, and ``shown`` those that may be shown to people, to name a row.
    Besides it says what columns hold where nothing is said, and ``serial`` that it numbers its rows.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    plain: int
    defaults: tuple[Any, ...]
    serial: bool
    shown: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The columns, for a statement."""
        return ", ".join(self.columns)


COUNTED = ("restores", "vaults", "leaves")
"""Tables whose rows are numbered by who writes them."""


def _table(name: str, columns: str, key: str = "no", bytes: str = "", shown: str | None = None, **given: Any) -> Table:
    plain, keys = columns.split(), tuple(key.split())
    names = (*plain, *bytes.split())
    return Table(
        name,
        names,
        keys,
        len(plain),
        tuple(given.get(each) for each in names),
        key == "no" and name not in COUNTED,
        keys if shown is None else tuple(shown.split()),
    )


SUBJECTS = _table("subjects", "key subject due merged_into", "key subject", "state")
CASES = _table(
    "cases",
    "key subject flow version state role person late opened due",
    "key subject flow",
    "body sealed",
)
EVENTS = _table("events", "source id subject seen", "source id")
RECORDS = _table(
    "records",
    "no key subject flow sequence loose type time input position",
    bytes="hash sealed",
    shown="flow subject sequence loose",
)
"""The line itself is hashed in ``hash`` (see ``chain``)."""

TABLES = {
    each.name: each
    for each in (
        SUBJECTS,
        CASES,
        EVENTS,
        RECORDS,
        _table(
            "dead_letters",
            "no input position code letter subject since settled",
            bytes="sealed",
            settled=0,
        ),
        _table("refusals", "kind source id count", "kind source id"),
        _table("watched", "watch value", "watch value", "noted", shown="watch"),
        _table("inputs", "no name shares", bytes="beginning"),
        _table("positions", "input share line", "input share", "state"),
        _table("held", "input subject latest", "input subject", "sealed"),
        _table("policy_versions", "no digest installed"),
        _table("policy_files", "version path", "version path", "content"),
        _table(
            "outbox",
            "id kind subject flow sequence time state ready leased_by attempts fault channel lease disputed put_off",
            "id",
            state="waiting",
            ready=0,
            attempts=0,
            lease=0,
            disputed=0,
            put_off=0,
        ),
        _table(
            "contacts",
            "no time subject flow sequence direction channel author record summary",
            bytes="customer sealed",
        ),
        _table("keys", "fingerprint since retired", "fingerprint"),
        _table("secrets", "name", "name", "sealed"),
        _table("holdings", "key subject", "digest key subject", "digest", shown="key subject"),
        _table("closings", "key subject flow sequence closed erase", "key subject flow sequence"),
        _table("erasures", "no time author subject flow counts"),
        _table(
            "shadow", "token digest begun ready base fired moved events", "token",
            ready=0, base=0, fired=0, moved=0, events=0,
        ),
        _table("journal", "no lines until", bytes="sealed"),
        _table("sweeps", "what time", "what"),
        _table("cuts", "key subject flow number", "key subject flow", "hash"),
        _table("gone", "input records", "input"),
        _table("untaken", "source id input times", "source id"),
        _table("servers", "name failures until fault", "digest", "digest", shown="name"),
        _table("datakeys", "fingerprint", "id", "id sealed"),
        _table("sealings", "subject", "subject", "id"),
        _table("shreds", "", "id", "id"),
        _table("vaults", "no name"),
        _table("leaves", "no", bytes="leaf"),
        _table("macs", "fingerprint", "fingerprint", "wrapped"),
        _table("restores", "no time"),
    )
}  # fmt: skip

# -- statements that write ---------------------------------------------------------------------------------

WRITES = ("INSERT", "UPDATE", "DELETE")


class Insert(Struct, frozen=True):
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


class Update(Struct, frozen=True):
    """``UPDATE``: ``values`` of the values given belong to what is set, the others to ``where``."""

    table: Table
    where: str
    values: int
    sql: str


class Delete(Struct, frozen=True):
    """``DELETE``."""

    table: Table
    sql: str


@lru_cache(maxsize=512)
def taken_apart(sql: str) -> Insert | Update | Delete:
    """What a statement that writes does. Words are looked for without patterns, which take longer to compile than a
    whole event."""
    plain = " ".join(sql.split())
    does, _, rest = plain.partition(" ")
    change = {"INSERT": _insert, "UPDATE": _update, "DELETE": _delete}[does](plain, rest)
    assert change is not None, f"a statement of a form that the sums do not know: {sql}"
    return change


def _table_of(name: str) -> Table:
    table = TABLES.get(name)
    assert table is not None, f"a table that the sums do not know: {name}"
    return table


def _update(sql: str, rest: str) -> Update | None:
    name, there, rest = rest.partition(" SET ")
    sets, _, where = rest.partition(" WHERE ")
    return Update(_table_of(name), where or "1 = 1", sets.count("?"), sql) if there and "SELECT" not in sets else None


def _delete(sql: str, rest: str) -> Delete | None:
    name = rest.removeprefix("FROM ").partition(" WHERE ")[0]
    return Delete(_table_of(name), sql) if " " not in name else None


def _insert(sql: str, rest: str) -> Insert | None:
    head, there, rest = rest.removeprefix("INTO ").partition(") VALUES (")
    given, _, rest = rest.partition(")")
    conflict, _, asked = rest.partition(" RETURNING ")
    key, on, does = conflict.partition(" DO ")
    key = key.removeprefix(" ON CONFLICT").strip(" ()")
    if not there or (conflict and not on) or not (does in ("", "NOTHING") or does.startswith("UPDATE SET ")):
        return None
    name, _, columns = head.partition(" (")
    table = _table_of(name)
    names = columns.split(", ")
    whole = (*table.columns, "mac")
    assert set(names) <= set(table.columns), f"a column that the sums do not know: {sql}"
    places: list[int] = []
    values = dict(zip(table.columns, table.defaults, strict=True))
    for column, value in zip(names, given.split(", "), strict=True):
        if value == "?":
            places.append(table.columns.index(column))
        else:
            values[column] = _value(value)
    return Insert(
        table,
        tuple(values[each] for each in table.columns),
        tuple(places),
        tuple(key.split(", ")) if key else (),
        does == "NOTHING",
        sql.partition(" RETURNING ")[0] if does.startswith("UPDATE") else None,
        tuple(table.columns.index(each) for each in asked.split(", ")) if asked else (),
        f"INSERT INTO {name} ({', '.join(whole)}){{overriding}} VALUES ({', '.join('?' * len(whole))})",
    )


def _value(written: str) -> int | str | None:
    """A value that stands in a statement."""
    if written == "NULL":
        return None
    if written[0] == written[-1] == "'":
        return written[1:-1]
    return int(written)
