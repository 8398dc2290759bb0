"""An instant at which nobody writes to a store in PostgreSQL, found without holding anybody up for long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from carepolicy.store import faults
from carepolicy.store.postgresurl import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0
"""Seconds to wait for what others have begun."""

STANDSTILL = "3s"
"""For so long at most others may not write."""

AT_WORK = """SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'policy_versions'::regclass AND pid <> pg_backend_pid()"""
"""Transactions that have looked which set is installed: all that take events or fire timers."""


def outlast(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Wait until every transaction that is at work now has ended. Raises ``Busy`` where one goes on for too long."""
    end = time.monotonic() + PATIENCE
    others = set(connection.execute(AT_WORK).fetchall())
    while others:
        if time.monotonic() > end:
            raise faults.Busy("another process has been at work in one transaction for too long; try again later")
        time.sleep(0.02)
        others &= set(connection.execute(AT_WORK).fetchall())


@contextmanager
def at_rest(address: str, schema: str) -> Iterator[None]:
    """Keep others from writing within the block; those that have begun to are waited for, up to ``STANDSTILL``."""
    with psycopg.connect(address, connect_timeout=10) as connection:
        connection.execute(f"SET LOCAL lock_timeout = '{STANDSTILL}'".encode())
        connection.execute(f"LOCK TABLE {quoted(schema)}.records IN SHARE MODE".encode())
        yield
