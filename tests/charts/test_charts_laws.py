"""What holds for every flow, tried on flows that nobody would write."""

from __future__ import annotations

import random
from pathlib import Path

import chart_samples as samples
import geometry
import pytest

from carepolicy.charts import chart_of, sources
from carepolicy.policy.language.flow import transitions_of
from shops import SHOP

LIBRARY = Path(__file__).parents[2] / "policies"

EVENTS = [f"Customer writes {n}" if n % 2 else f"The agent sends the answer to the customer {n}" for n in range(12)]


def made_up(seed):
    """A flow of 4 to 12 steps with ways between any of them, questions, timers, a phase and one anywhere."""
    dice = random.Random(seed)
    names = [f"s{n}" for n in range(dice.randint(4, 12))]
    events = {f"e{n}": title for n, title in enumerate(EVENTS)}
    states = {}
    for place, name in enumerate(names):
        on = {dice.choice(list(events)): names[place + 1]} if place + 1 < len(names) else {"e0": "good"}
        for _ in range(dice.randint(0, 3)):
            to = dice.choice([*names, "good", "bad"])
            two = [{"when": "a", "answer": "Yes", "to": to}, {"answer": "No", "to": dice.choice([*names, "good"])}]
            on[dice.choice(list(events))] = two if dice.random() < 0.3 else to
        states[name] = {
            "title": f"{dice.choice(['Waiting for the customer', 'Investigate', 'Check'])} {place}", "on": on,
            "owner": dice.choice(["agent", "lead"]), "ask": dice.choice(["", "Is it over 100 or unsafe?"]),
            "say": dice.choice(["", "May I check your receipt and a photo? I will be right back."]),
            "after": {f"{dice.randint(1, 9)} days": dice.choice([*names, "bad"])} if dice.random() < 0.4 else {},
        }  # fmt: skip
    states[names[0]]["start_on"] = "e1"
    states |= {"good": {"title": "Solved", "final": "resolved"}, "bad": {"title": "Closed", "final": "bad"}}
    phase = {"title": "Open", "states": names[:3], "on": {"e2": "bad"}}
    flow = {"flow": "made_up", "title": f"Made up {seed}", "events": events, "states": states, "phases": {"p": phase}}
    return samples.policies({**flow, "anywhere": {"e3": {"to": "bad", "except": [names[1]]}}})


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("seed", range(25))
def test_no_made_up_flow_has_a_crossing_or_an_overlap(seed):
    for source in sources(made_up(seed), "made_up"):
        assert geometry.faults(source) == []


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_no_made_up_flow_has_a_crossing_or_an_overlap_in_lanes(seed):
    for source in sources(made_up(seed), "made_up", style="lanes"):
        assert geometry.faults(source) == []


@pytest.mark.parametrize("seed", range(25))
def test_cards_and_notes_together_say_every_transition_of_every_step(seed):
    policies = made_up(seed)
    flow = policies.flows["made_up"]
    chart = chart_of(policies, "made_up")
    for sheet in chart.sheets:
        for card in sheet.cards:
            told = sorted(leaving.target.state for leaving in card.exits)
            groups = [*transitions_of(flow, card.state).items()]
            groups += [(after.limit, after.transitions) for after in flow.states[card.state].after]
            own = {*flow.states[card.state].on, *(after.limit for after in flow.states[card.state].after)}
            held = sorted(each.to for trigger, group in groups for each in group if trigger in own)
            assert told == held
            shared = {each.to for trigger, group in groups for each in group if trigger not in own}
            assert shared <= {note.target.state for note in chart.notes if note.target is not None}


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("folder", [SHOP, str(LIBRARY)], ids=["tests/shop", "policies"])
def test_no_flow_of_the_sample_policies_has_a_crossing_or_an_overlap(folder):
    load = pytest.importorskip("carepolicy.policy.load", reason="the loader is not there")
    policies, findings = load.load_policies(folder)
    assert policies is not None, findings
    for name in policies.flows:
        for style in ("card", "lanes", "plain"):
            for source in sources(policies, name, style=style):
                assert geometry.faults(source) == [], (name, style)
