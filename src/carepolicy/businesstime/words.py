"""Limits in a customer's language: "3 business hours", "3 heures ouvrées", "moins de 2 jours ouvrés"; where a language
has cases, in the case that the sentence around it asks for: "innerhalb von 2 Geschäftstagen"."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from carepolicy.policy.limit import Limit, parse_limit
from carepolicy.translations import (
    ENGLISH,
    Own,
    Translation,
    locale_of,
    msg,
    msgs,
    primary_language,
    translation_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LENGTHS = {
    "second": msgs("{} second", "{} seconds"),
    "minute": msgs("{} minute", "{} minutes"),
    "hour": msgs("{} hour", "{} hours"),
    "day": msgs("{} day", "{} days"),
    "week": msgs("{} week", "{} weeks"),
    "month": msgs("{} month", "{} months"),
    "year": msgs("{} year", "{} years"),
    "business second": msgs("{} business second", "{} business seconds"),
    "business minute": msgs("{} business minute", "{} business minutes"),
    "business hour": msgs("{} business hour", "{} business hours"),
    "business day": msgs("{} business day", "{} business days"),
    "close of business day": msgs(
        "the close of business on the next business day", "the close of business in {} business days"
    ),
}
"""How many of each unit, in English. Catalogues have them in the nominative, and in other cases by their name as the
context."""

LESS_THAN = msg("less than {}")

UNTIL_FACT, BEFORE_FACT, AFTER_FACT, QUOTED = msg("until {}"), msg("{} before {}"), msg("{} after {}"), msg("“{}”")
EARLIER = msg("{}, or {} if that is earlier")
EARLIEST = msg("{}, or {}, whichever is earliest")
"""The first to fall due of two limits, and of more."""

NO_TITLES: Mapping[str, str] = {}

ALIKE = ("nominative", "")
"""The case in which catalogues have their words without a context."""


class Inflected(str):
    """A limit in words, which a phrase may ask for in a grammatical case: ``"Nach {:dative}"``."""

    told: Callable[[str], str] | None = None

    def __format__(self, case: str) -> str:
        return self.told(case) if case and self.told is not None else str(self)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Sent to another process, or kept, it is the plain text."""
        return str, (str(self),)


def inflected(told: Callable[[str], str]) -> Inflected:
    """A text that ``told`` gives in each case, "" for the one without a name."""
    text = Inflected(told(""))
    text.told = told
    return text


def limit_in_words(
    limit: str | Limit, language: str, case: str = "", own: Own = (), titles: Mapping[str, str] = NO_TITLES
) -> str:
    """A limit as a customer reads it, in a grammatical case where the language has it. One that hangs on a fact is told
    in the words of the policy, unless ``titles`` has one of the fact; ``own`` are the set's catalogues."""
    if isinstance(limit, Limit) and limit.parts:
        told = [limit_in_words(each, language, case, own, titles) for each in limit.parts]
        return earliest_in_words(told, translation_of(language, own))
    if isinstance(limit, Limit) and limit.fact is not None and limit.fact in titles:
        return _beside_fact(limit, titles[limit.fact], language, case, own)
    return _words(str(limit), language, "" if case in ALIKE else case, own)


def earliest_in_words(told: Sequence[str], words: Translation) -> str:
    """The first to fall due of some limits, each in words already."""
    *others, last = told
    return words.gettext(EARLIER if len(others) == 1 else EARLIEST).format(", ".join(others), last)


def _beside_fact(limit: Limit, title: str, language: str, case: str, own: Own) -> str:
    """A limit that hangs on a fact, with its title."""
    words = translation_of(language, own)
    fact = words.gettext(QUOTED).format(title)
    if limit.offset is None:
        return words.gettext(UNTIL_FACT).format(fact)
    beside = words.gettext(BEFORE_FACT if limit.direction < 0 else AFTER_FACT)
    told = beside.format(limit_in_words(limit.offset, language, case, own), fact)
    return words.gettext(LESS_THAN).format(told) if limit.strict else told


@lru_cache(maxsize=1024)
def _words(text: str, language: str, case: str, own: Own) -> str:
    return told_limit(text, translation_of(language, own), case)


def told_limit(text: str, words: Translation, case: str = "") -> str:
    """A limit in the words of a translation, in a grammatical case."""
    limit = parse_limit(text)
    if limit.kind == "until":
        return text
    number = (
        str(limit)
        .removeprefix("less than ")
        .removeprefix(limit.unit)
        .split(" ")[0 if limit.kind != "close_of_business" else -1]
    )
    phrase = LENGTHS[limit.unit]
    inflected = phrase.in_context(case)
    told = words.counted(inflected if words.has(case, phrase.forms[0]) else phrase).format(number)
    if not limit.strict:
        return told
    less = words.pgettext(case, LESS_THAN) if words.has(case, LESS_THAN) else words.gettext(LESS_THAN)
    return less.format(told)


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def weekday_in_words(number: int, words: Translation) -> str:
    """A day of the week, Monday 0, in few letters: ``Mon``, ``lun.``"""
    if primary_language(words.language) == ENGLISH:
        return _WEEKDAYS[number]
    return str(locale_of(words.language).days["format"]["abbreviated"][number])


def duration(seconds: float, days: bool = False) -> str:
    """A time in short words of at most two units: "45 s", "12 min", "2 h 10 min"; with ``days`` two days and more are
    told in them: "3 d 4 h"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    if days and hours >= 48:
        whole_days, rest = divmod(round(whole / 3600), 24)
        return f"{whole_days} d {rest} h" if rest else f"{whole_days} d"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
