"""What organisation.yaml says once for every flow: what a flow takes up of it, and that it is as if it stood there."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.api import Engine
from carepolicy.charts.changes import compare
from carepolicy.charts.changes.overlay import chart_of_changes
from carepolicy.charts.plan import chart_of
from carepolicy.checks import check_folder
from carepolicy.cli import app
from carepolicy.lsp.project import Project
from carepolicy.machine.bundle import compile_folder
from carepolicy.policy.load import Memory, load_policies
from carepolicy.policy.model import Flow, Policies
from carepolicy.scenarios.coverage import coverage_of
from laws import examples

ORGANISATION: dict[str, Any] = {
    "organisation": "Harbour & Finch",
    "timezone": "Europe/London",
    "roles": {
        "care_agent": {"people": ["Aoife"], "deputy": "care_lead"},
        "care_lead": {"people": ["Chidi"], "deputy": "care_agent"},
    },
    "facts": {"card.kind": {"type": "text"}},
}
COMMON: dict[str, Any] = {
    "events": {
        "card_seen": {"title": "A card number", "by": "system", "carries": {"optional": ["card.kind"]}},
        "press_asked": {"title": "The press asks", "by": "other"},
        "letter_came": {"title": "A letter comes", "by": "customer"},
    },
    "anywhere": {
        "card_seen": [
            {"when": "case.visits.first > 1", "tell": {"role": "care_lead", "say": "{case} again"}},
            {"tell": "care_agent", "except": ["plain.second"]},
        ],
        "press_asked": {"to": "done", "tell": "care_lead", "except": ["left_out"]},
    },
}


def flow(name: str, **more: Any) -> dict[str, Any]:
    states = {
        "first": {"start_on": f"{name}_came", "owner": "care_agent", "on": {"moved": "second"}},
        "second": {"owner": "care_agent", "on": {"moved": "first", "ended": "done"}},
        "done": {"final": "done"},
    }
    events = {each: {"by": "customer"} for each in (f"{name}_came", "moved", "ended")}
    return {"flow": name, "version": 1, "owner": "care_lead", "events": events, "states": states, **more}


def own(name: str) -> dict[str, Any]:
    """A flow that handles some of it itself: in one state, and everywhere; it names an event that others lack."""
    made = flow(name, anywhere={"press_asked": {"tell": "care_agent"}})
    made["states"]["second"]["on"] |= {"card_seen": {"assign": "care_lead"}, "letter_came": "first"}
    return made


FLOWS = {
    "plain": flow("plain"),
    "own": own("own"),
    "left_out": flow("left_out"),
    "without": flow("without", common=False),
}


def write(root: Path, organisation: dict[str, Any], flows: dict[str, dict[str, Any]]) -> Path:
    (root / "flows").mkdir(parents=True, exist_ok=True)
    (root / "organisation.yaml").write_text(yaml.safe_dump(organisation, sort_keys=False))
    for name, each in flows.items():
        (root / "flows" / f"{name}.yaml").write_text(yaml.safe_dump(each, sort_keys=False))
    return root


def policies_in(root: Path) -> Policies:
    policies, findings = check_folder(root)
    assert policies is not None
    assert [each for each in findings if each.severity.value == "error"] == []
    return policies


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", {**ORGANISATION, "common": COMMON}, FLOWS)


def ways(found: Flow, trigger: str) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(each.to, each.except_) for each in found.anywhere.get(trigger, ())]


def test_a_flow_takes_up_what_is_common_and_what_it_handles_itself_is_its_own(shop: Path) -> None:
    flows = policies_in(shop).flows
    assert ways(flows["plain"], "card_seen") == [(None, ()), (None, ("second",))]
    assert ways(flows["plain"], "press_asked") == [("done", ())]
    assert ways(flows["own"], "press_asked") == [(None, ())]
    assert flows["own"].anywhere["press_asked"][0].at.file == "flows/own.yaml"
    assert ways(flows["left_out"], "press_asked") == []
    assert flows["without"].anywhere == {}
    common = {name: set(each.events) & set(COMMON["events"]) for name, each in flows.items()}
    assert common == {
        "plain": {"card_seen", "press_asked"},
        "own": {"card_seen", "press_asked", "letter_came"},
        "left_out": {"card_seen"},
        "without": set(),
    }
    assert flows["plain"].events["card_seen"].optional == ("card.kind",)


def test_an_event_that_a_flow_declares_itself_stays_its_own(tmp_path: Path) -> None:
    mine = flow("plain")
    mine["events"]["card_seen"] = {"title": "My card", "by": "staff"}
    root = write(tmp_path, {**ORGANISATION, "common": COMMON}, {**FLOWS, "plain": mine})
    event = policies_in(root).flows["plain"].events["card_seen"]
    assert (event.title, event.by, event.at.file) == ("My card", "staff", "flows/plain.yaml")


def records_of(root: Path, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(Engine(compile_folder(str(root)), False, timedelta(0)).run(events))


def written_out(organisation: dict[str, Any], flows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each flow with what it takes up written into it by hand, as the language says it in words."""
    found = {}
    for name, said in flows.items():
        each = found[name] = copy.deepcopy(said)
        if not each.pop("common", True):
            continue
        common = organisation["common"]
        named = set(each.get("anywhere", {})) | {
            event for state in each["states"].values() for event in state.get("on", {})
        }
        for event, group in common["anywhere"].items():
            kept = []
            for way in group if isinstance(group, list) else [group]:
                excepted = way.get("except", [])
                if name not in excepted:
                    states = [one.split(".")[1] for one in excepted if one.startswith(f"{name}.")]
                    rest = {key: value for key, value in way.items() if key != "except"}
                    kept.append({**rest, **({"except": states} if states else {})})
            if kept and event not in each.get("anywhere", {}):
                each.setdefault("anywhere", {})[event] = kept
                named.add(event)
        for event, declared in common["events"].items():
            if event in named:
                each["events"].setdefault(event, declared)
    return found


