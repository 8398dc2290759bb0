"""Functions, methods and the macros over lists."""

from __future__ import annotations

from typing import Any, Protocol

from carepolicy.guards.faults import CALL, SIZE
from carepolicy.guards.kinds import DATE, DURATION, FLAG, NUMBER, TEXT, TIME, UNKNOWN, Piece, Type
from carepolicy.guards.literals import day, duration, instant
from carepolicy.guards.names import Names, chain
from carepolicy.guards.parser import inside
from carepolicy.policy.findings import did_you_mean, nearest, sole

FUNCTIONS = ("has", "size", "timestamp", "duration", "date", "int", "double", "string")
METHODS = ("startsWith", "endsWith", "contains", "matches", "lowerAscii", "upperAscii", "size")
MACROS = {"all": "every", "exists": "some", "exists_one": "single", "map": "mapped", "filter": "kept"}

LARGEST_PATTERN = 1 << 20
"""Bytes that RE2 may use for one pattern: ``(.{1,1000}){1,1000}`` is refused, not run."""

MOST_MACROS = 2
"""Macros in each other: what they cost is the product of the lengths of their lists."""

_MEANT = {
    "beginsWith": "startsWith",
    "includes": "contains",
    "length": "size",
    "len": "size",
    "count": "size",
    "toLowerCase": "lowerAscii",
    "lower": "lowerAscii",
    "toUpperCase": "upperAscii",
    "upper": "upperAscii",
    "any": "exists",
    "some": "exists",
    "every": "all",
    "like": "matches",
}
"""What these functions are called in CEL that have other names elsewhere."""

_TESTS = {"startsWith": "starts", "endsWith": "ends", "contains": "holds"}
_MOMENTS = {
    "timestamp": (TIME, "2026-03-02T09:00:00Z"),
    "duration": (DURATION, "90m"),
    "date": (DATE, "2026-03-02"),
}
_TEXT_OF = {"time": "text_time", "duration": "text_duration"}


class Composer(Protocol):
    """What makes a piece of each argument of a call."""

    names: Names

    def expr(self, node: Any) -> Piece:
        """The piece of a part of the tree."""

    def flag(self, piece: Piece) -> Piece:
        """The piece, which must be true or false."""

    def fault(self, code: str, message: str, at: Any, hint: str = "", replacement: str | None = None) -> None:
        """Note a fault at a piece or node."""


def call(compiler: Composer, node: Any, word: Any, arguments: list[Any]) -> Piece:
    """A function of one argument."""
    name = str(word)
    start, end = node.meta.start_pos, node.meta.end_pos
    if name not in FUNCTIONS:
        hint = f"write it after its text or list: x.{name}(...)" if name in (*METHODS, *MACROS) else ""
        return _unknown(compiler, node, word, FUNCTIONS, hint)
    if len(arguments) != 1:
        compiler.fault(CALL, f"{name}() takes one argument", node)
        return Piece(UNKNOWN, "None", True, start, end)
    if name == "has":
        return _has(compiler, node, arguments[0])
    given = compiler.expr(arguments[0])
    if name in _MOMENTS:
        return _moment(compiler, name, given, start, end)
    if name == "size":
        wants(compiler, given, "text", "choice", "list")
        return Piece(NUMBER, f"size({given.code})", given.may_miss, start, end)
    if name == "string":
        wants(compiler, given, "text", "choice", "number", "money", "flag", "date", "time", "duration")
        return Piece(TEXT, f"{_TEXT_OF.get(given.type.kind, 'text')}({given.code})", True, start, end)
    wants(compiler, given, "number", "money", "text")
    return Piece(NUMBER, f"{'whole' if name == 'int' else 'real'}({given.code})", True, start, end)


def wants(compiler: Composer, piece: Piece, *kinds: str) -> Piece:
    """The piece, which must be of one of the kinds."""
    if piece.type.kind not in (*kinds, "unknown"):
        compiler.fault(CALL, f"{Type(kinds[0])} is needed here, and this is {piece.type}", piece)
    return piece


def _has(compiler: Composer, node: Any, argument: Any) -> Piece:
    start, end = node.meta.start_pos, node.meta.end_pos
    given = compiler.expr(argument)
    inner = inside(argument)
    if inner.data not in ("ident", "member_dot") or chain(inner) in (None, "true", "false"):
        compiler.fault(CALL, "has() asks for a name", given, "such as has(order.total)")
    return Piece(FLAG, f"({given.code} is not None)" if given.may_miss else "True", False, start, end)


