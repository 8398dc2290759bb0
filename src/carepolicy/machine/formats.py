"""Values as people read them in their language: money, dates, times, numbers, opening hours (CLDR, by Babel)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babel import Locale

    from carepolicy.policy.model import Interval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "bal", "ckb", "dv", "fa", "he", "ks", "lrc", "mzn", "nqo", "pnb", "ps", "sd", "syr", "ug", "ur", "yi"}
)
"""Languages that are written from right to left unless their tag names another script."""

RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "aran", "hebr", "nkoo", "rohg", "samr", "syrc", "thaa"})
YES_AND_NO = {"en": ("yes", "no"), "fr": ("oui", "non"), "de": ("ja", "nein"), "es": ("sí", "no"), "nl": ("ja", "nee")}


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The CLDR locale of a language tag; English for one that is not known."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def is_right_to_left(language: str) -> bool:
    """Whether the language of a tag (fa, az-Arab, fa-Latn) is written from right to left."""
    first, *more = language.replace("_", "-").lower().split("-")
    script = next((each for each in more if len(each) == 4 and each.isalpha()), None)
    return first in RIGHT_TO_LEFT if script is None else script in RIGHT_TO_LEFT_SCRIPTS


def value_in_words(value: Any, kind: str, currency: str | None, language: str, timezone: str) -> str:
    """A fact's value of the type ``kind`` in a language; times (microseconds since 1970) in ``timezone``."""
    if isinstance(value, (tuple, list)):
        return ", ".join(value_in_words(each, "text", currency, language, timezone) for each in value)
    if kind == "text":
        return str(value)
    if kind == "choice":
        return str(value).replace("_", " ")
    if kind == "flag":
        return YES_AND_NO.get(language, YES_AND_NO["en"])[0 if value else 1]
    if kind == "time":
        return _time(value, language, timezone)
    if kind == "date":
        return _date(value, language)
    return _amount(str(value), currency if kind == "money" else None, language)


@lru_cache(maxsize=4096)
def _time(instant: int, language: str, timezone: str) -> str:
    from babel.dates import format_datetime, get_timezone

    at = EPOCH + timedelta(microseconds=instant)
    return format_datetime(at, "medium", tzinfo=get_timezone(timezone), locale=locale_of(language))


@lru_cache(maxsize=4096)
def _date(on: date, language: str) -> str:
    from babel.dates import format_date

    return format_date(on, "long", locale=locale_of(language))


@lru_cache(maxsize=4096)
def _amount(value: str, currency: str | None, language: str) -> str:
    from babel.numbers import format_currency, format_decimal

    locale = locale_of(language)
    return format_decimal(value, locale=locale) if currency is None else format_currency(value, currency, locale=locale)


def hours_in_words(hours: tuple[tuple[Interval, ...], ...], language: str) -> str:
    """Weekly opening hours, days that are alike together: "Mon-Thu 09:00-17:30, Fri 09:00-16:00"."""
    names = locale_of(language).days["stand-alone"]["abbreviated"]
    told: list[str] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and hours[day] == hours[first]:
            continue
        if hours[first]:
            span = str(names[first]) if day - first == 1 else f"{names[first]}-{names[day - 1]}"
            told.append(f"{span} " + " ".join(f"{_clock(a)}-{_clock(b)}" for a, b in hours[first]))
        first = day
    return ", ".join(told)


def _clock(seconds: int) -> str:
    minutes = seconds // 60
    return "24:00" if minutes == 1440 else f"{minutes // 60 % 24:02}:{minutes % 60:02}"
