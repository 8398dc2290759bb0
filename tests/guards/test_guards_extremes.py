"""Whatever compiles can be called with anything that the engine may hold, and texts are never code.

The expressions are those of values.yaml, whole and with their tokens deleted, doubled, swapped and replaced.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.guards.compiler import Expression, check_expression, compile_expression
from carepolicy.guards.faults import ExpressionError
from carepolicy.guards.scope import Scope
from carepolicy.guards.words import in_words
from laws import examples

GOOD = sorted(
    {
        row["x"]
        for rows in yaml.safe_load(Path(__file__).with_name("values.yaml").read_text("utf-8")).values()
        for row in rows
    }
)
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\w+|[&|=!<>]=?[&|]?|\s+|.', re.DOTALL)
TOKENS = sorted({token for text in GOOD for token in TOKEN.findall(text)})

EDGE_AMOUNTS = (
    "0",
    "-0",
    "0.1",
    "-0.01",
    "1e28",
    "1e29",
    "-9.99e999",
    "1e-999",
    "1E+6144",
    "123456789012345678901234567890.12",
)
EDGES: dict[str, tuple[Any, ...]] = {
    "text": ("", "a", "\x00", "\ud800", "'\"\\{}\n\u2028", "9" * 5000, "a" * 10_000, "İß😀", "nan", "1e999", "-"),
    "choice": ("standard", "gold", "", "\n"),
    "number": (0, -1, 2**63 - 1, -(2**63), 2**64, 10**400, -(10**400), 0.0, -0.0, 1e308, -1e308, 5e-324, 0.1, 2.5),
    "money": tuple(map(Decimal, EDGE_AMOUNTS)),
    "flag": (True, False),
    "date": (date.min, date.max, date(2026, 2, 28)),
    "time": (0, -(2**62), 2**62, 253_402_300_799_999_999, 10**30),
}


def edge(scope: Scope, name: str) -> st.SearchStrategy[Any]:
    fact = scope.facts[name]
    if fact.type != "list":
        return st.sampled_from(EDGES[fact.type])
    return st.lists(st.sampled_from(EDGES[fact.item or "text"]), max_size=3).map(tuple)


class Extreme:
    """A case with a large or no value of everything that it knows of itself."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def visits(self, state: str) -> int:
        return abs(self.amount)

    def age(self) -> int:
        return abs(self.amount)

    def left(self, clock: str) -> int | None:
        return self.amount or None

    def late(self, clock: str) -> bool:
        return self.amount < 0


def call_with_anything(expression: Expression, scope: Scope, data: st.DataObject) -> None:
    """Without facts, with all facts at their edges, and with some of them."""
    expression.function({}, {}, Extreme(0))
    for _ in range(3):
        case = Extreme(data.draw(st.sampled_from([0, -1, 2**62, -(2**63)])))
        facts = {name: data.draw(edge(scope, name)) for name in sorted(expression.reads)}
        event = {name: data.draw(edge(scope, name)) for name in sorted(expression.reads_event)}
        kept = data.draw(st.sets(st.sampled_from(sorted(facts)))) if facts else set()
        for held in (facts, {name: facts[name] for name in kept}):
            found = expression.function(held, event, case)
            if expression.type == "flag":
                assert found in (True, False, None)


@settings(max_examples=examples(120))
@given(text=st.sampled_from(GOOD), data=st.data())
def test_no_value_that_a_fact_may_have_makes_an_expression_raise(text: str, data: st.DataObject, scope: Scope) -> None:
    call_with_anything(compile_expression(text, scope, None), scope, data)


@settings(max_examples=examples(240))
@given(text=st.sampled_from(GOOD), data=st.data())
def test_an_expression_with_moved_tokens_is_refused_or_can_be_called(
    text: str, data: st.DataObject, scope: Scope
) -> None:
    tokens = TOKEN.findall(text)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, max(0, len(tokens) - 1)))
        match data.draw(st.sampled_from(["delete", "double", "swap", "replace", "insert"])):
            case "delete":
                del tokens[place : place + 1]
            case "double":
                tokens[place:place] = tokens[place : place + 1]
            case "swap":
                tokens[place : place + 2] = reversed(tokens[place : place + 2])
            case "replace":
                tokens[place : place + 1] = [data.draw(st.sampled_from(TOKENS))]
            case "insert":
                tokens.insert(place, data.draw(st.sampled_from(TOKENS)))
    spoilt = "".join(tokens)
    assert isinstance(in_words(spoilt, scope), str)
    assert all(0 <= each.start <= each.end <= len(spoilt) for each in check_expression(spoilt, scope, None))
    try:
        expression = compile_expression(spoilt, scope, None)
    except ExpressionError:
        return
    call_with_anything(expression, scope, data)


HOSTILE = (
    "'",
    '"',
    '"""',
    "'''",
    "\\",
    "\\'",
    "{f}",
    "%s",
    "\n",
    "\r\u2028\u2029\x00",
    "' + __import__('os').abort() + '",
    '"] or exit() or ["',
    "lambda: 0",
    "#",
    "😀\u202e",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_equals_itself_and_nothing_else(hostile: str, scope: Scope) -> None:
    written = "".join(f"\\U{ord(each):08x}" for each in hostile)
    equal = compile_expression(f'customer.name == "{written}"', scope, "flag").function
    among = compile_expression(f'"{written}" in order.tags', scope, "flag").function
    starts = compile_expression(f'customer.name.startsWith("{written}")', scope, "flag").function
    assert equal({"customer.name": hostile}, {}, None) is True
    assert equal({"customer.name": "x"}, {}, None) is False
    assert among({"order.tags": ("x", hostile)}, {}, None) is True
    assert among({"order.tags": ("x",)}, {}, None) is False
    assert starts({"customer.name": hostile + "x"}, {}, None) is True
    assert starts({"customer.name": "x"}, {}, None) is False
