"""Values of facts as events bring them: each type takes its own and refuses the rest; and as records bear them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from carepolicy.engine import codes
from carepolicy.engine.cards import SHORTEST, mask_cards, names_card, number_is_card
from carepolicy.engine.instants import NoInstant, parse, text_of
from carepolicy.guards.runtime import is_match
from carepolicy.policy.addresses import EMAIL, PHONE, email_of, number_of

if TYPE_CHECKING:
    from carepolicy.machine.program import FactTable

Taker = Callable[[Any], Any]
"""Takes a JSON value and gives the value as the engine holds it; raises ``WrongValue``."""

NO_DATA: dict[str, Any] = {}
"""What all events bring that bring nothing, and what clocks bring. It is never changed."""

LARGEST_MONEY = Decimal(10) ** 15

SURELY_NO_CARD = 10 ** (SHORTEST - 1)
"""A number below has fewer digits than a card number."""


class WrongValue(ValueError):
    """A value that is not of its fact's type; the message says what was expected and never tells the value."""

    code = codes.WRONG_TYPE


class NamesCard(WrongValue):
    """A card number where something is named, which cannot be masked: what differs would become one."""

    code = codes.NAMES_CARD

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} holds a card number; what names a case or an event must not")


class OutOfBounds(WrongValue):
    """A value of its fact's type that the fact does not allow."""

    code = codes.BOUNDS


class NumberIsCard(WrongValue):
    """A number that is a card number. It cannot be masked and stay a number."""

    code = codes.NUMBER_IS_CARD

    def __init__(self) -> None:
        super().__init__("this number is a card number")


def taker_of(fact: FactTable) -> Taker:
    """What turns JSON values into values of ``fact``."""
    kind = fact.item or "text" if fact.type == "list" else fact.type
    taker = _bounded(_taker(kind, fact), fact)
    return _list(taker) if fact.type == "list" else taker


def plain_taker_of(fact: FactTable) -> Taker:
    """As ``taker_of``, but any fault that its use raises (``ValueError``, ``LookupError``, ``TypeError``) only means
    that the value is to be looked at more closely; so is a text with a card number in it."""
    if fact.type == "choice":
        return {name: name for name in fact.of}.__getitem__
    taker = taker_of(fact)
    if "number" in (fact.type, fact.item):
        small = _bounded(_small_number, fact)
        return _list(small) if fact.type == "list" else small
    if "text" not in (fact.type, fact.item):
        return taker

    def take(value: Any) -> Any:
        taken = taker(value)
        if taken is not value and taken != (tuple(value) if type(value) is list else value):
            raise WrongValue("a card number")
        return taken

    return take


