from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import chart_samples as samples
import pytest

from carepolicy.charts import UnknownFlow, chart_of
from carepolicy.policy.model import Fact


def cards(chart):
    return {card.state: card for sheet in chart.sheets for card in sheet.cards}


def arrows(chart):
    return {(c.state, e.target.state) for c in cards(chart).values() for e in c.exits if e.arrow}


def test_steps_are_numbered_down_the_main_path_with_side_steps_before_it_goes_on():
    found = cards(chart_of(samples.complaint(), "complaint"))
    order = ["received", "check", "waiting", "investigate", "decides", "offered", "under_way"]
    assert [found[name].number for name in order] == [1, 2, 3, 4, 5, 6, 7]


def test_arrows_are_the_first_ways_in_and_planar_joins_and_all_else_are_chips():
    assert arrows(chart_of(samples.complaint(), "complaint")) == {
        ("received", "check"), ("check", "waiting"), ("check", "investigate"), ("investigate", "decides"),
        ("investigate", "offered"), ("decides", "offered"), ("offered", "under_way"), ("under_way", "solved"),
    }  # fmt: skip


@pytest.mark.parametrize("named", [{}, {"start_on": "every"}, {"start_on": ["every", "asked"]}])
def test_a_flow_that_time_opens_begins_with_how_often(named):
    states = {"look": {**named, "on": {"done": "end"}}, "end": {"final": "done"}}
    data = {"flow": "review", "every": "6 months", "events": {"done": "Done", "asked": "Asked"}, "states": states}
    (sheet,) = chart_of(samples.policies(data), "review").sheets
    by_time = [(entry.text, entry.timer) for entry in sheet.entries]
    assert by_time == [("Every 6 months", True), ("Asked", False)][: 2 if "asked" in named.get("start_on", "") else 1]


def test_a_step_that_only_a_timer_reaches_has_a_timer_arrow():
    chart = chart_of(samples.email(), "email_inquiry")
    late = next(leaving for leaving in cards(chart)["received"].exits if leaving.target.state == "overdue")
    assert late.arrow
    assert late.timer
    assert late.text == "First answer is late (1–3 business hours gone)"
    assert late.effects == "tell Care team lead"


def test_the_band_says_the_limit_the_pause_or_that_it_is_late():
    found = cards(chart_of(samples.email(), "email_inquiry"))
    gold = '1 business hour if customer.tier == "gold", 3 business hours otherwise'
    assert found["received"].band == gold
    assert [(limit.title, limit.words) for limit in found["received"].limits] == [("First answer", gold)]
    assert found["waiting_for_customer"].band == "paused, 7 days"
    assert found["overdue"].band == "already late"
    assert found["answered"].band == "2 business days"


def test_what_does_not_move_the_case_is_a_line_in_the_card():
    found = cards(chart_of(samples.email(), "email_inquiry"))
    assert found["received"].inside == ("50 %, 80 % of the time for “First answer” used: tell Care team lead",)


def test_what_holds_anywhere_is_one_note_that_names_where_it_does_not():
    (note,) = chart_of(samples.email(), "email_inquiry").notes
    assert (note.where, note.event.text) == ("At any step (not at 4)", "The customer withdraws")
    assert [answer.target.state for answer in note.event.answers] == ["closed"]


def test_answers_stand_on_the_arrows_of_the_question():
    found = cards(chart_of(samples.complaint(), "complaint"))["investigate"]
    (event,) = [event for event in found.events if event.question]
    assert (event.text, event.question) == ("The case is understood", "Over £100 or unsafe?")
    assert [answer.text for answer in event.answers] == ["Yes: ask the manager", "No: offer a remedy"]


ASKING = [{"when": "late", "to": "b", "answer": "Yes"}, {"to": "end", "answer": "No"}]
OTHER = [{"when": "gold", "to": "b", "answer": "We have it"}, {"to": "end", "answer": "We have it no more"}]


