"""What compiled expressions call. Nothing in here raises: where there is no answer, there is no value (None).

The functions that ``compile_function`` makes have this module's names as their globals, so that they can
be kept as code and made again from it. Nothing heavy is imported: RE2 only by a guard that has a pattern.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from carepolicy.businesstime.instants import EPOCH

LONGEST_TEXT = 1_000_000
"""Texts and lists that an expression makes are not longer than that, in characters and members."""

LARGEST_WHOLE = 2**63 - 1
"""Whole numbers have 64 bits, as in CEL: one that is calculated to be larger has no value."""


LARGEST_POWER = 30
"""Amounts of money have fewer digits before the point; one that is calculated to be larger has no value."""


class _Amounts(dict[str, Decimal]):
    def __missing__(self, text: str) -> Decimal:
        found = self[text] = Decimal(text)
        return found


class _Days(dict[str, date]):
    def __missing__(self, text: str) -> date:
        found = self[text] = date.fromisoformat(text)
        return found


K = _Amounts()
"""Exact amounts by the literals of expressions: code kept on disk cannot hold them."""

T = _Days()
"""Dates by the literals of expressions."""


def dec(value: Any) -> Any:
    """A number as an exact decimal; a float as the decimal that it is written as."""
    if value is None or type(value) is Decimal:
        return value
    try:
        found = Decimal(str(value))
    except (ArithmeticError, ValueError):
        return None
    return found if found.is_finite() else None


def _kept(found: Any) -> Any:
    """A result that is within bounds."""
    kind = type(found)
    if kind is int:
        return found if -LARGEST_WHOLE <= found <= LARGEST_WHOLE else None
    if kind is float:
        return found if math.isfinite(found) else None
    if kind is str or kind is tuple:
        return found if len(found) <= LONGEST_TEXT else None
    if kind is Decimal:
        return found if found.adjusted() < LARGEST_POWER else None
    return found


def add(a: Any, b: Any) -> Any:
    """The sum of numbers, instants and durations, or two texts or lists as one."""
    if a is None or b is None:
        return None
    try:
        return _kept(tuple(a) + tuple(b) if isinstance(a, (tuple, list)) else a + b)
    except ArithmeticError:
        return None


def sub(a: Any, b: Any) -> Any:
    """The difference."""
    if a is None or b is None:
        return None
    try:
        return _kept(a - b)
    except ArithmeticError:
        return None


def mul(a: Any, b: Any) -> Any:
    """The product."""
    if a is None or b is None:
        return None
    try:
        return _kept(a * b)
    except ArithmeticError:
        return None


def div(a: Any, b: Any) -> Any:
    """The quotient; nothing where ``b`` is zero. Whole numbers that divide without a rest stay whole."""
    if a is None or b is None or not b:
        return None
    try:
        return _kept(a // b if type(a) is int and type(b) is int and not a % b else a / b)
    except ArithmeticError:
        return None


def mod(a: Any, b: Any) -> Any:
    """The rest of a division, with the sign of ``a``, as CEL has it."""
    if a is None or b is None or not b:
        return None
    try:
        if type(a) is int and type(b) is int:
            return a % abs(b) if a >= 0 else -(-a % abs(b))
        return _kept(a % b if type(a) is Decimal else math.fmod(a, b))
    except (ArithmeticError, ValueError):
        return None


def neg(a: Any) -> Any:
    """The number with the other sign."""
    return None if a is None else -a


def same(a: Any, b: Any) -> bool:
    """Whether two lists hold the same; not where either, or a member, has no value."""
    return a is not None and b is not None and _whole(a) and _whole(b) and _alike(a) == _alike(b)


def differ(a: Any, b: Any) -> bool:
    """Whether two lists do not hold the same; not where either, or a member, has no value."""
    return a is not None and b is not None and _whole(a) and _whole(b) and _alike(a) != _alike(b)


def _whole(values: Any) -> bool:
    return not isinstance(values, (tuple, list)) or all(each is not None and _whole(each) for each in values)


def _alike(values: Any) -> Any:
    return tuple(map(_alike, values)) if isinstance(values, (tuple, list)) else values


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


def holds_list(lists: Any, part: Any) -> bool:
    """Whether a list of lists holds a list."""
    return lists is not None and any(same(each, part) for each in lists)


def matches(text: Any, pattern: str) -> bool:
    """Whether a pattern is found in a text, in time that grows with the text's length only (RE2)."""
    return text is not None and _pattern(pattern)(text) is not None


