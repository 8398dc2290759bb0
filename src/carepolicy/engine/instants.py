"""Instants as records write them and the engine counts them: RFC 3339 texts and microseconds since 1970."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from carepolicy.businesstime.instants import EPOCH

FIRST_DAY = date(1970, 1, 1).toordinal()
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

NEVER = 1 << 62
"""An instant after all others: the due time of what does not fall due."""

FIRST_YEAR, LAST_YEAR = 1970, 2150
"""The years in which events may happen. Calendars know fifty more, in which what they begin may fall due."""


FIRST_INSTANT, LAST_INSTANT = (date.min.toordinal() - FIRST_DAY) * DAY, (date.max.toordinal() - FIRST_DAY + 1) * DAY - 1
"""The instants between which a due time can be written."""


MOST_HOURS = 100_000
"""So many hours, of eleven years, are remembered with their texts; then they are forgotten."""


class NoInstant(ValueError):
    """A text that is no instant; the message says why, without the text."""


def parse(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time. Raises ``NoInstant`` (no offset, no such date, no time).

    A blank may stand for the ``T`` and a small ``z`` for the ``Z``; digits after the sixth of a second are dropped.
    Weeks and dates without dashes, which Python would read too, are none.
    """
    try:
        if text[10:11] not in _BETWEEN or text[4:5] != "-" or text[7:8] != "-":
            raise ValueError(text)
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text[-1] == "z" else text)
    except ValueError as fault:
        said = str(fault)
        raise NoInstant(
            f"it is no date and time ({said})" if "must be in" in said else "it is no date and time"
        ) from None
    if moment.tzinfo is None:
        raise NoInstant("it has no offset from UTC (such as Z or +01:00)")
    try:
        since = moment - EPOCH
    except OverflowError:
        raise NoInstant("it is out of the range of years 1 to 9999") from None
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def event_time(text: str) -> int:
    """As ``parse``, for the time of an event: also raises ``NoInstant`` outside of the years of events."""
    return among_years(parse(text))


def among_years(instant: int) -> int:
    """An instant in which an event may happen. Raises ``NoInstant`` outside of the years of events."""
    if not _FIRST_EVENT <= instant < _AFTER_EVENTS:
        raise NoInstant(_OUTSIDE)
    return instant


_FIRST_EVENT = (date(FIRST_YEAR, 1, 1).toordinal() - FIRST_DAY) * DAY
_AFTER_EVENTS = (date(LAST_YEAR + 1, 1, 1).toordinal() - FIRST_DAY) * DAY
_OUTSIDE = f"it lies outside of the years {FIRST_YEAR} to {LAST_YEAR}, in which events may happen"


_BETWEEN = ("T", "t", " ", "")


class _Hours(dict[int, str]):
    """``2026-03-02T09`` by hours since 1970, each worked out once."""

    def __missing__(self, hour: int) -> str:
        if len(self) >= MOST_HOURS:
            self.clear()
        day, within = divmod(hour, 24)
        text = self[hour] = f"{date.fromordinal(FIRST_DAY + day).isoformat()}T{within:02}"
        return text


class _Rests(dict[int, str]):
    """``:05:00+00:00`` by microseconds since the hour; each that is of whole seconds is worked out once. A fraction
    of a second is written with six digits."""

    def __missing__(self, within: int) -> str:
        second, fraction = divmod(within, SECOND)
        whole = f":{second // 60:02}:{second % 60:02}"
        if fraction:
            return f"{whole}.{fraction:06}+00:00"
        text = self[within] = f"{whole}+00:00"
        return text


hour_text = _Hours()
rest_text = _Rests()


class _HourStart(dict[str, int]):
    """Microseconds since 1970 at which an hour (``2026-03-02T09``) of an event begins in UTC, each worked out once."""

    def __missing__(self, text: str) -> int:
        start = event_time(f"{text}:00:00+00:00")
        if text_of(start)[:13] != text:
            raise NoInstant("it is written in another way")
        if len(self) >= MOST_HOURS:
            self.clear()
        self[text] = start
        return start


class _RestOfHour(dict[str, int]):
    """Microseconds of what follows the hour in the text of an instant in UTC with whole seconds (``05:00+00:00``),
    each worked out once."""

    def __missing__(self, text: str) -> int:
        rest = parse(f"1970-01-01T00:{text}")
        if text_of(rest)[14:] != text or rest % SECOND:
            raise NoInstant("it is written in another way")
        self[text] = rest
        return rest


hour_start = _HourStart()
rest_of_hour = _RestOfHour()


def text_of(instant: int) -> str:
    """The RFC 3339 text of an instant, in UTC; a fraction of a second is written with six digits."""
    return hour_text[instant // HOUR] + rest_text[instant % HOUR]


def read_instant(text: str) -> tuple[int, str]:
    """The instant of an event that an RFC 3339 text tells, and its own text. Raises ``NoInstant``."""
    hour, _, rest = text.partition(":")
    try:
        return hour_start[hour] + rest_of_hour[rest], text
    except NoInstant:
        instant = event_time(text)
        return instant, text_of(instant)


def datetime_of(instant: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=instant)