TYPES = [f"{name}_came" for name in FLOWS] + ["moved", "ended", "card_seen", "press_asked", "letter_came"]
STATES = ("first", "second")


@st.composite
def sets(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    exceptions = st.lists(
        st.sampled_from([*FLOWS, *(f"{name}.{state}" for name in FLOWS for state in STATES)]), max_size=4, unique=True
    )
    one = st.builds(
        lambda to, told, excepted: {"tell": told, **to, **({"except": excepted} if excepted else {})},
        st.sampled_from([{}, {"to": "done"}, {"to": "first"}]),
        st.sampled_from(["care_agent", "care_lead"]),
        exceptions,
    )
    guarded = st.builds(lambda way, state: {"when": f"case.visits.{state} > 1", **way}, one, st.sampled_from(STATES))
    anywhere = {
        event: draw(st.one_of(one, st.tuples(guarded, one).map(list)))
        for event in draw(st.sets(st.sampled_from(list(COMMON["events"])), min_size=1).map(sorted))
    }
    flows = {}
    for name in FLOWS:
        made = flow(name)
        if draw(st.integers(0, 4)) == 0:
            made["common"] = False
        elif draw(st.booleans()):
            made["states"][draw(st.sampled_from(STATES))]["on"][draw(st.sampled_from(list(COMMON["events"])))] = (
                "second"
            )
        elif draw(st.booleans()):
            made["anywhere"] = {draw(st.sampled_from(list(COMMON["events"]))): {"tell": "care_lead"}}
        flows[name] = made
    return {**ORGANISATION, "common": {"events": COMMON["events"], "anywhere": anywhere}}, flows


@settings(max_examples=examples(40), deadline=None)
@given(sets(), st.lists(st.sampled_from(TYPES), max_size=25))
def test_what_is_common_does_what_it_does_where_each_flow_says_it(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[dict[str, Any], dict[str, dict[str, Any]]],
    types: list[str],
) -> None:
    organisation, flows = drawn
    flows = {name: each for name, each in flows.items() if each.get("common", True) or not {"anywhere"} & each.keys()}
    root = tmp_path_factory.mktemp("sets")
    once = write(root / "once", organisation, flows)
    plain = {key: value for key, value in organisation.items() if key != "common"}
    hand = write(root / "hand", plain, written_out(organisation, flows))
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/s", "type": each, "subject": "o-1",
         "time": f"2026-03-02T10:{n:02}:00+00:00", "data": {}}
        for n, each in enumerate(types)
    ]  # fmt: skip
    assert records_of(once, events) == records_of(hand, events)


def test_what_is_common_is_covered_once_by_whichever_flow_goes_through_it(shop: Path) -> None:
    policies = policies_in(shop)
    seen = [("way", "own", "first", "card_seen", 0), ("guard", "own", "first", "card_seen", 0, True)]
    found = {each.name: each.covered for each in coverage_of(policies, seen).items if each.file.endswith("ation.yaml")}
    assert found == {
        "every flow, card_seen -> no change": False,
        "every flow, card_seen -> no change when case.visits.first > 1 is true": True,
        "every flow, card_seen -> no change when case.visits.first > 1 is false": False,
        "every flow, press_asked -> done": False,
    }
    first = next(
        each for each in coverage_of(policies, seen).items if each.name == "every flow, card_seen -> no change"
    )
    assert first.covered


