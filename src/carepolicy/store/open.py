"""A store is opened by its URL: ``sqlite:///care.db``, ``postgresql://user@host/name``."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from carepolicy.store.faults import NoStoreUrl, StoreFault
from carepolicy.store.sql.sqlite import SqliteStore
from carepolicy.store.url import POSTGRES, SQLITE, names_file, parsed, shown

if TYPE_CHECKING:
    from carepolicy.store.contract import Store


def open_store(url: str, create: bool = True) -> Store:
    """The store that ``url`` names; an empty one is laid out, an older one brought to the tables of today.

    ``sqlite:///PATH`` has a path relative to the working folder, ``sqlite:////PATH`` an absolute one. With
    ``create`` False a file that is not there is an error. Raises a ``StoreFault``.
    """
    if names_file(url):
        return SqliteStore(url.removeprefix(SQLITE), create)
    if url.startswith(POSTGRES):
        try:
            from carepolicy.store.sql.postgres import PostgresStore
        except ImportError:
            raise NoStoreUrl("a store in PostgreSQL needs psycopg: pip install 'carepolicy[postgres]'") from None
        return PostgresStore(url)
    raise NoStoreUrl(f"{shown(url)} names no store; write sqlite:///care.db or postgresql://user@host/name")


def remove_store(url: str) -> None:
    """Remove a store with all that is in it; one that is not there is no fault. Raises a ``StoreFault``."""
    if url.startswith(SQLITE):
        path = url.removeprefix(SQLITE)
        try:
            for each in (path + "-wal", path + "-shm", path):
                with suppress(FileNotFoundError):
                    os.unlink(each)
        except OSError as fault:
            raise StoreFault(f"{path} cannot be removed: {fault.strerror}") from None
        return
    from carepolicy.store.sql.postgres import drop

    drop(*parsed(url))
