"""A limit: how long something may take, in which kind of time that is counted, and how it is read off its text:
``3 business hours``, ``close of business day 3``, ``2 days after order.ship_by``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec import Struct
from msgspec.structs import force_setattr, replace

if TYPE_CHECKING:
    from fractions import Fraction

SECOND = 1_000_000
"""In microseconds, as the units that follow."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NANODAYS = 86_400_000_000_000
"""Of one business day: the unit in which business days are counted."""

ELAPSED, MONTHS, UNTIL = "elapsed", "months", "until"
FIRST_OF = "first_of"
BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS = "business_time", "business_days", "close_of_business"

UNITS: dict[str, dict[str, int]] = {
    ELAPSED: {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY},
    MONTHS: {"month": 1, "year": 12},
    BUSINESS_TIME: {"business second": SECOND, "business minute": MINUTE, "business hour": HOUR},
    BUSINESS_DAYS: {"business day": NANODAYS},
    CLOSE_OF_BUSINESS: {"close of business day": NANODAYS},
    UNTIL: {"until": 0},
}
"""By kind: the units in the singular, and what one of each is in the kind's own measure."""

BASES = {BUSINESS_TIME: BUSINESS_TIME, BUSINESS_DAYS: BUSINESS_DAYS, CLOSE_OF_BUSINESS: BUSINESS_DAYS}


