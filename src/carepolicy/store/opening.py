"""A store is opened by its URL: ``sqlite:///care.db``, ``postgresql://user@host/name``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.store.faults import StoreFault

if TYPE_CHECKING:
    from carepolicy.store.contract import Store

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


class NoStoreUrl(StoreFault):
    """A text that names no store."""


def open_store(url: str, create: bool = True) -> Store:
    """The store that ``url`` names; an empty one is laid out, an older one brought to the tables of today.

    ``sqlite:///PATH`` has a path relative to the working folder, ``sqlite:////PATH`` an absolute one. With
    ``create`` False a file that is not there is an error. Raises a ``StoreFault``.
    """
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        from carepolicy.store.sqlite import SqliteStore

        return SqliteStore(url.removeprefix(SQLITE), create)
    if url.startswith(POSTGRES):
        try:
            from carepolicy.store.postgres import PostgresStore
        except ImportError:
            raise NoStoreUrl("a store in PostgreSQL needs psycopg: pip install 'carepolicy[postgres]'") from None
        return PostgresStore(url)
    raise NoStoreUrl(f'"{shown(url)}" names no store; write sqlite:///care.db or postgresql://user@host/name')


def shown(url: str) -> str:
    """A URL without the password in it."""
    scheme, mark, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if not at or ":" not in user:
        return url
    return f"{scheme}{mark}{user.partition(':')[0]}:***@{host}"