def asked_at(on, after=None, **more):
    """The events of a step with the question "Were we late?", each with its question and what its answers say."""
    events = {"wrote": "The customer writes", "called": "The customer calls", "wanted": "They want another"}
    step = {"start_on": "wrote", "ask": "Were we late?", "on": on, "after": after or {}}
    states = {"a": step, "b": {"on": {"wrote": "end"}}, "end": {"title": "Done", "final": "x"}}
    facts = {name: Fact(name, "bool", None, (), None, False, None, "", samples.HERE) for name in ("late", "gold")}
    chart = chart_of(samples.policies({"flow": "f", "events": events, "states": states, **more}, facts=facts), "f")
    card = cards(chart)["a"]
    return {each.text: (each.question, [answer.text for answer in each.answers]) for each in card.events}, card


def test_three_events_of_which_two_ask_are_two_questions_and_a_way():
    found, card = asked_at({"wrote": ASKING, "called": "end", "wanted": OTHER})
    assert found == {
        "The customer writes": ("Were we late?", ["Yes", "No"]),
        "The customer calls": ("", ["The customer calls"]),
        "They want another": ("Which is it?", ["We have it", "We have it no more"]),
    }
    assert [[each.text for each in group] for group in card.drawn()] == [
        ["The customer writes"], ["The customer calls"], ["They want another"],
    ]  # fmt: skip


def test_the_question_of_a_step_belongs_to_each_event_that_decides_by_the_same_guards_and_is_drawn_once():
    found, card = asked_at({"wrote": ASKING, "called": ASKING}, {"2 days": ASKING})
    assert {question for question, _ in found.values()} == {"Were we late?"}
    assert list(found) == ["The customer writes", "The customer calls", "After 2 days"]
    assert [len(group) for group in card.drawn()] == [3]


def test_the_question_of_a_step_may_be_about_what_its_phase_decides():
    phases = {"p": {"title": "Open", "states": ["a", "b"], "on": {"wanted": ASKING}}}
    found, card = asked_at({"wrote": "b"}, phases=phases)
    assert found["They want another"] == ("Were we late?", ["Yes", "No"])
    assert card.events[-1].where == "At any step of “Open”"


def test_an_event_without_a_question_of_its_step_takes_that_of_another_step_which_decides_by_the_same_guards():
    events = {"wrote": "The customer writes", "called": "The customer calls"}
    states = {
        "a": {"start_on": "wrote", "ask": "Were we late?", "on": {"wrote": ASKING}},
        "b": {"on": {"called": ASKING}}, "end": {"final": "x"},
    }  # fmt: skip
    card = cards(chart_of(samples.policies({"flow": "f", "events": events, "states": states}), "f"))["b"]
    assert [event.question for event in card.events] == ["Were we late?"]


def test_the_question_of_a_step_belongs_to_the_event_with_answers_before_one_without():
    bare = [{"when": "gold", "to": "b"}, {"to": "end"}]
    found, _ = asked_at({"called": bare, "wrote": ASKING})
    assert found["The customer writes"][0] == "Were we late?"
    assert found["The customer calls"] == ("Gold?", ["Yes", "No"])


def test_an_answer_that_stays_is_an_answer_and_says_what_it_does():
    _, card = asked_at({"wrote": [{"when": "late", "tell": "lead", "answer": "Yes"}, {"to": "end", "answer": "No"}]})
    (event,) = card.events
    assert [(each.text, each.effects, each.target and each.target.state) for each in event.answers] == [
        ("Yes", "tell Care team lead", None), ("No", "", "end"),
    ]  # fmt: skip


def test_a_guarded_event_that_never_moves_the_case_is_a_line_of_the_card_with_its_question():
    _, card = asked_at({"wrote": [{"when": "late", "tell": "lead", "answer": "Yes"}, {"send": "x", "answer": "No"}]})
    assert card.inside == ("The customer writes: Were we late? Yes: tell Care team lead; No: sends “X”",)


def test_settings_in_limits_are_filled_in():
    flow = {
        "flow": "f",
        "states": {"a": {"start_on": "e", "after": {"settings.wait": "b"}}, "b": {"final": "resolved"}},
    }
    chart = chart_of(samples.policies(flow, settings={"wait": "4 days"}), "f")
    assert [leaving.text for leaving in cards(chart)["a"].exits] == ["After 4 days"]


