"""What the tests of guards may name, and values as the engine holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from carepolicy.guards.scope import Scope
from carepolicy.policy.model import Fact, Setting
from carepolicy.policy.places import At

AT = At("organisation.yaml")


def fact(name: str, kind: str, **more: Any) -> Fact:
    given = {"item": None, "of": (), "currency": None, "private": False, "default": None, "title": "", **more}
    return Fact(name=name, type=kind, at=AT, **given)


FACTS = (
    fact("customer.tier", "choice", of=("standard", "gold"), default="standard"),
    fact("customer.segment", "choice", of=("home", "trade")),
    fact("customer.email", "text", private=True),
    fact("customer.name", "text"),
    fact("customer.vip", "flag"),
    fact("customer.language", "text", default="en"),
    fact("complaint.attempts", "number", default=0),
    fact("order.items", "number"),
    fact("order.weight", "number"),
    fact("order.total", "money", currency="GBP"),
    fact("order.paid", "money", currency="GBP", default=Decimal("0.10")),
    fact("order.duty", "money", currency="EUR"),
    fact("order.placed", "time"),
    fact("order.sent", "time", default="2026-03-02T09:00:00Z"),
    fact("order.ship_by", "date"),
    fact("order.delivery", "date", default="2026-03-02"),
    fact("order.tags", "list", item="text"),
    fact("order.amounts", "list", item="number"),
    fact("order.prices", "list", item="money", currency="GBP"),
    fact("package.return", "number"),
    fact("order", "text"),
)
SETTINGS = {"goodwill_limit": 20, "share": Decimal("0.1"), "greeting": "Hello", "strict": True}


@dataclass
class Case:
    """A case as a guard sees it."""

    entered: dict[str, int] = field(default_factory=dict)
    aged: int = 0
    remaining: dict[str, int] = field(default_factory=dict)
    overdue: set[str] = field(default_factory=set)

    def visits(self, state: str) -> int:
        return self.entered.get(state, 0)

    def age(self) -> int:
        return self.aged

    def left(self, clock: str) -> int | None:
        return self.remaining.get(clock)

    def late(self, clock: str) -> bool:
        return clock in self.overdue


@pytest.fixture(scope="session")
def scope() -> Scope:
    """The names of a made-up shop."""
    settings = {name: Setting(name, value, AT) for name, value in SETTINGS.items()}
    event = frozenset({"order.total", "customer.name"})
    return Scope({each.name: each for each in FACTS}, settings, ("first_reply",), ("received", "closed"), event)


@pytest.fixture(scope="session")
def held() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Turns the values of a test's data into what the engine holds of each fact."""
    kinds = {each.name: each for each in FACTS}

    def convert(kind: str | None, value: Any) -> Any:
        match kind:
            case "money":
                return Decimal(str(value))
            case "date":
                return date.fromisoformat(value)
            case "time":
                since = datetime.fromisoformat(value) - datetime.fromisoformat("1970-01-01T00:00:00Z")
                return since // timedelta(microseconds=1)
        return value

    def values(data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: tuple(convert(kinds[name].item, each) for each in value)
            if kinds[name].type == "list"
            else convert(kinds[name].type, value)
            for name, value in data.items()
        }

    return values


@pytest.fixture(scope="session")
def new_case() -> type[Case]:
    """Makes what a case knows of itself."""
    return Case
