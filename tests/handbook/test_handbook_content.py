"""What the pages say: owners, promises, closed days, examples and stories of the sample set and of small ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import handbook_sets as sets
import pytest

from carepolicy.businesstime import parse_limit
from carepolicy.charts import chart_of
from carepolicy.handbook.book import FIRST_YEAR, Book, calendars_of, year_of
from carepolicy.handbook.home import calendar_pages, matrix_of
from carepolicy.handbook.messages import messages_of
from carepolicy.handbook.promises import clocks_of, examples_of, promises_of
from carepolicy.handbook.steps import ends_of, steps_of
from carepolicy.handbook.stories import scenarios_of, stories_of
from carepolicy.policy.language.calendar import Closing, MonthDay, Season
from shops import SHOP


@pytest.fixture(scope="module")
def policies():
    return sets.sample()


@pytest.fixture(scope="module")
def book(policies):
    return Book(policies, "en", 2026, calendars_of(policies))


@pytest.fixture(scope="module")
def french(policies):
    return Book(policies, "fr", 2026, calendars_of(policies))


def step(book, flow_name, title):
    flow = book.policies.flows[flow_name]
    chart = chart_of(book.policies, flow_name, language=book.language)
    return next(each for each in steps_of(book, flow, chart) if each.title == title)


def test_every_state_is_a_step_or_an_end_of_its_page(book, policies):
    for flow in policies.flows.values():
        chart = chart_of(policies, flow.name, language="en")
        told = [each.anchor for each in (*steps_of(book, flow, chart), *ends_of(book, flow))]
        assert sorted(told) == sorted(f"state-{name}" for name in flow.states)


def test_a_step_tells_owner_time_words_and_ways(book):
    received = step(book, "complaint", "Complaint received")
    assert (received.number, received.owner) == (1, "Care agent")
    assert ("Confirmation", "3 business hours") in received.limits
    assert received.never == "Defend us, or guess whose fault it was."
    (event,) = (each for each in received.next if each.question == "Confirmed in time?")
    assert {(answer.text, answer.where.anchor) for answer in event.answers} == {
        ("No", "state-acknowledged"),
        ("Yes", "state-acknowledged"),
    }


def test_a_clock_that_stands_still_says_so(book, french):
    assert ("First answer", "stands still here") in step(book, "email_inquiry", "Waiting for the customer").limits
    assert ("First answer", "en pause ici") in step(french, "email_inquiry", "Waiting for the customer").limits


def test_limits_and_waits_are_told_in_the_language_of_the_page(french):
    answered = step(french, "email_inquiry", "Answered")
    assert "Après 5 jours ouvrés" in [event.text for event in answered.events]


def test_the_matrix_names_the_owner_of_each_flow_and_of_each_step(book, policies):
    rows = {row.name: dict(zip(policies.flows, row.letters, strict=True)) for row in matrix_of(book)}
    assert rows["care_manager"]["complaint"] == "AR"
    assert rows["care_agent"]["complaint"] == "R"
    assert rows["feedback_steward"]["complaint"] == "C"
    assert rows["store_owner"]["complaint"] == "R"
    assert rows["billing_clerk"]["complaint"] == ""
    for flow in policies.flows.values():
        assert sum("A" in row[flow.name] for row in rows.values()) == 1


def test_every_clock_of_every_flow_is_a_promise(book, policies):
    found = promises_of(book)
    assert len(found) == sum(len(flow.clocks) for flow in policies.flows.values())
    by_title = {each.title: each for each in found}
    assert by_title["Confirmation"].promise == "We confirm a complaint within 3 business hours."
    assert by_title["Confirmation"].target == "95 %"
    assert by_title["Confirmation"].calendar == "Office hours"
    assert by_title["Final answer"].calendar == "elapsed time"


def test_a_promise_is_filled_in_the_language_in_which_it_is_written(french):
    found = {each.title: each for each in promises_of(french)}["Confirmation"]
    assert found.promise == "We confirm a complaint within 3 business hours."
    assert found.limit == "3 heures ouvrées"


def test_a_choice_of_limits_says_when_each_holds(book, policies):
    clock = next(
        each for each in clocks_of(book, policies.flows["email_inquiry"]) if each.promise.title == "First answer"
    )
    assert [(each.limit, each.condition) for each in clock.choices] == [
        ("1 business hour", "if kind of customer is gold"),
        ("3 business hours", "otherwise"),
    ]


def test_examples_cross_a_weekend_and_a_holiday(book):
    told = examples_of(book, parse_limit("3 business hours"), "office", False)
    assert told == [
        "Arrives Tuesday 3 March 2026, 10:00, due Tuesday 3 March 2026, 14:00.",
        "Arrives Friday 6 March 2026, 15:30, due Monday 9 March 2026, 11:30.",
        "Arrives Sunday 8 March 2026, 11:00, due Monday 9 March 2026, 12:00.",
        "Arrives Thursday 2 April 2026, 17:00, due Tuesday 7 April 2026, 11:30.",
    ]


def test_a_strict_limit_says_before(book):
    told = examples_of(book, parse_limit("less than 2 business days"), "office", False)
    assert told[0] == "Arrives Tuesday 3 March 2026, 10:00, due before Thursday 5 March 2026, 10:00."


def test_a_limit_that_hangs_on_a_fact_has_no_example(book):
    assert examples_of(book, parse_limit("until order.ship_by"), "office", False) == []


@pytest.mark.parametrize("limit", ["20 seconds", "72 hours", "14 days", "1 month", "close of business day 3"])
@pytest.mark.parametrize("calendar", ["office", "phones", "warehouse", "always"])
def test_every_kind_of_limit_has_examples_in_every_calendar(book, limit, calendar):
    assert examples_of(book, parse_limit(limit), calendar, False)


def test_closed_days_are_those_on_which_the_week_would_be_open(book):
    office = calendar_pages(book)[0].years[0]
    assert office.closed[0] == ("Thursday 1 January 2026", "public holiday: New Year's Day")
    assert ("Monday 3 August 2026 – Friday 7 August 2026", "We are closed") in office.closed
    assert not any(day.startswith(("Saturday", "Sunday")) for day, _ in office.closed)
    assert office.special == (("Wednesday 23 December 2026", "10:00-14:00"),)


def test_seasons_stand_beside_the_hours_and_yearly_closings_by_their_title(policies):
    specs = policies.organisation.calendars
    summer = Season(MonthDay(5, 1), MonthDay(8, 31), (((28_800, 54_000),),) * 5 + (None, None))
    fridays = Season(MonthDay(11, 1), MonthDay(2, 15), (None,) * 4 + ((), None, None))
    christmas = Closing(MonthDay(12, 24), MonthDay(1, 2), "Christmas rest")
    office = replace(specs["office"], closed=(christmas,), seasons=(summer, fridays), holidays=None, open={})
    set_ = replace(policies, organisation=replace(policies.organisation, calendars={**specs, "office": office}))
    for language, told in (
        ("en", "; 1 May – 31 Aug: Mon-Fri 08:00-15:00; 1 Nov – 15 Feb: Fri –"),
        ("fr", "; 1 mai – 31 août: lun.-ven. 08:00-15:00; 1 nov. – 15 févr.: ven. –"),
    ):
        (page, *_) = calendar_pages(Book(set_, language, 2026, calendars_of(set_)))
        assert page.hours.endswith(told)
    (page, *_) = calendar_pages(Book(set_, "en", 2026, calendars_of(set_)))
    assert [(year.year, {reason for _, reason in year.closed}) for year in page.years] == [
        (2026, {"Christmas rest"}),
        (2027, {"Christmas rest"}),
    ]
    first, following = (year.closed for year in page.years)
    assert first[0][0] == "Thursday 1 January 2026"
    assert following[-1][0] == "Monday 27 December 2027 – Thursday 30 December 2027"


def test_the_year_is_that_of_the_policies_and_never_of_the_clock(policies):
    assert year_of(policies) == 2026
    flow = replace(policies.flows["complaint"], valid_from=date(2031, 5, 1))
    assert year_of(replace(policies, flows={**policies.flows, "complaint": flow})) == 2031
    calendars = {
        name: replace(spec, holidays=None, closed=(), open={}) for name, spec in policies.organisation.calendars.items()
    }
    bare = replace(policies, organisation=replace(policies.organisation, calendars=calendars))
    assert year_of(bare) == FIRST_YEAR


def test_messages_are_filled_and_the_page_s_language_comes_first(french, policies):
    groups = messages_of(french, policies.flows["complaint"])
    assert groups
    for group in groups:
        assert [message.language for message in group.messages] == ["fr", "en"]
        for message in group.messages:
            assert "{" not in message.subject + message.text
            assert message.text.strip()


def test_a_scenario_is_told_in_words(book, policies):
    stories = stories_of(book, policies.flows["email_inquiry"], scenarios_of(policies))
    friday = next(each for each in stories if "Friday" in each.title)
    lines = [line for line, _ in friday.lines]
    assert any(line.startswith("Friday ") and "An e-mail arrives (E-mail address: ***" in line for line in lines)
    assert any(line.startswith("“First answer” falls due Monday ") for line in lines)


def test_every_scenario_of_the_set_is_told_somewhere(book, policies):
    scenarios = scenarios_of(policies)
    told = [story for flow in policies.flows.values() for story in stories_of(book, flow, scenarios)]
    assert len(told) == len(scenarios) == len(list((Path(SHOP) / "scenarios").glob("*.yaml")))
    assert all(story.lines for story in told)


def test_what_is_no_scenario_is_left_out(tmp_path):
    policies = sets.set_of(tmp_path, "Text")
    (tmp_path / "scenarios/broken.yaml").write_text("[1, {scenario: x}, {scenario: y, steps: 3}]")
    (tmp_path / "scenarios/no_yaml.yaml").write_text("a: [")
    (tmp_path / "scenarios/odd.yaml").write_text(
        "scenario: Odd\nflow: care\n"
        "steps: [3, {event: asked, at: someday}, {at: 2026-13-45, event: asked}, {wait: soon}]"
    )
    found = scenarios_of(policies)
    assert [each["scenario"] for each in found] == ["Odd", "Text"]
    book = Book(policies, "en", 2026, calendars_of(policies))
    odd = stories_of(book, policies.flows["care"], found)[0]
    assert [line for line, _ in odd.lines] == ["someday: Text", "2026-13-45: Text", "Time passes: soon."]
