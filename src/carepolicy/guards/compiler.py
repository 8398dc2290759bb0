"""A tree becomes Python: each part is checked for its type and turned into code that cannot raise.

A fact without a value is None in the code. A comparison with it is false; what is calculated from it has no
value either. Code is put together from the checked parts only, never from the text of an expression: names and
texts stand in it as Python literals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from carepolicy.guards import runtime
from carepolicy.guards.faults import CALL, PARSE, RESULT, SIZE, TYPE, ExpressionError, Fault
from carepolicy.guards.kinds import (
    DATE,
    DURATION,
    FLAG,
    NUMBER,
    NUMERIC,
    TEXT,
    TEXTS,
    TIME,
    UNKNOWN,
    Draft,
    Piece,
    Type,
    common,
)
from carepolicy.guards.literals import day, duration, instant, number, quoted
from carepolicy.guards.names import Names, chain
from carepolicy.guards.operators import OPERATIONS, OPERATORS, calculated, compared, either_type
from carepolicy.guards.parser import arguments, inside, parse, span, too_deep
from carepolicy.policy.addresses import EMAIL, SPELLED
from carepolicy.policy.likeness import did_you_mean, nearest, sole

if TYPE_CHECKING:
    from carepolicy.guards.scope import Scope

Node = Any
"""A lark tree or token."""

DEEPEST = 60
"""Levels of operators, calls and brackets in each other. Python itself reads about 90 of ours."""


FUNCTIONS = ("has", "size", "timestamp", "duration", "date", "int", "double", "string")
WORDED = ("text", "choice", "phone", "email")
"""Kinds whose values are texts."""

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


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. ``function(f, e, c)`` takes the facts and the event's data by dotted name (holding
    no None) and the case; ``source`` is its Python text."""

    text: str
    source: str
    type: str
    reads: frozenset[str]
    reads_event: frozenset[str]
    reads_clocks: frozenset[str]
    reads_visits: frozenset[str]
    reads_age: bool
    function: Callable[[Any, Any, Any], Any]


def compile_expression(text: str, scope: Scope, want: str | None) -> Expression:
    """Compile ``text``, whose value must be of the type ``want`` (a fact's type, ``list of TYPE``; None: any).

    Raises ``ExpressionError`` with every fault that ``check_expression`` finds.
    """
    piece, compiler = _compiled(text, scope, want)
    if compiler.faults:
        raise ExpressionError(text, tuple(compiler.faults))
    source = f"lambda f, e, c: {piece.exact if want == 'money' else piece.code}"
    try:
        function = runtime.compile_function(source)
    except (SyntaxError, MemoryError, RecursionError):
        raise ExpressionError(text, (too_deep(text),)) from None
    names = compiler.names
    return Expression(
        text,
        source,
        piece.type.kind,
        frozenset(names.facts),
        frozenset(names.event),
        frozenset(names.clocks),
        frozenset(names.visits),
        names.age,
        function,
    )


def check_expression(text: str, scope: Scope, want: str | None) -> tuple[Fault, ...]:
    """What is wrong with ``text``, in the order of its places; nothing where it can be compiled."""
    try:
        compile_expression(text, scope, want)
    except ExpressionError as problem:
        return tuple(sorted(problem.faults, key=lambda each: (each.start, each.end)))
    return ()


def _compiled(text: str, scope: Scope, want: str | None) -> tuple[Piece, Compiler]:
    tree = parse(text)
    compiler = Compiler(text, scope)
    piece = compiler.expr(tree)
    if want in SPELLED:
        piece = compiler.spelled(want, piece)
    if want is not None and not compiler.faults and not _fits(piece.type, want):
        said = "a guard must be true or false" if want == "flag" else f"{_said(want)} is wanted here"
        compiler.fault(RESULT, f"{said}, and this is {piece.type}", piece)
    return piece, compiler


def _said(want: str) -> str:
    return want if want.startswith("list of ") else str(Type(want))


def _fits(kind: Type, want: str) -> bool:
    if want.startswith("list of "):
        return kind.item is not None and _fits(kind.item, want.removeprefix("list of "))
    if want in TEXTS and want not in SPELLED:
        return kind.kind in TEXTS
    return kind.kind in (want, "unknown") or (want == "money" and kind.kind == "number")


