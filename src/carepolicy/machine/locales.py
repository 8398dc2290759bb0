"""Values as people read them in their language: money, dates, times, numbers, opening hours (CLDR, by Babel)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.instants import EPOCH
from carepolicy.policy.addresses import EMAIL, PHONE, email_in_words, number_in_words
from carepolicy.translations import Own, locale_of, msg, primary_language, translation_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.policy.language.calendar import Closing, MonthDay, Season
    from carepolicy.policy.model import Interval

RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "bal", "ckb", "dv", "fa", "he", "ks", "lrc", "mzn", "nqo", "pnb", "ps", "sd", "syr", "ug", "ur", "yi"}
)
"""Languages that are written from right to left unless their tag names another script."""

RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "aran", "hebr", "nkoo", "rohg", "samr", "syrc", "thaa"})
YES_AND_NO = {
    "ar": ("نعم", "لا"), "bg": ("да", "не"), "bn": ("হ্যাঁ", "না"), "bs": ("da", "ne"), "ca": ("sí", "no"),
    "cs": ("ano", "ne"), "cy": ("ie", "na"), "da": ("ja", "nej"), "de": ("ja", "nein"),
    "el": ("ναι", "όχι"), "en": ("yes", "no"), "es": ("sí", "no"), "et": ("jah", "ei"), "eu": ("bai", "ez"),
    "fa": ("بله", "خیر"), "fi": ("kyllä", "ei"), "fil": ("oo", "hindi"), "fr": ("oui", "non"),
    "ga": ("tá", "níl"), "gl": ("si", "non"), "he": ("כן", "לא"), "hi": ("हाँ", "नहीं"), "hr": ("da", "ne"),
    "hu": ("igen", "nem"), "id": ("ya", "tidak"), "is": ("já", "nei"), "it": ("sì", "no"),
    "ja": ("はい", "いいえ"), "ka": ("დიახ", "არა"), "ko": ("예", "아니요"), "lt": ("taip", "ne"),
    "lv": ("jā", "nē"), "mk": ("да", "не"), "ms": ("ya", "tidak"), "mt": ("iva", "le"), "nb": ("ja", "nei"),
    "nl": ("ja", "nee"), "nn": ("ja", "nei"), "no": ("ja", "nei"), "pl": ("tak", "nie"),
    "pt": ("sim", "não"), "ro": ("da", "nu"), "ru": ("да", "нет"), "sk": ("áno", "nie"), "sl": ("da", "ne"),
    "sq": ("po", "jo"), "sr": ("да", "не"), "sv": ("ja", "nej"), "sw": ("ndiyo", "hapana"),
    "ta": ("ஆம்", "இல்லை"), "th": ("ใช่", "ไม่ใช่"), "tr": ("evet", "hayır"), "uk": ("так", "ні"),
    "ur": ("ہاں", "نہیں"), "vi": ("có", "không"), "zh": ("是", "否"),
}  # fmt: skip
"""Yes and no by language, as CLDR has them (Babel leaves them out), for languages whose catalogue lacks them."""

YES, NO = msg("yes"), msg("no")


def is_right_to_left(language: str) -> bool:
    """Whether the language of a tag (fa, az-Arab, fa-Latn) is written from right to left."""
    first, *more = language.replace("_", "-").lower().split("-")
    script = next((each for each in more if len(each) == 4 and each.isalpha()), None)
    return first in RIGHT_TO_LEFT if script is None else script in RIGHT_TO_LEFT_SCRIPTS


@lru_cache(maxsize=64)
def locale_in(language: str, region: str | None) -> str:
    """A language as it is written in a region (of ISO 3166): "en" in "GB" is "en-GB". One that names its own region
    stays; English where CLDR has none of the region is that of the world, and not that of America."""
    from babel.localedata import exists

    if region is None or "-" in language or "_" in language:
        return language
    if exists(f"{language}_{region}"):
        return f"{language}-{region}"
    return "en-150" if language == "en" else language


def nearest_language(wanted: str, known: Iterable[str]) -> str | None:
    """Which of some languages a reader of another understands: itself, in whatever case and with whichever sign
    between; that of no region (``pt`` for ``pt-BR``), and of another region (``pt-PT``)."""
    tags = {each.replace("_", "-").lower(): each for each in known}
    parts = wanted.strip().replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        if (found := tags.get("-".join(parts[:length]))) is not None:
            return found
    return next((each for tag, each in tags.items() if tag.startswith(f"{parts[0]}-")), None)


def value_in_words(value: Any, kind: str, currency: str | None, language: str, timezone: str, own: Own = ()) -> str:
    """A fact's value of the type ``kind`` in a language; times (microseconds since 1970) in ``timezone``. ``own`` are
    words that the set brings. A language that names a region tells telephone numbers as people there read them."""
    if isinstance(value, (tuple, list)):
        return ", ".join(value_in_words(each, kind, currency, language, timezone, own) for each in value)
    if kind == "text":
        return str(value)
    if kind == EMAIL:
        return email_in_words(str(value))
    if kind == PHONE:
        return number_in_words(str(value), language.rpartition("-")[2] if "-" in language else None)
    if kind == "choice":
        return str(value).replace("_", " ")
    if kind == "flag":
        return yes_or_no(bool(value), language, own)
    if kind == "time":
        return time_in_words(value, language, timezone)
    if kind == "date":
        return _date(value, language)
    return _amount(str(value), currency if kind == "money" else None, language)


def yes_or_no(value: bool, language: str, own: Own = ()) -> str:
    """Yes or no in a language."""
    words, said = translation_of(language, own), YES if value else NO
    if words.has("", said):
        return words.gettext(said)
    return YES_AND_NO.get(primary_language(language), (YES, NO))[0 if value else 1]


@lru_cache(maxsize=4096)
def time_in_words(instant: int, language: str, timezone: str, tells_zone: bool = False) -> str:
    """An instant with its day's name and without seconds: "Tuesday, 3 March 2026, 10:40". The zone is named where that
    is asked for, and in an hour that comes twice, as clocks are put back."""
    zone = _zone(timezone)
    at = EPOCH + timedelta(microseconds=instant)
    with suppress(OverflowError):  # in the first and the last hours of all years there is no other zone
        at = at.astimezone(zone)
    told = _day_and_time(language).format(_time_of_day(at.hour, at.minute, language), _day(at.date(), language))
    twice = at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset()
    if not (twice or tells_zone):
        return told
    from babel.dates import get_timezone_name

    return f"{told} ({get_timezone_name(at if twice else zone, locale=locale_of(language))})"


@lru_cache(maxsize=64)
def _zone(timezone: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # it reads where zones lie, and few events tell a time

    return ZoneInfo(timezone)


@lru_cache(maxsize=64)
def _day_and_time(language: str) -> str:
    """Where a language puts the time of day, {0}, and the day, {1}."""
    return str(locale_of(language).datetime_formats["medium"])


@lru_cache(maxsize=6000)
def _time_of_day(hour: int, minute: int, language: str) -> str:
    from babel.dates import format_time

    return format_time(time(hour, minute), "short", locale=locale_of(language))


@lru_cache(maxsize=4096)
def _day(on: date, language: str) -> str:
    from babel.dates import format_date

    return format_date(on, "full", locale=locale_of(language))


@lru_cache(maxsize=4096)
def _date(on: date, language: str) -> str:
    from babel.dates import format_date

    return format_date(on, "long", locale=locale_of(language))


@lru_cache(maxsize=4096)
def _amount(value: str, currency: str | None, language: str) -> str:
    from babel.numbers import format_currency, format_decimal

    locale = locale_of(language)
    return format_decimal(value, locale=locale) if currency is None else format_currency(value, currency, locale=locale)


def hours_in_words(hours: tuple[tuple[Interval, ...], ...], language: str, seasons: tuple[Season, ...] = ()) -> str:
    """Weekly opening hours, days that are alike together: "Mon-Thu 09:00-17:30, Fri 09:00-16:00"; those of seasons
    follow: "; 1 May – 31 Aug: Mon-Fri 08:00-15:00"."""
    return "; ".join([_week_in_words(hours, language), *(season_in_words(each, language) for each in seasons)])


def season_in_words(season: Season, language: str) -> str:
    """A season and its hours: "1 May – 31 Aug: Mon-Fri 08:00-15:00"; a dash for weekdays on which it is closed."""
    return f"{_from_to(season.first, season.last, language)}: {_week_in_words(season.hours, language)}"


def closing_in_words(closing: Closing, language: str) -> str:
    """Closed days, and what for: "2026-12-24", "24 Dec – 6 Jan (Christmas)"."""
    days = _from_to(closing.first, closing.last, language)
    return f"{days} ({closing.title})" if closing.title else days


def _from_to(first: date | MonthDay, last: date | MonthDay, language: str) -> str:
    begin, end = _date_or_day(first, language), _date_or_day(last, language)
    return begin if first == last else f"{begin} – {end}"


def _date_or_day(day: date | MonthDay, language: str) -> str:
    """A date as it is written, or a day of every year as people say it."""
    if isinstance(day, date):
        return str(day)
    from babel.dates import format_skeleton

    return str(format_skeleton("MMMd", day.first_in(2024), locale=locale_of(language)))


def _week_in_words(hours: tuple[tuple[Interval, ...] | None, ...], language: str) -> str:
    names = locale_of(language).days["stand-alone"]["abbreviated"]
    told: list[str] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and hours[day] == hours[first]:
            continue
        span = str(names[first]) if day - first == 1 else f"{names[first]}-{names[day - 1]}"
        if alike := hours[first]:
            told.append(f"{span} " + " ".join(f"{_clock(a)}-{_clock(b)}" for a, b in alike))
        elif alike is not None and None in hours:
            told.append(f"{span} –")
        first = day
    return ", ".join(told)


def _clock(seconds: int) -> str:
    minutes = seconds // 60
    return "24:00" if minutes == 1440 else f"{minutes // 60 % 24:02}:{minutes % 60:02}"
