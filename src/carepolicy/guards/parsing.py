"""The text of an expression becomes a tree by the grammar of cel-python; what cannot be read is told in words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from carepolicy.guards.faults import PARSE, SIZE, ExpressionError, Fault

if TYPE_CHECKING:
    from lark import Tree

LONGEST = 2_000
DEEPEST = 24

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_SLIPS = (
    (re.compile(r"(?<![=!<>])=(?!=)"), "= does not compare", "=="),
    (re.compile(r"\band\b", re.IGNORECASE), '"and" is written &&', "&&"),
    (re.compile(r"\bor\b", re.IGNORECASE), '"or" is written ||', "||"),
    (re.compile(r"\bnot\b", re.IGNORECASE), '"not" is written !', "!"),
    (re.compile(r"(?<!&)&(?!&)"), "& alone is no operator", "&&"),
    (re.compile(r"(?<!\|)\|(?!\|)"), "| alone is no operator", "||"),
    (re.compile(r"<>"), "<> does not compare", "!="),
)


@lru_cache(maxsize=8192)
def parse(text: str) -> Tree[str]:
    """The tree of an expression. Raises ``ExpressionError``."""
    _check_size(text)
    from celpy.celparser import CELParseError, CELParser

    try:
        tree: Tree[str] = CELParser().parse(text)
    except CELParseError as problem:
        raise ExpressionError(text, (_fault(text, problem.__context__),)) from None
    except RecursionError:
        raise ExpressionError(text, (_too_deep(text),)) from None
    return tree


def _check_size(text: str) -> None:
    if not text.strip():
        raise ExpressionError(text, (Fault(PARSE, "an expression is missing", "", 0, len(text)),))
    if len(text) > LONGEST:
        raise ExpressionError(
            text, (Fault(SIZE, f"the expression is longer than {LONGEST:,} characters", "", LONGEST, len(text)),)
        )
    depth = run = 0
    for character in blanked(text):
        depth += (character in "([{") - (character in ")]}")
        run = run + 1 if character in "!-" else 0 if character != " " else run
        if depth > DEEPEST or run > DEEPEST:
            raise ExpressionError(text, (_too_deep(text),))


def _too_deep(text: str) -> Fault:
    return Fault(SIZE, f"the expression is nested more than {DEEPEST} levels deep", "", 0, len(text))


def blanked(text: str) -> str:
    """The text with what stands in quotes blanked out, character by character."""
    return _STRING.sub(lambda found: "_" * len(found.group()), text)


def _fault(text: str, problem: object) -> Fault:
    bare = blanked(text)
    place = getattr(problem, "pos_in_stream", None)
    at = place if isinstance(place, int) and 0 <= place < len(text) else len(text.rstrip())
    quotes = [found.start() for found in re.finditer(r"[\"']", bare)]
    if quotes:
        return Fault(PARSE, "a quote is not closed", "", quotes[0], len(text))
    slips = [
        (found.start(), found.end(), said, right)
        for pattern, said, right in _SLIPS
        for found in pattern.finditer(bare)
        if found.start() <= at + 1
    ]
    if slips:
        start, end, said, right = min(slips)
        return Fault(PARSE, said, f"write {right}", start, end, right)
    if at >= len(text.rstrip()):
        opened = bare.count("(") + bare.count("[") - bare.count(")") - bare.count("]")
        said = "a bracket is not closed" if opened > 0 else "the expression ends too early"
        return Fault(PARSE, said, "", max(0, len(text.rstrip()) - 1), len(text.rstrip()))
    return Fault(PARSE, f'"{text[at]}" is not expected here', "", at, at + 1)
