"""Reads the text of a limit: ``3 business hours``, ``close of business day 3``, ``2 days after order.ship_by``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

from carepolicy.businesstime.limit import (
    BUSINESS_DAYS,
    BUSINESS_TIME,
    CLOSE_OF_BUSINESS,
    DAY,
    DAY_US,
    ELAPSED,
    MONTHS,
    UNITS,
    UNTIL,
    Limit,
    LimitError,
)

LONGEST_DAYS = 200 * 366
"""No limit is longer than 200 years: a longer one is a slip, and would leave the range of dates."""

LONGEST = {
    ELAPSED: LONGEST_DAYS * DAY_US,
    MONTHS: 200 * 12,
    BUSINESS_TIME: LONGEST_DAYS * DAY_US,
    BUSINESS_DAYS: LONGEST_DAYS * DAY,
    CLOSE_OF_BUSINESS: LONGEST_DAYS * DAY,
}

KINDS = {unit: kind for kind in (ELAPSED, MONTHS, BUSINESS_TIME, BUSINESS_DAYS) for unit in UNITS[kind]}
FORMS = "write 3 business hours, 2 business days, 72 hours, 1 month, close of business day 3 or until FACT"

SLIPS = {
    "s": "second", "sec": "second", "secs": "second", "min": "minute", "mins": "minute", "m": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "d": "day", "w": "week", "wk": "week", "wks": "week",
    "mo": "month", "y": "year", "yr": "year", "yrs": "year", "bd": "business day", "bh": "business hour",
    "workday": "business day", "weekday": "business day", "calendar day": "day", "calendar month": "month",
    "fortnight": "2 weeks", "quarter": "3 months", "business week": "5 business days",
    "business month": "month",
}  # fmt: skip
"""What people write instead of a unit, and what they mean."""

# Texts, which re compiles when they are first used: a compiled set has its limits read already.
TOKEN = r"\S+"
NUMBER = r"[0-9]+(\.[0-9]+)?"
JOINED = r"([0-9]+(?:[.,][0-9]+)?)([A-Za-z]+)"
FACT = r"(?a:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)"


class _Words:
    """The words of a limit's text with their places, taken from the front one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = [(each.group(), each.start(), each.end()) for each in re.finditer(TOKEN, text)]
        self.next = 0

    def peek(self, ahead: int = 0) -> str:
        at = self.next + ahead
        return self.found[at][0] if at < len(self.found) else ""

    def take(self) -> str:
        self.next += 1
        return self.found[self.next - 1][0]

    def take_all(self, *words: str) -> bool:
        """Take these words if they come next."""
        if any(self.peek(ahead) != word for ahead, word in enumerate(words)):
            return False
        self.next += len(words)
        return True

    def fail(self, reason: str, hint: str = "", first: int | None = None, last: int | None = None) -> NoReturn:
        """Raise a ``LimitError`` for the words ``first`` to ``last`` (by default for the next one)."""
        if not self.found:
            raise LimitError(reason, hint, 0, len(self.text))
        end = len(self.found) - 1
        first = min(self.next if first is None else first, end)
        last = min(first if last is None else last, end)
        raise LimitError(reason, hint, self.found[first][1], self.found[last][2])


@lru_cache(maxsize=4096)
def parse_limit(text: str) -> Limit:
    """Read a limit. Raises ``LimitError`` for a text that is none, and for amounts that are not above zero."""
    words = _Words(text)
    if not words.found:
        words.fail("a limit is missing", FORMS)
    strict = words.take_all("less", "than")
    if words.peek() == "until":
        if strict:
            words.fail("a limit until a fact cannot be strict", "leave out `less than`", 0, 1)
        words.take()
        return _end(words, Limit(UNTIL, 0, "until", fact=_fact(words)))
    if strict and words.peek() == "close":
        words.fail("a close of business cannot be strict", "leave out `less than`", 0, 1)
    limit = _close(words) if words.take_all("close", "of", "business", "day") else _amount(words)
    if words.peek() in ("before", "after"):
        direction = -1 if words.take() == "before" else 1
        limit = Limit(UNTIL, 0, "until", strict, _fact(words), limit, direction)
    elif strict:
        limit = Limit(limit.kind, limit.amount, limit.unit, True)
    return _end(words, limit)


