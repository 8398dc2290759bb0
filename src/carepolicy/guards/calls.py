"""Functions, methods and the macros over lists."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from carepolicy.guards.faults import CALL, SIZE
from carepolicy.guards.kinds import DATE, DURATION, FLAG, NUMBER, TEXT, TIME, UNKNOWN, Piece, Type
from carepolicy.policy.findings import did_you_mean, nearest

if TYPE_CHECKING:
    from carepolicy.guards.compiler import Compiler

FUNCTIONS = ("has", "size", "timestamp", "duration", "date", "int", "double", "string")
METHODS = ("startsWith", "endsWith", "contains", "matches", "lowerAscii", "upperAscii", "size")
MACROS = {"all": "every", "exists": "some", "exists_one": "single", "map": "mapped", "filter": "kept"}

_TESTS = {"startsWith": "starts", "endsWith": "ends", "contains": "holds"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s|d)")
_UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


def call(compiler: Compiler, node: Any, word: Any, arguments: list[Any]) -> Piece:
    """A function of one argument."""
    name = str(word)
    start, end = node.meta.start_pos, node.meta.end_pos
    if name not in FUNCTIONS:
        return _unknown(compiler, node, word, FUNCTIONS)
    if len(arguments) != 1:
        compiler.fault(CALL, f"{name}() takes one argument", node)
        return Piece(UNKNOWN, "None", True, start, end)
    if name == "has":
        return _has(compiler, node, arguments[0])
    given = compiler.expr(arguments[0])
    if name in ("timestamp", "duration", "date"):
        return _moment(compiler, name, given, start, end)
    if name == "size":
        compiler.wants(given, "text", "choice", "list")
        return Piece(NUMBER, f"size({given.code})", given.may_miss, start, end)
    if name == "string":
        return Piece(TEXT, f"text({given.code})", given.may_miss, start, end)
    compiler.wants(given, "number", "money", "text")
    return Piece(NUMBER, f"{'whole' if name == 'int' else 'real'}({given.code})", True, start, end)


def _has(compiler: Compiler, node: Any, argument: Any) -> Piece:
    start, end = node.meta.start_pos, node.meta.end_pos
    given = compiler.expr(argument)
    if not re.fullmatch(r"\s*[A-Za-z_][\w.]*\s*", compiler.text[given.start : given.end]):
        compiler.fault(CALL, "has() asks for a name", given)
    return Piece(FLAG, f"({given.code} is not None)" if given.may_miss else "True", False, start, end)


def _moment(compiler: Compiler, name: str, given: Piece, start: int, end: int) -> Piece:
    """``timestamp("...")``, ``duration("...")`` and ``date("...")`` of a literal, worked out here."""
    kinds = {"timestamp": TIME, "duration": DURATION, "date": DATE}
    if given.type.kind == kinds[name].kind:
        return given
    examples = {"timestamp": "2026-03-02T09:00:00Z", "duration": "90m", "date": "2026-03-02"}
    code = _moment_code(name, given.literal) if isinstance(given.literal, str) else None
    if code is None:
        compiler.fault(CALL, f'{name}() takes a text such as "{examples[name]}"', given)
        return Piece(UNKNOWN, "None", True, start, end)
    return Piece(kinds[name], code, False, start, end)


def _moment_code(name: str, text: str) -> str | None:
    if name == "duration":
        return _duration_code(text)
    try:
        if name == "date":
            day = date.fromisoformat(text)
            return f"date({day.year}, {day.month}, {day.day})" if len(text) == 10 else None
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return repr((at - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(microseconds=1))


def _duration_code(text: str) -> str | None:
    sign = -1 if text.startswith("-") else 1
    body = text.removeprefix("-")
    parts = _DURATION.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        return None
    total = sum(float(number) * _UNITS[unit] if unit != "ns" else float(number) / 1_000 for number, unit in parts)
    return repr(sign * round(total)) if total < 2**62 else None


def method(compiler: Compiler, node: Any, receiver: Any, word: Any, arguments: list[Any]) -> Piece:
    """A method of a text or list, or a macro over a list."""
    name = str(word)
    start, end = node.meta.start_pos, node.meta.end_pos
    if name in MACROS:
        return _macro(compiler, node, compiler.member(receiver), name, arguments)
    if name not in METHODS:
        return _unknown(compiler, node, word, (*METHODS, *MACROS))
    of = compiler.member(receiver)
    needed = 0 if name in ("lowerAscii", "upperAscii", "size") else 1
    if len(arguments) != needed:
        compiler.fault(CALL, f"{name}() takes {'one argument' if needed else 'no argument'}", node)
        return Piece(UNKNOWN, "None", True, start, end)
    if name == "size":
        compiler.wants(of, "text", "choice", "list")
        return Piece(NUMBER, f"size({of.code})", of.may_miss, start, end)
    compiler.wants(of, "text", "choice")
    if not needed:
        return Piece(TEXT, f"{name.removesuffix('Ascii')}({of.code})", of.may_miss, start, end)
    given = compiler.wants(compiler.expr(arguments[0]), "text", "choice")
    if name == "matches":
        return _matches(compiler, of, given, start, end)
    return Piece(FLAG, f"{_TESTS[name]}({of.code}, {given.code})", False, start, end)


def _matches(compiler: Compiler, of: Piece, pattern: Piece, start: int, end: int) -> Piece:
    import re2

    if not isinstance(pattern.literal, str):
        compiler.fault(CALL, "the pattern of matches() is written out in quotes", pattern)
        return Piece(FLAG, "False", False, start, end)
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern.literal, options)
    except re2.error as problem:
        said = problem.args[0] if problem.args else "it cannot be read"
        words = said.decode() if isinstance(said, bytes) else str(said)
        compiler.fault(SIZE, f"the pattern is no regular expression of RE2: {words}", pattern)
    return Piece(FLAG, f"matches({of.code}, {pattern.code})", False, start, end)


def _macro(compiler: Compiler, node: Any, over: Piece, name: str, arguments: list[Any]) -> Piece:
    start, end = node.meta.start_pos, node.meta.end_pos
    compiler.wants(over, "list")
    variable = compiler.text[slice(*_span(arguments[0]))].strip() if len(arguments) == 2 else ""
    if not re.fullmatch(r"[A-Za-z_]\w*", variable):
        compiler.fault(CALL, f"{name}() takes a name and an expression, such as {name}(x, x > 1)", node)
        return Piece(UNKNOWN, "None", True, start, end)
    item = over.type.item or UNKNOWN
    outer = compiler.names.local
    compiler.names.local = {**outer, variable: item}
    body = compiler.expr(arguments[1])
    compiler.names.local = outer
    if name != "map":
        compiler.flag(body)
    code = f"{MACROS[name]}({over.code}, lambda v_{variable}: {body.code})"
    if name in ("map", "filter"):
        return Piece(Type("list", item=body.type if name == "map" else item), code, over.may_miss, start, end)
    return Piece(FLAG, code, False, start, end)


def _unknown(compiler: Compiler, node: Any, word: Any, known: tuple[str, ...]) -> Piece:
    name = str(word)
    compiler.fault(CALL, f'unknown function "{name}"', word, did_you_mean(name, known), nearest(name, known))
    return Piece(UNKNOWN, "None", True, node.meta.start_pos, node.meta.end_pos)


def _span(node: Any) -> tuple[int, int]:
    return node.meta.start_pos, node.meta.end_pos
