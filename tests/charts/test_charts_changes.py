"""What changed between two sets: nothing is missed, it is told in words, and marked on the chart of both."""

from __future__ import annotations

import json
import random
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import chart_samples as samples
import geometry
import pytest
from test_charts_hostile import HOSTILE, hostile
from test_charts_laws import made_up

from carepolicy.charts import chart_of
from carepolicy.charts.card import dot_of
from carepolicy.charts.changes import compare
from carepolicy.charts.changes.difference import as_data, differing, in_text
from carepolicy.charts.changes.overlay import chart_of_changes, draw_changes
from carepolicy.charts.draw import svgs_of
from carepolicy.policy.language.absence import Absence
from carepolicy.policy.language.calendar import Closing, MonthDay, Season
from carepolicy.policy.language.organisation import Command
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import After, Extend, Open, Raise, Request, Tell
from shops import SHOP

ROOT = Path(__file__).parents[2]
HERE = samples.HERE


def email(**clock):
    """The sample e-mail flow with its clock, or parts of it, otherwise."""
    return samples.policies(
        {**samples.EMAIL, "clocks": {"first_reply": {**samples.EMAIL["clocks"]["first_reply"], **clock}}}
    )


def edited(states=None, **keys):
    made = {**samples.EMAIL["states"], **(states or {})}
    return samples.policies({**samples.EMAIL, **keys, "states": {key: value for key, value in made.items() if value}})


def told(old, new, language=None):
    return [change.text for change in compare(old, new, language).changes]


def test_a_limit_is_told_as_a_manager_says_it():
    old, new = email(limit="2 business days"), email(limit="3 business hours")
    assert told(old, new) == ["First answer: 3 business hours, was 2 business days"]
    assert told(old, new, "fr") == ["First answer : 3 heures ouvrées, au lieu de 2 jours ouvrés"]


def test_one_of_several_limits_is_told_with_its_condition():
    limits = [{"when": 'customer.tier == "gold"', "is": "1 business hour"}, {"is": "2 business days"}]
    assert told(samples.email(), email(limit=limits)) == [
        "First answer, otherwise: 2 business days, was 3 business hours"
    ]


def test_owners_and_texts_are_told_with_what_they_were():
    overdue = {**samples.EMAIL["states"]["overdue"], "owner": "agent", "say": "I am sorry."}
    assert told(samples.email(), edited({"overdue": overdue})) == [
        "Late - apologise first, owner: Care agent, was Care team lead",
        "Late - apologise first, what to say: “I am sorry.”, was “I am sorry that we kept you waiting.”",
    ]


def test_a_setting_that_a_limit_names_is_told_at_the_limit_too():
    old, new = (
        samples.policies(
            {**samples.EMAIL, "clocks": {"c": {"title": "Answer", "limit": "settings.s", "runs_in": ["received"]}}},
            settings={"s": value},
        )
        for value in ("2 hours", "3 hours")
    )
    assert told(old, new) == ["Answer: 3 hours, was 2 hours", "S: 3 hours, was 2 hours"]


def test_a_step_that_is_new_or_gone_is_one_sentence_and_not_one_for_each_of_its_ways():
    more = edited({"thanked": {"title": "Say thank you", "owner": "lead", "on": {"reply_sent": "closed"}}})
    assert told(samples.email(), more) == ["New step: “Say thank you” (Care team lead)"]
    assert told(more, samples.email()) == ["The step “Say thank you” is gone"]


def test_a_way_that_leads_elsewhere_is_told_by_where_it_led():
    answered = {**samples.EMAIL["states"]["answered"], "on": {"customer_wrote": "overdue"}}
    assert told(samples.email(), edited({"answered": answered})) == [
        "Answered: The customer writes again, leads to: Late - apologise first, was E-mail waits for an answer"
    ]


def test_a_way_that_is_gone_says_where_it_led():
    answered = {**samples.EMAIL["states"]["answered"], "on": {}}
    assert told(samples.email(), edited({"answered": answered})) == [
        "Gone – Answered: The customer writes again (→ E-mail waits for an answer)"
    ]


def test_a_wait_that_is_longer_is_the_same_way():
    answered = {
        **samples.EMAIL["states"]["answered"],
        "after": {"5 business days": {"to": "closed", "open": "feedback_survey"}},
    }
    assert told(samples.email(), edited({"answered": answered})) == [
        "Answered: by itself to “Closed”: 5 business days, was 2 business days"
    ]


