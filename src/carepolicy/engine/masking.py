"""Card numbers in texts are masked before they go anywhere (PCI DSS 3.3: at most the last four digits are shown)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

DEEPEST = 50
"""So deep a JSON value is shown. Python's own stack ends some way below."""

SHORTEST, LONGEST = 12, 19
"""Digits of a card number."""

MASKED = "**** **** **** "
"""What stands in place of all digits but the last four."""

_MANY_DIGITS = b"0" * SHORTEST
_ALIKE = bytes(48 if 48 <= code < 58 else 120 for code in range(256))
"""Digits are zeros, and all else that is kept is ``x``."""
_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
_NEWLINE = b"\n"
_ALIKE_IN_LINES = bytes(10 if code == 10 else like for code, like in enumerate(_ALIKE))
_SIGNS_IN_LINES = _SIGNS.replace(_NEWLINE, b"")


def mask_cards(text: str) -> str:
    """``text`` with every card number replaced by ``**** **** **** 1234``; the same object where there is none.

    Where signs group digits as on a card, four by four, any issuer will do. Elsewhere the first digits must be those
    of a known one, and the number of digits right for it.
    """
    if not _may_hold(text):
        return text
    from carepolicy.engine.cardnumbers import cards_in

    found = list(cards_in(text, False))
    if not found:
        return text
    out: list[str] = []
    done = 0
    for begin, end, last in found:
        before, behind = text[done:begin], text[end : end + 1]
        out += (before, " " if before[-1:].isdigit() else "", MASKED, last, " " if behind.isdigit() else "")
        done = end
    return "".join((*out, text[done:]))


def names_card(identity: str) -> bool:
    """Whether what names something (a case, an event) holds a card number: one of a known issuer, that no other digits
    touch."""
    if not _may_hold(identity):
        return False
    from carepolicy.engine.cardnumbers import name_is_card

    return name_is_card(identity)


def one_names_card(identities: Sequence[str]) -> bool:
    """Whether one of many identities holds a card number; where none has so many digits that is seen in a moment."""
    joined = "\n".join(identities)
    if not joined.isascii():
        return any(map(names_card, identities))
    rows = joined.encode().translate(_ALIKE_IN_LINES, _SIGNS_IN_LINES)
    if _MANY_DIGITS not in rows:
        return False
    each = rows.split(_NEWLINE)
    if len(each) != len(identities):
        return any(map(names_card, identities))
    return any(names_card(identities[place]) for place, row in enumerate(each) if _MANY_DIGITS in row)


def number_is_card(number: float | Decimal) -> bool:
    """Whether the whole part of a number is a card number of a known issuer."""
    if not 10 ** (SHORTEST - 1) <= abs(number) < 10**LONGEST:
        return False
    from carepolicy.engine.cardnumbers import is_card

    return is_card(str(abs(int(number))))


def mask_within(value: Any, depth: int = 0) -> Any:
    """A JSON value with every card number masked: in texts, names and numbers. What is nested deeper than any fact
    could be is left out."""
    if isinstance(value, str):
        return mask_cards(value)
    if isinstance(value, (dict, list, tuple)) and depth == DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {mask_cards(str(name)): mask_within(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_within(each, depth + 1) for each in value]
    if isinstance(value, (int, float)) and number_is_card(value):
        return MASKED + str(int(value))[-4:]
    return value


def mask_data(data: Mapping[Any, Any], spared: frozenset[str], begin: str = "") -> dict[str, Any]:
    """As ``mask_within`` for the data of an event, without the facts (dotted names, nested or not) ``spared``."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{begin}{key}"
        if isinstance(value, dict) and name not in spared and name.count(".") < DEEPEST:
            found[mask_cards(str(key))] = mask_data(value, spared, f"{name}.")
        else:
            found[mask_cards(str(key))] = value if name in spared else mask_within(value)
    return found


def _may_hold(text: str) -> bool:
    """Whether a text has as many digits in a row, but for signs, as a card number: quick, and seldom true."""
    if len(text) < SHORTEST:
        return False
    if text.isascii() and not ("&" in text or "<" in text or "%" in text or "\\" in text):
        return _MANY_DIGITS in text.encode().translate(_ALIKE, _SIGNS)
    return sum(map(str.isdigit, text)) >= SHORTEST