def _moment(compiler: Composer, name: str, given: Piece, start: int, end: int) -> Piece:
    """``timestamp("...")``, ``duration("...")`` and ``date("...")`` of a literal, worked out here."""
    kind, example = _MOMENTS[name]
    if given.type.kind == kind.kind:
        return given
    code = _moment_code(name, given.literal) if isinstance(given.literal, str) else None
    if code is None:
        compiler.fault(CALL, f'{name}() takes a text such as "{example}"', given, _hint(name))
        return Piece(kind, "None", True, start, end)
    return Piece(kind, code, False, start, end)


def _hint(name: str) -> str:
    return "days have no fixed length in hours: write 48h" if name == "duration" else ""


def _moment_code(name: str, text: str) -> str | None:
    if name == "date":
        return f"T[{text!r}]" if day(text) is not None else None
    found = duration(text) if name == "duration" else instant(text)
    return None if found is None else repr(found)


def method(compiler: Composer, node: Any, receiver: Any, word: Any, arguments: list[Any]) -> Piece:
    """A method of a text or list, or a macro over a list."""
    name = str(word)
    start, end = node.meta.start_pos, node.meta.end_pos
    if name in MACROS:
        return _macro(compiler, node, compiler.expr(receiver), name, arguments)
    if name not in METHODS:
        return _unknown(compiler, node, word, (*METHODS, *MACROS), "")
    of = compiler.expr(receiver)
    needed = 0 if name in ("lowerAscii", "upperAscii", "size") else 1
    if len(arguments) != needed:
        compiler.fault(CALL, f"{name}() takes {'one argument' if needed else 'no argument'}", node)
        return Piece(UNKNOWN, "None", True, start, end)
    if name == "size":
        wants(compiler, of, "text", "choice", "list")
        return Piece(NUMBER, f"size({of.code})", of.may_miss, start, end)
    wants(compiler, of, "text", "choice")
    if not needed:
        return Piece(TEXT, f"{name.removesuffix('Ascii')}({of.code})", of.may_miss, start, end)
    given = wants(compiler, compiler.expr(arguments[0]), "text", "choice")
    if name == "matches":
        return _matches(compiler, of, given, start, end)
    return Piece(FLAG, f"{_TESTS[name]}({of.code}, {given.code})", False, start, end)


def _matches(compiler: Composer, of: Piece, pattern: Piece, start: int, end: int) -> Piece:
    if not isinstance(pattern.literal, str):
        compiler.fault(CALL, "the pattern of matches() is written out in quotes", pattern)
        return Piece(FLAG, "False", False, start, end)
    said = pattern_fault(pattern.literal)
    if said is not None:
        compiler.fault(SIZE, said, pattern)
    return Piece(FLAG, f"matches({of.code}, {pattern.code})", False, start, end)


def pattern_fault(pattern: str) -> str | None:
    """What is wrong with a pattern, None where RE2 takes it."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = LARGEST_PATTERN
    try:
        re2.compile(pattern, options)
    except re2.error as problem:
        said = problem.args[0] if problem.args else "it cannot be read"
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"the pattern is no regular expression of RE2: {words}"
    except UnicodeEncodeError:
        return "the pattern holds half a character"
    return None


def _macro(compiler: Composer, node: Any, over: Piece, name: str, arguments: list[Any]) -> Piece:
    start, end = node.meta.start_pos, node.meta.end_pos
    wants(compiler, over, "list")
    named = inside(arguments[0]) if len(arguments) == 2 else None
    if named is None or named.data != "ident" or named.children[0] in ("true", "false"):
        compiler.fault(CALL, f"{name}() takes a name and an expression, such as {name}(x, x > 1)", node)
        return Piece(UNKNOWN, "None", True, start, end)
    variable = str(named.children[0])
    item = over.type.item or UNKNOWN
    outer = compiler.names.local
    compiler.names.local = {**outer, variable: item}
    if len(compiler.names.local) > MOST_MACROS or variable in outer:
        compiler.fault(SIZE, f"{name}() stands in too many others, or takes a name again", node)
    body = compiler.expr(arguments[1])
    compiler.names.local = outer
    if name != "map":
        compiler.flag(body)
    code = f"{MACROS[name]}({over.code}, lambda v_{variable}: {body.code})"
    if name in ("map", "filter"):
        return Piece(Type("list", item=body.type if name == "map" else item), code, over.may_miss, start, end)
    return Piece(FLAG, code, False, start, end)


def _unknown(compiler: Composer, node: Any, word: Any, known: tuple[str, ...], hint: str) -> Piece:
    name = str(word)
    near = None if hint else _MEANT.get(name) or nearest(name, known)
    if near not in known:
        near = None
    hint = hint or (did_you_mean(name, known) if near is None else f'did you mean "{near}"?')
    safe = near and (_MEANT.get(name) or sole(name, known))
    compiler.fault(CALL, f'unknown function "{name}"', word, hint, safe)
    return Piece(UNKNOWN, "None", True, node.meta.start_pos, node.meta.end_pos)
