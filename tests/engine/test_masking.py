"""Card numbers in what events bring reach no record, no dead letter and no text of an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carepolicy.engine.cards import mask_cards
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from laws import examples
from stories import event, write_set

CARDS = yaml.safe_load((Path(__file__).parent / "cards.yaml").read_text(encoding="utf-8"))
CARD = "4111 1111 1111 1111"
FACTS = """\
organisation: Harbour & Finch
timezone: UTC
languages: [en]
calendar: always
calendars: {always: {title: Always, hours: {mon-sun: 00:00-24:00}}}
roles: {agent: {title: Agent, calendar: always, people: [Aoife]}}
facts:
  note.text: {type: text}
  note.lines: {type: list of text}
  note.count: {type: number}
  note.sum: {type: money, currency: GBP}
"""
FLOW = """\
flow: note
version: 1
title: A note
purpose: Notes are kept.
owner: agent
events:
  noted: {title: Noted, by: staff, carries: {optional: [note.text, note.lines, note.count, note.sum]}}
states:
  open:
    title: Open
    start_on: noted
    on: {noted: {request: {keep: {text: note.text, lines: note.lines}}}}
    enter: {request: {keep: {text: note.text, lines: note.lines}}}
"""


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return compile_folder(str(write_set(tmp_path_factory.mktemp("notes"), FLOW, organisation=FACTS)))


def outcome(bundle: Bundle, given: dict[str, Any], reveal: bool = False) -> tuple[str, list[dict[str, Any]]]:
    run = OrderedRun(Run(bundle, reveal))
    records = run.feed([(1, orjson.dumps(given))])
    return records, [orjson.loads(each) for each in run.dead]


@pytest.mark.parametrize("text", CARDS["masked"])
def test_a_card_number_is_masked_as_people_write_it(text: str) -> None:
    assert mask_cards(text) == CARDS["masked"][text]


@pytest.mark.parametrize("text", CARDS["left"])
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert mask_cards(text) is text or mask_cards(text) == text


@pytest.mark.parametrize(
    "data",
    [
        {"note.text": CARD},
        {"note": {"text": f"12 {CARD}"}},
        {"note.lines": ["one", CARD]},
        {"note": {"lines": [f"{CARD} 12/26"]}},
    ],
)
def test_an_event_is_taken_without_the_card_number_that_it_brought_and_its_sender_is_told_of(
    notes: Bundle, data: dict[str, Any]
) -> None:
    records, letters = outcome(notes, event("noted", "2026-03-02T09:00:00", data=data))
    assert "**** **** **** 1111" in records
    assert [each["code"] for each in letters] == ["CP913"]
    assert CARD not in records + str(letters)


@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize(
    "changed",
    [
        {"data": {"note.text": CARD, "note.sum": "x"}},
        {"data": {"note.lines": [CARD], "note.sum": "x"}},
        {"data": {"note.text": 4111111111111111}},
        {"data": {"note.text": [4111111111111111, {CARD: CARD}]}},
        {"data": {CARD: 1}},
        {"data": {"note": {CARD: CARD}}},
        {"type": CARD},
        {"type": f"noted {CARD}", "data": {"note.text": CARD}},
        {"time": CARD},
        {"specversion": CARD},
    ],
)
def test_a_refused_event_shows_no_card_number_in_its_record_its_letter_or_the_reason(
    notes: Bundle, changed: dict[str, Any], reveal: bool
) -> None:
    records, letters = outcome(notes, event("noted", "2026-03-02T09:00:00") | changed, reveal)
    everything = records + str(letters)
    assert "event.rejected" in records
    assert CARD not in everything
    assert "4111111111111111" not in everything


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A set whose cases are a customer's, with numbers of customers that look like card numbers."""
    return compile_folder(str(write_set(tmp_path_factory.mktemp("cards"), BY_CUSTOMER, organisation=NUMBERED)))


NUMBERED = FACTS + "  customer.number: {type: text, card: never}\n  customer.points: {type: number, card: never}\n"
BY_CUSTOMER = FLOW.replace("owner: agent\n", "owner: agent\nsubject: customer.number\n", 1).replace(
    "note.sum]", "note.sum, customer.number, customer.points]"
)
NUMBERS = ("4111111111111111", "5555555555554444", "2223003122003222")


def test_customers_whose_numbers_pass_for_card_numbers_stay_different_where_the_fact_says_so(customers: Bundle) -> None:
    run = OrderedRun(Run(customers))
    lines = [
        orjson.dumps(
            event("noted", "2026-03-02T09:00:00", data={"customer.number": each, "customer.points": int(each)})
            | {"id": f"e{number}"}
        )
        for number, each in enumerate(NUMBERS)
    ]
    records = run.feed(list(enumerate(lines, 1))) + "".join(run.finish(None))
    opened = [each for each in map(orjson.loads, records.splitlines()) if each["type"] == "carepolicy.case.opened"]
    assert [each["subject"] for each in opened] == list(NUMBERS)
    assert run.dead == []


