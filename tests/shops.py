"""Commands on one store, run in this process."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import carepolicy
from carepolicy.cli import app
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies
from carepolicy.store.open import open_store

HERE = Path(__file__).parent
SHOP = str(HERE / "shop")
"""The set that tests work on: Harbour & Finch with four flows in two languages. It stays when policies/ changes."""
LIBRARY = HERE.parent / "policies"
EVENTS, BAD_EVENTS = HERE / "shop_logs" / "events.jsonl", HERE / "shop_logs" / "bad_events.jsonl"
"""A log of the shop, and one of bad input."""


@cache
def read_set(folder: str | Path = SHOP) -> Policies:
    """The set that tests work on, or that of another folder; read once, since a set that was read never changes."""
    policies, findings = load_policies(folder)
    assert policies is not None, findings
    return policies


@cache
def library() -> carepolicy.PolicySet:
    """The set of policies/, ready to run; loaded once."""
    return carepolicy.load(LIBRARY)


class Said(NamedTuple):
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Shop:
    """Harbour & Finch, at work on one store."""

    def __init__(self, capfd: pytest.CaptureFixture[str], url: str, policies: str = SHOP) -> None:
        self._capfd = capfd
        self.url = url
        self.policies = policies

    def __call__(self, *arguments: str) -> Said:
        self._capfd.readouterr()
        status = app.run([*arguments, "--store", self.url])
        return Said(status, *self._capfd.readouterr())

    def event(self, type_: str, subject: str, at: str, *facts: str) -> Said:
        said = self("event", type_, subject, *facts, "--at", at, "--policies", self.policies)
        assert said.status in (0, 1), said.err
        return said

    def at(self, url: str) -> Shop:
        """The same shop at work on another store."""
        return Shop(self._capfd, url, self.policies)

    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))


def everything_in(shop: Shop) -> bytes:
    """All bytes of a store: the files of SQLite, or every column of every table of PostgreSQL as text."""
    if shop.url.startswith("sqlite:///"):
        folder, name = shop.file().parent, shop.file().name
        return b"".join(each.read_bytes() for each in sorted(folder.iterdir()) if each.name.startswith(name))
    store = open_store(shop.url)
    with store.reading() as transaction:
        tables = [
            name for (name,) in transaction.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ]
        found = b"".join(
            bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
            for table in tables
            for row in transaction.rows(f"SELECT * FROM {table}")
            for value in row
        )
    store.close()
    return found


def rows(shop: Shop, sql: str) -> list[tuple[Any, ...]]:
    """The answer of a store to a question in SQL."""
    store = open_store(shop.url)
    with store.reading() as transaction:
        found = transaction.rows(sql)
    store.close()
    return found


def contents(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    """All that a store holds: the rows of each table."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if not shop.url.startswith("sqlite"):
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    return {name: sorted(rows(shop, f"SELECT * FROM {name}"), key=repr) for (name,) in sorted(rows(shop, tables))}
