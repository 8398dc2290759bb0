"""Numbers, shares and times of an audit as one language writes them, on charts and on pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from babel.numbers import format_decimal, format_percent

from carepolicy.translations import Counted, locale_of

if TYPE_CHECKING:
    from carepolicy.charts.labels import Labels

MOST_DIGITS = 4
"""Of a share that would else be told as none or as all."""


@dataclass(frozen=True)
class Amounts:
    """Amounts in the words and the signs of a language."""

    labels: Labels
    language: str

    @cached_property
    def locale(self) -> Any:
        """The conventions of the language."""
        return locale_of(self.language)

    def number(self, value: int) -> str:
        """A whole number: "12,345"."""
        return str(format_decimal(value, locale=self.locale)).replace("\u202f", "\u00a0")

    def counted(self, phrase: Counted, value: int, *more: object) -> str:
        """A phrase with a number in it, in the form that the number takes: "1,067 limits were passed."."""
        return phrase.form(value).format(self.number(value), *more)

    def percent(self, share: float, digits: int = 1) -> str:
        """A share from 0 to 1 with so many digits at most: "95.3 %", as the language writes it."""
        pattern = self.locale.percent_formats[None].pattern.replace("0", f"0.{'#' * digits}" if digits else "0", 1)
        return str(format_percent(share, pattern, locale=self.locale))

    def share(self, part: int, of: int, digits: int = 1) -> str:
        """How many of all some are, as a share; a few are not told as none, nor all but a few as all."""
        return self.percent(part / of, _digits(part, of, digits))

    def hundredths(self, part: int, of: int) -> str:
        """The same as a whole number without a sign, with digits only where it takes them."""
        return str(format_decimal(round(100 * part / of, _digits(part, of, 0)), locale=self.locale))

    def time(self, seconds: float | None) -> str:
        """A time of at most two units: "45 s", "12 min", "2 h 10 min", "3 d 4 h"; "" of None."""
        if seconds is None:
            return ""
        if round(seconds) < 60:
            return _joined((self.labels.seconds, str(round(seconds))))
        hours, minutes = divmod(round(seconds / 60), 60)
        if hours >= 48:
            days, hours = divmod(round(seconds / 3600), 24)
            return _joined((self.labels.days, self.number(days)), (self.labels.hours, str(hours)))
        return _joined((self.labels.hours, str(hours)), (self.labels.minutes, str(minutes)))


def _digits(part: int, of: int, least: int) -> int:
    """With how many digits a share is told that is neither none nor all."""
    if part in (0, of):
        return least
    hundredths = 100 * part / of
    return next((each for each in range(least, MOST_DIGITS) if round(hundredths, each) not in (0, 100)), MOST_DIGITS)


def _joined(*parts: tuple[str, str]) -> str:
    """Units with their numbers, those of nothing left out; no line breaks between a number and its unit."""
    told = [unit.format(number).replace(" ", "\u00a0") for unit, number in parts if number != "0"]
    unit, number = parts[-1]
    return " ".join(told) or unit.format(number).replace(" ", "\u00a0")
