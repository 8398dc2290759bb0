"""Lines that go the straight way give what they give when they are looked at closely, whatever is in them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime.instants import microseconds
from carepolicy.engine import codes, intake
from carepolicy.engine.instants import parse, read_instant, text_of
from carepolicy.engine.intake import REMEMBERED, Intake
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from complaint_events import lines as complaint_lines
from laws import examples

COMPLAINTS = str(Path(__file__).parents[2] / "benchmarks" / "complaints")
LATER = microseconds(datetime.fromisoformat("2026-09-01T00:00:00+00:00"))
CARD = "4111 1111 1111 1111"

ODD: list[Any] = [
    None, "", 0, 1.5, True, [], {}, "x", "é\u2028", ["a"], {"a": 1}, {"tier": "gold"}, {"tier": None}, CARD,
    "2026-01-05T08:00:00Z", "2026-01-05t08:00:00+00:00", "2026-01-05T08:00:00.5+00:00", "2026-01-05T09:00:00+01:00",
    "2026-01-05 08:00:00+00:00", "2026-W02-1T08:00:00+00:00", "2026-01-05T08:00:00", "2026-01-05T08:00", "0.3",
    "carepolicy.merge", "acknowledged", "complaint_received", 10**30, -1, "e-3", "complaint-000001", "high", "gold",
]  # fmt: skip
PLACES = (
    "subject", "type", "time", "source", "id", "specversion", "data", "customer", "customer.tier",
    "complaint.severity", "complaint.amount", "into", "other",
)  # fmt: skip
TOKENS = [
    b'"a\xffb"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xc0\x80"', b'"\xf4\x90\x80\x80"', b'"\x00"',
    b'"\x1f"', b'"\\/"', b'"\\u0000"', b"18446744073709551616", b"-9223372036854775809", b"99999999999", b"1e400",
    b"-1e400", b"1e-400", b"NaN", b"-0", b"-0.0", b"01", b"1E+2", b"5e-324", b'{"a":1,"a":2}', b'{"\xff":1}',
    b"[1,]", b"nulL", b"[" * 2000, b'{"tier":"gold"},"id":"twice"',
]  # fmt: skip
"""Values as JSON has them or has not; readers of JSON differ about some."""

RAW = [b"{", b"[]", b"null", b'"text"', b"{}", b'{"a":1},{"a":2}', b"\xff", b"[1]", b"{" * 5000]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The flow of the benchmark."""
    return compile_folder(COMPLAINTS)


@st.composite
def logs_with_faults(draw: st.DrawFn) -> list[bytes]:
    """The benchmark's log with odd values in some of its events."""
    log: list[bytes] = [line.rstrip(b"\n") for line in complaint_lines(draw(st.sampled_from((9, 20, 60))), seed=3)]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(log) - 1))
        if draw(st.integers(0, 5)) == 0:
            log[at] = draw(st.sampled_from(RAW))
            continue
        try:
            event = orjson.loads(log[at])
        except orjson.JSONDecodeError:
            continue
        if not isinstance(event, dict):
            continue
        place = draw(st.sampled_from(PLACES))
        value = draw(st.sampled_from(ODD))
        token = draw(st.none() | st.sampled_from(TOKENS))
        within = event.setdefault("data", {}) if "." in place or place in ("customer", "into", "other") else event
        if not isinstance(within, dict):
            continue
        if draw(st.integers(0, 4)) == 0:
            within.pop(place, None)
        else:
            within[place] = value if token is None else "HERE"
        log[at] = orjson.dumps(event) if value != 10**30 else repr(event).replace("'", '"').encode()
        if token is not None:
            log[at] = log[at].replace(b'"HERE"', token)
    return log


def numbered(log: list[bytes], first: int = 1) -> list[tuple[int, bytes]]:
    return list(enumerate(log, first))


def written(
    bundle: Bundle, blocks: list[list[bytes]], closely: bool = False
) -> tuple[str, list[str], int, int, dict[str, int]]:
    """All records and dead letters of a run over blocks of lines, with its counts. ``closely`` shuts the straight
    way."""
    text, number, run = "", 1, Run(bundle)
    if closely:
        run.intake.straight = {}  # no type of event is known there
    with OrderedRun(run) as ordered:
        for block in blocks:
            text += ordered.feed(numbered(block, number))
            number += len(block)
        text += "".join(ordered.finish(LATER))
        return text, ordered.dead, ordered.records_written, ordered.open_cases, ordered.tally


@given(st.data())
@settings(max_examples=examples(75))
def test_a_block_of_lines_gives_what_its_lines_give_one_by_one_looked_at_closely(
    bundle: Bundle, data: st.DataObject
) -> None:
    log = data.draw(logs_with_faults())
    cut = data.draw(st.integers(0, len(log)))
    one_by_one = written(bundle, [[line] for line in log], closely=True)
    assert written(bundle, [[line] for line in log]) == one_by_one
    assert written(bundle, [log]) == one_by_one
    assert written(bundle, [block for block in (log[:cut], log[cut:]) if block]) == one_by_one


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "place", ["specversion", "datacontenttype", "tenant", "data", "data.customer.tier", "data.other"]
)
def test_every_reader_of_json_says_the_same_of_what_may_be_none(bundle: Bundle, place: str, token: bytes) -> None:
    event = orjson.loads(complaint_lines(1)[0])
    *_, name = place.split("data.")
    (event["data"] if "data." in place else event)[name] = "HERE"
    line = orjson.dumps(event).replace(b'"HERE"', token)
    assert written(bundle, [[line]]) == written(bundle, [[line]], closely=True)


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_log_without_faults_goes_the_straight_way_however_its_data_is_written(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, every: bool, nested: bool
) -> None:
    def unexpected(*args: object) -> None:
        raise AssertionError("a plain line was looked at closely")

    run = Run(bundle)
    monkeypatch.setattr(run.intake, "read", unexpected)
    reading = run.read(numbered(complaint_lines(3000, every=every, nested=nested)))
    rows, odd = reading.rows, reading.odd
    assert (len(rows), odd) == (3000, [])


