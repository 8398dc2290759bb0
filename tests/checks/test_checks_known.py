"""What the check calls sure has a value in every run, and what it calls unsure is missing in some."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepolicy.api import Engine
from carepolicy.checks import CheckedSet
from carepolicy.checks.holes import first_of_each, holes_in
from carepolicy.checks.known import is_sure, spots_in
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.load import load_policies
from laws import examples
from random_flows import MONDAY, ORGANISATION, Small, logs, small_flows
from stories import write_set

TABLE = yaml.load((Path(__file__).parent / "known.yaml").read_text(), yaml.BaseLoader)  # "on" is a key here
MORE_FACTS = "      customer.alias: {type: text}\n"
FULL = {
    "customer.tier": "gold", "order.total": "120", "customer.name": "Ada", "customer.alias": "Lovelace",
    "order.ship_by": (MONDAY + timedelta(days=1)).isoformat(), "complaint.attempts": 1, "case.urgent": True,
}  # fmt: skip


def message(*names: str) -> dict[str, str]:
    return {"text": ";".join(f"{name}=<{{{name}}}>" for name in names)}


def empty_in(text: str) -> set[str]:
    return set(re.findall(r"([\w.]+)=<>", text))


def event(kind: str, number: int, data: dict[str, Any]) -> dict[str, Any]:
    at = (MONDAY + timedelta(hours=20 * number)).isoformat()
    told = {"data": data} if data else {}
    return {"specversion": "1.0", "id": f"n{number}", "source": "/t", "type": kind, "subject": "x", "time": at, **told}


def short_logs(events: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """All logs of up to three events, each with what it must carry, or all that it may."""
    choices = []
    for kind, said in events.items():
        carries = said.get("carries", {})
        must = {fact: FULL[fact] for fact in carries.get("required", ())}
        may = {**must, **{fact: FULL[fact] for fact in carries.get("optional", ())}}
        choices += [(kind, data) for data in ([must] if may == must else [must, may])]
    return [
        [event(kind, number, data) for number, (kind, data) in enumerate(chosen)]
        for length in (1, 2, 3)
        for chosen in product(choices, repeat=length)
    ]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case["name"])
def test_what_may_be_missing_is_missing_in_some_log_and_nothing_else_ever_is(
    case: dict[str, Any], tmp_path: Path
) -> None:
    flow = {"flow": "small", "version": 1, "owner": "care_lead", **{key: case[key] for key in
            ("events", "clocks", "states", "anywhere") if key in case}}  # fmt: skip
    messages = {"language": "en", "messages": {each: message(*case["names"]) for each in ("told", "told_then")}}
    root = write_set(
        tmp_path, yaml.safe_dump(flow, sort_keys=False), organisation=ORGANISATION + MORE_FACTS,
        messages=yaml.safe_dump(messages),
    )  # fmt: skip
    policies, findings = load_policies(root)
    assert policies is not None, findings
    said = {"told": set(case["unsure"]), "told_then": set(case.get("told_then", ()))}
    checked: dict[str, set[str]] = {"told": set(), "told_then": set()}
    for hole in first_of_each(holes_in(CheckedSet(policies, MONDAY.date()))):
        checked[str(hole.template)].add(hole.name.name)
    assert checked == said
    engine, missing = Engine(compile_policies(policies), True, timedelta(0)), set()
    for log in short_logs(case["events"]):
        for record in engine.run(log, MONDAY + timedelta(days=30)):
            if record["type"] == "carepolicy.message.requested":
                missing |= {(record["data"]["template"], name) for name in empty_in(record["data"]["text"])}
    assert missing == {(template, name) for template, names in said.items() for name in names}


NAMES = ("customer.name", "order.total", "order.ship_by", "clock.c0.limit", "clock.c0.due")


class Told:
    """A flow that sends a message of its own at every transition and on entering and leaving every state, and all of
    whose requests have names of their own. Some of its events require facts."""

    def __init__(self, small: Small, required: dict[str, list[str]]) -> None:
        self.small, self.required = small, required
        self.sent = self.asked = 0
        self.flow: dict[str, Any] = yaml.load(small.text, yaml.BaseLoader)
        for event, facts in required.items():
            self.flow["events"][event]["carries"]["required"] = facts
        for state in self.flow["states"].values():
            self.ways(state.get("on", {}))
            self.ways(state.get("after", {}))
            for key in ("enter", "leave"):
                if key == "enter" or "final" not in state:
                    state[key] = self.telling(state.get(key, {}))
        for each in (self.flow["anywhere"], *(phase["on"] for phase in self.flow.get("phases", {}).values())):
            self.ways(each)

    def ways(self, on: dict[str, Any]) -> None:
        for trigger, way in on.items():
            many = way if isinstance(way, list) else [way]
            on[trigger] = [self.telling({"to": each} if isinstance(each, str) else each) for each in many]

    def telling(self, effects: dict[str, Any]) -> dict[str, Any]:
        self.sent += 1
        effects["send"] = f"told_{self.sent}"
        if "request" in effects:
            self.asked += 1
            effects["request"] = {f"refund_{self.asked}": effects["request"]["refund"]}
        return effects

    def texts(self) -> tuple[str, str]:
        messages = {f"told_{number}": message(*NAMES) for number in range(1, self.sent + 1)}
        as_numbers = yaml.safe_dump(self.flow, sort_keys=False).replace("at_most: '2'", "at_most: 2")
        as_numbers = as_numbers.replace("in_hours: 'true'", "in_hours: true")
        flow = as_numbers.replace("version: '1'", "version: 1")
        return flow, yaml.safe_dump({"language": "en", "messages": messages})


@st.composite
def told_flows(draw: st.DrawFn) -> Told:
    small = draw(small_flows(clocks=True, effects=True))
    facts = st.lists(st.sampled_from(("customer.name", "order.total", "order.ship_by")), max_size=2, unique=True)
    return Told(small, {event: draw(facts) for event in small.events})


@given(told_flows(), st.data())
@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck), deadline=None)
def test_what_is_surely_known_has_a_value_in_every_run(
    tmp_path_factory: pytest.TempPathFactory, told: Told, data: st.DataObject
) -> None:
    flow, messages = told.texts()
    root = write_set(tmp_path_factory.mktemp("set"), flow, organisation=ORGANISATION, messages=messages)
    policies, findings = load_policies(root)
    assert policies is not None, findings
    checks = CheckedSet(policies, MONDAY.date())
    unsure = {(hole.template, hole.name.name) for hole in holes_in(checks)}
    open_values = {
        (value.at.path[-2], value.name)
        for spot in spots_in(checks)
        for value in spot.values(checks)
        if value.kind == "request" and not is_sure(checks, value.names, value.text)
    }
    log = data.draw(logs(told.small.events, first=told.small.starts[0]))
    for each in log:
        wanted = {fact: FULL[fact] for fact in told.required[each["type"]]}
        if wanted:
            each["data"] = {**wanted, **each.get("data", {})}
    for record in Engine(compile_policies(policies), True, timedelta(0)).run(log, MONDAY + timedelta(days=60)):
        said = record["data"]
        if record["type"] == "carepolicy.message.requested":
            assert {(said["template"], name) for name in empty_in(said["text"])} <= unsure, flow
        if record["type"] == "carepolicy.action.requested":
            empty = {(said["action"], name) for name, value in said["with"].items() if value is None}
            assert empty <= open_values, flow
