"""What ways do is told in words, whatever it is."""

from __future__ import annotations

from dataclasses import fields, replace

import chart_samples as samples
import pytest

from carepolicy.charts import chart_of, sources
from carepolicy.charts.words import words_of
from carepolicy.policy.language.effects import Effects, Extend, Open, Raise, Request, Tell
from carepolicy.policy.limit import LimitText
from carepolicy.policy.model import Fact

HERE = samples.HERE
DONE = {
    "set": ({"tries": "tries + 1"}, "notes “Number of tries”: number of tries plus 1"),
    "send": (("letter",), "sends “We have your letter”"),
    "tell": ((Tell("lead", "Look at it.", HERE),), "tell Care team lead"),
    "request": ((Request("send_voucher", {}, HERE),), "by itself: Send voucher"),
    "open": ((Open("f", None, False, HERE),), "starts “A flow”"),
    "assign": ("agent", "goes to Care agent"),
    "raises": ((Raise("found", "tries", {}, HERE),), "reports “A fault is found”"),
    "extend": ((Extend("c", LimitText("1 business day"), None, HERE),), "more time: 1 business day on “First answer”"),
    "spends": ("settings.voucher", "gives away: voucher (50)"),
}
"""Of each kind of effect one, and how it is told. A new kind needs its words in charts/words.py, and a line here."""


def made(effects=None, **more):
    """A set with a way from one step to another that does something."""
    done = {"go": {"to": "b"}}
    states = {"a": {"title": "A", "start_on": "found", "on": done}, "b": {"on": {"go": "end"}}, "end": {"final": "x"}}
    data = {
        "flow": "f", "title": "A flow", "events": {"found": "A fault is found", "go": "Go"},
        "clocks": {"c": {"title": "First answer", "limit": "1 day", "runs_in": ["a"]}}, "states": {**states, **more},
    }  # fmt: skip
    tries = Fact("tries", "number", None, (), None, False, None, "Number of tries", HERE)
    policies = samples.policies(
        data, facts={"tries": tries}, settings={"voucher": 50}, messages={"letter": "We have your letter"}
    )
    if effects is None:
        return policies
    flow = policies.flows["f"]
    way = replace(flow.states["a"].on["go"][0], effects=effects)
    state = replace(flow.states["a"], on={"go": (way,)})
    return replace(policies, flows={"f": replace(flow, states={**flow.states, "a": state})})


@pytest.mark.parametrize(("value", "told"), [("true", "yes"), ("false", "no")])
def test_what_is_noted_as_true_or_false_is_told_as_yes_or_no(value, told):
    policies = made(replace(NOTHING, set={"tries": value}))
    (card, _) = chart_of(policies, "f").sheets[0].cards
    assert [each.effects for each in card.exits] == [f"notes “Number of tries”: {told}"]


NOTHING = samples.effects({})


def test_there_is_an_example_of_every_kind_of_effect():
    assert set(DONE) == {field.name for field in fields(Effects)} - {"at"}


@pytest.mark.parametrize("kind", DONE)
def test_every_kind_of_effect_is_told_on_the_way_that_has_it(kind):
    value, told = DONE[kind]
    policies = made(replace(NOTHING, **{kind: value}))
    (card, _) = chart_of(policies, "f").sheets[0].cards
    assert [answer.effects for event in card.events for answer in event.answers] == [told]
    assert told.split()[0] in sources(policies, "f")[0]


def test_all_effects_of_one_way_are_told_together():
    policies = made(replace(NOTHING, **{kind: value for kind, (value, _) in DONE.items()}))
    (card, _) = chart_of(policies, "f").sheets[0].cards
    (said,) = (answer.effects for event in card.events for answer in event.answers)
    assert all(told in said for _, told in DONE.values())


def test_what_is_done_on_arrival_and_on_leaving_stands_in_the_card():
    step = {"start_on": "found", "on": {"go": "b"}, "enter": {"send": "letter"}, "leave": {"tell": "lead"}}
    (card, _) = chart_of(made(a=step), "f").sheets[0].cards
    assert card.inside == ("On arrival: sends “We have your letter”", "On leaving: tell Care team lead")


def test_what_is_done_at_an_end_is_told_on_the_ways_into_it():
    (_, card) = chart_of(made(end={"final": "x", "enter": {"send": "letter"}}), "f").sheets[0].cards
    assert [leaving.effects for leaving in card.exits] == ["sends “We have your letter”"]


def test_a_question_in_the_managers_words_tells_the_setting_that_decides_with_its_value():
    asked = [{"when": "tries <= settings.voucher", "to": "b", "answer": "Yes"}, {"to": "end", "answer": "No"}]
    step = {"start_on": "found", "ask": "May we give it?", "on": {"go": asked}}
    policies = made(a=step)
    (event,) = chart_of(policies, "f").sheets[0].cards[0].events
    assert (event.question, event.settings, event.asked) == (
        "May we give it?", ("voucher (50)",), "May we give it? – voucher (50)",
    )  # fmt: skip
    assert "voucher (50)" in sources(policies, "f")[0]


def test_a_question_that_is_made_of_the_guard_has_the_value_in_it():
    asked = [{"when": "tries <= settings.voucher", "to": "b"}, {"to": "end"}]
    (event,) = chart_of(made(a={"start_on": "found", "on": {"go": asked}}), "f").sheets[0].cards[0].events
    assert (event.question, event.settings) == ("Number of tries is at most voucher (50)?", ())
    assert [answer.text for answer in event.answers] == ["Yes", "No"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I opened case {case}.", "I opened case ‹case number›."),
        ("It is {tries}.", "It is ‹Number of tries›."),
        ("Up to {settings.voucher}.", "Up to 50."),
        ("In {clock.c.limit}.", "In 1 day."),
        ("By {clock.c.due}.", "By ‹due date of “First answer”›."),
        ("We are {organisation}.", "We are Harbour & Finch."),
        ("Braces {that do not pair", "Braces {that do not pair"),
        ("", ""),
    ],
)
def test_placeholders_in_what_staff_say_are_called_by_what_they_stand_for(text, said):
    step = {"start_on": "found", "say": text, "on": {"go": "b"}}
    assert chart_of(made(a=step), "f").sheets[0].cards[0].say == said
    assert words_of(made(), "f", None).spoken(f"{text}\n{text}") == (f"{said}\n{said}" if text else "")
