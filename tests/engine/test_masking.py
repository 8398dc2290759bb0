"""Card numbers in what events bring reach no record, no dead letter and no text of an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from carepolicy.engine.masking import mask_cards
from carepolicy.engine.stream import Run
from carepolicy.machine.loading import compile_folder
from carepolicy.machine.program import Bundle
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
    run = Run(bundle, reveal)
    records, _ = run.feed_directly([(1, orjson.dumps(given))])
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