def test_a_renamed_state_is_neither_new_nor_gone():
    flow = samples.email().flows["email_inquiry"]
    states = {("late" if name == "overdue" else name): state for name, state in flow.states.items()}
    states["late"] = replace(states["late"], name="late", renamed_from="overdue")
    received = states["received"]
    late = tuple(replace(each, to="late") for each in received.on["first_reply.late"])
    states["received"] = replace(received, on={**received.on, "first_reply.late": late})
    clock = replace(flow.clocks["first_reply"], runs_in=("received", "late"))
    phase = replace(flow.phases["open"], states=("received", "late", "waiting_for_customer"))
    new = replace(flow, states=states, clocks={"first_reply": clock}, phases={"open": phase})
    found = compare(samples.email(), replace(samples.email(), flows={"email_inquiry": new}))
    assert [change.text for change in found.changes] == []


def test_the_same_set_has_no_change_and_says_so():
    found = compare(samples.email(), samples.email())
    assert found.changes == ()
    assert in_text(found, "a", "b") == "a → b: Nothing changed.\n"


MADE = {
    ("Effects", "tell"): (Tell("care_lead", "x", HERE),),
    ("Effects", "request"): (Request("x", {}, HERE),),
    ("Effects", "open"): (Open("complaint", None, False, HERE),),
    ("Effects", "raises"): (Raise("x", "case", {}, HERE),),
    ("Effects", "extend"): (Extend("first_reply", "1 hour", None, HERE),),
    ("Effects", "set"): {"inquiry.topic": '"other"'},
    ("Role", "authority"): Decimal("7"),
    ("CalendarSpec", "open"): {date(2026, 1, 3): ()},
    ("CalendarSpec", "holidays"): None,
    ("CalendarSpec", "closed"): (Closing(date(2026, 1, 3), date(2026, 1, 4)),),
    ("CalendarSpec", "seasons"): (Season(MonthDay(5, 1), MonthDay(8, 31), ((),) * 7),),
    ("CalendarSpec", "hours"): ((),) * 7,
    ("Flow", "valid_from"): date(2031, 1, 1),
    ("Organisation", "away"): {"Aoife": (Absence(first=date(2026, 8, 3), last=date(2026, 8, 14), title="", at=HERE),)},
    ("Organisation", "commands"): {"x": Command("x", "Do x", HERE)},
    ("State", "after"): (After("9 hours", samples.transitions("9 hours", "closed"), HERE),),
}
NOT_OF_THE_POLICY = {"at", "name", "sources", "root", "digest", "renamed_from", "imports", "common"}
"""Names are keys, and ``renamed_from`` says which; imported files come as closed days (compared by their text); what is
common is compared as flows have taken it up."""
NOT_OF_THEIR_PART = {("Transition", "draw"), ("Setting", "title"), ("Setting", "words"), ("Fact", "words")}
"""A hint for the chart, and where the words of another language are put."""


def altered(thing, field):
    value = getattr(thing, field)
    key = (type(thing).__name__, field)
    if key in MADE and MADE[key] != value:
        return MADE[key]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value / 2 if isinstance(value, float) else value + 1
    if field in ("enter", "leave"):
        return samples.effects({"tell": "care_lead"}) if value is None else None
    if field == "effects":
        return samples.effects({"tell": "store_owner"})
    if value is None or isinstance(value, str):
        return "zzz"
    if isinstance(value, dict):
        return dict(list(value.items())[:-1]) if value else {"zzz": "zzz"}
    return value[:-1] if value else ("zzz",)


@pytest.fixture(scope="module")
def shop():
    """Of the shop's set what ``parts`` changes and two or three of each kind beside it: it is compared with each field
    of each part otherwise."""
    policies, findings = load_policies(SHOP)
    assert policies is not None, findings
    organisation = replace(policies.organisation, commands={"refund": Command("refund", "Pay it back", HERE)})
    flow = policies.flows["complaint"]
    kept = ("received", "acknowledged", "closed")
    states = {name: replace(flow.states[name], **({} if name == "received" else {"on": {}})) for name in kept}
    phase = replace(flow.phases["intake"], states=kept[:2], on={})
    anywhere = {name: ways for name, ways in flow.anywhere.items() if all(way.to in (None, *kept) for way in ways)}
    assert anywhere
    flow = replace(flow, states=states, phases={"intake": phase}, anywhere=anywhere)
    messages = {language: dict(list(each.items())[:2]) for language, each in policies.messages.items()}
    return replace(policies, organisation=organisation, flows={"complaint": flow}, messages=messages)