def is_match(pattern: str, text: str) -> bool:
    """Whether a pattern, which can be read, is all of a text."""
    import re2  # sets without a pattern do without it

    try:
        return re2.compile(pattern).fullmatch(text) is not None
    except UnicodeEncodeError:  # half a character
        return False


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> Any:
    import re2

    search = re2.compile(pattern).search

    def found(text: str) -> Any:
        try:
            return search(text)
        except UnicodeEncodeError:
            return search(text.encode("utf-8", "replace").decode("utf-8"))

    return found


def lower(text: Any) -> Any:
    """The text with the letters A to Z in lower case."""
    return None if text is None else text.translate(_LOWER)


def upper(text: Any) -> Any:
    """The text with the letters a to z in upper case."""
    return None if text is None else text.translate(_UPPER)


_LOWER = {ord("A") + n: ord("a") + n for n in range(26)}
_UPPER = {ord("a") + n: ord("A") + n for n in range(26)}

_WHOLE = r"[+-]?[0-9]{1,19}"
_REAL = r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?"


def whole(value: Any) -> Any:
    """A number cut to a whole one, or a text that is one; nothing where it is none."""
    if value is None or (type(value) is str and not re.fullmatch(_WHOLE, value)):
        return None
    return _kept(int(value))


def real(value: Any) -> Any:
    """A number with a fraction, from a number or a text; nothing where it is none."""
    if value is None or (type(value) is str and not re.fullmatch(_REAL, value)):
        return None
    try:
        return _kept(float(value))
    except OverflowError:
        return None


def text(value: Any) -> Any:
    """A value as text: numbers without a needless fraction, ``true``, ``false``, dates as ISO 8601 has them."""
    if value is None or type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if type(value) is Decimal:
        return format(value, "f") if abs(value.adjusted()) < 400 else str(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if abs(value) <= 1 << 1024 else None


def text_time(value: Any) -> Any:
    """An instant (microseconds since 1970) as RFC 3339 has it, in UTC; nothing before year 1 and after 9999."""
    try:
        at = None if value is None else EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return None
    return None if at is None else at.replace(tzinfo=None).isoformat() + "Z"


def text_duration(value: Any) -> Any:
    """A duration (microseconds) in seconds, ``5400s``, as CEL has it."""
    if value is None:
        return None
    seconds, rest = divmod(abs(value), 1_000_000)
    fraction = f".{rest:06}".rstrip("0") if rest else ""
    return f"{'-' * (value < 0)}{seconds}{fraction}s"


def every(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> bool:
    """Whether a test holds for each member; not where there is no list."""
    return values is not None and all(map(test, values))


def some(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> bool:
    """Whether a test holds for a member."""
    return values is not None and any(map(test, values))


def single(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> bool:
    """Whether a test holds for exactly one member."""
    return values is not None and sum(1 for value in values if test(value)) == 1


def mapped(values: Sequence[Any] | None, change: Callable[[Any], Any]) -> Any:
    """The changed members."""
    return None if values is None else tuple(map(change, values))


def kept(values: Sequence[Any] | None, test: Callable[[Any], Any]) -> Any:
    """The members for which a test holds."""
    return None if values is None else tuple(filter(test, values))


def compile_function(source: str) -> Callable[[Any, Any, Any], Any]:
    """The function of an expression: ``source`` is a lambda made by this package from a checked expression."""
    made: Callable[[Any, Any, Any], Any] = eval(compile(source, "<guard>", "eval"), globals())
    return made


def compile_many(sources: Sequence[str]) -> list[Callable[[Any, Any, Any], Any]]:
    """The functions of many expressions, from their sources."""
    return [compile_function(source) for source in sources]
