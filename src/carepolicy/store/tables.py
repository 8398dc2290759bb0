"""The tables of a store as ``verify`` goes through them: their columns, and what names a row.

Whatever is written goes through ``changes``, which knows rows by what stands here; tests hold it against the tables of
both kinds of database. A table or column that is new is named here, or no statement can write it.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Table(NamedTuple):
    """A table: its ``columns`` in the order in which they are hashed, the first so many of them ``plain``, the others
    bytes; those of its primary ``key``; and what its columns hold where nothing is said. A ``serial`` one numbers its
    rows.

    ``shown`` are the columns that may be shown to people, to name a row.
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
