"""Records: values that become one text, the same that is read back."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.case import Case, LiveProgram
from carepolicy.engine.history.log import read_record
from carepolicy.engine.instants import text_of
from carepolicy.engine.program import live_program
from carepolicy.engine.record import (
    ClockBasis,
    ClockData,
    Known,
    NoProgram,
    Passage,
    ProgramId,
    Record,
    Told,
    as_values,
    count_of,
    json_text,
    line_of,
    render,
    text_of_all,
)  # fmt: skip
from carepolicy.machine.bundle import compile_folder
from laws import examples

SHOP = ProgramId("complaint", 3, "/carepolicy/shop")
NINE = microseconds(datetime(2026, 3, 2, 9, tzinfo=UTC))
WHEN = text_of(NINE)
ODD = 'It\'s {here}: \\ 100 %\n%s «é» \u2028 "quoted"'
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


def record(subject: str, data: Told | ClockData, kind: str = "case.opened", sequence: int = 1) -> Record:
    return Record(SHOP, subject, sequence, kind, WHEN, data)


@given(TEXTS, TEXTS, st.integers(1, 10_000))
@settings(max_examples=examples(60))
def test_a_text_stands_in_a_record_as_it_is(subject: str, said: str, sequence: int) -> None:
    about = record(subject, Known(state=said), sequence=sequence)
    (line,) = render([about])
    told = orjson.loads(line)
    assert told == about.as_dict()
    assert list(told) == list(about.as_dict())
    assert (told["subject"], told["data"], told["sequence"]) == (subject, {"state": said}, sequence)
    assert told["id"] == f"complaint/{subject}/{sequence}"


def test_what_format_strings_would_read_stands_in_a_record_as_it_is() -> None:
    (line,) = render([Record(ProgramId(ODD, 1, ODD), ODD, 1, "case.moved", WHEN, Told({"from": ODD, "to": ODD}))])
    told = orjson.loads(line)
    assert (told["flow"], told["source"], told["subject"], told["data"]["from"]) == (ODD, ODD, ODD, ODD)


NUMBERS = st.integers(0, 10**9) | st.floats(0.000001, 10**6)


@given(
    st.none() | st.integers(0, 6 * 10**15), NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | TEXTS, st.none() | TEXTS
)
@settings(max_examples=examples(60))
def test_the_text_of_a_clock_s_data_has_its_fields_in_their_order(
    due: int | None, used: float, limit: float, over: float | None, code: str | None, reason: str | None
) -> None:
    code = code if reason is not None else None
    for basis in (ClockBasis(ODD, "elapsed", 60), ClockBasis(ODD, "elapsed", limit)):
        data = ClockData(basis, due, used, limit, over, code, reason)
        assert list(orjson.loads(data.json).items()) == list(data.items())
        assert data == dict(data)
    assert [name for name in ("due", "over", "code", "reason") if name in data] == [
        name for name, value in (("due", due), ("over", over), ("code", code), ("reason", reason)) if value is not None
    ]


def test_a_record_that_is_read_back_is_written_as_it_was() -> None:
    clock = ClockData(ClockBasis("first_reply", "business_time", 7200), NINE, 0, 7200)
    event = {"id": "e-1", "type": "asked"}
    refused = Told(event=event, code="CP903", reason="no")
    records = [
        record("m-1", Known(state="new")),
        record("m-1", clock, "clock.started", 2),
        Record(NoProgram("event/rejected/shop/e-1", "/carepolicy/shop"), "m-2", 0, "event.rejected", WHEN, refused),
        Record(NoProgram("event/rejected/a", "/s", "", ("time",)), "m-2", 0, "event.rejected", "", refused),
        Record(NoProgram("event/rejected/b", "/s", "complaint"), "m-2", 0, "event.rejected", WHEN, refused),
    ]
    lines = render(records)
    assert render(read_record(line.encode()) for line in lines) == lines
    assert text_of_all(records * 300) == "".join(lines * 300)


def test_records_go_from_process_to_process_as_they_are() -> None:
    basis = ClockBasis("first_reply", "business_time", 7200)
    records = [record("m-1", Known(state="new")), record("m-1", ClockData(basis, NINE, 0, basis.limit), "clock.met", 2)]
    assert render(pickle.loads(pickle.dumps(records))) == render(records)


def test_an_epoch_ends_the_ids_and_nothing_else() -> None:
    refused = Record(NoProgram("event/rejected/a", "/s"), "m", 0, "event.rejected", WHEN, Told(event={}))
    for each in (record("m-1", Known(state="new")), refused):
        (plain,), (marked,) = render([each]), render([each], ".r1")
        was, is_now = orjson.loads(plain), orjson.loads(marked)
        assert is_now == {**was, "id": was["id"] + ".r1"}


def test_a_passage_is_the_lines_of_its_records_and_as_many() -> None:
    records = [record(ODD, Known(state="open"), sequence=number) for number in (1, 2, 3)]
    passage = Passage(SHOP, ODD, 2, WHEN, "".join(render(records[:2])), 2)
    assert text_of_all([passage, records[2]]) == text_of_all(records)
    assert count_of([passage, records[2]]) == 3
    assert as_values(records) == records
    with pytest.raises(AssertionError):
        as_values([passage])


@given(TEXTS, TEXTS, st.integers(1, 10_000))
@settings(max_examples=examples(60))
def test_a_line_that_is_put_together_is_that_of_its_record(subject: str, said: str, sequence: int) -> None:
    data = Known(state=said)
    about = json_text(subject)
    (line,) = render([record(subject, data, sequence=sequence)])
    assert line_of(SHOP, about, str(sequence), "case.opened", WHEN, data.json) == line
    assert Case(program(), subject, 0).about == about


@cache
def program() -> LiveProgram:
    bundle = compile_folder(str(Path(__file__).parents[2] / "benchmarks" / "complaints"))
    return live_program(0, bundle.programs[0], bundle)
