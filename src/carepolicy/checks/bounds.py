"""What a guard says of how large an amount is: which facts it holds under a bound that no fact can move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.guards import ExpressionError, compile_expression
from carepolicy.guards.compiler import span
from carepolicy.guards.names import chain
from carepolicy.guards.parsing import inside, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.guards import Expression, Scope

_ABOVE = {"relation_gt": "relation_lt", "relation_ge": "relation_le"}
_UNDER = ("relation_lt", "relation_le")
_SIZES = ("money", "number")


def amounts(text: str, scope: Scope) -> frozenset[str] | None:
    """The money and numbers among the facts that an expression reads; None where it gives neither, or is wrong."""
    compiled = _compiled(text, scope)
    if compiled is None or compiled.type not in _SIZES:
        return None
    return frozenset(name for name in compiled.reads | compiled.reads_event if scope.facts[name].type in _SIZES)


def bounded_where(guard: str, scope: Scope) -> frozenset[str]:
    """Facts that are no larger than something fixed wherever a guard holds."""
    return frozenset(_bounded(guard, scope, "conditionaland", _UNDER))


def bounded_unless(guards: Iterable[str], scope: Scope) -> frozenset[str]:
    """Facts that are no larger than something fixed wherever none of some guards holds."""
    over = tuple(_ABOVE)
    return frozenset(name for guard in guards for name in _bounded(guard, scope, "conditionalor", over))


def _bounded(guard: str, scope: Scope, joint: str, wanted: tuple[str, ...]) -> Iterator[str]:
    try:
        tree = parse(guard)
    except ExpressionError:
        return
    for part in _parts(inside(tree), joint):
        if part.data != "relation":
            continue
        left, right, sign = part.children[0].children[0], part.children[1], part.children[0].data
        for one, other, said in ((left, right, sign), (right, left, _turned(sign))):
            name = chain(inside(one))
            if name is not None and said in wanted and amounts(_text(guard, other), scope) == frozenset():
                yield name.removeprefix("event.")


def _parts(node: Any, joint: str) -> Iterator[Any]:
    """The parts that ``&&`` (or ``||``) joins, or the one part that there is."""
    if node.data == joint and len(node.children) == 2:
        yield from _parts(inside(node.children[0]), joint)
        yield from _parts(inside(node.children[1]), joint)
    else:
        yield node


def _turned(sign: str) -> str:
    """The sign that says the same with its sides changed."""
    turned = {**_ABOVE, **{under: above for above, under in _ABOVE.items()}}
    return turned.get(sign, sign)


def _text(guard: str, node: Any) -> str:
    start, end = span(node)
    return guard[start:end]


def _compiled(text: str, scope: Scope) -> Expression | None:
    try:
        return compile_expression(text, scope, None)
    except ExpressionError:
        return None
