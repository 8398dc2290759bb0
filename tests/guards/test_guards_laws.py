"""Laws of expressions: other evaluators agree, nothing raises but ``ExpressionError``, nothing takes long."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import cel
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carepolicy.guards.compiler import check_expression, compile_expression, pattern_fault
from carepolicy.guards.faults import ExpressionError
from carepolicy.guards.runtime import matches
from carepolicy.guards.scope import Scope
from carepolicy.guards.words import in_words
from laws import examples

# -- expressions of a type, with facts that all have values ------------------------------------------------------

TEXTS = st.text(alphabet="abA1 .-", max_size=4)
ORDER = ("<", "<=", ">", ">=", "==", "!=")
AMOUNTS = st.decimals(-99999, 99999, places=2)
WHOLE = st.integers(min_value=-1000, max_value=1000)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def join(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda given: pattern.format(*given))


def chosen(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


def joined(depth: int) -> dict[str, st.SearchStrategy[str]]:
    """Strategies of expressions by type, nested ``depth`` deep at most."""
    literal = WHOLE.map(lambda n: f"({n})" if n < 0 else str(n))
    listed = st.lists(WHOLE.map(str), min_size=1, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
    flat = {
        "number": st.one_of(literal, chosen("order.items", "complaint.attempts")),
        "text": st.one_of(TEXTS.map(quoted), chosen("customer.name", "customer.email")),
        "flag": chosen("true", "false", "customer.vip"),
        "numbers": st.one_of(chosen("order.amounts"), listed),
    }
    if depth == 0:
        return flat
    below = joined(depth - 1)
    number, text, flag, numbers = (below[kind] for kind in ("number", "text", "flag", "numbers"))
    order = chosen(*ORDER)
    local = chosen("n > 2", "n == order.items", "n < 0", "n % 2 == 0", 'customer.name == "a"')
    deep = {
        "number": st.one_of(
            join("({} {} {})", number, chosen("+", "-", "*"), number),
            join("({} % {})", number, chosen("7", "-3", "1")),
            join("(-{})", number),
            join("size({})", text),
            join("{}.size()", numbers),
            join("int({})", number),
            join("({} ? {} : {})", flag, number, number),
        ),
        "text": st.one_of(join("({} + {})", text, text), join("({} ? {} : {})", flag, text, text)),
        "flag": st.one_of(
            join("({} {} {})", number, order, number),
            join("({} {} {})", text, order, text),
            join("({} {} {})", numbers, chosen("==", "!="), numbers),
            join("({} {} {})", flag, chosen("&&", "||", "==", "!="), flag),
            join("!{}", flag),
            join("{}.{}({})", text, chosen("startsWith", "endsWith", "contains"), text),
            join("{}.matches({})", text, chosen('"a+"', '"^[ab]*$"', '"(a|b)1?"', '"^$"', 'r"\\d"')),
            join("({} in {})", number, numbers),
            join("{}.{}(n, {})", numbers, chosen("all", "exists", "exists_one"), local),
            join("({} ? {} : {})", flag, flag, flag),
        ),
        "numbers": st.one_of(
            join("({} + {})", numbers, numbers),
            join("{}.filter(n, {})", numbers, local),
            join("{}.map(n, {})", numbers, chosen("n + 1", "n * order.items", "-n")),
            join("[{}, {}]", number, number),
        ),
    }
    return {kind: st.one_of(flat[kind], deep[kind]) for kind in flat}


DATA = st.fixed_dictionaries(
    {
        "order.items": WHOLE,
        "complaint.attempts": WHOLE,
        "customer.name": TEXTS,
        "customer.email": TEXTS,
        "customer.vip": st.booleans(),
        "order.amounts": st.lists(WHOLE, max_size=4),
    }
)


def nested(data: dict[str, Any]) -> dict[str, Any]:
    """Dotted names as mappings in each other, as CEL has them."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        first, last = name.split(".")
        found.setdefault(first, {})[last] = value
    return found


@settings(max_examples=examples(200))
@given(text=st.one_of(*joined(3).values()), data=DATA)
def test_another_evaluator_gives_the_same_where_all_facts_have_values(
    text: str, data: dict[str, Any], scope: Scope
) -> None:
    found = compile_expression(text, scope, None).function(data, {}, None)
    try:
        wanted = cel.evaluate(text, nested(data))
    except OverflowError:
        wanted = None
    assert (list(found) if isinstance(found, tuple) else found) == wanted
    assert isinstance(found, bool) == isinstance(wanted, bool)


@settings(max_examples=examples(100))
@given(one=AMOUNTS, other=AMOUNTS, operator=chosen(*ORDER), pence=WHOLE)
def test_money_is_compared_exactly(one: Decimal, other: Decimal, operator: str, pence: int, scope: Scope) -> None:
    given = {"order.total": one, "order.paid": other}
    text = f"order.total + {Decimal(pence) / 100} {operator} order.paid"
    cents = f"{int(one * 100) + pence} {operator} {int(other * 100)}"
    assert compile_expression(text, scope, "flag").function(given, {}, None) == cel.evaluate(cents, {})


