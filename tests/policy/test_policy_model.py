"""What the model holds: every short form becomes the long one, every object knows its address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from carepolicy.policy.language.calendar import Closing, MonthDay, Season
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Flow, Open, Organisation, Policies, Tell, Transition
from carepolicy.policy.places import At

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def flow(flow_of):
    def build(rest: str) -> Flow:
        policies, findings = flow_of(rest)
        assert policies is not None, findings
        return policies.flows["example"]

    return build


@pytest.fixture
def organisation(organisation_of):
    def build(rest: str) -> Organisation:
        policies, findings = organisation_of(rest)
        assert policies is not None, findings
        return policies.organisation

    return build


@pytest.fixture
def ways(flow):
    """The transitions of one trigger, e, of a state a."""

    def build(written: str) -> tuple[Transition, ...]:
        return flow(f"states:\n  a:\n    on:\n      e: {written}\n").states["a"].on["e"]

    return build


def test_a_transition_is_a_state_or_one_transition_or_a_list(ways) -> None:
    assert [way.to for way in ways("b")] == ["b"]
    assert [way.to for way in ways("{to: b, when: x.y > 3}")] == ["b"]
    found = ways("[{when: x.y > 3, to: b}, {when: true, tell: r}, c]")
    assert [(way.when, way.to, way.on) for way in found] == [
        ("x.y > 3", "b", "e"),
        ("true", None, "e"),
        (None, "c", "e"),
    ]
    assert [way.at.path for way in found] == [("states", "a", "on", "e", number) for number in range(3)]


def test_effects_may_be_written_short(ways) -> None:
    [way] = ways("{send: x, tell: r, open: f}")
    assert way.effects.send == ("x",)
    assert [(each.role, each.say) for each in way.effects.tell] == [("r", "")]
    assert [(each.flow, each.on, each.keep_time) for each in way.effects.open] == [("f", None, False)]


def test_effects_may_be_written_long(ways) -> None:
    [way] = ways(
        "{send: [x, y], tell: [r, {role: s, say: Look}], open: [f, {flow: g, on: e, keep_time: true}], assign: a.b,"
        " request: {charge: {amount: a.b, times: 2}, stop: {}, halt: },"
        " raise: {event: z, subject: a.b, data: {c.d: 1}},"
        " extend: {clock: c, by: 1 day, at_most: 2}, set: {a.b: a.b + 1, c.d: 0, e.f: True, g.h: 0.50}}"
    )
    at = way.at
    effects = way.effects
    assert effects.send == ("x", "y")
    assert effects.tell == (Tell("r", "", at / "tell" / 0), Tell("s", "Look", at / "tell" / 1))
    assert effects.open == (Open("f", None, False, at / "open" / 0), Open("g", "e", True, at / "open" / 1))
    assert effects.assign == "a.b"
    assert [(each.action, dict(each.arguments)) for each in effects.request] == [
        ("charge", {"amount": "a.b", "times": "2"}),
        ("stop", {}),
        ("halt", {}),
    ]
    assert [(each.event, each.subject, dict(each.data)) for each in effects.raises] == [("z", "a.b", {"c.d": "1"})]
    assert [(each.clock, each.by, each.at_most) for each in effects.extend] == [("c", "1 day", 2)]
    assert effects.set == {"a.b": "a.b + 1", "c.d": "0", "e.f": "true", "g.h": "0.50"}


def test_texts_for_people_stand_on_states_and_transitions(flow) -> None:
    state = flow(
        "states: {a: {steps: One, never: No, on: {e: {steps: [1, 2], say: hi, note: why, answer: yes}}}}"
    ).states["a"]
    [way] = state.on["e"]
    assert (state.steps, state.never) == (("One",), "No")
    assert (way.steps, way.say, way.note, way.answer) == (("1", "2"), "hi", "why", "yes")


def test_what_has_no_title_is_called_by_its_name(flow, organisation) -> None:
    found = flow("events: {first_call: }\nstates: {waiting_for_customer: {}}")
    assert found.title == "Example"
    assert found.states["waiting_for_customer"].title == "Waiting for customer"
    assert (found.events["first_call"].title, found.events["first_call"].by) == ("First call", "other")
    assert organisation("facts: {order.ship_by: {type: time}}").facts["order.ship_by"].title == "Order ship by"


def test_a_clock_has_one_limit_or_a_list_and_its_rolls_goes_to_each(flow) -> None:
    text = "clocks:\n  c: {runs_in: a, rolls: next_business_day, target: 95%, warn_at: 50%, limit: "
    [only] = flow(text + "3 business hours}\nstates: {a: {}}").clocks["c"].limits
    assert (only.when, only.limit, only.rolls) == (None, "3 business hours", "next_business_day")
    clock = flow(text + "[{when: x.y, is: 1 day}, {is: settings.usual}]}\nstates: {a: {}}").clocks["c"]
    assert [(each.when, each.limit, each.rolls) for each in clock.limits] == [
        ("x.y", "1 day", "next_business_day"),
        (None, "settings.usual", "next_business_day"),
    ]
    assert (clock.target, clock.warn_at, clock.runs_in, clock.again) == (0.95, ("50%",), ("a",), "restart")


def test_a_flow_keeps_the_order_of_its_file(flow) -> None:
    assert flow("states: {a: {}}\nclocks: {c: {limit: 1 day, runs_in: a}}").order[-2:] == ("states", "clocks")


def test_after_keeps_the_limit_as_it_is_written(flow) -> None:
    [after] = flow("states: {a: {after: {2 business days: [{when: x.y, to: b}, c]}}}").states["a"].after
    assert after.limit == "2 business days"
    assert [(way.on, way.to) for way in after.transitions] == [("2 business days", "b"), ("2 business days", "c")]


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("09:00-12:30", ((32400, 45000),)),
        ("[13:30-17:30, 09:00-12:30]", ((32400, 45000), (48600, 63000))),
        ("00:00-24:00", ((0, 86400),)),
        ("22:00-02:00", ((79200, 93600),)),
        ("9:00 - 10:00", ((32400, 36000),)),
        ("[09:00-10:00, 10:00-11:00]", ((32400, 36000), (36000, 39600))),
        ("[]", ()),
    ],
)
def test_hours_are_seconds_after_midnight(organisation, written: str, hours: tuple) -> None:
    calendar = organisation(
        f"calendars: {{o: {{hours: {{mon: {written}}}, open: {{2026-12-23: {written}}}}}}}"
    ).calendars["o"]
    assert calendar.hours == (hours, (), (), (), (), (), ())
    assert calendar.open == {date(2026, 12, 23): hours}


@pytest.mark.parametrize(
    ("days", "open_days"), [("mon", [0]), ("mon-thu", [0, 1, 2, 3]), ("sat-mon", [5, 6, 0]), ("sun-sun", [6])]
)
def test_weekdays_are_names_or_ranges_that_may_pass_the_weeks_end(organisation, days: str, open_days: list) -> None:
    calendar = organisation(f"calendars: {{o: {{hours: {{{days}: 09:00-12:00}}}}}}").calendars["o"]
    assert sorted(open_days) == [day for day in range(7) if calendar.hours[day]]


def test_closed_days_are_dates_ranges_and_imports(load_files) -> None:
    text = "organisation: A\ntimezone: Asia/Tokyo\ncalendars:\n  o:\n    hours: {mon: 09:00-10:00}\n"
    text += "    closed: [2026-12-24, 2026-08-03/2026-08-07, {import: calendars/x.ics}]\n    import: y.ics\n"
    text += "    holidays: {country: GB, except: [2026-01-02], also: [2026-12-24]}\n"
    policies, findings = load_files({"organisation.yaml": text, "calendars/x.ics": "X", "y.ics": "\ufeffY"})
    assert policies is not None, findings
    calendar = policies.organisation.calendars["o"]
    assert calendar.timezone == "Asia/Tokyo"
    assert calendar.closed == (
        Closing(date(2026, 12, 24), date(2026, 12, 24)),
        Closing(date(2026, 8, 3), date(2026, 8, 7)),
    )
    assert [(each.path, each.text) for each in calendar.imports] == [("y.ics", "Y"), ("calendars/x.ics", "X")]
    assert calendar.holidays is not None
    assert (calendar.holidays.except_, calendar.holidays.also) == ((date(2026, 1, 2),), (date(2026, 12, 24),))


def test_what_comes_every_year_is_days_without_a_year_and_seasons(organisation) -> None:
    text = "{hours: {mon-fri: 09:00-17:00}, closed: [12-24/01-06, {dates: 05-01, title: Labour Day},"
    text += " {dates: 2026-08-03/2026-08-07, title: Stocktaking}],"
    text += " seasons: {11-01/02-15: {mon-tue: [10:00-12:00], wed: []}, 05-01/08-31: {fri: 08:00-15:00}}}"
    calendar = organisation(f"calendars: {{o: {text}}}").calendars["o"]
    assert calendar.closed == (
        Closing(MonthDay(12, 24), MonthDay(1, 6)),
        Closing(MonthDay(5, 1), MonthDay(5, 1), "Labour Day"),
        Closing(date(2026, 8, 3), date(2026, 8, 7), "Stocktaking"),
    )
    morning = ((36_000, 43_200),)
    assert calendar.seasons == (
        Season(MonthDay(11, 1), MonthDay(2, 15), (morning, morning, (), None, None, None, None)),
        Season(MonthDay(5, 1), MonthDay(8, 31), (None, None, None, None, ((28_800, 54_000),), None, None)),
    )
    assert calendar.hours_on(date(2026, 1, 5)) == morning
    assert calendar.hours_on(date(2026, 1, 7)) == ()
    assert calendar.hours_on(date(2026, 1, 8)) == calendar.hours[3]


def test_a_calendar_of_today_has_no_season(organisation) -> None:
    assert organisation("calendars: {o: {hours: {mon: 09:00-17:00}}}").calendars["o"].seasons == ()


def test_money_is_decimal_from_its_written_digits(organisation) -> None:
    found = organisation(
        "facts: {a.b: {type: money, currency: GBP, default: 0.10}, c.d: {type: list of money}}\n"
        "roles: {r: {authority: 100.10}}\nsettings: {limit: 20, rate: 0.5, word: 3 days}"
    )
    assert found.facts["a.b"].default == Decimal("0.10")
    assert (found.facts["c.d"].type, found.facts["c.d"].item) == ("list", "money")
    assert found.roles["r"].authority == Decimal("100.10")
    assert [setting.value for setting in found.settings.values()] == [20, 0.5, "3 days"]


def test_defaults_have_the_type_of_their_fact(organisation) -> None:
    facts = organisation(
        "facts: {a.n: {type: number, default: 3}, a.f: {type: flag, default: false}, a.t: {type: text, default: 007},"
        " a.c: {type: choice, of: [1, on], default: 1}, a.m: {type: money, default: lots}}"
    ).facts
    assert [fact.default for fact in facts.values()] == [3, False, "007", "1", "lots"]
    assert facts["a.c"].of == ("1", "on")


def test_a_channels_address_of_the_customer_is_the_fact_of_that_name(organisation) -> None:
    channels = organisation(
        "channels: {email: {}, phone: {}, post: {to: a.address}}\nfacts: {customer.email: {type: text}}"
    ).channels
    assert [channel.to for channel in channels.values()] == ["customer.email", None, "a.address"]


def test_an_unquoted_number_is_fine_where_a_text_is_meant(organisation) -> None:
    assert organisation("channels: {phone: {address: +442079460000}}").channels["phone"].address == "+442079460000"


def addresses(thing: object) -> Iterator[At]:
    """The address of every object of a model."""
    if isinstance(thing, At):
        yield thing
    elif is_dataclass(thing):
        for each in fields(thing):
            yield from addresses(getattr(thing, each.name))
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from addresses(value)
    elif isinstance(thing, tuple):
        for value in thing:
            yield from addresses(value)


def test_every_address_of_the_sample_set_leads_to_a_value() -> None:
    policies, findings = load_policies(SAMPLES)
    assert isinstance(policies, Policies), findings
    found = [
        *addresses(policies.organisation),
        *addresses(dict(policies.flows)),
        *addresses(dict(policies.messages["en"])),
    ]
    assert len(found) > 50
    for at in found:
        assert at.path in policies.sources[at.file].values
    place = policies.place(At("flows/email_inquiry.yaml", ("states", "received", "on", "reply_sent")) / "to")
    line = policies.sources[place.file].text.splitlines()[place.line - 1]
    assert line[place.column - 1 : place.end_column - 1] == "answered"
