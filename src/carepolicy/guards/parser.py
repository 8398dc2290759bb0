"""The text of an expression becomes a tree by the grammar in cel.lark; what cannot be read is told in words.

The parser's library is large, so that it is imported only where something is parsed: a set that was compiled before
needs none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carepolicy.guards.faults import PARSE, SIZE, ExpressionError, Fault
from carepolicy.policy.characters import like_blank, like_blank_told
from carepolicy.policy.findings import quoted
from carepolicy.policy.node import CelText
from carepolicy.policy.vocabulary import AMOUNT, amount_meant

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

LONGEST = 2_000
"""Characters of an expression."""

DEEPEST = 24
"""Levels of brackets, and signs (``!``, ``-``) in a row."""

# Each alternative can match in one way only, so that a text with many backslashes costs no more than another.
_QUOTED = re.compile(r'//[^\n]*|"(?:\\[^\n]|[^"\\\n])*"|\'(?:\\[^\n]|[^\'\\\n])*\'')
_SLIPS = (
    (re.compile(r"(?<![=!<>])=(?![=<>])"), "= does not compare", "=="),
    (re.compile(r"==="), "=== does not compare", "=="),
    (re.compile(r"(?<![=!<>])=[<>]"), "the sign = comes second", ""),
    (re.compile(r"\band\b", re.IGNORECASE), '"and" is written &&', "&&"),
    (re.compile(r"\bor\b", re.IGNORECASE), '"or" is written ||', "||"),
    (re.compile(r"\bnot\b", re.IGNORECASE), '"not" is written !', "!"),
    (re.compile(r"(?<!&)&(?!&)"), "& alone is no operator", "&&"),
    (re.compile(r"(?<!\|)\|(?!\|)"), "| alone is no operator", "||"),
    (re.compile(r"<>"), "<> does not compare", "!="),
    (re.compile(r"[“”„«»]"), "this is not the quote of a text", '"'),
    (re.compile(r"[‘’]"), "this is not the quote of a text", "'"),
    (re.compile(r"≥"), "≥ is written >=", ">="),
    (re.compile(r"≤"), "≤ is written <=", "<="),
    (re.compile(r"≠"), "≠ is written !=", "!="),
    (re.compile(r"×"), "× is written *", "*"),
    (re.compile(r"[–−]"), "this is not the sign of less", "-"),
)
_SLIPS_THERE = (
    (re.compile(r"\b(und|et)\b", re.IGNORECASE), "&&"),
    (re.compile(r"\b(oder|ou)\b", re.IGNORECASE), "||"),
    (re.compile(r"\b(nicht|non)\b", re.IGNORECASE), "!"),
    (re.compile(r"\b(is|ist|est|equals)\b", re.IGNORECASE), "=="),
)
"""What is only a slip where the expression cannot be read any further."""

_TEXT_BARE = re.compile(r"(?<=[=!]=)\s*(?P<text>[^\W\d][\w ]*\w)")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def parse(text: str) -> Tree[Token]:
    """The tree of an expression; of one of a policy it is kept with the text. Raises ``ExpressionError``."""
    if not isinstance(text, CelText):
        return _parsed(text)
    if text.tree is None:
        text.tree = _parsed(text)
    tree: Tree[Token] = text.tree
    return tree


def _parsed(text: str) -> Tree[Token]:
    _check_size(text)
    from lark.exceptions import LarkError

    try:
        return _parser().parse(text)
    except LarkError as problem:
        ended = getattr(getattr(problem, "token", None), "type", "") == "$END"
        place = None if ended else getattr(problem, "pos_in_stream", None)
        raise ExpressionError(text, (_fault(text, place),)) from None


_PARSER: list[Lark] = []
"""The parser, once it is made."""


def _parser() -> Lark:
    if not _PARSER:
        from lark import Lark

        grammar = Path(__file__).with_name("cel.lark").read_text(encoding="utf-8")
        _PARSER.append(Lark(grammar, parser="lalr", start="expr", propagate_positions=True, maybe_placeholders=False))
    return _PARSER[0]


def inside(node: Any) -> Any:
    """The part that says something: levels of the grammar that only pass on, and brackets, are left out."""
    while len(node.children) == 1 and node.data not in ("literal", "ident", "ident_arg", "list_lit", "map_lit"):
        below = node.children[0]
        if not hasattr(below, "data"):
            break
        node = below
    return node


def arguments(node: Any, place: int) -> list[Any]:
    """The expressions of an argument list, which is left out where it is empty."""
    found: list[Any] = node.children[place].children if len(node.children) > place else []
    return found


def span(node: Any) -> tuple[int, int]:
    """The offsets of a tree or token."""
    meta = getattr(node, "meta", None)
    if meta is not None:
        return (0, 0) if getattr(meta, "empty", False) else (meta.start_pos, meta.end_pos)
    return node.start_pos, node.end_pos


def _check_size(text: str) -> None:
    if not text.strip():
        raise ExpressionError(text, (Fault(PARSE, "an expression is missing", "", 0, len(text)),))
    if len(text) > LONGEST:
        said = f"the expression is longer than {LONGEST:,} characters"
        raise ExpressionError(text, (Fault(SIZE, said, "", LONGEST, len(text)),))
    bare = blanked(text)
    quote = re.search(r"[\"']", bare)
    if quote is not None:
        raise ExpressionError(text, (Fault(PARSE, "a quote is not closed", "", quote.start(), len(text)),))
    for found in _QUOTED.finditer(text):
        # Three quotes in a row are an empty text that another begins right after; inside of other quotes they are text.
        if found.group() in ('""', "''") and text[found.end() : found.end() + 1] == found.group()[0]:
            said = "a text stands in one pair of quotes"
            raise ExpressionError(text, (Fault(PARSE, said, "", found.start(), found.end() + 1),))
    depth = run = 0
    for character in bare:
        depth += (character in "([{") - (character in ")]}")
        run = run + 1 if character in "!-" else run if character.isspace() else 0
        if depth > DEEPEST or run > DEEPEST:
            raise ExpressionError(text, (too_deep(text),))


def too_deep(text: str) -> Fault:
    """The fault of an expression that is nested too deeply."""
    said = "the expression is nested too deeply"
    return Fault(SIZE, said, "tell it as several transitions, or say it in parts", 0, len(text))


def blanked(text: str) -> str:
    """The text with what stands in quotes and comments blanked out, character by character."""

    def blank(found: re.Match[str]) -> str:
        return (" " if found.group()[0] == "/" else "_") * len(found.group())

    return _QUOTED.sub(blank, text)


def _fault(text: str, place: object) -> Fault:
    bare = blanked(text)
    ended = len(bare.rstrip())
    at = place if isinstance(place, int) and 0 <= place < len(text) else ended
    odd = like_blank(bare)
    if odd is not None:
        return Fault(PARSE, *like_blank_told(odd[0]), odd.start(), odd.end(), " " if odd[0].isspace() else "")
    slips = [
        (found.start(), found.end(), said, right or found.group()[::-1])
        for pattern, said, right in _SLIPS
        for found in pattern.finditer(bare)
        if found.start() <= at + 1
    ]
    if slips:
        start, end, said, right = min(slips)
        return Fault(PARSE, said, f"write {right}", start, end, right)
    there = _slip_there(bare, at)
    if there is not None:
        return there
    bracket = _bracket(bare)
    if bracket is not None and (at >= ended or bracket[1] >= at):
        said, start = bracket
        return Fault(PARSE, said, "", start, start + 1)
    if at >= ended:
        return Fault(
            PARSE, "the expression ends too early", "something is missing after this", max(0, ended - 1), ended
        )
    word = re.compile(r"\w+|.", re.DOTALL).match(text, at)
    said = word.group() if word is not None else text[at]
    return Fault(PARSE, f'"{said}" is not expected here', "", at, at + len(said))


def _slip_there(bare: str, at: int) -> Fault | None:
    """An amount, a word of another language or a text without quotes in the place where reading ends."""
    for found in re.finditer(AMOUNT, bare):
        meant = amount_meant(found.group())
        is_value = bare[: found.start()].rstrip()[-1:] in (*"=<>!+-*/(,[&|?:",)
        if is_value and found.start() <= at < found.end() and meant is not None:
            said = f"{quoted(found.group())} is not written as a number is"
            return Fault(PARSE, said, f"write {meant}", *found.span(), meant)
    for pattern, right in _SLIPS_THERE:
        for found in pattern.finditer(bare):
            if found.start() <= at <= found.end() + 1:
                return Fault(
                    PARSE, f"{quoted(found.group())} is written {right}", f"write {right}", *found.span(), right
                )
    for found in _TEXT_BARE.finditer(bare):
        if found.start("text") <= at <= found.end("text"):
            right = f'"{found["text"]}"'
            return Fault(PARSE, "a text stands in quotes", f"write {right}", *found.span("text"), right)
    return None


def _bracket(bare: str) -> tuple[str, int] | None:
    """The first bracket that closes nothing, or else the last that is not closed."""
    opened: list[int] = []
    for place, character in enumerate(bare):
        if character in "([{":
            opened.append(place)
        elif character in ")]}":
            if not opened or bare[opened[-1]] != _PAIRS[character]:
                return "this bracket closes nothing", place
            opened.pop()
    return ("this bracket is not closed", opened[-1]) if opened else None