def test_a_chart_tells_what_is_common_once_beside_the_steps(shop: Path) -> None:
    chart = chart_of(policies_in(shop), "plain")
    assert [(note.where, note.event.text, [each.text for each in note.event.answers]) for note in chart.notes] == [
        ("At any step (not at 2)", "A card number", ["Yes", "No"]),
        ("At any step (not at 1)", "A card number", ["A card number, if number of times in first is over 1"]),
        ("At any step", "The press asks", ["The press asks"]),
    ]


def test_a_change_of_what_is_common_is_told_once_and_marked_on_the_chart_of_each_flow(
    shop: Path, tmp_path: Path
) -> None:
    told = copy.deepcopy(COMMON)
    told["anywhere"]["press_asked"]["tell"] = "care_agent"
    del told["anywhere"]["card_seen"]
    new = write(tmp_path / "new", {**ORGANISATION, "common": told}, FLOWS)
    difference = compare(policies_in(shop), policies_in(new))
    assert [(each.kind, each.flow, each.aspect) for each in difference.changes if each.part == "way"] == [
        ("changed", "", "tell"), ("removed", "", ""), ("removed", "", ""),
    ]  # fmt: skip
    assert chart_of_changes(difference, "plain").marks["anywhere-press_asked-0"].word == "CHANGED"


def test_a_flow_that_leaves_what_is_common_is_a_change_of_that_flow(shop: Path, tmp_path: Path) -> None:
    new = write(tmp_path / "new", {**ORGANISATION, "common": COMMON}, {**FLOWS, "plain": flow("plain", common=False)})
    changes = compare(policies_in(shop), policies_in(new)).changes
    assert {(each.flow, each.kind) for each in changes} == {("plain", "changed"), ("plain", "removed")}
    assert next(each.text for each in changes if each.kind == "changed").endswith(
        "takes up what is common: No, was Yes"
    )


def test_only_what_changed_is_made_anew_when_a_set_is_checked_again(shop: Path) -> None:
    memory: Memory = {}
    first = load_policies(shop, memory)[0]
    again = load_policies(shop, memory)[0]
    assert first is not None
    assert again is not None
    assert all(again.flows[name] is first.flows[name] for name in FLOWS)
    text = (shop / "organisation.yaml").read_text().replace("tell: care_lead", "tell: care_agent")
    changed = load_policies(shop, memory, {"organisation.yaml": text.encode()})[0]
    assert changed is not None
    assert changed.flows["plain"].anywhere["press_asked"][0].effects.tell[0].role == "care_agent"


def test_a_set_without_what_is_common_has_its_flows_as_they_are_written(tmp_path: Path) -> None:
    memory: Memory = {}
    policies = load_policies(write(tmp_path, ORGANISATION, {"plain": FLOWS["plain"]}), memory)[0]
    assert policies is not None
    assert policies.flows["plain"] is memory["flows/plain.yaml"].made


def test_an_editor_goes_from_a_flow_to_the_common_event_and_from_an_exception_to_the_flow(shop: Path) -> None:
    project = Project(str(shop))
    organisation, own_flow = str(shop / "organisation.yaml"), str(shop / "flows/own.yaml")
    event = next(each for each in project.mentions(own_flow) if each.name == "letter_came")
    every = project.all_mentions()
    assert [each.place.line for each in every[organisation] if each.what == event.what and each.defines] == [
        (shop / "organisation.yaml").read_text().split("letter_came:")[0].count("\n") + 1
    ]
    excepted = [
        (each.kind, each.name, each.scope) for each in project.mentions(organisation) if each.kind in ("flow", "state")
    ]
    assert ("flow", "left_out", "") in excepted
    assert ("state", "second", "plain") in excepted


def test_a_store_knows_a_set_in_which_only_what_is_common_changed_as_another(
    shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = f"sqlite:///{tmp_path / 'care.db'}"

    def carepolicy(*arguments: str) -> str:
        assert app.run([*arguments, "--policies", str(shop), "--store", store]) == 0
        return capfd.readouterr().out

    carepolicy("event", "plain_came", "o-1", "--at", "2026-03-02T10:00:00+00:00")
    text = (shop / "organisation.yaml").read_text()
    (shop / "organisation.yaml").write_text(text.replace("to: done", "to: second"))
    carepolicy("apply", "--now", "2026-03-02T11:00:00+00:00")
    carepolicy("event", "press_asked", "o-1", "--at", "2026-03-02T12:00:00+00:00")
    shown = json.loads(carepolicy("case", "list", "--format", "json"))
    assert [(each["flow"], each["state"]) for each in shown["cases"]] == [("plain", "second")]