def test_nested_data_gives_the_records_of_dotted_data(bundle: Bundle) -> None:
    dotted = written(bundle, [complaint_lines(3000, every=True)])
    assert written(bundle, [complaint_lines(3000, every=True, nested=True)]) == dotted


@pytest.mark.parametrize("ending", ["Z", "+02:00", ".250+00:00"])
def test_times_that_are_written_in_another_way_go_the_straight_way_too(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    said = f"2026-01-05T08:00:00{ending}"
    log = [line.replace(b"2026-01-05T08:00:00+00:00", said.encode()) for line in complaint_lines(20)]
    run = Run(bundle)
    monkeypatch.delattr(Intake, "read")
    rows = run.read(numbered(log)).rows
    own = text_of(parse(said))
    assert rows[0][4] == own != said


def test_only_the_ids_of_events_that_can_be_taken_are_known_afterwards(bundle: Bundle) -> None:
    log = complaint_lines(20)
    wrong = log[7].replace(b'"type":', b'"type":"x","was":')
    run = Run(bundle)
    reading = run.read(numbered([*log[:7], wrong, *log[8:], b"{}"]))
    rows, odd = reading.rows, reading.odd
    assert (len(rows), [place for place, _ in odd]) == (19, [7, 19])
    reading = run.read(numbered(log))
    rows, odd = reading.rows, reading.odd
    assert [row[0] for row in rows] == [8]
    assert [fault.refused.code for _, fault in odd if fault is not None] == [codes.DUPLICATE] * 19


def test_one_fault_among_many_lines_is_the_only_line_to_be_looked_at_closely(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = complaint_lines(1000)
    log[500] = b"{"
    run = Run(bundle)
    alone = []
    read = run.intake.read
    monkeypatch.setattr(run.intake, "read", lambda number, line: alone.append(number) or read(number, line))
    run.feed(numbered(log))
    assert alone == [501]


@given(st.integers(parse("1970-01-01T00:00:00+00:00"), parse("2150-12-31T23:59:59.999999+00:00")))
def test_the_instant_of_an_event_is_read_from_its_own_text(instant: int) -> None:
    assert read_instant(text_of(instant)) == (instant, text_of(instant))


@given(st.integers(parse("0001-01-02T00:00:00+00:00"), parse("9999-12-30T00:00:00+00:00")))
def test_an_instant_of_any_year_has_the_text_that_python_gives_it(instant: int) -> None:
    assert parse(text_of(instant)) == instant
    assert datetime.fromisoformat(text_of(instant)).isoformat() == text_of(instant)


def remembered(run: Run) -> list[int]:
    return [len(known) for _, _, _, known in run.intake.straight.values() if known]


def test_data_that_was_read_before_is_not_read_again(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    log = complaint_lines(3000, every=True, nested=True)
    texts = {(orjson.loads(line)["type"], line.partition(b'"data":')[2]) for line in log}
    read: list[bytes] = []
    decode = intake._decode_data
    monkeypatch.setattr(intake, "_decode_data", lambda text: read.append(text) or decode(text))
    run = Run(bundle)
    run.read(numbered(log))
    assert len(read) == len(texts) == sum(remembered(run)) < 1000


def test_nothing_is_remembered_of_a_log_whose_data_never_comes_again(bundle: Bundle) -> None:
    line = next(each for each in complaint_lines(100, every=True) if b'"complaint.amount":' in each)
    head, _, rest = line.partition(b'"complaint.amount":')
    amounts = (b'"complaint.amount":%d' % number + rest.lstrip(b"0123456789") for number in range(2 * REMEMBERED + 1))
    log = [head.replace(b'"id":"', b'"id":"%d-' % number) + each for number, each in enumerate(amounts)]
    run = Run(bundle)
    half = len(log) // 2
    assert len(run.read(numbered(log[:half])).rows) == half
    assert sum(remembered(run)) <= 1
    assert [row[7]["complaint.amount"] for row in run.read(numbered(log[half:])).rows] == list(range(half, len(log)))
    assert sum(remembered(run)) <= 1


def test_events_that_bring_the_same_data_do_not_change_what_others_know(bundle: Bundle) -> None:
    log = complaint_lines(2000, every=True, nested=True)
    run = Run(bundle)
    before = [(row[2], dict(row[7])) for row in run.read(numbered(log)).rows]
    again = Run(bundle)
    reading = again.read(numbered(log))
    again.take(reading)
    again.finish()
    assert [(row[2], row[7]) for row in reading.rows] == before


def test_numbered_lines_are_a_sequence() -> None:
    (lines,) = intake.numbered_lines([b"a\nb\nc\n"])
    assert list(lines) == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert (len(lines), lines[0], lines[-1], lines[1:]) == (3, (1, b"a"), (3, b"c"), [(2, b"b"), (3, b"c")])
    with pytest.raises(IndexError):
        lines[3]
