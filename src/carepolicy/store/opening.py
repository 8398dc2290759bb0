"""A store is opened by its URL: ``sqlite:///care.db``, ``postgresql://user@host/name``."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from carepolicy.store.faults import NoStoreUrl, StoreFault

if TYPE_CHECKING:
    from carepolicy.store.contract import Store

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")
SHADOW_FILE, SHADOW_SCHEMA = "-shadow", "_shadow"
"""Ends of the names of the store in which another set is tried."""


def open_store(url: str, create: bool = True) -> Store:
    """The store that ``url`` names; an empty one is laid out, an older one brought to the tables of today.

    ``sqlite:///PATH`` has a path relative to the working folder, ``sqlite:////PATH`` an absolute one. With
    ``create`` False a file that is not there is an error. Raises a ``StoreFault``.
    """
    if url.startswith(SQLITE) and len(url) > len(SQLITE) and not _logs_in(url):
        from carepolicy.store.sqlite import SqliteStore

        return SqliteStore(url.removeprefix(SQLITE), create)
    if url.startswith(POSTGRES):
        try:
            from carepolicy.store.postgres import PostgresStore
        except ImportError:
            raise NoStoreUrl("a store in PostgreSQL needs psycopg: pip install 'carepolicy[postgres]'") from None
        return PostgresStore(url)
    raise NoStoreUrl(f"{shown(url)} names no store; write sqlite:///care.db or postgresql://user@host/name")


def _logs_in(url: str) -> bool:
    """Whether the URL of a file has a user and a password: who writes it so means another database."""
    return ":" in url.removeprefix(SQLITE).partition("/")[0].rpartition("@")[0]


def shadow_url(url: str) -> str:
    """The URL of the store beside that of ``url`` in which another set is tried."""
    if url.startswith(SQLITE):
        return url + SHADOW_FILE
    from carepolicy.store.postgresurl import parsed, with_schema

    return with_schema(url, parsed(url)[1] + SHADOW_SCHEMA)


def named_store(url: str) -> str:
    """The same name for a store however its URL is written, without a password."""
    if url.startswith(SQLITE):
        return SQLITE + os.path.realpath(url.removeprefix(SQLITE))
    from carepolicy.store.postgresurl import parsed, without_password

    return f"{without_password(url)} ({parsed(url)[1]})"


def is_shadow(url: str) -> bool:
    """Whether ``url`` names the store in which another set is tried."""
    if url.startswith(SQLITE):
        return url.endswith(SHADOW_FILE)
    from carepolicy.store.postgresurl import parsed

    return url.startswith(POSTGRES) and parsed(url)[1].endswith(SHADOW_SCHEMA)


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
    from carepolicy.store.postgrestables import drop
    from carepolicy.store.postgresurl import parsed

    drop(*parsed(url))


def shown(url: str) -> str:
    """What was given for a URL, in quotes, as far as no password can be in it."""
    if re.fullmatch(r"([A-Za-z][\w+.-]*:/*)?[\w./~ -]*", url):  # nothing but a scheme and a file or a host
        return f'"{url}"'
    scheme = re.match(r"[A-Za-z][\w+.-]*:/*(?=[^@]*@)", url)
    return f"a URL that begins with {scheme[0]}" if scheme is not None else "a URL"
