"""Literals: numbers, texts with their escapes, instants, durations and dates."""

from __future__ import annotations

import re
from datetime import date, datetime

from carepolicy.businesstime.instants import microseconds
from carepolicy.guards.runtime import LARGEST_WHOLE

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([abfnrtv\\\"'`?])|(.?))", re.DOTALL
)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|ms|us|ns|m|s)")
_UNITS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def number(text: str) -> int | float | None:
    """The value of a number's literal; None where it is too large (a whole number has 64 bits, as in CEL)."""
    if "x" in text.lower() or text.lstrip("-").rstrip("uU").isdigit():
        digits = text.rstrip("uU")
        if len(digits) > 20:
            return None
        whole = int(digits, 16 if "x" in text.lower() else 10)
        return whole if abs(whole) <= LARGEST_WHOLE else None
    found = float(text)
    return found if abs(found) < 1e300 else None


def quoted(text: str) -> str | None:
    """The value of a text's literal, quotes and all; None where an escape cannot be read."""
    raw = text[0] in "rR"
    body = text[2:-1] if raw else text[1:-1]
    if raw or "\\" not in body:
        return body
    wrong = False

    def value(found: re.Match[str]) -> str:
        nonlocal wrong
        code = found[1] or found[2] or found[3]
        point = int(code, 16) if code else int(found[4], 8) if found[4] else None
        if point is not None and point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF:
            return chr(point)
        if found[5]:
            return _ESCAPED.get(found[5], found[5])
        wrong = True
        return ""

    said = _ESCAPE.sub(value, body)
    return None if wrong else said


def instant(text: str) -> int | None:
    """Microseconds since 1970 of an RFC 3339 time with its offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None or "T" not in text.upper():
        return None
    return microseconds(at)


def day(text: str) -> date | None:
    """A date as ISO 8601 has it, ``2026-03-02``."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def duration(text: str) -> int | None:
    """Microseconds of a duration as CEL writes it: ``90m``, ``1h30m``, ``-1.5h``, ``250ms``."""
    from fractions import Fraction

    body = text.removeprefix("-")
    parts = _AMOUNT.findall(body)
    if body == "0":
        return 0
    if not parts or "".join(amount + unit for amount, unit in parts) != body:
        return None
    nanoseconds = sum(Fraction(amount) * _UNITS[unit] for amount, unit in parts)
    total = int(nanoseconds / 1_000)
    return (-total if text.startswith("-") else total) if total <= LARGEST_WHOLE else None
