"""What holds for every flow, tried on flows that nobody would write."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import chart_samples as samples
import geometry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.charts import chart_of, sources
from carepolicy.policy.language.flow import transitions_of
from laws import examples
from shops import SHOP

LIBRARY = Path(__file__).parents[2] / "policies"

EVENTS = [f"Customer writes {n}" if n % 2 else f"The agent sends the answer to the customer {n}" for n in range(12)]


def made_up(dice, number=0):
    """A flow of 4 to 12 steps with ways between any of them: questions of events and of time, answers that stay, many
    events that ask, timers, effects, two phases that share a step, and what holds anywhere but at some steps."""
    names = [f"s{n}" for n in range(dice.randint(4, 12))]
    events = {f"e{n}": title for n, title in enumerate(EVENTS)}

    def ways(to):
        return [{"when": "a", "answer": "Yes", "to": to}, {"answer": "No", "to": dice.choice([*names, "good"])}]

    def asked():
        kind = dice.random()
        if kind < 0.2:
            return [{"when": "a", "send": "word", "answer": "Yes"}, {"to": dice.choice(names)}]
        if kind < 0.3:
            return [{"when": "a", "send": "word"}, {"tell": "lead"}]
        return ways(dice.choice([*names, "good", "bad"]))

    states = {}
    for place, name in enumerate(names):
        on = {dice.choice(list(events)): names[place + 1]} if place + 1 < len(names) else {"e0": "good"}
        for _ in range(dice.randint(0, 3)):
            to = dice.choice([*names, "good", "bad"])
            on[dice.choice(list(events))] = asked() if dice.random() < 0.3 else {"to": to, "tell": "lead"}
        if dice.random() < 0.2:
            on["c.late"] = asked() if dice.random() < 0.5 else "bad"
        timed = ways("bad") if dice.random() < 0.2 else dice.choice([*names, "bad"])
        states[name] = {
            "title": f"{dice.choice(['Waiting for the customer', 'Investigate', 'Check'])} {place}", "on": on,
            "owner": dice.choice(["agent", "lead"]), "ask": dice.choice(["", "Is it over 100 or unsafe?"]),
            "say": dice.choice(["", "May I check your receipt and a photo? I will be right back."]),
            "after": {f"{dice.randint(1, 9)} days": timed} if dice.random() < 0.4 else {},
        }  # fmt: skip
    states[names[0]]["start_on"] = "e1"
    states |= {"good": {"title": "Solved", "final": "resolved"}, "bad": {"title": "Closed", "final": "bad"}}
    phases = {
        "p": {"title": "Open", "states": names[:3], "on": {"e2": "bad", "e6": {"send": "word"}}},
        "q": {"title": "Old", "states": names[2:], "on": {"e2": "good", "e4": ways("bad")}},
    }
    anywhere = {
        "e3": {"to": "bad", "except": [names[1]]},
        "e5": [{"when": "a", "to": names[0], "except": [names[2]]}, {"tell": "agent"}],
    }
    clocks = {"c": {"title": "Answer", "limit": "2 days", "runs_in": names[:2], "pauses_in": names[2:3]}}
    flow = {"flow": "made_up", "title": f"Made up {number}", "events": events, "states": states, "clocks": clocks}
    words = {"word": "We have your letter"}
    return samples.policies({**flow, "phases": phases, "anywhere": anywhere}, messages=words)


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("seed", range(25))
def test_no_made_up_flow_has_a_crossing_or_an_overlap(seed):
    for source in sources(made_up(random.Random(seed), seed), "made_up"):
        assert geometry.faults(source) == []


def keys_of(flow, state):
    """The keys of all that can fire at a step, by the language's own rule of what can."""
    here = flow.states[state]
    places = [(state, here.on), *((f"phase-{name}", phase.on) for name, phase in flow.phases.items())]
    held = {id(each) for group in transitions_of(flow, state).values() for each in group}
    found = Counter()
    for place, on in (*places, ("anywhere", flow.anywhere)):
        for trigger, group in on.items():
            found.update(f"{place}-{trigger}-{index}" for index, each in enumerate(group) if id(each) in held)
    for after in here.after:
        found.update(f"{state}-after {after.limit}-{index}" for index in range(len(after.transitions)))
    return found


def bare(text):
    """Letters and figures alone, so that breaks between lines and hyphens do not matter."""
    return "".join(each for each in re.sub(r"<[^>]*>|&[#\w]+;", "", text) if each.isalnum())


@settings(max_examples=examples(60))
@given(st.randoms(use_true_random=False))
def test_all_that_can_fire_at_a_step_stands_among_the_events_of_its_card_exactly_once(dice):
    policies = made_up(dice)
    flow = policies.flows["made_up"]
    chart = chart_of(policies, "made_up")
    for card in (card for sheet in chart.sheets for card in sheet.cards):
        told = Counter(answer.key for event in card.events for answer in event.answers)
        assert told == keys_of(flow, card.state)


@settings(max_examples=examples(60))
@given(st.randoms(use_true_random=False))
def test_what_holds_at_many_steps_is_in_one_note_of_each_of_them_in_the_same_words(dice):
    chart = chart_of(made_up(dice), "made_up")
    for card in (card for sheet in chart.sheets for card in sheet.cards):
        noted = Counter()
        for note in chart.notes:
            if card.state in note.states:
                noted.update((note.event.question, each.key, each.text) for each in note.event.answers)
        shared = (event for event in card.events if event.where)
        assert noted == Counter((event.question, each.key, each.text) for event in shared for each in event.answers)


@settings(max_examples=examples(30))
@given(st.randoms(use_true_random=False))
def test_a_sheet_says_every_event_question_answer_and_effect_of_its_steps_and_cuts_nothing_short(dice):
    policies = made_up(dice)
    chart = chart_of(policies, "made_up")
    for sheet, source in zip(chart.sheets, sources(policies, "made_up"), strict=True):
        assert "…" not in source
        drawn = bare(source)
        for event in (event for card in sheet.cards for event in card.events):
            said = [event.question, *(text for each in event.answers for text in (each.text, each.effects))]
            said += [event.text] if event.question else []
            assert [text for text in said if bare(text) not in drawn] == []


@settings(max_examples=examples(60))
@given(st.randoms(use_true_random=False))
def test_every_event_that_guards_decide_has_a_question_of_its_own_and_no_other_has(dice):
    policies = made_up(dice)
    flow = policies.flows["made_up"]
    for card in (card for sheet in chart_of(policies, "made_up").sheets for card in sheet.cards):
        for event in card.events:
            place, trigger = event.key.split("-")[:2] if not event.key.startswith("phase") else event.key.split("-")[1:]
            state = flow.states.get(place)
            on = state.on if state else flow.phases[place].on if place in flow.phases else flow.anywhere
            after = {f"after {each.limit}": each.transitions for each in (state.after if state else ())}
            group = {**on, **after}[trigger]
            assert bool(event.question) == any(each.when for each in group if card.state not in each.except_)


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("folder", [SHOP, str(LIBRARY)], ids=["tests/shop", "policies"])
def test_no_flow_of_the_sample_policies_has_a_crossing_or_an_overlap(folder):
    load = pytest.importorskip("carepolicy.policy.load", reason="the loader is not there")
    policies, findings = load.load_policies(folder)
    assert policies is not None, findings
    for name in policies.flows:
        for style in ("card", "plain"):
            for source in sources(policies, name, style=style):
                assert geometry.faults(source) == [], (name, style)