def _end(words: _Words, limit: Limit) -> Limit:
    if words.peek():
        rest = words.text[words.found[words.next][1] :].strip()
        words.fail(f"unexpected `{rest}` after the limit", "", words.next, len(words.found) - 1)
    return limit


def _fact(words: _Words) -> str:
    name = words.peek()
    if not name:
        words.fail(
            f"a fact is missing after `{words.peek(-1)}`", "name a fact that holds a date or time", words.next - 1
        )
    if not re.fullmatch(FACT, name):
        words.fail(f"`{name}` is not the name of a fact", "write a name such as order.ship_by")
    return words.take()


def _close(words: _Words) -> Limit:
    text = words.peek()
    if not text:
        words.fail("the number of the day is missing", "write close of business day 3", 0, len(words.found) - 1)
    if not re.fullmatch(NUMBER, text) or "." in text:
        words.fail(f"`{text}` is not a whole number of days", "write close of business day 3")
    if int(text[:9]) == 0:
        words.fail("day 0 is the day of the start, which may be closed already", "write close of business day 1")
    return Limit(CLOSE_OF_BUSINESS, _measure(words, text, CLOSE_OF_BUSINESS, DAY), "close of business day")


def _amount(words: _Words) -> Limit:
    first = words.next
    text = words.peek()
    joined = re.fullmatch(JOINED, text)
    if joined:
        words.fail(f"`{text}` is not an amount of time", f"write {joined[1]} {_meant(joined[2]) or 'hours'}")
    if text.startswith("-"):
        words.fail(f"`{text}` is negative", "a limit is longer than nothing")
    if not re.fullmatch(NUMBER, text) and (meant := _in_words(words.text)):
        words.fail(f"`{text}` is not an amount of time", f"write {meant}")
    if not re.fullmatch(NUMBER, text):
        hint = (
            f"write {text.replace(',', '.')} with a point" if re.fullmatch(r"[0-9]+,[0-9]+", text, re.ASCII) else FORMS
        )
        words.fail(f"`{text}` is not an amount of time", hint)
    words.take()
    word = words.peek()
    if not word or word in ("before", "after"):
        words.fail(f"`{text}` has no unit", f"write {text} hours, {text} days or {text} business hours", first)
    length = 2 if word in ("business", "working", "work", "office", "calendar") and words.peek(1) else 1
    written = " ".join(words.peek(ahead) for ahead in range(length))
    unit = written.removesuffix("s") if written.removesuffix("s") in KINDS else ""
    if not unit:
        meant, number = _meant(written), 1 if text == "1" else 2
        pair = f"{written} {words.peek(1)}" if length == 1 and words.peek(1) else ""
        known = words.peek(1).removesuffix("s") in KINDS
        if pair and (whole := _meant(pair)) and (not meant or known or _foreign(pair)):
            # The very word: the second one is only wrong where both are of another language.
            length, meant, written = (2, whole, pair) if _foreign(pair) else (1, whole, written)
        hint = f"did you mean {meant.removesuffix('s') if number == 1 else meant}?" if meant else FORMS
        words.fail(f"`{written}` is not a unit of time", hint, words.next, words.next + length - 1)
    words.next = first
    kind = KINDS[unit]
    amount = _measure(words, text, kind, UNITS[kind][unit])
    words.next = first + 1 + length
    return Limit(kind, amount, unit)


def _measure(words: _Words, text: str, kind: str, one: int) -> int:
    """The number ``text`` times ``one``, exactly; takes the number."""
    whole, _, part = text.partition(".")
    # A numeral of a million digits is refused before it is read: reading it would take seconds.
    if len(whole.lstrip("0")) > 18:
        words.fail(f"`{_short(text)}` is too large", "no limit is longer than 200 years")
    part = part.rstrip("0")
    if len(part) > 18:
        words.fail(f"`{_short(text)}` is too fine", "limits are counted in microseconds")
    scale: int = 10 ** len(part)
    amount, rest = divmod(int(whole + part) * one, scale)
    if rest:
        measure = "whole months" if kind == MONTHS else "microseconds"
        words.fail(f"`{text}` is too fine", f"these limits are counted in {measure}")
    if amount == 0:
        words.fail("a limit of zero is none", "a limit is longer than nothing")
    if amount > LONGEST[kind]:
        words.fail(f"`{text}` is too large", "no limit is longer than 200 years")
    words.take()
    return amount


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:20]}..."


