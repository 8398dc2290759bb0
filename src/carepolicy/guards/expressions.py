"""Expressions, checked and compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from carepolicy.guards import runtime
from carepolicy.guards.compiler import Compiler
from carepolicy.guards.faults import RESULT, ExpressionError, Fault
from carepolicy.guards.kinds import TEXTS, Type
from carepolicy.guards.parsing import parse, too_deep

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
    """Compile ``text``, whose value must be of the type ``want`` (a fact's type, ``list of TYPE``; None: any).

    Raises ``ExpressionError`` with every fault that ``check_expression`` finds.
    """
    piece, compiler = _compiled(text, scope, want)
    if compiler.faults:
        raise ExpressionError(text, tuple(compiler.faults))
    source = f"lambda f, e, c: {piece.exact if want == 'money' else piece.code}"
    try:
        function = _function(source)
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


@lru_cache(maxsize=4096)
def _function(source: str) -> Callable[[Any, Any, Any], Any]:
    return runtime.compile_function(source)


def _compiled(text: str, scope: Scope, want: str | None) -> tuple[Piece, Compiler]:
    tree = parse(text)
    compiler = Compiler(text, scope)
    piece = compiler.expr(tree)
    if want is not None and not compiler.faults and not _fits(piece.type, want):
        said = "a guard must be true or false" if want == "flag" else f"{_said(want)} is wanted here"
        compiler.fault(RESULT, f"{said}, and this is {piece.type}", piece)
    return piece, compiler


def _said(want: str) -> str:
    return want if want.startswith("list of ") else str(Type(want))


def _fits(kind: Type, want: str) -> bool:
    if want.startswith("list of "):
        return kind.item is not None and _fits(kind.item, want.removeprefix("list of "))
    if want in TEXTS:
        return kind.kind in TEXTS
    return kind.kind in (want, "unknown") or (want == "money" and kind.kind == "number")