def parts(shop):
    """A part of each kind, and how the set looks with another in its place."""
    flow = shop.flows["complaint"]
    state = flow.states["received"]
    trigger, ways = next(iter(state.on.items()))

    def with_flow(new):
        return replace(shop, flows={**shop.flows, "complaint": new})

    def with_state(new):
        return with_flow(replace(flow, states={**flow.states, "received": new}))

    def with_way(new):
        return with_state(replace(state, on={**state.on, trigger: (new, *ways[1:])}))

    def held(kind, name):
        organisation = shop.organisation
        there = getattr(organisation, kind)
        return there[name], lambda new: replace(
            shop, organisation=replace(organisation, **{kind: {**there, name: new}})
        )

    yield flow, with_flow
    yield state, with_state
    yield ways[0], with_way
    yield ways[0].effects, lambda new: with_way(replace(ways[0], effects=new))
    clock = flow.clocks["acknowledge"]
    yield clock, lambda new: with_flow(replace(flow, clocks={**flow.clocks, "acknowledge": new}))
    event = next(iter(flow.events.values()))
    yield event, lambda new: with_flow(replace(flow, events={**flow.events, event.name: new}))
    yield held("roles", "care_agent")
    yield held("channels", "email")
    yield held("settings", "goodwill_limit")
    yield held("calendars", "office")
    yield held("watches", "repeated_cause")
    yield held("facts", "order.total")
    yield shop.organisation, lambda new: replace(shop, organisation=new)
    message = next(iter(shop.messages["en"].values()))
    english = {**shop.messages["en"]}
    yield message, lambda new: replace(shop, messages={**shop.messages, "en": {**english, message.name: new}})


def test_no_field_of_a_policy_can_change_unseen(shop):
    missed = []
    for thing, put in parts(shop):
        for field in fields(thing):
            if field.name in NOT_OF_THE_POLICY or (type(thing).__name__, field.name) in NOT_OF_THEIR_PART:
                continue
            found = compare(shop, put(replace(thing, **{field.name: altered(thing, field.name)})))
            if not found.changes:
                missed.append(f"{type(thing).__name__}.{field.name}")
    told = "carepolicy diff does not see these; add them to charts/changes/items.py"
    assert missed == ["Transition.on"], told  # that one is the key under which it stands, and is compared as such


def three():
    """Old and new in which a step is new, one is gone, and one changed."""
    old = edited({"asleep": {"title": "Asleep", "owner": "agent", "on": {"customer_wrote": "received"}}})
    received = {**samples.EMAIL["states"]["received"], "owner": "lead"}
    new = edited(
        {"thanked": {"title": "Thanked", "owner": "lead", "on": {"reply_sent": "closed"}}, "received": received}
    )
    return old, new


def test_new_changed_and_removed_steps_have_a_word_a_border_and_a_colour():
    chart = chart_of_changes(compare(*three()), "email_inquiry")
    marks = {state: (mark.word, mark.line, mark.style) for state, mark in chart.marks.items()}
    assert marks == {
        "thanked": ("NEW", "#1B6E2E", "solid"),
        "received": ("CHANGED", "#8A5A00", "solid"),
        "asleep": ("REMOVED", "#A61B12", "dotted"),
    }
    assert [text for text, _ in chart.legend] == ["NEW", "CHANGED", "REMOVED"]
    assert chart.marks["received"].rows == (("owner: Care team lead, was Care agent", "#FFF1CC"),)
    states = {card.state for sheet in chart.sheets for card in sheet.cards}
    assert {"thanked", "asleep"} <= states


def lines_marked(old, new):
    """The word and the rows of each line inside of a card that has a mark, by step and text."""
    chart = chart_of_changes(compare(old, new), "email_inquiry")
    return {
        (state, text): (each.word, tuple(row for row, _ in each.rows))
        for state, mark in chart.marks.items()
        for text, each in mark.lines.items()
    }


def test_what_happens_inside_of_a_card_is_marked_at_its_own_line():
    answered = samples.EMAIL["states"]["answered"]
    on = {**answered["on"], "more_info_asked": {"tell": "lead"}}
    more = edited({"answered": {**answered, "on": on}})
    other = edited({"answered": {**answered, "on": {**on, "more_info_asked": {"tell": "agent"}}}})
    line, changed = (f"{event_of(more, 'more_info_asked')}: tell {who}" for who in ("Care team lead", "Care agent"))
    assert lines_marked(samples.email(), more) == {("answered", line): ("NEW", ())}
    assert lines_marked(more, samples.email()) == {("answered", line): ("REMOVED", ())}
    told = ("tells: Care agent, was Care team lead",)
    assert lines_marked(more, other) == {("answered", changed): ("CHANGED", told)}
    assert lines_marked(more, more) == {}


def event_of(policies, name):
    return policies.flows["email_inquiry"].events[name].title


def test_what_a_step_does_on_arrival_is_marked_at_its_line_and_told_once():
    received = samples.EMAIL["states"]["received"]
    plain = edited({"received": {key: value for key, value in received.items() if key != "enter"}})
    told, elsewhere = (edited({"received": {**received, "enter": {"tell": who}}}) for who in ("lead", "agent"))
    assert lines_marked(plain, told) == {("received", "On arrival: tell Care team lead"): ("NEW", ())}
    rows = ("on arrival: tells: Care agent, was Care team lead",)
    assert lines_marked(told, elsewhere) == {("received", "On arrival: tell Care agent"): ("CHANGED", rows)}
    chart = chart_of_changes(compare(told, elsewhere), "email_inquiry")
    assert chart.marks["received"].rows == ()


