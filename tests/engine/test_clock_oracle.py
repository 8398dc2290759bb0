"""Random flows, clocks and logs: a slow second opinion counts every `used`, `due`, `late` and `over` again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepolicy.engine.ordered import OrderedRun
from carepolicy.engine.stream import Run
from laws import examples
from random_flows import GUARDS, Small, logs, small_flows
from slow_clocks import Watcher, microseconds

Facts = dict[str, Any]

GUARDS_AGAIN = {
    'customer.tier == "gold"': lambda f: f.get("customer.tier", "standard") == "gold",
    'customer.tier != "gold"': lambda f: f.get("customer.tier", "standard") != "gold",
    "order.total > 100": lambda f: f.get("order.total", -1) > 100,
    "order.total <= 100": lambda f: "order.total" in f and f["order.total"] <= 100,
    "has(order.total)": lambda f: "order.total" in f,
    "!has(order.total)": lambda f: "order.total" not in f,
    "complaint.attempts >= 2": lambda f: f.get("complaint.attempts", 0) >= 2,
    "complaint.attempts < 2 || case.urgent": lambda f: f.get("complaint.attempts", 0) < 2 or f.get("case.urgent"),
    "case.urgent": lambda f: f.get("case.urgent", False),
    "!case.urgent": lambda f: not f.get("case.urgent", False),
    'case.urgent && customer.tier == "gold"': lambda f: f.get("case.urgent") and f.get("customer.tier") == "gold",
    '!(order.total > 100 && customer.tier == "gold")': lambda f: (
        not (f.get("order.total", -1) > 100 and f.get("customer.tier") == "gold")
    ),
    "order.total > 50 ? case.urgent : complaint.attempts == 0": lambda f: (
        f.get("case.urgent", False) if f.get("order.total", -1) > 50 else f.get("complaint.attempts", 0) == 0
    ),
}  # fmt: skip


def test_every_guard_has_a_second_reading() -> None:
    assert set(GUARDS_AGAIN) == set(GUARDS)


def as_facts(data: dict[str, Any]) -> Facts:
    read = {"order.total": Decimal, "order.ship_by": microseconds}
    return {name: read.get(name, lambda value: value)(value) for name, value in data.items()}


class Following:
    """One subject's records, read event by event."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self.state: str | None = None
        self.facts: Facts = {}
        self.watchers: list[Watcher] = []
        self.rounds = 0
        self.opened = False

    def step(self, given: dict[str, Any], records: list[dict[str, Any]]) -> None:
        now = microseconds(given["time"])
        brought = as_facts(given.get("data", {}))
        taken = not any(each["type"].startswith("carepolicy.event.") for each in records)
        after = {**self.facts, **brought} if taken else self.facts
        self.opened = False
        for each in records:
            self._take(
                each,
                [self.facts if self.opened else after, self.facts]
                if microseconds(each["time"]) == now
                else [self.facts],
                brought,
            )
        if self.state is not None:
            self.facts = brought if self.opened else after
            for watcher in self.watchers:
                watcher.rest(now, self.state, self.facts)

    def _take(self, record: dict[str, Any], facts: list[Facts], brought: Facts) -> None:
        kind, data = record["type"].removeprefix("carepolicy."), record["data"]
        if kind == "case.opened":
            self.state, self.facts, self.opened = data["state"], brought, True
            self.watchers = [Watcher(self.small.text, each, GUARDS_AGAIN) for each in self.small.clocks]
        elif kind == "case.moved":
            assert data["from"] == self.state
            self.state = data["to"]
            for each in self.watchers:
                each.moved(microseconds(record["time"]), data["to"])
        elif kind == "case.closed":
            assert all(each.round is None for each in self.watchers), "a final state stops all clocks"
            self.state = None
        elif kind.startswith("clock."):
            watcher = next(each for each in self.watchers if each.name == data["clock"])
            watcher.take(kind.removeprefix("clock."), microseconds(record["time"]), data, self.state or "", facts)
            self.rounds += kind == "clock.started"


def follow(small: Small, log: list[dict[str, Any]]) -> int:
    """Hold all that a log causes against the second opinion; how many rounds there were."""
    following = Following(small)
    with OrderedRun(Run(small.load().bundle)) as run:
        for number, given in enumerate(log, 1):
            records = [orjson.loads(each) for each in run.feed([(number, orjson.dumps(given))]).splitlines()]
            following.step(given, records)
    return following.rounds


@settings(max_examples=examples(30), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_clocks_say_what_a_slow_count_says(data: st.DataObject) -> None:
    small = data.draw(small_flows(clocks=True))
    follow(small, data.draw(logs(small.events, first=small.starts[0])))


@pytest.mark.soak
@settings(max_examples=examples(3000), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_many_clocks_say_what_a_slow_count_says(data: st.DataObject) -> None:
    small = data.draw(small_flows(clocks=True))
    follow(small, data.draw(logs(small.events, longest=20, first=small.starts[0])))
