"""Which names an expression wants a value of, and which surely have one where it holds, or does not.

A name is one of facts, ``event.FACT`` or ``clock.NAME.left``; ``clock.NAME.late``, where it holds, says that the clock
has a round. Others always have a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from carepolicy.guards.names import chain
from carepolicy.guards.operators import OPERATORS
from carepolicy.guards.parser import arguments, inside, span

NOTHING: frozenset[str] = frozenset()
_TESTS = ("startsWith", "endsWith", "contains", "matches")


class Lack(NamedTuple):
    """A name that may have no value, its offsets, and the comparison that is false then; "" where it is none."""

    name: str
    start: int
    end: int
    operator: str


def compared(tree: Any) -> tuple[Lack, ...]:
    """The comparisons of a guard with what may have no value where nothing is known, but for those beside a part that
    asks for it."""
    return tuple(_compared(tree, NOTHING))


def lacking(tree: Any) -> tuple[Lack, ...]:
    """The names for want of which an expression may have no value where nothing is known."""
    return tuple(_lacking(tree, NOTHING))


def may_fail(tree: Any) -> bool:
    """Whether an expression may have no value although all its names have one: it divides, or reads a number off a
    text."""
    return any(
        (node.data == "multiplication" and node.children[0].data != "multiplication_mul" and len(node.children) == 2)
        or (node.data == "ident_arg" and str(node.children[0]) in ("int", "double"))
        for node in tree.iter_subtrees()
    )


def asked(tree: Any) -> frozenset[str]:
    """The names of which a guard asks whether they have a value."""
    found = (
        chain(inside(node.children[1].children[0]))
        for node in tree.iter_subtrees()
        if node.data == "ident_arg" and str(node.children[0]) == "has" and len(arguments(node, 1)) == 1
    )
    return frozenset(name for name in found if name is not None)


def where(node: Any, holds: bool) -> frozenset[str]:
    """The names that surely have a value where a guard, or a part of one, holds, or where it does not."""
    node = inside(node)
    match node.data:
        case "conditionaland" | "conditionalor":
            parts = [where(each, holds) for each in _joined(node)]
            together = (node.data == "conditionaland") is holds
            return frozenset().union(*parts) if together else frozenset.intersection(*parts)
        case "unary" if node.children[0].data == "unary_not":
            return where(node.children[1], not holds)
        case "expr":
            condition, yes, no = node.children
            return (where(condition, True) | where(yes, holds)) & (where(condition, False) | where(no, holds))
    return _of_truth(node) if holds else NOTHING


def _of_truth(node: Any) -> frozenset[str]:
    """The names that have a value where a part without and, or and not is true."""
    match node.data:
        case "ident" | "member_dot":
            return frozenset(each.name for each in _named(node))
        case "relation":
            left, right = node.children[0].children[0], node.children[1]
            return _demanded(left) | _demanded(right)
        case "ident_arg" if str(node.children[0]) == "has":
            return frozenset(each.name for each in _named(inside(node.children[1].children[0])))
        case "member_dot_arg" if str(node.children[1]) in _TESTS:
            return _demanded(node.children[0]) | _demanded(node.children[2].children[0])
    return NOTHING


def _demanded(node: Any) -> frozenset[str]:
    """The names without any of which a part surely has no value."""
    node = inside(node)
    match node.data:
        case "ident" | "member_dot":
            return frozenset(each.name for each in _named(node))
        case "addition" | "multiplication":
            return _demanded(node.children[0].children[0]) | _demanded(node.children[1])
        case "unary" if node.children[0].data == "unary_neg":
            return _demanded(node.children[1])
        case "expr":
            return _demanded(node.children[1]) & _demanded(node.children[2])
        case "ident_arg" if str(node.children[0]) != "has":
            return frozenset().union(*(_demanded(each) for each in arguments(node, 1)))
        case "member_dot_arg" if str(node.children[1]) in ("size", "lowerAscii", "upperAscii"):
            return _demanded(node.children[0])
    return NOTHING


def _lacking(node: Any, known: frozenset[str]) -> Iterator[Lack]:
    node = inside(node)
    match node.data:
        case "ident" | "member_dot":
            yield from (each for each in _named(node) if not {each.name, f"event.{each.name}"} & known)
        case "addition" | "multiplication":
            yield from _lacking(node.children[0].children[0], known)
            yield from _lacking(node.children[1], known)
        case "unary" if node.children[0].data == "unary_neg":
            yield from _lacking(node.children[1], known)
        case "expr":
            condition, yes, no = node.children
            yield from _lacking(yes, known | where(condition, True))
            yield from _lacking(no, known | where(condition, False))
        case "ident_arg" if str(node.children[0]) != "has":
            for each in arguments(node, 1):
                yield from _lacking(each, known)
        case "member_dot_arg" if str(node.children[1]) not in (*_TESTS, "all", "exists", "exists_one"):
            yield from _lacking(node.children[0], known)
        case "list_lit":
            for each in arguments(node, 0):
                yield from _lacking(each, known)


def _compared(node: Any, known: frozenset[str]) -> Iterator[Lack]:
    node = inside(node)
    match node.data:
        case "conditionaland" | "conditionalor":
            parts = list(_joined(node))
            sure = [where(each, node.data == "conditionaland") for each in parts]
            for number, each in enumerate(parts):
                others = frozenset().union(*sure[:number], *sure[number + 1 :])
                yield from _compared(each, known | others)
        case "unary" if node.children[0].data == "unary_not":
            yield from _compared(node.children[1], known)
        case "expr":
            condition, yes, no = node.children
            yield from _compared(condition, known)
            yield from _compared(yes, known | where(condition, True))
            yield from _compared(no, known | where(condition, False))
        case "relation":
            operator = OPERATORS[node.children[0].data]
            for side in (node.children[0].children[0], node.children[1]):
                yield from (each._replace(operator=operator) for each in _lacking(side, known))


def _joined(node: Any) -> Iterator[Any]:
    """The parts that ``&&`` (or ``||``) joins, in order."""
    place = inside(node.children[0])
    if place.data == node.data:
        yield from _joined(place)
    else:
        yield place
    yield node.children[1]


def _named(node: Any) -> Iterator[Lack]:
    name = chain(node)
    if name is not None and name not in ("true", "false"):
        yield Lack(name, *span(node), "")
