"""What compiled expressions call. Nothing in here raises: where there is no answer, there is no value (None).

The functions that ``compile_function`` makes have this module's names as their globals, so that they can
be kept as code and made again from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

LONGEST_TEXT = 1_000_000
"""Texts that an expression makes are not longer than that, in characters."""

D = Decimal


def dec(value: Any) -> Any:
    """A number as an exact decimal; a float as the decimal that it is written as."""
    if value is None or type(value) is Decimal:
        return value
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def add(a: Any, b: Any) -> Any:
    """The sum of numbers, instants and durations, or two texts or lists as one."""
    return _calculated(a, b, lambda: a + b)


def sub(a: Any, b: Any) -> Any:
    """The difference."""
    return _calculated(a, b, lambda: a - b)


def mul(a: Any, b: Any) -> Any:
    """The product."""
    return _calculated(a, b, lambda: a * b)


def div(a: Any, b: Any) -> Any:
    """The quotient; nothing where ``b`` is zero. Whole numbers that divide without a rest stay whole."""

    def quotient() -> Any:
        if type(a) is int and type(b) is int and not a % b:
            return a // b
        return a / b

    return _calculated(a, b, quotient)


def mod(a: Any, b: Any) -> Any:
    """The rest of a division, with the sign of ``a``, as CEL has it."""
    return _calculated(a, b, lambda: a - b * int(a / b) if type(a) is Decimal or type(b) is Decimal else _rest(a, b))


def _rest(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        rest = abs(a) % abs(b)
        return rest if a >= 0 else -rest
    return math.fmod(a, b)


def neg(a: Any) -> Any:
    """The number with the other sign."""
    return None if a is None else -a


def _calculated(a: Any, b: Any, calculate: Callable[[], Any]) -> Any:
    if a is None or b is None:
        return None
    try:
        found = calculate()
    except (ArithmeticError, ValueError):
        return None
    if isinstance(found, float) and not math.isfinite(found):
        return None
    return None if isinstance(found, (str, tuple)) and len(found) > LONGEST_TEXT else found


def size(value: Any) -> Any:
    """The number of characters of a text, or of members of a list."""
    return None if value is None else len(value)


def starts(text: Any, part: Any) -> bool:
    """Whether a text starts with another."""
    return text is not None and part is not None and text.startswith(part)


def ends(text: Any, part: Any) -> bool:
    """Whether a text ends with another."""
    return text is not None and part is not None and text.endswith(part)


def holds(text: Any, part: Any) -> bool:
    """Whether a text holds another, or a list a value."""
    return text is not None and part is not None and part in text


def matches(text: Any, pattern: str) -> bool:
    """Whether a pattern is found in a text, in time that grows with the text's length only (RE2)."""
    return text is not None and _pattern(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> Any:
    import re2

    return re2.compile(pattern)


def lower(text: Any) -> Any:
    """The text with the letters A to Z in lower case."""
    return None if text is None else text.translate(_LOWER)


def upper(text: Any) -> Any:
    """The text with the letters a to z in upper case."""
    return None if text is None else text.translate(_UPPER)


_LOWER = {ord("A") + n: ord("a") + n for n in range(26)}
_UPPER = {ord("a") + n: ord("A") + n for n in range(26)}


def whole(value: Any) -> Any:
    """A number cut to a whole one, or a text that is one; nothing where it is none."""
    try:
        return None if value is None else int(value)
    except (ValueError, OverflowError):
        return None


def real(value: Any) -> Any:
    """A number with a fraction, from a number or a text; nothing where it is none."""
    try:
        found = None if value is None else float(value)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and math.isfinite(found) else None


def text(value: Any) -> Any:
    """A value as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) < 1e15 else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def every(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> bool:
    """Whether a test holds for each member; not where there is no list."""
    return values is not None and all(test(value) for value in values)


def some(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> bool:
    """Whether a test holds for a member."""
    return values is not None and any(test(value) for value in values)


def single(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> bool:
    """Whether a test holds for exactly one member."""
    return values is not None and sum(1 for value in values if test(value)) == 1


def mapped(values: Sequence[Any] | None, change: Callable[[Any], Any]) -> Any:
    """The changed members."""
    return None if values is None else tuple(change(value) for value in values)


def kept(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> Any:
    """The members for which a test holds."""
    return None if values is None else tuple(value for value in values if test(value))


def compile_function(source: str) -> Callable[[Any, Any, Any], Any]:
    """The function of an expression: ``source`` is a lambda made by this package from a checked expression."""
    made: Callable[[Any, Any, Any], Any] = eval(compile(source, "<guard>", "eval"), globals())
    return made