def test_a_fact_that_names_cases_refuses_a_card_number_since_masked_customers_would_become_one(
    tmp_path: Path,
) -> None:
    bundle = compile_folder(str(write_set(tmp_path, BY_CUSTOMER, organisation=NUMBERED.replace(", card: never", ""))))
    records, letters = outcome(bundle, event("noted", "2026-03-02T09:00:00", data={"customer.number": CARD}))
    assert [each["code"] for each in letters] == ["CP920"]
    assert "case.opened" not in records
    assert "1111" not in records + str(letters)


@pytest.mark.parametrize(
    "written", [CARD, "order-4111111111111111", "4111/1111/1111/1111", "４１１１ １１１１ １１１１ １１１１"]
)
@pytest.mark.parametrize("name", ["subject", "id", "source"])
@pytest.mark.parametrize("lines", [1, 20])
def test_an_event_that_a_card_number_names_is_not_taken_and_nothing_of_the_number_is_shown(
    notes: Bundle, name: str, written: str, lines: int
) -> None:
    named = event("noted", "2026-03-02T09:00:00") | {name: written}
    others = [event("noted", "2026-03-02T09:00:00") | {"id": f"other-{number}"} for number in range(1, lines)]
    run = OrderedRun(Run(notes))
    records = run.feed(list(enumerate(map(orjson.dumps, [named, *others]), 1)))
    letters = [orjson.loads(each) for each in run.dead]
    assert [(each["line"], each["code"]) for each in letters] == [(1, "CP920")]
    assert records.count("event.rejected") == 1
    assert "1111" not in records + str(letters)
    assert "１１１１" not in records + str(letters)


def test_an_organisation_may_say_that_what_names_its_events_is_never_a_card_number(tmp_path: Path) -> None:
    said = FACTS.replace("timezone: UTC\n", "timezone: UTC\ncard: never\n")
    bundle = compile_folder(str(write_set(tmp_path, FLOW, organisation=said)))
    given = event("noted", "2026-03-02T09:00:00") | {"subject": "4111111111111111", "id": "5555555555554444"}
    records, letters = outcome(bundle, given)
    assert '"subject":"4111111111111111"' in records
    assert letters == []
    records, letters = outcome(bundle, given | {"data": {"note.sum": "x"}})
    assert letters[0]["event"]["subject"] == "4111111111111111"
    assert '"subject":"4111111111111111"' in records


@pytest.mark.parametrize("value", [4111111111111111, -4111111111111111, 4111111111111111.0, 378282246310005])
@pytest.mark.parametrize("fact", ["note.count", "note.sum"])
def test_a_number_that_is_a_card_number_is_not_taken_since_it_cannot_be_masked(
    notes: Bundle, fact: str, value: float
) -> None:
    records, letters = outcome(notes, event("noted", "2026-03-02T09:00:00", data={fact: value}), reveal=True)
    assert [each["code"] for each in letters] == ["CP921"]
    assert str(value)[-4:] not in records + str(letters)


@pytest.mark.parametrize("value", [1772442300000, 1772442300000000, 4111111111.111111, 1e300, 4006381333931])
def test_other_large_numbers_are_taken(notes: Bundle, value: float) -> None:
    records, letters = outcome(notes, event("noted", "2026-03-02T09:00:00", data={"note.count": value}))
    assert letters == []
    assert "case.opened" in records


@pytest.mark.parametrize(
    "piece", ["4", "4 ", "4111 ", "4111 1111 1111 11112 ", "4/", "&a", "<", "a1", "\u00ad4", "１,"]
)
def test_the_time_to_look_for_card_numbers_grows_with_a_text_and_not_with_its_square(piece: str) -> None:
    def steps(length: int) -> int:
        """Lines of Python that are run: they do not depend on how fast the machine is."""
        count = 0

        def trace(frame: Any, what: str, argument: Any) -> Any:
            nonlocal count
            count += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            mask_cards((piece * length)[:length])
        finally:
            sys.settrace(before)
        return count

    small, large = steps(500), steps(4_000)
    assert large < 12 * small + 1_000


@settings(max_examples=examples(40))
@given(
    digits=st.from_regex(r"4[0-9]{14}", fullmatch=True),
    between=st.text(st.characters(exclude_categories=("L", "N", "Cs"), exclude_characters="*&<%\\"), max_size=4),
    zero=st.sampled_from([0x30, 0x660, 0x966, 0xFF10, 0x1D7CE]),
)
def test_a_visa_number_is_masked_in_any_script_with_anything_between_its_groups(
    digits: str, between: str, zero: int
) -> None:
    number = digits + check_digit(digits)
    groups = [number[place : place + 4] for place in range(0, 16, 4)]
    text = between.join("".join(chr(zero + int(each)) for each in group) for group in groups)
    assert mask_cards(f"a {text} z") == f"a **** **** **** {number[-4:]} z"


@settings(max_examples=examples(40))
@given(digits=st.from_regex(r"[1789][0-9]{14}", fullmatch=True))
def test_no_number_of_sixteen_digits_is_masked_whose_beginning_no_issuer_has(digits: str) -> None:
    assume(digits[:2] not in ("81", "82", "86", "96", "97", "98"))
    assert mask_cards(digits + check_digit(digits)) == digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """The digit that makes a number of some digits pass (Luhn), by the book."""
    total = sum(
        sum(map(int, str(2 * int(each)))) if place % 2 == 0 else int(each)
        for place, each in enumerate(reversed(digits))
    )
    return str(-total % 10)
