"""The guide of a flow: all that may happen at a step and nothing else, with what staff are told of it."""

from __future__ import annotations

import handbook_sets as sets
import pytest
from hypothesis import given, settings

from carepolicy.charts import chart_of
from carepolicy.handbook import build
from carepolicy.handbook.book import Book, calendars_of
from carepolicy.handbook.guide import guide_of
from carepolicy.handbook.messages import messages_of
from carepolicy.handbook.steps import steps_of
from carepolicy.machine.flowmachine import FlowMachine
from carepolicy.policy.load import load_policies
from laws import examples
from random_flows import MESSAGES, ORGANISATION, small_flows
from shops import LIBRARY, SHOP
from stories import write_set


def guides(policies, language="en"):
    """The guides of all flows of a set by name."""
    book = Book(policies, language, 2026, calendars_of(policies))
    found = {}
    for flow in policies.flows.values():
        chart = chart_of(policies, flow.name, language=language)
        found[flow.name] = guide_of(book, flow, chart, steps_of(book, flow, chart), messages_of(book, flow))
    return found


def ways_of_the_machine(policies, name):
    """For each open state: trigger, and the targets of its transitions in the order in which they are tried."""
    flow = policies.flows[name]
    machine = FlowMachine(flow, policies.organisation)
    return {
        state.name: {trigger: [each.dest for each in ways] for trigger, ways in machine.ways(state.name).items()}
        for state in flow.states.values()
        if state.final is None
    }


def ways_of_the_guide(guide, flow):
    states = {f"state-{state}": state for state in flow.states}
    found = {}
    for screen in guide.screens:
        told = found[states[screen.step.anchor]] = {}
        for event in screen.all_events:
            trigger = event.choices[0].key.rsplit("-", 2)[1]
            assert trigger not in told, "an event is told twice at a step"
            told[trigger] = [states[each.to.anchor] if each.to else None for each in event.choices]
    return found


def faults(guide):
    """Ids that ways, questions and steps refer to and that no screen has."""
    screens = {screen.step.anchor for screen in guide.screens} | {end.spot.anchor for end in guide.ends}
    known = screens | {way.anchor for way in guide.ways}
    events = [event for screen in guide.screens for event in screen.all_events]
    asked = {event.ask for event in guide.asked} | {event.ask for each in guide.screens for event in each.events}
    used = {choice.anchor for event in events for choice in event.choices} | {
        spot.anchor for _, spot, _ in guide.starts
    }
    return (used - known) | ({event.ask for event in events if event.ask} - asked)


@pytest.mark.parametrize("folder", [SHOP, LIBRARY], ids=["tests/shop", "policies"])
def test_the_ways_of_the_guide_are_exactly_those_of_the_machine(folder):
    policies = sets.sample(folder)
    for name, guide in guides(policies).items():
        assert ways_of_the_guide(guide, policies.flows[name]) == ways_of_the_machine(policies, name), name
        assert faults(guide) == set(), name


@given(small_flows(clocks=True, effects=True))
@settings(max_examples=examples(40))
def test_the_ways_of_any_guide_are_those_of_its_machine(tmp_path_factory, flow):
    folder = tmp_path_factory.mktemp("set")
    policies, found = load_policies(write_set(folder, flow.text, organisation=ORGANISATION, messages=MESSAGES))
    assert policies is not None, found
    ((name, guide),) = guides(policies).items()
    assert ways_of_the_guide(guide, policies.flows[name]) == ways_of_the_machine(policies, name)
    assert faults(guide) == set()


def event_of(made, step, text):
    screen = next(each for each in made.screens if each.step.title == step)
    return next(each for each in screen.all_events if each.text == text)


@pytest.fixture(scope="module")
def shop():
    return guides(sets.sample())


def test_a_question_is_asked_where_it_decides_and_its_answers_are_buttons(shop):
    made = shop["complaint"]
    event = event_of(made, "Complaint received", "We confirm it")
    assert event.question == "Confirmed in time?"
    assert [(each.text, each.to.title) for each in event.choices] == [("No", "Weigh it"), ("Yes", "Weigh it")]


def test_what_happens_by_itself_is_marked(shop):
    made = shop["email_inquiry"]
    events = [each for screen in made.screens for each in screen.events]
    assert any(each.by_itself and each.text.startswith("After ") for each in events)
    assert any(not each.by_itself for each in events)


def test_a_message_that_is_sent_is_told_with_its_text():
    made = guides(sets.sample(), "fr")["complaint"]
    letters = [letter for way in made.ways for letter in way.beside.letters]
    assert letters
    assert all(letter.text and letter.language == "fr" for letter in letters)


def test_a_way_that_opens_another_flow_leads_to_its_guide_at_the_step_where_it_begins():
    policies = sets.sample()
    made = guides(policies)["email_inquiry"]
    opens = {each for way in made.ways for each in way.beside.opens}
    for address, title in opens:
        page, _, anchor = address.partition("#")
        flow = next(each for each in policies.flows.values() if each.title == title)
        assert page == f"{flow.name}-guide.html"
        assert flow.states[anchor.removeprefix("state-")].start_on
    assert opens


def test_a_flow_that_nothing_starts_and_one_without_clocks_have_a_guide(tmp_path):
    states = "states:\n  one: {on: {done: two}}\n  two: {final: over}\n"
    bare = f"flow: bare\nversion: 1\nowner: care_lead\nevents: {{done: {{}}}}\n{states}"
    policies, found = load_policies(write_set(tmp_path, bare, organisation=ORGANISATION))
    assert policies is not None, found
    made = guides(policies)["bare"]
    assert [(text, spot.title) for text, spot, _ in made.starts] == [("A case begins", "One")]
    page = sets.Page(build(policies, drawn=False).files["en/flows/bare-guide.html"].decode())
    assert "What brought the case?" in page.words


def test_no_guide_is_over_a_hundred_thousand_bytes():
    site = sets.library_site("fr", drawn=False)
    sizes = {name: len(content) for name, content in site.files.items() if name.endswith("-guide.html")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > 100_000} == {}


def test_without_scripts_the_guide_is_a_linked_list_of_all_that_it_tells(site):
    page = sets.pages_of(site)["en/flows/complaint-guide.html"]
    flow = sets.sample().flows["complaint"]
    for state in flow.states.values():
        assert f"#state-{state.name}" in page.links
        assert " ".join(state.say.split()) in page.words
        assert all(each in page.words for each in state.steps)
