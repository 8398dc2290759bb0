"""What the rules say of reaching, leaving and closing is what a walk through the machine finds."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.checks import CheckedSet, findings_in, run_checks
from carepolicy.checks.graph import components, graph_of
from carepolicy.machine.flowmachine import FlowMachine
from carepolicy.policy.load import Memory, load_policies
from carepolicy.policy.model import Policies
from laws import examples
from random_flows import ORGANISATION, Small, small_flows
from stories import write_set


def policies_of(text: str) -> Policies:
    with tempfile.TemporaryDirectory() as folder:
        policies, findings = load_policies(write_set(Path(folder), text, organisation=ORGANISATION))
    assert policies is not None, findings
    return policies


def walked(onward: dict[str, set[str]], start: str) -> set[str]:
    """Every state that some walk from a start comes to: all walks, one step longer each time, until nothing is new."""
    seen = {start}
    while True:
        more = seen | {target for name in seen for target in onward[name]}
        if more == seen:
            return seen
        seen = more


@settings(max_examples=examples(30))
@given(small_flows(clocks=True), st.booleans())
def test_the_rules_on_reaching_find_what_a_walk_through_the_machine_finds(small: Small, closed: bool) -> None:
    text = small.text if closed else small.text.replace("  closing: done\n", "  closing: {note: Nothing.}\n")
    policies = policies_of(text)
    flow = policies.flows["small"]
    machine = FlowMachine(flow, policies.organisation)
    onward = {
        name: {way.dest for ways in machine.ways(name).values() for way in ways if way.dest is not None}
        for name in flow.states
    }
    starts = [state.name for state in flow.states.values() if state.start_on]
    reached = set().union(*(walked(onward, start) for start in starts))
    final = {state.name for state in flow.states.values() if state.final is not None}
    closing = {name for name in flow.states if walked(onward, name) & final}
    graph = graph_of(flow)
    assert (graph.reached, graph.closing) == (reached, closing)
    found = [each for each in run_checks(policies, date(2026, 1, 5)) if each.code in ("CP301", "CP302", "CP303")]
    said = {(each.code, flow_state(policies, each.place.line)) for each in found}
    stuck = {name for name in flow.states if name not in final and not onward[name] - {name}}
    assert {name for code, name in said if code == "CP301"} == set(flow.states) - reached
    assert {name for code, name in said if code == "CP303"} == stuck
    trapped = set(flow.states) - closing
    for name in trapped:  # what cannot be closed is stuck, goes round, or leads to one of these
        told = {state for code, state in said if code in ("CP302", "CP303")}
        assert walked(onward, name) & told
    assert {name for code, name in said if code == "CP302"} <= trapped - stuck


def flow_state(policies: Policies, line: int) -> str:
    """The state whose key stands on a line."""
    flow = policies.flows["small"]
    return next(state.name for state in flow.states.values() if policies.key_place(state.at).line == line)


names = st.sampled_from("abcdefg")


@given(st.dictionaries(names, st.sets(names), min_size=1))
def test_components_are_the_names_that_lead_to_each_other(drawn: dict[str, set[str]]) -> None:
    onward = {name: targets & drawn.keys() for name, targets in drawn.items()}
    found = [set(group) for group in components(onward)]
    assert sorted(name for group in found for name in group) == sorted(onward)
    for group in found:
        for name in group:
            assert group == {other for other in walked(onward, name) if name in walked(onward, other)}
    for number, group in enumerate(found):  # each after all that it leads to
        later = set().union(set(), *found[number + 1 :])
        assert not any(walked(onward, name) & later for name in group)


def test_graphs_are_made_once_for_a_set(harbour: Path) -> None:
    policies, _ = load_policies(harbour)
    assert policies is not None
    checked = CheckedSet(policies, date(2026, 1, 5))
    assert checked.graphs is checked.graphs
    assert all(checked.graphs[name] is each.graph for name, each in checked.each.items())


def test_what_did_not_change_is_taken_over_when_a_set_is_checked_again(harbour: Path) -> None:
    memory: Memory = {}
    first, _ = load_policies(harbour, memory)
    file = harbour / "flows/email_inquiry.yaml"
    file.write_text(file.read_text() + "\n# saved again\n")
    again, _ = load_policies(harbour, memory)
    assert first is not None
    assert again is not None
    before = CheckedSet(first, date(2026, 1, 5))
    after = CheckedSet(again, date(2026, 1, 5), before)
    kept = {name for name, each in after.each.items() if each is before.each[name]}
    assert kept == set(after.each) - {"email_inquiry"}
    assert (after.guards is before.guards, after.calendars is before.calendars) == (True, True)
    assert CheckedSet(again, date(2026, 1, 6), before).calendars is not before.calendars
    assert findings_in(after) == run_checks(again, date(2026, 1, 5))


def test_a_chain_of_many_states_is_no_deep_recursion(harbour: Path) -> None:
    onward = {str(number): [str(number + 1)] for number in range(20_000)}
    assert sum(1 for _ in components(onward)) == 20_000