@pytest.mark.usefixtures("drawing")
def test_a_marked_line_has_its_word_and_colour_in_the_picture_and_in_what_is_read_aloud():
    answered = samples.EMAIL["states"]["answered"]
    more = edited({"answered": {**answered, "on": {**answered["on"], "more_info_asked": {"tell": "lead"}}}})
    (picture,) = svgs_of(chart_of_changes(compare(samples.email(), more), "email_inquiry"))
    root = ElementTree.fromstring(picture)
    texts = [each for each in root.iter("{http://www.w3.org/2000/svg}text") if "• NEW" in "".join(each.itertext())]
    assert texts
    assert all(each.get("fill") == "#1b6e2e" for each in texts)
    titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any("NEW: " in title and "tell Care team lead" in title for title in titles)


def test_a_renamed_part_is_told_once_and_of_a_long_text_only_what_differs():
    overdue = {**samples.EMAIL["states"]["overdue"], "title": "Late: say sorry"}
    assert told(samples.email(), edited({"overdue": overdue})) == [
        "Title: “Late: say sorry”, was “Late - apologise first”"
    ]
    long = "Say who you are. Read the whole message twice. {} Write down what was promised."
    old, new = (
        edited({"overdue": {**samples.EMAIL["states"]["overdue"], "say": long.format(middle)}})
        for middle in ("Call the customer.", "Call the customer at once.")
    )
    assert told(old, new) == [
        "Late - apologise first, what to say: “… Call the customer at once. …”, was “… Call the customer. …”"
    ]
    assert differing("a", "b") == ("a", "b")
    assert differing(long.format("A."), long.format("A.")) == ("… Write down what was promised.",) * 2


@pytest.mark.usefixtures("drawing")
def test_the_picture_says_it_in_words_for_those_who_do_not_see_it():
    (picture,) = svgs_of(chart_of_changes(compare(*three()), "email_inquiry", "v1 → v2"))
    root = ElementTree.fromstring(picture)
    titles = {each.text for each in root.iter("{http://www.w3.org/2000/svg}title")}
    assert "Flowchart: What changes: Answer an e-mail" in titles
    assert any("CHANGED." in title and "owner: Care team lead, was Care agent." in title for title in titles)
    assert "v1 → v2" in picture


def test_a_flow_that_one_side_lacks_is_drawn_whole():
    both, one = samples.policies(samples.EMAIL, samples.COMPLAINT, roles=samples.COMPLAINT_ROLES), samples.email()
    appears = chart_of_changes(compare(one, both), "complaint")
    assert {mark.word for mark in appears.marks.values()} == {"NEW"}
    goes = compare(both, one)
    assert [change.text for change in goes.of("complaint")] == ["The flow “Handle a complaint” is gone"]
    assert {mark.word for mark in chart_of_changes(goes, "complaint").marks.values()} == {"REMOVED"}


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("seed", range(8))
def test_no_union_of_made_up_flows_has_a_crossing_or_an_overlap(seed):
    old, new = made_up(random.Random(seed), seed), made_up(random.Random(seed + 100), seed + 100)
    chart = chart_of_changes(compare(old, new), "made_up")
    for sheet in chart.sheets:
        assert geometry.faults(dot_of(chart, sheet)) == []


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_stays_text_in_a_difference(kind):
    found = compare(hostile("Harmless"), hostile(HOSTILE[kind]))
    for picture in svgs_of(chart_of_changes(found, "f", HOSTILE[kind])):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
        assert tags <= {"svg", "title", "desc", "g", "a", "polygon", "polyline", "path", "ellipse", "text"}
    assert json.loads(json.dumps(as_data(found, "a", "b")))["changes"]
    assert "\x1b" not in in_text(found, "a", "b")


@pytest.mark.usefixtures("drawing")
def test_the_chart_of_a_difference_is_written_by_its_ending(tmp_path):
    found = compare(*three())
    for ending, begin in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")):
        (file,) = draw_changes(found, "email_inquiry", tmp_path / f"d{ending}", "a → b").files[:1]
        assert file.read_bytes().startswith(begin)


def test_a_chart_without_changes_is_the_chart_itself():
    found = compare(samples.email(), samples.email())
    chart = chart_of_changes(found, "email_inquiry")
    assert chart.marks == {}
    assert chart.sheets == chart_of(samples.email(), "email_inquiry").sheets