NUMBERS = (
    ("a", "an", "one", "ein", "eine", "einem", "einen", "einer", "un", "une", "una", "uno"),
    ("two", "zwei", "deux", "dos"), ("three", "drei", "trois", "tres"), ("four", "vier", "quatre", "cuatro"),
    ("five", "fuenf", "cinq", "cinco"), ("six", "sechs", "seis"), ("seven", "sieben", "sept", "siete"),
    ("eight", "acht", "huit", "ocho"), ("nine", "neun", "neuf", "nueve"), ("ten", "zehn", "dix", "diez"),
)  # fmt: skip
"""Words for the numbers from 1 on, in English, German, French and Spanish."""

FOREIGN = {
    "business day": "werktag werktage werktagen arbeitstag arbeitstage arbeitstagen geschaeftstag geschaeftstage "
    "bankarbeitstag bankarbeitstage jour_ouvre jours_ouvres jour_ouvrable jours_ouvrables dia_habil dias_habiles "
    "dia_laborable dias_laborables",
    "business hour": "arbeitsstunde arbeitsstunden geschaeftsstunde geschaeftsstunden heure_ouvree heures_ouvrees "
    "hora_habil horas_habiles",
    "day": "tag tage tagen jour jours dia dias kalendertag kalendertage kalendertagen",
    "hour": "stunde stunden std heure heures hora horas",
    "minute": "minuten minuto minutos",
    "second": "sekunde sekunden seconde secondes segundo segundos",
    "week": "woche wochen semaine semaines semana semanas",
    "month": "monat monate monaten mois mes meses",
    "year": "jahr jahre jahren an ans annee annees ano anos",
}
"""Units of time in German, French and Spanish."""


def _foreign(written: str) -> str:
    """The unit that words of another language stand for; "" where none does."""
    from carepolicy.policy.vocabulary import name_of

    said = name_of(written)
    return next((unit for unit, words in FOREIGN.items() if said in words.split()), "")


def _in_words(text: str) -> str:
    """A limit whose number is a word, as it is written here: ``half an hour`` is 30 minutes; "" of any other text."""
    from carepolicy.policy.vocabulary import spelt

    first, *others = spelt(text).split()
    halves = {"hour": "30 minutes", "day": "12 hours", "business day": "0.5 business days", "year": "6 months"}
    if first in ("half", "halbe", "halber", "halben", "demi"):
        unit = _unit_of([each for each in others if each not in NUMBERS[0]])
        return halves.get(unit, f"0.5 {unit}s" if unit else "")
    number = next((number for number, words in enumerate(NUMBERS, 1) if first in words), 0)
    unit = _unit_of(others) if number else ""
    if unit and unit[0].isdigit():
        return unit if number == 1 else ""
    return f"{number} {unit}{'' if number == 1 else 's'}" if unit else ""


def _unit_of(words: list[str]) -> str:
    """The unit that words stand for, in the singular."""
    written = " ".join(words)
    unit = (_foreign(written) or _meant(written)) if written else ""
    return unit if unit[:1].isdigit() else unit.removesuffix("s")


def _meant(written: str) -> str:
    """The unit that was probably meant, in the plural; "" where nothing is near."""
    from difflib import get_close_matches

    unit = _foreign(written)
    if unit:
        return f"{unit}s"
    single = written.lower().replace("working", "business").replace("work ", "business ").replace("office", "business")
    for form in (single, single.removesuffix("s")):
        if form in SLIPS:
            return SLIPS[form] if SLIPS[form][0].isdigit() else f"{SLIPS[form]}s"
        if form in KINDS:
            return f"{form}s"
    near = get_close_matches(single, [f"{unit}s" for unit in KINDS], 1, 0.6)
    return near[0] if near else ""