class Limit(Struct, frozen=True, eq=False):
    """A limit as ``parse_limit`` reads it. Two limits are equal when they mean the same.

    ``kind`` and the measure of ``amount``:

    ===================== ===============================================================
    ``elapsed``           microseconds
    ``months``            months (a year is 12)
    ``business_time``     microseconds of open time
    ``business_days``     nanodays, of which a business day has 86,400,000,000,000
    ``close_of_business`` nanodays: N open days, at the closing of the last
    ``until``             0; ``fact`` holds the instant or date, and ``offset`` (with
                          ``direction`` -1 before, +1 after) how far from it the limit is
    ``first_of``          0; of the limits in ``parts`` the first to fall due
    ===================== ===============================================================

    ``days`` is the number of business days where that is whole, else 0: it
    follows from the others, and whoever gives it is not heard. ``strict`` limits are passed
    at the due instant itself, others only after it. ``unit`` is the unit as it was written, in the singular.
    """

    kind: str
    amount: int
    unit: str
    strict: bool = False
    fact: str | None = None
    offset: Limit | None = None
    direction: int = 0
    parts: tuple[Limit, ...] = ()
    days: int = 0

    def __post_init__(self) -> None:
        whole = self.kind == BUSINESS_DAYS and self.amount % NANODAYS == 0
        force_setattr(self, "days", self.amount // NANODAYS if whole else 0)

    def __eq__(self, other: object) -> bool:
        return self._meant == other._meant if isinstance(other, Limit) else NotImplemented

    def __ne__(self, other: object) -> bool:  # that of a Struct does not ask __eq__
        return not self == other

    def __hash__(self) -> int:
        return hash(self._meant)

    @property
    def _meant(self) -> tuple[Any, ...]:
        """All but how the unit was written."""
        return self.kind, self.amount, self.strict, self.fact, self.offset, self.direction, self.parts

    def times(self, number: int) -> Limit:
        """A limit so many times as long."""
        return replace(self, amount=self.amount * number)

    def __repr__(self) -> str:
        return f"<Limit {self}>"

    @property
    def basis(self) -> str:
        """What kind of time it counts: ``elapsed``, ``business_time`` or ``business_days``."""
        return BASES.get(self.kind, ELAPSED)

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it depends on."""
        if self.parts:
            return tuple(dict.fromkeys(fact for part in self.parts for fact in part.reads))
        return () if self.fact is None else (self.fact,)

    @property
    def all(self) -> tuple[Limit, ...]:
        """The limits of which the first to fall due counts; any other limit is the only one of its kind."""
        return self.parts or (self,)

    def __str__(self) -> str:
        if self.parts:
            return first_of_written(map(str, self.parts))
        prefix = "less than " if self.strict else ""
        if self.kind == UNTIL:
            if self.offset is None:
                return f"{prefix}until {self.fact}"
            return f"{prefix}{self.offset} {'before' if self.direction < 0 else 'after'} {self.fact}"
        if self.kind == CLOSE_OF_BUSINESS:
            return f"{prefix}{self.unit} {self.amount // NANODAYS}"
        number = _decimal(self.amount, UNITS[self.kind][self.unit])
        return f"{prefix}{number} {self.unit}{'' if number == '1' else 's'}"


def first_of(parts: Iterable[Limit]) -> Limit:
    """The first to fall due of some limits."""
    return Limit(FIRST_OF, 0, FIRST_OF, parts=tuple(parts))


def first_of_written(parts: Iterable[str]) -> str:
    """Limits of which the first to fall due counts, as they are told in the words of the policy."""
    return f"the first of {' and '.join(parts)}"


def _decimal(amount: int, unit: int) -> str:
    """``amount / unit`` as a decimal numeral, exact since the limit was written as one."""
    whole, rest = divmod(amount, unit)
    if not rest:
        return str(whole)
    digits = 0
    while rest * 10**digits % unit:
        digits += 1
    return f"{whole}.{Decimal(rest * 10**digits // unit):0{digits}f}"


class LimitError(ValueError):
    """A text that is no limit.

    ``reason`` says why, ``hint`` names the nearest right form ("" where there is none); ``start`` and
    ``end`` are the offsets of the fault in the text, in characters.
    """

    def __init__(self, reason: str, hint: str, start: int, end: int) -> None:
        super().__init__(f"{reason}; {hint}" if hint else reason)
        self.reason = reason
        self.hint = hint
        self.start = start
        self.end = end


LONGEST_DAYS = 200 * 366
"""No limit is longer than 200 years: a longer one is a slip, and would leave the range of dates."""

LONGEST = {
    ELAPSED: LONGEST_DAYS * DAY,
    MONTHS: 200 * 12,
    BUSINESS_TIME: LONGEST_DAYS * DAY,
    BUSINESS_DAYS: LONGEST_DAYS * NANODAYS,
    CLOSE_OF_BUSINESS: LONGEST_DAYS * NANODAYS,
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

_JOINED = r"([0-9]+(?:[.,][0-9]+)?)([A-Za-z]+)"
_FACT = r"(?a:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)"
"""Compiled when a limit is first read: who takes a compiled set out of the cache reads none."""


class _LimitWords:
    """The words of a limit's text with their places, taken from the front one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[tuple[str, int, int]] = []
        end = 0
        for word in text.split():
            begin = text.index(word, end)
            end = begin + len(word)
            self.found.append((word, begin, end))
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
    words = _LimitWords(text)
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


def _end(words: _LimitWords, limit: Limit) -> Limit:
    if words.peek():
        rest = words.text[words.found[words.next][1] :].strip()
        words.fail(f"unexpected `{rest}` after the limit", "", words.next, len(words.found) - 1)
    return limit


def _fact(words: _LimitWords) -> str:
    name = words.peek()
    if not name:
        words.fail(
            f"a fact is missing after `{words.peek(-1)}`", "name a fact that holds a date or time", words.next - 1
        )
    if not re.fullmatch(_FACT, name):
        words.fail(f"`{name}` is not the name of a fact", "write a name such as order.ship_by")
    return words.take()


def _close(words: _LimitWords) -> Limit:
    text = words.peek()
    if not text:
        words.fail("the number of the day is missing", "write close of business day 3", 0, len(words.found) - 1)
    if not _is_number(text) or "." in text:
        words.fail(f"`{text}` is not a whole number of days", "write close of business day 3")
    if int(text[:9]) == 0:
        words.fail("day 0 is the day of the start, which may be closed already", "write close of business day 1")
    return Limit(CLOSE_OF_BUSINESS, _measure(words, text, CLOSE_OF_BUSINESS, NANODAYS), "close of business day")


def _amount(words: _LimitWords) -> Limit:
    first = words.next
    text = _number(words)
    word = words.peek()
    if not word or word in ("before", "after"):
        words.fail(f"`{text}` has no unit", f"write {text} hours, {text} days or {text} business hours", first)
    length = 2 if word in ("business", "working", "work", "office", "calendar") and words.peek(1) else 1
    written = " ".join(words.peek(ahead) for ahead in range(length))
    unit = written.removesuffix("s")
    if unit not in KINDS:
        _fail_of_unit(words, written, length, one=text == "1")
    words.next = first
    kind = KINDS[unit]
    amount = _measure(words, text, kind, UNITS[kind][unit])
    words.next = first + 1 + length
    return Limit(kind, amount, unit)


def _number(words: _LimitWords) -> str:
    """Take the number with which an amount of time begins."""
    if not _is_number(words.peek()):
        _fail_of_number(words, words.peek())
    return words.take()


def _fail_of_number(words: _LimitWords, text: str) -> NoReturn:
    joined = re.fullmatch(_JOINED, text)
    if joined:
        words.fail(f"`{text}` is not an amount of time", f"write {joined[1]} {_meant(joined[2]) or 'hours'}")
    if text.startswith("-"):
        words.fail(f"`{text}` is negative", "a limit is longer than nothing")
    if meant := _in_words(words.text):
        words.fail(f"`{text}` is not an amount of time", f"write {meant}")
    comma = re.fullmatch(r"[0-9]+,[0-9]+", text, re.ASCII)
    words.fail(f"`{text}` is not an amount of time", f"write {text.replace(',', '.')} with a point" if comma else FORMS)


def _is_number(text: str) -> bool:
    """Whether a word is digits, and a point with more digits where there is one."""
    whole, point, rest = text.partition(".")
    return text.isascii() and whole.isdigit() and (rest.isdigit() if point else True)


def _fail_of_unit(words: _LimitWords, written: str, length: int, *, one: bool) -> NoReturn:
    """Raise a ``LimitError`` for what is no unit, at the next ``length`` words; ``one`` says that its number is 1."""
    meant = _meant(written)
    pair = f"{written} {words.peek(1)}" if length == 1 and words.peek(1) else ""
    known = words.peek(1).removesuffix("s") in KINDS
    if pair and (whole := _meant(pair)) and (not meant or known or _foreign(pair)):
        # The very word: the second one is only wrong where both are of another language.
        length, meant, written = (2, whole, pair) if _foreign(pair) else (1, whole, written)
    hint = f"did you mean {meant.removesuffix('s') if one else meant}?" if meant else FORMS
    words.fail(f"`{written}` is not a unit of time", hint, words.next, words.next + length - 1)


def _measure(words: _LimitWords, text: str, kind: str, one: int) -> int:
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

    first, *others = spelt(text).split() or [""]
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


class WarnMark(Struct, frozen=True):
    """A warning at a length of time: so long ``before`` the due instant, or after so much of it was used."""

    length: Limit
    before: bool

    def __str__(self) -> str:
        return f"{self.length} before" if self.before else str(self.length)


_SHARE = r"\s*(\d{1,3}(?:\.\d{1,4})?)\s*%\s*"
BEFORE = " before"


def share_written(text: str) -> Fraction | None:
    """The share of a limit that a warning is written as, such as 80%; None of any other text."""
    from fractions import Fraction  # only whoever reads policies needs them

    match = re.fullmatch(_SHARE, text)
    return None if match is None else Fraction(match[1]) / 100


def length_written(text: str) -> str:
    """The length of time of a warning that is no share, as it is written."""
    return text.strip().removesuffix(BEFORE).rstrip()


def warn_mark(text: str, length: Limit) -> WarnMark:
    """The warning that a text writes, whose length is read already. Raises ``LimitError`` for what is no length."""
    before = text.strip().endswith(BEFORE)
    kinds = {ELAPSED, BUSINESS_TIME, BUSINESS_DAYS, *((MONTHS,) if before else ())}
    if length.kind not in kinds or length.strict:
        hint = "write 75%, 30 business minutes before, or 2 hours after the start as 2 hours"
        raise LimitError("a warning is a share of the limit, or a length of time", hint, 0, len(text))
    return WarnMark(length, before)


class LimitText(str):
    """A limit as it is written in a policy: its text, and what that says, read once.

    ``setting`` is the name of the setting that stands in its place, if one does: what that says the organisation knows
    (``Organisation.limit``). Else ``limit`` is what the text says, or None and ``fault`` says why it is no limit.
    ``parts`` are the limits of which the first to fall due counts (``FirstOfText``); any other text has none.
    """

    __slots__ = ("fault", "limit", "parts", "setting")

    setting: str | None
    limit: Limit | None
    fault: LimitError | None
    parts: tuple[LimitText, ...]

    def __new__(cls, text: str) -> LimitText:
        """Read the text."""
        made = super().__new__(cls, text)
        made.setting = setting_in(text)
        made.limit = made.fault = None
        made.parts = ()
        if made.setting is None:
            try:
                made.limit = parse_limit(text)
            except LimitError as fault:
                made.fault = fault
        return made

    def __reduce__(self) -> tuple[type[LimitText], tuple[Any]]:
        return LimitText, (str(self),)

    @property
    def all(self) -> tuple[LimitText, ...]:
        """The limits that are written here: its parts, or itself."""
        return self.parts or (self,)


class FirstOfText(LimitText):
    """Several limits as they are written in a policy, of which the first to fall due counts. Its text tells them."""

    __slots__ = ()

    def __new__(cls, parts: Iterable[str]) -> FirstOfText:
        """Put the parts together; a part that is no limit has its fault itself."""
        written = tuple(each if isinstance(each, LimitText) else LimitText(each) for each in parts)
        made = str.__new__(cls, first_of_written(written))
        made.setting = made.fault = None
        limits = [each.limit for each in written]
        made.limit = first_of(each for each in limits if each is not None) if None not in limits else None
        made.parts = written
        return made

    def __reduce__(self) -> tuple[type[LimitText], tuple[Any]]:
        return FirstOfText, (self.parts,)


SETTINGS = "settings."
"""Begins the name of a setting that stands in place of a limit, or in an expression."""


def setting_in(text: str) -> str | None:
    """The name of the setting that stands in place of a limit; None of any other text."""
    said = text.strip()
    return said.removeprefix(SETTINGS) if said.startswith(SETTINGS) else None
