"""Which clock of a step is the tightest, and how its limits are told."""

from __future__ import annotations

from dataclasses import replace

import chart_samples as samples
import pytest

from carepolicy.charts import chart_of
from carepolicy.policy.language.calendar import CalendarSpec
from carepolicy.policy.model import Fact

SPAN = (9 * 3600, 17 * 3600)


def calendar(hours):
    """A calendar with these hours a week, without holidays."""
    return CalendarSpec("office", "Office", hours, "UTC", None, (), {}, imports=(), at=samples.HERE)


OFFICE = calendar(((SPAN,),) * 5 + ((), ()))


def step(clocks, state="a", **more):
    """The card of a step in which some clocks run."""
    states = {"a": {"start_on": "e", "on": {"go": "b"}}, "b": {"on": {"go": "end"}}, "end": {"final": "resolved"}}
    flow = {"flow": "f", "clocks": clocks, "states": {**states, **more.pop("states", {})}}
    made = samples.policies(flow, **more)
    organisation = replace(made.organisation, calendars={"office": OFFICE}, calendar="office")
    chart = chart_of(replace(made, organisation=organisation), "f")
    return next(card for sheet in chart.sheets for card in sheet.cards if card.state == state)


@pytest.mark.parametrize(
    ("tighter", "looser"),
    [
        ("30 minutes", "1 hour"), ("4 hours", "3 business hours"), ("3 business hours", "1 day"),
        ("1 day", "1 business day"), ("1 business day", "2 days"), ("6 days", "5 business days"),
        ("5 business days", "8 weeks"), ("close of business day 1", "2 business days"), ("4 weeks", "1 month"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_the_band_tells_the_tightest_clock_wherever_it_stands_in_the_file(tighter, looser, turned):
    clocks = {
        "one": {"title": "One", "limit": tighter, "runs_in": ["a"]},
        "two": {"title": "Two", "limit": looser, "runs_in": ["a"]},
    }
    card = step(dict(reversed(clocks.items())) if turned else clocks)
    assert card.band == f"One: {tighter}"
    assert card.inside == (f"Two: {looser}",)
    assert [limit.title for limit in card.limits] == ["One", "Two"]


def test_each_limit_of_a_clock_is_told_with_its_condition_and_the_shortest_counts():
    gold = [{"when": 'tier == "gold"', "is": "1 hour"}, {"is": "9 weeks"}]
    clocks = {
        "one": {"title": "One", "limit": "3 hours", "runs_in": ["a"]},
        "two": {"title": "Two", "limit": gold, "runs_in": ["a"]},
    }
    assert step(clocks).band == 'Two: 1 hour if tier == "gold", 9 weeks otherwise'


def test_a_limit_that_hangs_on_a_fact_is_told_after_those_whose_length_is_known():
    fact = Fact("ship_by", "time", None, (), None, False, None, "Day of shipping", samples.HERE)
    clocks = {
        "one": {"title": "One", "limit": "until ship_by", "runs_in": ["a"]},
        "two": {"title": "Two", "limit": "9 weeks", "runs_in": ["a"]},
    }
    card = step(clocks, facts={"ship_by": fact})
    assert (card.band, card.inside) == ("Two: 9 weeks", ("One: until “Day of shipping”",))


def test_where_all_clocks_stand_still_the_band_says_so_and_each_is_named():
    paused = {"limit": "1 day", "runs_in": ["b"], "pauses_in": ["a"]}
    assert step({"one": {"title": "One", **paused}}).band == "paused"
    both = step({"one": {"title": "One", **paused}, "two": {"title": "Two", **paused}})
    assert (both.band, both.inside) == ("paused", ("One: paused", "Two: paused"))


def test_where_one_clock_runs_and_another_stands_still_both_are_told():
    clocks = {
        "one": {"title": "One", "limit": "1 day", "runs_in": ["b"], "pauses_in": ["a"]},
        "two": {"title": "Two", "limit": "2 days", "runs_in": ["a"]},
    }
    card = step(clocks)
    assert (card.band, card.inside) == ("Two: 2 days", ("One: paused",))


@pytest.mark.parametrize(
    ("on", "late"),
    [
        ({"one.late": "b"}, True),
        ({"go": [{"when": "clock.one.late", "to": "b"}, {"to": "end"}]}, True),
        ({"go": [{"when": "clock.one.late && a", "to": "b"}, {"to": "end"}]}, True),
        ({"go": [{"when": "clock.one.late || a", "to": "b"}, {"to": "end"}]}, False),
        ({"go": [{"when": "!clock.one.late", "to": "b"}, {"to": "end"}]}, False),
        ({"one.late": "b", "go": "b"}, False),
    ],
)
def test_a_clock_is_late_already_where_a_case_comes_only_after_its_time(on, late):
    clocks = {"one": {"title": "One", "limit": "1 day", "runs_in": ["a", "b"]}}
    card = step(clocks, "b", states={"a": {"start_on": "e", "on": on}})
    assert card.band == ("already late" if late else "1 day")


def test_a_step_without_a_clock_tells_how_long_a_case_waits_there_and_no_reminder():
    states = {"a": {"start_on": "e", "after": {"3 days": {"tell": "lead"}, "2 weeks": "b", "1 week": "end"}}}
    assert step({}, states=states).band == "1 week"
    assert step({}, states={"a": {"start_on": "e", "on": {"go": "b"}, "after": {"3 days": {"tell": "lead"}}}}).band == (
        "3 days"
    )
    assert step({}).band == ""