class Compiler(Draft):
    """Compiles one expression; its faults, and the ``names`` that it reads, are collected on the way."""

    def __init__(self, text: str, scope: Scope) -> None:
        super().__init__(text, scope)
        self.names = Names(scope, self)
        self._depth = 0

    def expr(self, node: Node) -> Piece:
        """The piece of any part of the tree. Raises ``ExpressionError`` where it is nested too deeply."""
        node = inside(node)
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(self.text, (too_deep(self.text),))
        piece = self._part(node)
        self._depth -= 1
        return piece

    def _part(self, node: Node) -> Piece:
        start, end = span(node)
        match node.data:
            case "conditionalor" | "conditionaland":
                return self._chain(node, "or" if node.data == "conditionalor" else "and")
            case "relation":
                left, right = self.expr(node.children[0].children[0]), self.expr(node.children[1])
                return compared(self, OPERATORS[node.children[0].data], left, right, start, end)
            case "addition" | "multiplication":
                left, right = self.expr(node.children[0].children[0]), self.expr(node.children[1])
                return calculated(self, OPERATIONS[node.children[0].data], left, right, start, end)
            case "unary":
                return self._signed(node)
            case "literal":
                return self.literal(node.children[0])
            case "ident" if node.children[0] in ("true", "false"):
                return self.literal(node.children[0])
            case "ident":
                return self.names.single(node)
            case "member_dot":
                return self.names.dotted(node)
            case "ident_arg":
                return call(self, node, node.children[0], arguments(node, 1))
            case "member_dot_arg":
                return method(self, node, node.children[0], node.children[1], arguments(node, 2))
            case "list_lit":
                return self._list(node)
            case "expr":
                return self._choice(node)
        self.fault(PARSE, "indexes and objects are not for expressions of policies", node)
        return Piece(UNKNOWN, "None", True, start, end)

    def _choice(self, node: Node) -> Piece:
        """``a ? b : c``."""
        condition = self.flag(self.expr(node.children[0]))
        yes, no = self.expr(node.children[1]), self.expr(node.children[2])
        if common(yes.type, no.type) is None:
            self.fault(TYPE, f"one way gives {yes.type}, the other {no.type}", no)
        kind = either_type(yes, no)
        codes = (yes.exact, no.exact) if kind.kind == "money" else (yes.code, no.code)
        code = f"({codes[0]} if {condition.code} else {codes[1]})"
        return Piece(kind, code, yes.may_miss or no.may_miss, *span(node))

    def _chain(self, node: Node, word: str) -> Piece:
        """``a && b`` and ``a || b``, over any number of parts."""
        parts: list[Node] = []
        place = node
        while len(place.children) == 2:
            parts.append(place.children[1])
            place = place.children[0]
        pieces = [self.flag(self.expr(each)) for each in (place, *reversed(parts))]
        codes = [f"({each.code} is True)" if each.may_miss else each.code for each in pieces]
        return Piece(FLAG, "(" + f" {word} ".join(codes) + ")", False, *span(node))

    def _signed(self, node: Node) -> Piece:
        """``!a`` and ``-a``."""
        below = self.expr(node.children[1])
        start, end = span(node)
        if node.children[0].data == "unary_not":
            return Piece(FLAG, f"(not {self.flag(below).code})", False, start, end)
        if below.type.kind not in (*NUMERIC, "duration", "unknown"):
            self.fault(TYPE, f"{below.type} has no sign", below)
        return Piece(below.type, f"neg({below.code})", below.may_miss, start, end)

    def _list(self, node: Node) -> Piece:
        """``[a, b]``."""
        members = tuple(self.expr(each) for each in arguments(node, 0))
        kind = UNKNOWN
        for each in members:
            joint = common(kind, each.type)
            if joint is None:
                self.fault(TYPE, f"a list of {kind} holds {each.type}", each)
                kind = UNKNOWN
                break
            kind = joint
        codes = [each.exact if kind.kind == "money" else each.code for each in members]
        code = "(" + "".join(f"{each}, " for each in codes) + ")"
        return Piece(Type("list", item=kind), code, False, *span(node), None, members)

    def literal(self, token: Node) -> Piece:
        """A number, a text, ``true`` or ``false``."""
        start, end = span(token)
        text = str(token)
        if text in ("true", "false"):
            return Piece(FLAG, str(text == "true"), False, start, end, text == "true")
        if token.type in ("INT_LIT", "UINT_LIT", "FLOAT_LIT"):
            value = number(text)
            if value is not None:
                return Piece(NUMBER, repr(value), False, start, end, value)
            self.fault(TYPE, "the number is too large", token)
            return Piece(NUMBER, "None", True, start, end)
        said = quoted(text) if token.type == "STRING_LIT" else None
        if said is not None:
            return Piece(TEXT, repr(said), False, start, end, said)
        if token.type == "STRING_LIT":
            self.fault(PARSE, "a \\ in this text has no meaning", token, "write \\\\ for a \\, or r before the quote")
            return Piece(TEXT, "None", True, start, end)
        hint = "ask has(...) whether there is a value" if token.type == "NULL_LIT" else ""
        self.fault(TYPE, f"{text} cannot stand in an expression of a policy", token, hint)
        return Piece(UNKNOWN, "None", True, start, end)

    def flag(self, piece: Piece) -> Piece:
        """The piece, which must be true or false."""
        if piece.type.kind not in ("flag", "unknown"):
            self.fault(TYPE, f"true or false is needed here, and this is {piece.type}", piece)
        return piece

    def relation_type(self, node: Node) -> Type:
        """The type of a part, for those who only want to say it."""
        return self.expr(node).type


