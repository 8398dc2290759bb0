"""The tables in PostgreSQL: laid out, and brought to the newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from carepolicy.store import faults, schema
from carepolicy.store.postgresurl import quoted, said_by

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST_SERVER = 150_000
"""PostgreSQL 15."""


def lay_out(connection: psycopg.Connection[tuple[Any, ...]], name: str, mark_all: Callable[[], None]) -> None:
    """Bring the schema ``name`` to the tables of today, in one transaction; ``mark_all`` gives the rows of an earlier
    version their macs. Raises a ``StoreFault``."""
    if connection.info.server_version < OLDEST_SERVER:
        raise faults.NotAStore(f"PostgreSQL 15 or later is needed; this is {connection.info.server_version // 10_000}")
    connection.execute(f"SET search_path TO {quoted(name)}".encode())
    if _version(connection) == schema.NEWEST:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (schema.APPLICATION,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}".encode())
        version = _version(connection)
        if version > schema.NEWEST:
            raise faults.NewerSchema(
                f"the store was written by a later carepolicy (tables of version {version}, this one knows "
                f"{schema.NEWEST}); nothing was changed"
            )
        if version == 0:
            _demand_empty(connection, name)
            connection.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            connection.execute("INSERT INTO schema_version VALUES (0)")
        for step in range(version, schema.NEWEST):
            for statement in schema.statements(step, schema.POSTGRES):
                connection.execute(statement.encode())
        if 0 < version < schema.NEWEST:
            mark_all()
        connection.execute("UPDATE schema_version SET version = %s", (schema.NEWEST,))


def drop(address: str, name: str) -> None:
    """Remove the schema ``name`` with all that is in it."""
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            connection.execute("SET client_min_messages TO warning")
            connection.execute(f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE".encode())
    except psycopg.Error as fault:
        raise faults.StoreFault(f"the schema {name} cannot be removed: {said_by(fault, address)}") from fault


def _version(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    if connection.execute("SELECT to_regclass('schema_version')").fetchone() == (None,):
        return 0
    found = connection.execute("SELECT version FROM schema_version").fetchone()
    return 0 if found is None else int(found[0])


def _demand_empty(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (name,)).fetchone()
    if found != (0,):
        raise faults.NotAStore(f'the schema "{name}" holds other tables; name another with ?schema=NAME')
