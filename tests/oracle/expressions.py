"""Guards and calculations of the random sets: the few forms that they use, read once more by a parser of their own.

``a == b``, ``<``, ``&&``, ``||``, ``!``, brackets, ``has(fact)``, ``+``, ``-``, ``*``, numbers, texts, ``true``.
Without a value a comparison is false, and so is a flag; what is calculated from it has no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

TOKEN = re.compile(r'\s*(&&|\|\||[=!<>]=|[<>!()+*-]|"[^"]*"|\d+|[a-z_][a-z0-9_.]*)')
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
CALCULATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}

Lookup = Callable[[str], Any]


class Expression:
    """One expression, evaluated while it is read."""

    def __init__(self, text: str, lookup: Lookup, given: Lookup) -> None:
        text = re.sub(r'"(?:0044|0|\+44)(\d{10})"', r'"+44\1"', text)  # a telephone number, as facts hold it
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == text.replace(" ", ""), f"unreadable: {text}"
        self.lookup, self.given = lookup, given

    def value(self) -> Any:
        found = self._either()
        assert not self.tokens, f"left over: {self.tokens}"
        return found

    def _next(self, *wanted: str) -> str | None:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else None

    def _either(self) -> Any:
        left = self._both()
        while self._next("||"):
            right = self._both()
            left = left is True or right is True
        return left

    def _both(self) -> Any:
        left = self._compared()
        while self._next("&&"):
            right = self._compared()
            left = left is True and right is True
        return left

    def _compared(self) -> Any:
        left = self._sum()
        sign = self._next(*COMPARISONS)
        if sign is None:
            return left
        right = self._sum()
        return None not in (left, right) and COMPARISONS[sign](left, right)

    def _sum(self) -> Any:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Any:
        return self._chain(self._single, "*")

    def _chain(self, part: Callable[[], Any], *signs: str) -> Any:
        left = part()
        while sign := self._next(*signs):
            right = part()
            left = None if None in (left, right) else CALCULATIONS[sign](left, right)
        return left

    def _single(self) -> Any:
        token = self.tokens.pop(0)
        if token == "!":
            return self._single() is not True
        if token == "(":
            inner = self._either()
            assert self._next(")")
            return inner
        if token == "has":
            assert self._next("(")
            name = self.tokens.pop(0)
            assert self._next(")")
            return self.given(name) is not None
        if token in ("true", "false"):
            return token == "true"
        if token[0] == '"':
            return token[1:-1]
        return int(token) if token.isdigit() else self.lookup(token)
