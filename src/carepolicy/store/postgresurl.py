"""The URL of a store in PostgreSQL: what libpq takes, and ``schema=NAME`` among its parameters."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from carepolicy.store.faults import NoStoreUrl

if TYPE_CHECKING:
    import psycopg

SCHEMA = "carepolicy"
"""The schema in which the tables are, unless the URL names another."""

HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.%-]*)(?::\d{0,5})?"
PARAMETER = r"[a-z_]+=[^&#\s]*"
WELL_FORMED = re.compile(
    rf"postgres(?:ql)?://(?:[^:/?#@\[\]\s]*(?::[^/?#@\[\]\s]*)?@)?{HOST}(?:,{HOST})*(?:/[^/?#@:\s]*)?"
    rf"(?:\?{PARAMETER}(?:&{PARAMETER})*)?"
)
UNREADABLE = (
    "the URL of the store cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/NAME?schema=NAME, with %40 for @ "
    "in the password, %2F for /, %3F for ?, %23 for #, %25 for %"
)
PLACES = frozenset(("host", "hostaddr", "port", "dbname", "user", "schema"))
"""Parameters that may be told."""

SHORTEST = 3
"""A shorter secret is no secret, and letters of messages would be taken for it."""


def parsed(url: str) -> tuple[str, str]:
    """The URL as libpq takes it, and the schema. Raises ``NoStoreUrl`` where a mark of it may be one of a password."""
    if not WELL_FORMED.fullmatch(url):
        raise NoStoreUrl(UNREADABLE)
    try:
        parts = urlsplit(url)
    except ValueError:  # letters that may be taken for marks
        raise NoStoreUrl(UNREADABLE) from None
    given = parse_qsl(parts.query, keep_blank_values=True)
    schema = next((value for name, value in given if name == "schema"), SCHEMA)
    rest = urlencode([(name, value) for name, value in given if name != "schema"])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, rest, parts.fragment)), schema


def with_schema(url: str, schema: str) -> str:
    """The URL of another schema in the same database."""
    parts = urlsplit(url)
    given = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "schema"]
    return urlunsplit((*parts[:3], urlencode([*given, ("schema", schema)]), parts.fragment))


def without_password(url: str) -> str:
    """A URL by which a database is known, and nobody logs in."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    given = [(name, value) for name, value in parse_qsl(parts.query) if name in ("host", "port", "dbname")]
    return urlunsplit((parts.scheme, f"{user.partition(':')[0]}{at}{host}", parts.path, urlencode(given), ""))


def said_by(fault: psycopg.Error, url: str) -> str:
    """What the database, or the library that leads to it, says in its first line, without what logs in."""
    said = " ".join(str(fault).split("\n")[0].split())
    for secret in sorted(_secrets(url), key=len, reverse=True):
        said = said.replace(secret, "***")
    return said


def _secrets(url: str) -> set[str]:
    """What nobody may read, as it is written in a URL and as it is meant."""
    parts = urlsplit(url)
    raw = [parts.netloc.rpartition("@")[0].partition(":")[2], os.environ.get("PGPASSWORD", "")]
    raw += [each.partition("=")[2] for each in parts.query.split("&") if each.partition("=")[0] not in PLACES]
    return {form for each in raw for form in (each, unquote(each)) if len(form) >= SHORTEST}


def quoted(name: str) -> str:
    """A name as SQL has it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'
