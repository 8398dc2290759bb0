"""What expressions give: a table of them in values.yaml."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.runtime import compile_many
from carepolicy.guards.scope import Scope

ROWS = [
    pytest.param(row, id=f"{heading}: {row['x']}")
    for heading, rows in yaml.safe_load(Path(__file__).with_name("values.yaml").read_text("utf-8")).items()
    for row in rows
]


@pytest.mark.parametrize("row", ROWS)
def test_an_expression_gives_what_the_table_says(
    row: dict[str, Any], scope: Scope, held: Callable[[dict[str, Any]], dict[str, Any]], new_case: Any
) -> None:
    expression = compile_expression(row["x"], scope, None)
    found = expression.function(held(row.get("f", {})), held(row.get("e", {})), new_case(**row.get("c", {})))
    assert found == row["gives"]
    assert isinstance(found, bool) == isinstance(row["gives"], bool)
    (again,) = compile_many([expression.source])
    assert again(held(row.get("f", {})), held(row.get("e", {})), new_case(**row.get("c", {}))) == found


def test_an_expression_says_what_it_reads(scope: Scope) -> None:
    text = (
        "order.total > event.order.total && case.visits.received > 0 && case.age > duration('1h') "
        "&& (clock.first_reply.late || has(customer.name))"
    )
    found = compile_expression(text, scope, "flag")
    assert found.reads == {"order.total", "customer.name"}
    assert found.reads_event == {"order.total"}
    assert found.reads_visits == {"received"}
    assert found.reads_clocks == {"first_reply"}
    assert found.reads_age
    assert found.type == "flag"


def test_a_number_that_is_wanted_as_money_is_exact(scope: Scope) -> None:
    found = compile_expression("order.weight", scope, "money").function({"order.weight": 0.1}, {}, None)
    assert found == Decimal("0.1")
    assert isinstance(found, Decimal)


def test_a_flag_without_a_value_never_makes_a_guard_of_several_parts_anything_but_false(scope: Scope) -> None:
    assert compile_expression("customer.vip && order.items > 1", scope, "flag").function({}, {}, None) is False
    assert compile_expression("customer.vip || order.items > 1", scope, "flag").function({}, {}, None) is False
