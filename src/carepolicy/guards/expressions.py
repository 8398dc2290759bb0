"""Expressions, checked and compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from carepolicy.guards import runtime
from carepolicy.guards.compiler import Compiler
from carepolicy.guards.faults import RESULT, SIZE, ExpressionError, Fault
from carepolicy.guards.parsing import parse

if TYPE_CHECKING:
    from carepolicy.guards.kinds import Piece
    from carepolicy.guards.scope import Scope


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
    """Compile ``text``, whose value must be of the type ``want`` (a fact's type; None: any).

    Raises ``ExpressionError`` with every fault that ``check_expression`` finds.
    """
    piece, compiler = _compiled(text, scope, want)
    if compiler.faults:
        raise ExpressionError(text, tuple(compiler.faults))
    source = f"lambda f, e, c: {piece.code}"
    try:
        function = _function(source)
    except (SyntaxError, MemoryError, RecursionError):
        raise ExpressionError(text, (Fault(SIZE, "the expression is too long", "", 0, len(text)),)) from None
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


@lru_cache(maxsize=4096)
def _function(source: str) -> Callable[[Any, Any, Any], Any]:
    return runtime.compile_function(source)


def _compiled(text: str, scope: Scope, want: str | None) -> tuple[Piece, Compiler]:
    tree = parse(text)
    compiler = Compiler(text, scope)
    try:
        piece = compiler.expr(tree)
    except RecursionError:
        raise ExpressionError(text, (Fault(SIZE, "the expression is too deep", "", 0, len(text)),)) from None
    if want is not None and not _fits(piece, want) and not compiler.faults:
        said = "a guard must be true or false" if want == "flag" else f"{want} is wanted here"
        compiler.fault(RESULT, f"{said}, and this is {piece.type}", piece)
    return piece, compiler


def _fits(piece: Piece, want: str) -> bool:
    kind = piece.type.kind
    if want == "choice":
        return kind in ("choice", "text")
    if want == "text":
        return kind in ("text", "choice")
    return kind == want or kind == "unknown" or (want == "money" and kind == "number")
