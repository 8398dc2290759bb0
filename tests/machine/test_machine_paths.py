"""The engine takes the way that the ``transitions`` machine of the flow takes, event by event, guards included."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepolicy.api import Flow
from carepolicy.engine.facts import taker_of
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.program import Bundle
from laws import examples
from random_flows import Loaded, logs, small_flows

Events = list[dict[str, Any]]


class Thing:
    """An object of a caller's own that a machine is bound to."""

    state: str

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}


class ByMachine:
    """Walks events with the flow's ``transitions`` machine alone: where each leads, or None where none takes it."""

    def __init__(self, flow: Flow, bundle: Bundle) -> None:
        self.flow = flow
        self.model = flow.model
        self.takers = {name: taker_of(fact) for name, fact in bundle.facts.items()}
        self.starts = {on: state.name for state in self.model.states.values() for on in state.start_on}
        self.thing: Any = None

    def step(self, given: dict[str, Any]) -> str | None:
        data = {name: self.takers[name](value) for name, value in given.get("data", {}).items()}
        if self.thing is None:
            return self._open(given["type"], data)
        if not self.thing.trigger(given["type"], data=data):
            return None
        self.thing.facts.update(data)
        return self._arrive()

    def _open(self, kind: str, data: dict[str, Any]) -> str | None:
        if kind not in self.starts:
            return None
        self.thing = Thing()
        machine = self.flow.machine(self.thing)
        machine.set_state(self.starts[kind], self.thing)
        self.thing.facts.update(data)
        return self._arrive()

    def _arrive(self) -> str:
        state: str = self.thing.state
        if self.model.states[state].final is not None:
            self.thing = None
        return state


def path_by_engine(bundle: Bundle, events: Events) -> list[str | None]:
    """After each event: the state, or None where nothing took it. A stay writes no record of its own."""
    found: list[str | None] = []
    state: str | None = None
    with OrderedRun(Run(bundle)) as run:
        for number, given in enumerate(events, 1):
            taken = True
            for record in map(orjson.loads, run.feed([(number, orjson.dumps(given))]).splitlines()):
                kind, told = record["type"].removeprefix("carepolicy."), record["data"]
                if kind == "case.opened":
                    state = told["state"]
                elif kind == "case.moved":
                    assert told["from"] == state
                    assert told["on"] == given["type"]
                    state = told["to"]
                elif kind == "event.unexpected":
                    taken = False
                else:
                    assert kind not in ("event.rejected", "event.duplicate"), record
            found.append(state if taken else None)
    return found


def check_paths(loaded: Loaded, logs_of_it: list[Events], flow: str = "small") -> int:
    """Compare both ways of each log; how many events were taken in all."""
    taken = 0
    for log in logs_of_it:
        machine = ByMachine(loaded.flows[flow], loaded.bundle)
        path = [machine.step(each) for each in log]
        assert path == path_by_engine(loaded.bundle, log)
        taken += sum(state is not None for state in path)
    return taken


@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_events_take_the_same_way_in_the_engine_and_in_the_machine(data: st.DataObject) -> None:
    small = data.draw(small_flows())
    check_paths(small.load(), data.draw(st.lists(logs(small.events, first=small.starts[0]), min_size=6, max_size=12)))


@pytest.mark.soak
@settings(max_examples=examples(1500), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_many_random_events_take_the_same_way_in_the_engine_and_in_the_machine(data: st.DataObject) -> None:
    small = data.draw(small_flows())
    check_paths(small.load(), data.draw(st.lists(logs(small.events), min_size=10, max_size=20)))