@settings(max_examples=examples(100))
@given(text=joined(3)["flag"], known=st.sets(chosen("order.items", "customer.vip", "order.amounts")), data=DATA)
def test_facts_without_values_never_raise_and_a_guard_stays_true_or_not(
    text: str, known: set[str], data: dict[str, Any], scope: Scope
) -> None:
    some = {name: value for name, value in data.items() if name in known}
    assert compile_expression(text, scope, "flag").function(some, {}, None) in (True, False, None)


@settings(max_examples=examples(100))
@given(operator=chosen(*ORDER), one=joined(1)["number"])
def test_a_comparison_with_what_has_no_value_is_false(operator: str, one: str, scope: Scope) -> None:
    data = {"order.items": 1, "customer.vip": True, "order.amounts": [1], "customer.name": "a", "customer.email": "b"}
    for text in (f"order.weight {operator} {one}", f"{one} {operator} order.weight"):
        assert compile_expression(text, scope, "flag").function(data, {}, None) is False


# -- nothing but ExpressionError -------------------------------------------------------------------------------

WORDS = (*Path(__file__).with_name("words.txt").read_text("utf-8").split(), "\n", "\u2028", "\ud800")
PIECES = st.lists(st.sampled_from(WORDS), max_size=14)


@settings(max_examples=examples(250))
@example(text='"""' + "\\n" * 900)
@example(text='"' + "\\n" * 900)
@example(text='"' + "\\n" * 900 + '\n"')
@example(text="r'" + "\\'" * 900)
@example(text='"a\\" == "b"')
@example(text='order.tags.all(x, x == "\\ud800")')
@given(text=st.one_of(st.text(max_size=60), PIECES.map(" ".join), PIECES.map("".join)))
def test_any_text_at_all_is_compiled_or_refused_with_places_inside_it(text: str, scope: Scope) -> None:
    for fault in check_expression(text, scope, None):
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.message
    assert in_words(text, scope) is not None
    try:
        expression = compile_expression(text, scope, None)
    except ExpressionError:
        return
    expression.function({}, {}, Nothing())


@settings(max_examples=examples(120))
@given(text=joined(2)["flag"], data=st.data())
def test_a_spoilt_expression_is_compiled_or_refused(text: str, data: st.DataObject, scope: Scope) -> None:
    place = data.draw(st.integers(0, len(text)))
    spoilt = text[:place] + data.draw(st.sampled_from(WORDS)) + text[place + data.draw(st.integers(0, 3)) :]
    in_words(spoilt, scope)
    try:
        expression = compile_expression(spoilt, scope, None)
    except ExpressionError:
        return
    some = {"order.items": 3, "customer.name": "ab", "order.amounts": (1, 2), "order.total": Decimal("1.5")}
    expression.function(some, some, Nothing())


class Nothing:
    def visits(self, state: str) -> int:
        return 0

    def age(self) -> int:
        return 0

    def left(self, clock: str) -> int | None:
        return None

    def late(self, clock: str) -> bool:
        return False


def test_names_and_texts_are_never_code(scope: Scope) -> None:
    hostile = "x'] or __import__('os').abort() or f['"
    text = f'customer.name == "{hostile}"'
    expression = compile_expression(text, scope, "flag")
    assert expression.function({"customer.name": hostile}, {}, None) is True
    assert expression.function({"customer.name": "x"}, {}, None) is False


# -- nothing takes long ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)(.*)(.*)(.*)(.*)[0-9]$"])
def test_no_pattern_takes_more_than_its_text_is_long(pattern: str, scope: Scope) -> None:
    """An engine that tries one way after the other would never come to the end of these."""
    guard = compile_expression(f'customer.name.matches("{pattern}")', scope, "flag").function
    assert guard({"customer.name": "a" * 200_000 + "!"}, {}, None) is False


def test_half_a_character_in_a_fact_does_not_stop_a_pattern() -> None:
    assert matches("a\ud800b", "^a.b$") is True
    assert pattern_fault("\ud800") is not None


def test_texts_and_numbers_do_not_grow_without_bounds(scope: Scope) -> None:
    twice = compile_expression("customer.name + customer.name", scope, "text").function
    square = compile_expression("order.items * order.items", scope, "number").function
    name: Any = "ab"
    number: Any = 3
    for _ in range(60):
        name = None if name is None else twice({"customer.name": name}, {}, None)
        number = None if number is None else square({"order.items": number}, {}, None)
    assert (name, number) == (None, None)


def test_compiled_functions_are_loaded_without_the_parser(scope: Scope) -> None:
    source = compile_expression('customer.tier == "gold" && order.total > 99.5', scope, "flag").source
    program = f"""
import sys
from decimal import Decimal
from carepolicy.guards.runtime import compile_many
(guard,) = compile_many([{source!r}])
assert guard({{"customer.tier": "gold", "order.total": Decimal("99.51")}}, {{}}, None) is True
assert not {{"lark", "celpy", "re2"}} & set(sys.modules), "heavy modules were imported"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
