"""The URL of a store: ``sqlite:///care.db``, ``postgresql://user@host/name?schema=NAME``.

The second is what libpq takes, with ``schema`` among its parameters. No password is told from here. Only
who reads such a URL imports ``urllib.parse``, and compiles what a URL is to look like.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from carepolicy.store.faults import NoStoreUrl

if TYPE_CHECKING:
    import psycopg

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")
SHADOW_FILE, SHADOW_SCHEMA = "-shadow", "_shadow"
"""Ends of the names of the store in which another set is tried."""

SCHEMA = "carepolicy"
"""The schema in which the tables are, unless the URL names another."""

HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.%-]*)(?::\d{0,5})?"
PARAMETER = r"[a-z_]+=[^&#\s]*"
WELL_FORMED = (
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


def names_file(url: str) -> bool:
    """Whether a URL names a file. Who writes a user and a password into it means another database."""
    logs_in = ":" in url.removeprefix(SQLITE).partition("/")[0].rpartition("@")[0]
    return url.startswith(SQLITE) and len(url) > len(SQLITE) and not logs_in


def names_store(text: str) -> bool:
    """Whether a text is meant as the URL of a store, and not as the name of a file."""
    return text.startswith((SQLITE, *POSTGRES))


def shadow_url(url: str) -> str:
    """The URL of the store beside that of ``url`` in which another set is tried."""
    if url.startswith(SQLITE):
        return url + SHADOW_FILE
    return with_schema(url, parsed(url)[1] + SHADOW_SCHEMA)


def named_store(url: str) -> str:
    """The same name for a store however its URL is written, without a password."""
    if url.startswith(SQLITE):
        return SQLITE + os.path.realpath(url.removeprefix(SQLITE))
    return f"{without_password(url)} ({parsed(url)[1]})"


def is_shadow(url: str) -> bool:
    """Whether ``url`` names the store in which another set is tried."""
    if url.startswith(SQLITE):
        return url.endswith(SHADOW_FILE)
    return url.startswith(POSTGRES) and parsed(url)[1].endswith(SHADOW_SCHEMA)


def shown(url: str) -> str:
    """What was given for a URL, in quotes, as far as no password can be in it."""
    if re.fullmatch(r"([A-Za-z][\w+.-]*:/*)?[\w./~ -]*", url):  # nothing but a scheme and a file or a host
        return f'"{url}"'
    scheme = re.match(r"[A-Za-z][\w+.-]*:/*(?=[^@]*@)", url)
    return f"a URL that begins with {scheme[0]}" if scheme is not None else "a URL"


def parsed(url: str) -> tuple[str, str]:
    """The URL as libpq takes it, and the schema. Raises ``NoStoreUrl`` where a mark of it may be one of a password."""
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    if not re.fullmatch(WELL_FORMED, url):
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
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    parts = urlsplit(url)
    given = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "schema"]
    return urlunsplit((*parts[:3], urlencode([*given, ("schema", schema)]), parts.fragment))


def without_password(url: str) -> str:
    """A URL by which a database is known, and nobody logs in."""
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    raw = [parts.netloc.rpartition("@")[0].partition(":")[2], os.environ.get("PGPASSWORD", "")]
    raw += [each.partition("=")[2] for each in parts.query.split("&") if each.partition("=")[0] not in PLACES]
    return {form for each in raw for form in (each, unquote(each)) if len(form) >= SHORTEST}


def quoted(name: str) -> str:
    """A name as SQL has it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'
