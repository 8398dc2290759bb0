"""The URL of a store in PostgreSQL: what libpq takes, and ``schema=NAME`` among its parameters."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SCHEMA = "carepolicy"
"""The schema in which the tables are, unless the URL names another."""


def parsed(url: str) -> tuple[str, str]:
    """The URL as libpq takes it, and the schema."""
    parts = urlsplit(url)
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


def quoted(name: str) -> str:
    """A name as SQL has it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'
