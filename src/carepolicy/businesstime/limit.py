"""A limit: how long something may take, and in which kind of time that is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, NoReturn

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY_US = 24 * HOUR

DAY = 86_400_000_000_000
"""One business day in nanodays, the unit in which business days are counted."""

ELAPSED, MONTHS, UNTIL = "elapsed", "months", "until"
BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS = "business_time", "business_days", "close_of_business"

UNITS: dict[str, dict[str, int]] = {
    ELAPSED: {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY_US, "week": 7 * DAY_US},
    MONTHS: {"month": 1, "year": 12},
    BUSINESS_TIME: {"business second": SECOND, "business minute": MINUTE, "business hour": HOUR},
    BUSINESS_DAYS: {"business day": DAY},
    CLOSE_OF_BUSINESS: {"close of business day": DAY},
    UNTIL: {"until": 0},
}
"""By kind: the units in the singular, and what one of each is in the kind's own measure."""

BASES = {BUSINESS_TIME: BUSINESS_TIME, BUSINESS_DAYS: BUSINESS_DAYS, CLOSE_OF_BUSINESS: BUSINESS_DAYS}


class Limit:
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
    ===================== ===============================================================

    ``days`` is the number of business days where that is whole, else 0. ``strict`` limits are passed
    at the due instant itself, others only after it. ``unit`` is the unit as it was written, in the singular.
    """

    # Written out, as every short command imports it: making a frozen dataclass takes longer than importing a module.
    __slots__ = ("amount", "days", "direction", "fact", "kind", "offset", "strict", "unit")

    kind: str
    amount: int
    unit: str
    strict: bool
    fact: str | None
    offset: Limit | None
    direction: int
    days: int

    def __init__(
        self,
        kind: str,
        amount: int,
        unit: str,
        strict: bool = False,
        fact: str | None = None,
        offset: Limit | None = None,
        direction: int = 0,
    ) -> None:
        put = object.__setattr__
        put(self, "kind", kind)
        put(self, "amount", amount)
        put(self, "unit", unit)
        put(self, "strict", strict)
        put(self, "fact", fact)
        put(self, "offset", offset)
        put(self, "direction", direction)
        put(self, "days", amount // DAY if kind == BUSINESS_DAYS and amount % DAY == 0 else 0)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a limit cannot be changed: {name}")

    def __reduce__(self) -> tuple[type[Limit], tuple[Any, ...]]:
        kind, amount, strict, fact, offset, direction = self._meaning()
        return Limit, (kind, amount, self.unit, strict, fact, offset, direction)

    def times(self, number: int) -> Limit:
        """A limit so many times as long."""
        kind, amount, strict, fact, offset, direction = self._meaning()
        return Limit(kind, amount * number, self.unit, strict, fact, offset, direction)

    def _meaning(self) -> tuple[str, int, bool, str | None, Limit | None, int]:
        return self.kind, self.amount, self.strict, self.fact, self.offset, self.direction

    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Limit) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._meaning())

    def __repr__(self) -> str:
        return f"<Limit {self}>"

    @property
    def basis(self) -> str:
        """What kind of time it counts: ``elapsed``, ``business_time`` or ``business_days``."""
        return BASES.get(self.kind, ELAPSED)

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it depends on."""
        return () if self.fact is None else (self.fact,)

    def __str__(self) -> str:
        prefix = "less than " if self.strict else ""
        if self.kind == UNTIL:
            if self.offset is None:
                return f"{prefix}until {self.fact}"
            return f"{prefix}{self.offset} {'before' if self.direction < 0 else 'after'} {self.fact}"
        if self.kind == CLOSE_OF_BUSINESS:
            return f"{prefix}{self.unit} {self.amount // DAY}"
        number = _decimal(self.amount, UNITS[self.kind][self.unit])
        return f"{prefix}{number} {self.unit}{'' if number == '1' else 's'}"


def _decimal(amount: int, unit: int) -> str:
    """``amount / unit`` as a decimal numeral, exact since the limit was written as one."""
    from decimal import Decimal

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
