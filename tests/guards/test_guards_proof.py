"""What is proved of guards is what trying them out on cases finds."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.proof import TRUE, Assignment, Ground, GuardVerdict, formula_of, judge
from carepolicy.guards.proof.verdict import is_installed
from carepolicy.machine.flowmachine import Standstill
from laws import examples
from random_flows import GUARDS, OF_EVENTS, cases, scope, truth_of

CALCULATED = (
    "order.total > complaint.attempts * 50",
    "order.total - 50 <= complaint.attempts * 50",
    "complaint.attempts + 1 > 2 && order.total / 2 > 40",
    "complaint.attempts * 50 < order.total || case.urgent",
    "event.order.total > complaint.attempts",
    "order.total == event.order.total",
    "case.urgent == (order.total > 100)",
    "case.urgent != true",
    'customer.tier in ["gold"] && order.total in [20, 250]',
    "-order.total < -100",
)
PROVE = pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="z3-solver is not installed"))


def verdict(*guards: str | None, prove: bool = False, ground: Ground | None = None) -> GuardVerdict:
    where = ground or Ground(scope())
    return judge(tuple(TRUE if each is None else formula_of(each, where) for each in guards), prove)


def facts_of(case: Assignment) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case as the engine would have it: facts, and what the event brought."""
    facts = {
        variable.name: Decimal(value.numerator) / value.denominator if isinstance(value, Fraction) else value
        for variable, value in case.values.items()
        if value is not None
    }
    brought = {variable.name for variable, brings in case.brings.items() if brings}
    return facts, {name: value for name, value in facts.items() if name in brought}


@settings(max_examples=examples(80))
@given(st.lists(st.sampled_from((*GUARDS, *OF_EVENTS)), min_size=1, max_size=4))
def test_plain_guards_are_judged_as_their_cases_are(guards: list[str]) -> None:
    found, taken = verdict(*guards), frozenset[int]()
    for index, guard in enumerate(guards):
        assert (index in found.never) == (not truth_of(guard))
        assert (index in found.hidden) == (truth_of(guard) <= taken)
        taken |= truth_of(guard)
    assert (found.gap is None) == (len(taken) == len(cases()))


@settings(max_examples=examples(60))
@given(st.lists(st.sampled_from((*GUARDS, *OF_EVENTS, *CALCULATED)), min_size=1, max_size=4), st.booleans())
def test_what_is_proved_is_true_of_every_case(guards: list[str], prove: bool) -> None:
    found, taken = verdict(*guards, prove=prove), frozenset[int]()
    for index, guard in enumerate(guards):
        assert index not in found.never or not truth_of(guard)
        if index in found.hidden:
            assert truth_of(guard) <= taken
            assert truth_of(guard) <= frozenset().union(*(truth_of(guards[each]) for each in found.hidden[index]))
        taken |= truth_of(guard)
    if found.gap is not None:
        facts, event = facts_of(found.gap)
        given_ = {"complaint.attempts": 0, **facts}
        for guard in guards:
            assert not compile_expression(guard, scope(), "flag").function(given_, event, Standstill())


@pytest.mark.parametrize("prove", [False, PROVE])
def test_a_guard_that_stands_twice_is_hidden(prove: bool) -> None:
    assert verdict("order.total > complaint.attempts", "order.total > complaint.attempts", prove=prove).hidden == {
        1: (0,)
    }


@pytest.mark.skipif(not is_installed(), reason="z3-solver is not installed")
@pytest.mark.parametrize(
    ("guards", "hidden"),
    [
        (("order.total > complaint.attempts", "order.total > complaint.attempts + 1"), {1: (0,)}),
        (("order.total > complaint.attempts + 1", "order.total > complaint.attempts"), {}),
        (('customer.name.startsWith("Mr")', 'customer.name.startsWith("Mrs")'), {1: (0,)}),
        (('customer.name.contains("a")', 'customer.name.endsWith("an")'), {1: (0,)}),
        (("order.total > complaint.attempts", "order.total <= complaint.attempts", "has(order.total)"), {2: (0, 1)}),
    ],
)
def test_the_solver_finds_what_compares_facts_with_each_other(
    guards: tuple[str, ...], hidden: dict[int, tuple[int, ...]]
) -> None:
    assert verdict(*guards, prove=True).hidden == hidden
    assert verdict(*guards, prove=False).hidden == {}, "without it, nothing is claimed"


@pytest.mark.skipif(not is_installed(), reason="z3-solver is not installed")
def test_the_solver_finds_a_contradiction_of_two_facts() -> None:
    assert verdict("order.total > complaint.attempts && order.total + 1 < complaint.attempts", prove=True).never == {0}


def test_a_comparison_and_its_opposite_leave_a_missing_fact_over() -> None:
    gap = verdict("order.total > 100", "order.total <= 100").gap
    assert gap is not None
    assert list(gap.values.values()) == [None]


def test_a_fact_that_the_event_must_bring_is_not_missing() -> None:
    ground = Ground(scope(), brings=frozenset({"order.total"}))
    assert verdict("order.total > 100", "order.total <= 100", ground=ground).gap is None
    assert verdict("!has(order.total)", ground=ground).never == {0}
    assert verdict("order.total > 100", "event.order.total > 50", ground=ground).hidden == {}
    assert verdict("order.total > 50", "event.order.total > 100", ground=ground).hidden == {1: (0,)}


def test_a_number_that_is_counted_has_no_gap_between_one_and_two() -> None:
    assert verdict("complaint.attempts <= 1", "complaint.attempts >= 2").gap is None
    assert verdict("complaint.attempts <= 1.5", "complaint.attempts >= 2").gap is not None


def test_a_choice_has_no_other_values() -> None:
    assert verdict('customer.tier == "gold"', 'customer.tier == "standard"', None).hidden == {2: (0, 1)}


def test_what_cannot_be_told_is_not_claimed() -> None:
    assert verdict('customer.name.matches("^a")', 'customer.name.matches("^ab")') == GuardVerdict(frozenset(), {}, None)


def test_a_guard_of_hundreds_of_parts_is_no_deep_recursion() -> None:
    long = " || ".join(["case.urgent"] * 125)
    assert verdict(long, "case.urgent").hidden == {1: (0,)}


def test_guards_on_very_many_facts_are_still_judged() -> None:
    many = " && ".join(f"complaint.attempts != {number}" for number in range(60))
    wide = " || ".join(f"order.total == {number} && complaint.attempts == {number}" for number in range(30))
    found = verdict(many, wide, many)
    assert not found.never