def test_a_limit_that_hangs_on_a_fact_is_told_by_its_title_in_the_language():
    fact = Fact("order.ship_by", "time", None, (), None, False, None, "Day of shipping", samples.HERE)
    limits = ["until order.ship_by", "1 business day before order.ship_by", "2 days after order.ship_by"]
    states = {"a": {"start_on": "e", "after": dict.fromkeys(limits, "b")}, "b": {"final": "resolved"}}
    made = samples.policies({"flow": "f", "states": states}, facts={"order.ship_by": fact})
    told = {
        language: [leaving.text for leaving in cards(chart_of(made, "f", language=language))["a"].exits]
        for language in ("en", "fr")
    }
    assert told["en"] == [
        "After until “Day of shipping”",
        "After 1 business day before “Day of shipping”",
        "After 2 days after “Day of shipping”",
    ]
    assert told["fr"][1] == "Après 1 jour ouvré avant « Day of shipping »"


def test_a_message_on_a_chart_has_titles_of_facts_and_no_placeholders():
    fact = Fact("order.carrier", "text", None, (), None, False, None, "Carrier", samples.HERE)
    messages = {"gone": "Your order ({case}) goes with {order.carrier} until {clock.c.due}"}
    states = {"a": {"start_on": "e", "on": {"e": {"send": "gone"}, "f": "b"}}, "b": {"final": "resolved"}}
    flow = {"flow": "f", "states": states, "clocks": {"c": {"limit": "1 day", "runs_in": ["b"]}}}
    made = samples.policies(flow, facts={fact.name: fact}, messages=messages)
    assert cards(chart_of(made, "f"))["a"].inside == (
        "E: sends “Your order goes with ‹Carrier› until ‹due date of “C”›”",
    )


def long_flow(count, phases=0):
    names = [f"step_{n}" for n in range(count)]
    states = {name: {"title": f"Step {n}", "owner": "agent"} for n, name in enumerate(names)}
    for here, there in pairwise(names):
        states[here]["on"] = {"next": there}
    states[names[-1]]["on"] = {"next": "end", "back": names[0]}
    states[names[0]]["start_on"] = "begin"
    states["end"] = {"title": "Done", "final": "resolved"}
    data = {"flow": "long", "title": "A long flow", "events": {"next": "Go on", "back": "Again"}, "states": states}
    if phases:
        size = -(-count // phases)
        data["phases"] = {
            f"p{n}": {"title": f"Phase {n + 1}", "states": names[n * size : (n + 1) * size]} for n in range(phases)
        }
    return samples.policies(data)


def test_a_long_flow_is_one_picture_and_numbered_phase_by_phase():
    policies = long_flow(20, phases=2)
    flow = policies.flows["long"]
    even, odd = (tuple(f"step_{n}" for n in range(first, 20, 2)) for first in (0, 1))
    phases = {"p0": replace(flow.phases["p0"], states=even), "p1": replace(flow.phases["p1"], states=odd)}
    (sheet,) = chart_of(replace(policies, flows={"long": replace(flow, phases=phases)}), "long").sheets
    assert [card.state for card in sheet.cards] == [*even, *odd]
    assert [card.number for card in sheet.cards] == list(range(1, 21))
    assert sheet.cards[4].exits[0].target.number in {card.number for card in sheet.cards}


def test_every_step_is_on_the_picture_once():
    for count in (1, 5, 12, 13, 25, 40):
        for phases in (0, 2, 3):
            (sheet,) = chart_of(long_flow(count, phases), "long").sheets
            assert sorted(card.state for card in sheet.cards) == sorted(f"step_{n}" for n in range(count))


def test_a_flow_that_is_not_there_is_named():
    with pytest.raises(UnknownFlow):
        chart_of(samples.email(), "nothing")


def test_words_of_the_chart_follow_the_language():
    chart = chart_of(samples.email(), "email_inquiry", language="fr")
    assert chart.labels.who == "Qui :"
    assert chart.notes[0].where == "À toute étape (sauf 4)"
