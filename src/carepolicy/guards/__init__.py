"""Guards and expressions: CEL by cel-python's grammar, checked against the facts, compiled to one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.guards.faults import CODES, ExpressionError, Fault
from carepolicy.guards.scope import Scope

if TYPE_CHECKING:
    from carepolicy.guards.expressions import Expression, check_expression, compile_expression
    from carepolicy.guards.inwords import in_words
    from carepolicy.guards.runtime import compile_function, compile_many

__all__ = [
    "CODES",
    "Expression",
    "ExpressionError",
    "Fault",
    "Scope",
    "check_expression",
    "compile_expression",
    "compile_function",
    "compile_many",
    "in_words",
]


def __getattr__(name: str) -> Any:
    if name in ("Expression", "check_expression", "compile_expression"):
        from carepolicy.guards import expressions

        return getattr(expressions, name)
    if name == "in_words":
        from carepolicy.guards.inwords import in_words

        return in_words
    if name in ("compile_function", "compile_many"):
        from carepolicy.guards import runtime

        return getattr(runtime, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
