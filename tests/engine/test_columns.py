"""Lines read a block at a time give what they give one by one, whatever is in them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.engine import plainlines
from carepolicy.engine.columns import Columns
from carepolicy.engine.instants import microseconds, parse, read_instant, text_of
from carepolicy.engine.lines import Lines
from carepolicy.engine.ordered import OrderedRun
from carepolicy.engine.stream import Run
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
        within = event.setdefault("data", {}) if "." in place or place in ("customer", "into", "other") else event
        if not isinstance(within, dict):
            continue
        if draw(st.integers(0, 4)) == 0:
            within.pop(place, None)
        else:
            within[place] = value
        log[at] = orjson.dumps(event) if value != 10**30 else repr(event).replace("'", '"').encode()
    return log


def written(bundle: Bundle, blocks: list[list[bytes]]) -> tuple[str, list[str], int, int, dict[str, int]]:
    """All records and dead letters of a run over blocks of lines, with its counts."""
    text, number = "", 1
    with OrderedRun(Run(bundle)) as run:
        for block in blocks:
            text += run.feed(Lines(number, block))
            number += len(block)
        text += "".join(run.finish(LATER))
        return text, run.dead, run.records_written, run.open_cases, run.tally


@given(st.data())
@settings(max_examples=examples(75))
def test_a_block_of_lines_gives_what_its_lines_give_one_by_one(bundle: Bundle, data: st.DataObject) -> None:
    log = data.draw(logs_with_faults())
    cut = data.draw(st.integers(0, len(log)))
    one_by_one = written(bundle, [[line] for line in log])
    assert written(bundle, [log]) == one_by_one
    assert written(bundle, [block for block in (log[:cut], log[cut:]) if block]) == one_by_one


def test_a_log_without_faults_is_read_in_columns(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*args: object) -> None:
        raise AssertionError("a plain line was read alone")

    run = Run(bundle)
    monkeypatch.setattr(run.intake, "read", unexpected)
    run.feed_directly(Lines(1, complaint_lines(3000)))
    assert run.read_events == 3000


@pytest.mark.parametrize("ending", ["Z", "+02:00", ".250+00:00"])
def test_times_that_are_written_in_another_way_are_read_in_columns_too(bundle: Bundle, ending: str) -> None:
    said = f"2026-01-05T08:00:00{ending}"
    log = [line.replace(b"2026-01-05T08:00:00+00:00", said.encode()) for line in complaint_lines(20)]
    run = Run(bundle)
    found = Columns(run.intake, bundle).read(range(20), log)
    assert found is not None
    own = text_of(parse(said))
    assert next(iter(found[1]))[3] == own != said


def test_ids_of_a_block_that_is_not_taken_stay_unknown(bundle: Bundle) -> None:
    log = complaint_lines(20)
    run = Run(bundle)
    columns = Columns(run.intake, bundle)
    assert columns.read(range(21), [*log, b"{}"]) is None
    assert not run.intake.seen
    assert columns.read(range(20), log) is not None
    assert columns.read(range(20), log) is None


def test_one_fault_among_many_lines_leaves_few_of_them_to_be_read_alone(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = complaint_lines(1000)
    log[500] = b"{"
    run = Run(bundle)
    alone = []
    read = run.intake.read
    monkeypatch.setattr(run.intake, "read", lambda number, line: alone.append(number) or read(number, line))
    run.feed_directly(Lines(1, log))
    assert 501 in alone
    assert len(alone) <= 2 * plainlines.FEW


@given(st.integers(parse("1970-01-01T00:00:00+00:00"), parse("2150-12-31T23:59:59.999999+00:00")))
def test_the_instant_of_an_event_is_read_from_its_own_text(instant: int) -> None:
    assert read_instant(text_of(instant)) == (instant, text_of(instant))


@given(st.integers(parse("0001-01-02T00:00:00+00:00"), parse("9999-12-30T00:00:00+00:00")))
def test_an_instant_of_any_year_has_the_text_that_python_gives_it(instant: int) -> None:
    assert parse(text_of(instant)) == instant
    assert datetime.fromisoformat(text_of(instant)).isoformat() == text_of(instant)
