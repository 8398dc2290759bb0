"""Instants as records write them and the engine counts them: RFC 3339 texts and microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = date(1970, 1, 1).toordinal()
SECOND = 1_000_000
DAY = 86_400 * SECOND

NEVER = 1 << 62
"""An instant after all others: the due time of what does not fall due."""

FIRST_YEAR, LAST_YEAR = 1970, 2150
"""The years in which events may happen. Calendars know fifty more, in which what they begin may fall due."""


FIRST_INSTANT, LAST_INSTANT = (date.min.toordinal() - FIRST_DAY) * DAY, (date.max.toordinal() - FIRST_DAY + 1) * DAY - 1
"""The instants between which a due time can be written."""


class NoInstant(ValueError):
    """A text that is no instant; the message says why, without the text."""


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


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
    instant = parse(text)
    if not day_start[f"{FIRST_YEAR}-01-01"] <= instant < day_start[f"{LAST_YEAR}-12-31"] + DAY:
        raise NoInstant(_OUTSIDE)
    return instant


_OUTSIDE = f"it lies outside of the years {FIRST_YEAR} to {LAST_YEAR}, in which events may happen"


_BETWEEN = ("T", "t", " ", "")


class _Days(dict[int, str]):
    """``2026-03-02T`` by days since 1970, each worked out once."""

    def __missing__(self, day: int) -> str:
        text = self[day] = date.fromordinal(FIRST_DAY + day).isoformat() + "T"
        return text


class _Seconds(dict[int, str]):
    """``09:05:00+00:00`` by seconds since midnight, each worked out once."""

    def __missing__(self, second: int) -> str:
        hours, rest = divmod(second, 3600)
        text = self[second] = f"{hours:02}:{rest // 60:02}:{rest % 60:02}+00:00"
        return text


class _DayStart(dict[str, int]):
    """Microseconds since 1970 at which a date (``2026-03-02``) of an event begins in UTC, each worked out once."""

    def __missing__(self, text: str) -> int:
        try:
            day = date.fromisoformat(text) if len(text) == 10 and text[7] == "-" else None
        except ValueError:
            day = None
        if day is None:
            raise NoInstant("it is no date and time")
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise NoInstant(_OUTSIDE)
        start = self[text] = (day.toordinal() - FIRST_DAY) * DAY
        return start


class _MinuteOfDay(dict[str, int]):
    """Microseconds since midnight of a time of day (``09:05``), each worked out once. There are so few of them, and
    of seconds, that both stay in the processor's cache."""

    def __missing__(self, text: str) -> int:
        try:
            at = time.fromisoformat(text) if len(text) == 5 and text[2] == ":" else None
        except ValueError:
            at = None
        if at is None:
            raise NoInstant("it is no date and time")
        minute = self[text] = (at.hour * 3600 + at.minute * 60) * SECOND
        return minute


day_start = _DayStart()
minute_of_day = _MinuteOfDay()
second_of_minute = {f":{second:02}+00:00": second * SECOND for second in range(60)}
"""Microseconds of what follows the minute in the text of an instant in UTC."""
_days = _Days()
_seconds = _Seconds()


def text_of(instant: int) -> str:
    """The RFC 3339 text of an instant, in UTC; a fraction of a second is written with six digits."""
    day, within = divmod(instant, DAY)
    second, fraction = divmod(within, SECOND)
    if fraction:
        return f"{_days[day]}{_seconds[second][:8]}.{fraction:06}+00:00"
    return _days[day] + _seconds[second]


def datetime_of(instant: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=instant)
