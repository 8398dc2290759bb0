"""What is wrong with an expression, and where: a table of them in faults.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.guards.compiler import check_expression, compile_expression
from carepolicy.guards.faults import CODES, ExpressionError
from carepolicy.guards.scope import Scope

ROWS = [
    pytest.param(row, id=row["x"]) for row in yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text("utf-8"))
]


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_is_told_at_its_very_words(row: dict[str, Any], scope: Scope) -> None:
    start, end = row["x"].index("«"), row["x"].index("»") - 1
    text = row["x"].replace("«", "").replace("»", "")
    (fault,) = check_expression(text, scope, "flag")
    assert (fault.code, text[fault.start : fault.end]) == (row["code"], text[start:end])
    assert (fault.start, fault.end) == (start, end)
    assert row.get("says", "") in f"{fault.message}; {fault.hint}"
    assert fault.replacement == row.get("put")
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, scope, "flag")
    assert caught.value.faults == (fault,)


@pytest.mark.parametrize("row", [row for row in ROWS if row.values[0].get("put")])
def test_what_may_stand_there_instead_mends_that_fault(row: dict[str, Any], scope: Scope) -> None:
    start, end = row["x"].index("«"), row["x"].index("»") - 1
    text = row["x"].replace("«", "").replace("»", "")
    mended = text[:start] + row["put"] + text[end:]
    (before,) = check_expression(text, scope, "flag")
    assert before.message not in [fault.message for fault in check_expression(mended, scope, "flag")]


def test_every_code_of_guards_has_a_row_and_a_page() -> None:
    assert {row.values[0]["code"] for row in ROWS} == set(CODES)


def test_several_faults_are_told_in_the_order_of_their_places(scope: Scope) -> None:
    text = 'order.totl > 1 && customer.tier == "golden" && order.items == "3"'
    assert [fault.code for fault in check_expression(text, scope, "flag")] == ["CP211", "CP213", "CP212"]


def test_without_an_event_its_data_has_no_name(scope: Scope) -> None:
    silent = Scope(scope.facts, scope.settings, scope.clocks, scope.states, None)
    (fault,) = check_expression("event.order.total > 1", silent, "flag")
    assert (fault.code, fault.hint) == ("CP211", "no event brings data here")


@pytest.mark.parametrize(
    "text",
    [
        "1 + " * 600 + "1 == 1",
        "(" * 100 + "true" + ")" * 100,
        "!" * 1_500 + "true",
        "true ? true : " * 100 + "true",
        "[" * 25 + "]" * 25 + " == []",
        'customer.name == "' + "a" * 2_000 + '"',
    ],
    ids=["sum", "brackets", "signs", "ways", "lists", "long"],
)
def test_what_is_too_long_or_too_deep_is_told(text: str, scope: Scope) -> None:
    (fault,) = check_expression(text, scope, "flag")
    assert fault.code == "CP216"


@pytest.mark.parametrize("count", [59, 200])
def test_many_parts_side_by_side_are_not_deep(count: int, scope: Scope) -> None:
    found = compile_expression(" || ".join(["false"] * (count - 1) + ["true"]), scope, "flag")
    assert found.function({}, {}, None) is True


def test_the_wanted_type_of_a_list_goes_down_to_its_members(scope: Scope) -> None:
    assert check_expression("order.tags", scope, "list of text") == ()
    assert [fault.code for fault in check_expression("order.tags", scope, "list of number")] == ["CP215"]
    assert [fault.code for fault in check_expression("order.items", scope, "list of number")] == ["CP215"]
