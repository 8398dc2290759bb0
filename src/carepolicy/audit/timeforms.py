"""How logs write times: which format of strptime, or which count of a spreadsheet or a machine, reads a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from carepolicy.businesstime.instants import EPOCH

ISO = ""
"""The form of what ISO 8601 has, which needs no format."""

EXCEL, UNIX, UNIX_MS = "excel", "unix", "unix_ms"
"""Days since the last but one of 1899, as spreadsheets count; seconds and milliseconds since 1970."""

SPREADSHEETS_BEGIN = datetime(1899, 12, 30)

COUNTED = {EXCEL: (20_000, 80_000), UNIX: (10**8, 5 * 10**9), UNIX_MS: (10**11, 5 * 10**12)}
"""Between which numbers a count is most likely that of a day: from the nineteen-fifties, or from 1973, on."""

LOOKED_AT = 500
"""So many texts of a column are looked at."""

_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_DATE = re.compile(
    r"(?P<weekday>[A-Za-z]{3,9},? )?"
    r"(?P<a>\d{1,4})(?P<s>[-/. ])(?P<b>\d{1,2}|[A-Za-z]{3,9})(?P=s)(?P<c>\d{4}|\d{1,2})(?!\d)",
    re.ASCII,
)
_CLOCK = re.compile(
    r"(?P<between>[T ,:-]+)(?P<hour>\d{1,2})(?P<s>[:.])\d{2}"
    r"(?P<second>(?P=s)\d{2}(?P<fraction>[.,]\d{1,9})?)?(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:[+-]\d{2}:?\d{2}|Z))?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)


def iso(text: str) -> datetime:
    """A time in ISO 8601, or with UTC or GMT behind it. Raises ``ValueError``: numbers of other than eight digits,
    which Python would read as dates, are none."""
    if text.isdigit() and len(text) != 8:
        raise ValueError(text)
    return datetime.fromisoformat(_UTC.sub("+00:00", text) if text[-1:].isalpha() else text)


def read(text: str, form: str) -> datetime:
    """A time as a form has it. Raises ``ValueError``."""
    if form == ISO:
        return iso(text)
    if form not in COUNTED:
        return datetime.strptime(text, form)
    count = float(text.replace(",", "."))
    try:
        if form == EXCEL:
            return SPREADSHEETS_BEGIN + timedelta(seconds=round(count * 86_400))
        return EPOCH + timedelta(microseconds=round(count * (10**6 if form == UNIX else 10**3)))
    except (OverflowError, ValueError):
        raise ValueError(text) from None


def read_either(text: str, form: str) -> datetime:
    """A time as a form or ISO 8601 has it. Raises ``ValueError``."""
    try:
        return read(text, form)
    except ValueError:
        return iso(text)


def form_of(texts: Sequence[str], counts: bool = True) -> str | None:
    """The form in which nine of ten texts are written: of several that fit, the one that reads most, and of those the
    first. None where none does. Numbers are times where they ``counts`` may be."""
    some = [each for each in texts[:LOOKED_AT] if each]
    if not some:
        return None
    if _share(some, ISO) > 0.9:
        return ISO
    forms = list(dict.fromkeys(form for each in some[:20] for form in _forms(each, counts)))
    best = max(forms, key=lambda form: _share(some, form), default=None)
    return best if best is not None and _share(some, best) > 0.9 else None


def shape(text: str) -> str:
    """How a text is written, without what it says: 0 for each digit, a for each letter."""
    said = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", text[:40]))
    return said + ("…" if len(text) > 40 else "")


def _share(texts: Sequence[str], form: str) -> float:
    """The share of texts that a form reads."""
    done = 0
    for each in texts:
        try:
            read(each, form)
            done += 1
        except ValueError:
            continue
    return done / len(texts)


def _forms(text: str, counts: bool) -> Iterator[str]:
    """The forms that may read a text, the likeliest first."""
    if _NUMBER.fullmatch(text):
        if counts:
            number = float(text.replace(",", "."))
            yield from (form for form, (least, most) in COUNTED.items() if least <= number <= most)
        return
    date = _DATE.match(text)
    if date is None:
        return
    rest = text[date.end() :]
    clock = _CLOCK.fullmatch(rest) if rest else None
    if rest and clock is None:
        return
    behind = _clock_form(clock) if clock is not None else ""
    yield from (f"{day}{behind}" for day in _day_forms(date, clock is not None and clock["half"] is not None))


def _day_forms(date: re.Match[str], halves: bool) -> Iterator[str]:
    """How the day may be written; month first where the day has two halves, as in the United States."""
    before = ""
    if date["weekday"]:
        name = date["weekday"].rstrip(", ")
        before = ("%a" if len(name) == 3 else "%A") + date["weekday"][len(name) :]
    a, b, c, sign = date["a"], date["b"], date["c"], date["s"]
    if len(a) > 2:
        yield f"{before}%Y{sign}%m{sign}%d"
        return
    year = "%Y" if len(c) == 4 else "%y"
    if b.isalpha():
        yield f"{before}%d{sign}{'%b' if len(b) == 3 else '%B'}{sign}{year}"
        return
    ways = [f"{before}%d{sign}%m{sign}{year}", f"{before}%m{sign}%d{sign}{year}"]
    yield from reversed(ways) if halves or sign == "/" else ways


def _clock_form(clock: re.Match[str]) -> str:
    sign, half, zone = clock["s"], clock["half"] or "", clock["zone"] or ""
    said = f"{clock['between']}{'%I' if half else '%H'}{sign}%M"
    said += f"{sign}%S" if clock["second"] else ""
    said += f"{clock['fraction'][0]}%f" if clock["fraction"] else ""
    for part, form in ((half, "%p"), (zone, "%z")):
        said += (" " if part[0] == " " else "") + form if part else ""
    return said