def plain(value: Any, kind: str) -> Any:
    """A value of an expression of the type ``kind`` as JSON can hold it: money as text, instants as RFC 3339."""
    if isinstance(value, Decimal):
        return str(value)
    if kind == "time" and isinstance(value, int):
        return text_of(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _taker(kind: str, fact: FactTable) -> Taker:
    if kind == "choice":
        return _choice(fact.of)
    if kind == PHONE:
        return _phone(fact.region)
    if kind == EMAIL:
        return _any_email if fact.card_never else _email
    if fact.card_never and kind in _WITHOUT_CARDS:
        return _WITHOUT_CARDS[kind]
    return _naming if kind == "text" and fact.names_case else _TAKERS[kind]


def _bounded(taker: Taker, fact: FactTable) -> Taker:
    """A taker that takes only what a fact allows; the same one where it allows all."""
    least, most, pattern = fact.least, fact.most, fact.pattern
    if pattern is not None:
        return _matching(taker, pattern)
    if least is None and most is None:
        return taker

    def take(value: Any) -> Any:
        taken = taker(value)
        if least is not None and taken < least:
            raise OutOfBounds(f"at least {least} is expected")
        if most is not None and taken > most:
            raise OutOfBounds(f"at most {most} is expected")
        return taken

    return take


def _matching(taker: Taker, pattern: str) -> Taker:
    """A taker of texts that a pattern matches as they came, and not as they are masked."""

    def take(value: Any) -> Any:
        if type(value) is str and not is_match(pattern, value):
            raise OutOfBounds(f"a text that {pattern} matches is expected")
        return taker(value)

    return take


def _phone(region: str | None) -> Taker:
    """A telephone number, as E.164."""

    def take(value: Any) -> str:
        number = number_of(value, region) if type(value) is str else None
        if number is None:
            where = "" if region is not None else " with its country before it"
            raise WrongValue(f"a telephone number{where} is expected, such as +44 20 7946 0123")
        if value[:1] not in "+0" and names_card(value):
            raise NamesCard("this value")
        return number

    return take


def _any_email(value: Any) -> str:
    address = email_of(value) if type(value) is str else None
    if address is None:
        raise WrongValue("an address of e-mail is expected, such as ada@example.org")
    return address


def _email(value: Any) -> str:
    """An address, as it is kept. A card number in it cannot be masked: another's address would come of it."""
    address = _any_email(value)
    if len(address) >= SHORTEST and names_card(address):
        raise NamesCard("this value")
    return address


def _text(value: Any) -> str:
    if type(value) is not str:
        raise WrongValue("a text is expected")
    return value if len(value) < SHORTEST else mask_cards(value)


def _naming(value: Any) -> str:
    """A text that names a case."""
    if _text(value) != value:
        raise NamesCard("this value")
    return str(value)


def _any_text(value: Any) -> str:
    """A text whose digits are no card number."""
    if type(value) is not str:
        raise WrongValue("a text is expected")
    return value


def _number(value: Any) -> int | float:
    number = _any_number(value)
    if not -SURELY_NO_CARD < number < SURELY_NO_CARD and number_is_card(number):
        raise NumberIsCard
    return number


def _any_number(value: Any) -> int | float:
    """A number whose digits are no card number."""
    if type(value) is int or type(value) is float:
        return value
    raise WrongValue("a number is expected")


def _small_number(value: Any) -> int | float:
    """A number with too few digits for a card number, and for readers of JSON to differ about it."""
    if (type(value) is int or type(value) is float) and -SURELY_NO_CARD < value < SURELY_NO_CARD:
        return value
    raise WrongValue("a small number")


def _money(value: Any) -> Decimal:
    if type(value) is int and -SURELY_NO_CARD < value < SURELY_NO_CARD:
        return Decimal(value)
    if type(value) is str or type(value) is int or type(value) is float:
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            raise WrongValue("an amount of money is expected, such as 19.90") from None
        if amount.is_finite():
            if number_is_card(amount):
                raise NumberIsCard
            if abs(amount) < LARGEST_MONEY:
                return amount
    raise WrongValue("an amount of money is expected, such as 19.90")


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise WrongValue("true or false is expected")
    return value


def _date(value: Any) -> date:
    if type(value) is str and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise WrongValue("a date that exists is expected, such as 2026-03-02")


def _time(value: Any) -> int:
    if type(value) is not str:
        raise WrongValue("a time is expected, such as 2026-03-02T09:05:00+00:00")
    try:
        return parse(value)
    except NoInstant as fault:
        raise WrongValue(f"a time is expected, such as 2026-03-02T09:05:00+00:00: {fault}") from None


def _choice(of: tuple[str, ...]) -> Taker:
    known = {name: name for name in of}

    def take(value: Any) -> str:
        try:
            return known[value]
        except (KeyError, TypeError):
            raise WrongValue("one of these is expected: " + ", ".join(of)) from None

    return take


def _list(item: Taker) -> Taker:
    def take(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise WrongValue("a list is expected")
        return tuple(item(each) for each in value)

    return take


_TAKERS: dict[str, Taker] = {
    "text": _text,
    "number": _number,
    "money": _money,
    "flag": _flag,
    "date": _date,
    "time": _time,
}

_WITHOUT_CARDS: dict[str, Taker] = {"text": _any_text, "number": _any_number}
"""Takers of facts that say ``card: never``."""