def call(compiler: Compiler, node: Any, word: Any, arguments: list[Any]) -> Piece:
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
        wants(compiler, given, *WORDED, "list")
        return Piece(NUMBER, f"size({given.code})", given.may_miss, start, end)
    if name == "string":
        wants(compiler, given, *WORDED, "number", "money", "flag", "date", "time", "duration")
        return Piece(TEXT, f"{_TEXT_OF.get(given.type.kind, 'text')}({given.code})", True, start, end)
    wants(compiler, given, "number", "money", "text")
    return Piece(NUMBER, f"{'whole' if name == 'int' else 'real'}({given.code})", True, start, end)


def wants(compiler: Compiler, piece: Piece, *kinds: str) -> Piece:
    """The piece, which must be of one of the kinds."""
    if piece.type.kind not in (*kinds, "unknown"):
        compiler.fault(CALL, f"{Type(kinds[0])} is needed here, and this is {piece.type}", piece)
    return piece


def _has(compiler: Compiler, node: Any, argument: Any) -> Piece:
    start, end = node.meta.start_pos, node.meta.end_pos
    given = compiler.expr(argument)
    inner = inside(argument)
    if inner.data not in ("ident", "member_dot") or chain(inner) in (None, "true", "false"):
        compiler.fault(CALL, "has() asks for a name", given, "such as has(order.total)")
    return Piece(FLAG, f"({given.code} is not None)" if given.may_miss else "True", False, start, end)


def _moment(compiler: Compiler, name: str, given: Piece, start: int, end: int) -> Piece:
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


def method(compiler: Compiler, node: Any, receiver: Any, word: Any, arguments: list[Any]) -> Piece:
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
        wants(compiler, of, *WORDED, "list")
        return Piece(NUMBER, f"size({of.code})", of.may_miss, start, end)
    wants(compiler, of, *WORDED)
    if not needed:
        return Piece(TEXT, f"{name.removesuffix('Ascii')}({of.code})", of.may_miss, start, end)
    given = wants(compiler, compiler.expr(arguments[0]), *WORDED)
    if name == "matches":
        return _matches(compiler, of, given, start, end)
    if of.type.kind == EMAIL and isinstance(given.literal, str):
        given = replace(given, code=repr(given.literal.lower()))  # addresses are kept in small letters
    return Piece(FLAG, f"{_TESTS[name]}({of.code}, {given.code})", False, start, end)


def _matches(compiler: Compiler, of: Piece, pattern: Piece, start: int, end: int) -> Piece:
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


def _macro(compiler: Compiler, node: Any, over: Piece, name: str, arguments: list[Any]) -> Piece:
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


def _unknown(compiler: Compiler, node: Any, word: Any, known: tuple[str, ...], hint: str) -> Piece:
    name = str(word)
    near = None if hint else _MEANT.get(name) or nearest(name, known)
    if near not in known:
        near = None
    hint = hint or (did_you_mean(name, known) if near is None else f'did you mean "{near}"?')
    safe = near and (_MEANT.get(name) or sole(name, known))
    compiler.fault(CALL, f'unknown function "{name}"', word, hint, safe)
    return Piece(UNKNOWN, "None", True, node.meta.start_pos, node.meta.end_pos)
