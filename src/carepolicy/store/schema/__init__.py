"""The tables of a store: one module for each version, with the statements that lead to it from the version before.

A released version is never edited; a change of the tables is a new module and a new entry in ``STEPS``.
"""

from __future__ import annotations

from typing import NamedTuple

from carepolicy.store.schema import v1, v2, v3, v4, v5, v6

STEPS: tuple[tuple[str, ...], ...] = (
    v1.STATEMENTS, v2.STATEMENTS, v3.STATEMENTS, v4.STATEMENTS, v5.STATEMENTS, v6.STATEMENTS,
)  # fmt: skip
"""STEPS[n] leads from version n to version n + 1; version 0 is an empty database."""

NEWEST = len(STEPS)

APPLICATION = 0x43617265
"""Marks an SQLite file as a store ("Care", PRAGMA application_id)."""


class Words(NamedTuple):
    """What the statements call differently on each kind of database."""

    number: str
    text: str
    bytes: str
    serial: str
    clustered: str


SQLITE = Words("INTEGER", "TEXT", "BLOB", "INTEGER PRIMARY KEY", " WITHOUT ROWID")
POSTGRES = Words("BIGINT", 'TEXT COLLATE "C"', "BYTEA", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "")


def statements(step: int, words: Words) -> list[str]:
    """The statements that lead from version ``step`` to the next."""
    return [each.format(**words._asdict()) for each in STEPS[step]]
