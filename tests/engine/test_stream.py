"""Streams: the same events give the same bytes, however they are mixed and by however many processes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import orjson
import pytest

from carepolicy.engine.intake import numbered_lines
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.parallel import ParallelRun
from carepolicy.engine.record import Known, ProgramId, Record
from carepolicy.engine.run import Run, in_order_of_time
from carepolicy.machine.bundle import compile_folder, from_bytes, to_bytes
from carepolicy.machine.program import Bundle
from stories import event, write_set

HERE = Path(__file__).resolve()
BENCHMARK = HERE.parents[2] / "benchmarks"

ORDER = """\
    flow: order
    version: 1
    title: An order
    purpose: Orders arrive.
    owner: care_lead
    events:
      placed: {title: Placed, by: customer, carries: {optional: [customer.name, complaint.cause]}}
      complained: {title: A complaint, by: customer, carries: {optional: [complaint.cause, customer.name]}}
      delivered: {title: Delivered, by: carrier}
    states:
      open:
        title: Open
        start_on: placed
        owner: care_agent
        on:
          complained: {raise: {event: client_complained, subject: customer.name,
            data: {complaint.cause: complaint.cause}}}
          delivered: done
        after: {10 days: done}
      done: {title: Done, final: delivered}
"""

CLIENT = """\
    flow: client
    version: 1
    title: A client
    purpose: Clients are looked after.
    owner: care_lead
    subject: customer.name
    events:
      client_complained: {title: A client complained, by: system, carries: {optional: [complaint.cause, customer.name]}}
      placed: {title: Placed, by: customer, carries: {optional: [customer.name]}}
    states:
      known:
        title: Known
        start_on: placed
        owner: care_agent
        on: {client_complained: at_risk, placed: {note: seen}}
      at_risk: {title: At risk, owner: care_lead, on: {client_complained: {note: again}, placed: {note: seen}}}
"""

PROBLEM = """\
    flow: problem
    version: 1
    title: A chronic problem
    purpose: Causes are found.
    owner: care_lead
    events:
      chronic_problem_found: {title: Found, by: system, carries: {optional: [complaint.cause]}}
    states:
      suspected: {title: Suspected, start_on: chronic_problem_found, owner: care_lead, after: {10 years: dropped}}
      dropped: {title: Dropped, final: dropped}
"""

WATCH = """\
    watches:
      repeated_cause: {count: complained, by: complaint.cause, reaches: 2, within: 30 days,
        raise: chronic_problem_found}
"""


def run_lines(bundle: Bundle, lines: list[bytes], workers: int = 1, lateness: int = 0) -> str:
    run = Run(bundle, False, lateness) if workers == 1 else ParallelRun(bundle, False, lateness, workers)
    with OrderedRun(run) as ordered:
        text = "".join(ordered.feed(block) for block in numbered_lines([b"".join(lines)]))
        return text + "".join(ordered.finish(None))


@pytest.fixture(scope="module")
def complaints() -> Bundle:
    return compile_folder(str(BENCHMARK / "complaints"))


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    import sys

    sys.path.insert(0, str(BENCHMARK))
    from complaint_events import lines

    return lines(3000)


def records(text: str) -> list[str]:
    return sorted(text.splitlines())


def test_a_second_run_gives_the_same_bytes(complaints: Bundle, lines: list[bytes]) -> None:
    assert run_lines(complaints, lines) == run_lines(complaints, lines)


def test_a_bundle_from_bytes_gives_the_same_bytes(complaints: Bundle, lines: list[bytes]) -> None:
    again = from_bytes(to_bytes(complaints))
    assert run_lines(again, lines) == run_lines(complaints, lines)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_workers(complaints: Bundle, lines: list[bytes], workers: int) -> None:
    broken = [*lines[:500], b"{not json\n", lines[10], *lines[500:]]
    assert run_lines(complaints, broken, workers) == run_lines(complaints, broken)


def test_a_log_sorted_by_case_gives_the_same_records_as_one_sorted_by_time(
    complaints: Bundle, lines: list[bytes]
) -> None:
    by_case = sorted(lines, key=lambda line: (orjson.loads(line)["subject"], orjson.loads(line)["time"]))
    assert records(run_lines(complaints, by_case)) == records(run_lines(complaints, lines))


def test_lateness_sorts_what_arrives_out_of_order(complaints: Bundle, lines: list[bytes]) -> None:
    few = lines[:600]
    rng = random.Random(3)
    mixed = list(few)
    for i in range(0, len(mixed) - 4, 4):
        part = mixed[i : i + 4]
        rng.shuffle(part)
        mixed[i : i + 4] = part
    hour = 3_600_000_000
    assert records(run_lines(complaints, mixed, lateness=2000 * hour)) == records(run_lines(complaints, few))


def test_records_stand_in_the_order_of_the_lines_that_caused_them(complaints: Bundle, lines: list[bytes]) -> None:
    opened = [
        record["subject"]
        for record in map(orjson.loads, run_lines(complaints, lines[:400]).splitlines())
        if record["type"] == "carepolicy.case.opened"
    ]
    expected = [read["subject"] for read in map(orjson.loads, lines[:400]) if read["type"] == "complaint_received"]
    assert opened == expected


@pytest.fixture
def strata(tmp_path: Path) -> Bundle:
    return compile_folder(str(write_set(tmp_path, ORDER, CLIENT, PROBLEM, extra=WATCH)))


def of(subject: str, kind: str, at: str, **data: str) -> bytes:
    named = {name.replace("_", ".", 1): value for name, value in data.items()}
    return (
        json.dumps(event(kind, at, subject=subject, data=named or None, id=f"{subject}-{kind}-{at}")).encode() + b"\n"
    )


def two_orders() -> list[bytes]:
    return [
        of("o-1", "placed", "2026-03-02T09:00:00", customer_name="Ada"),
        of("o-2", "placed", "2026-03-02T10:00:00", customer_name="Ada"),
        of("o-1", "complained", "2026-03-03T09:00:00", complaint_cause="late"),
        of("o-2", "complained", "2026-03-04T09:00:00", complaint_cause="late"),
    ]


def test_a_raised_event_reaches_the_case_of_its_key(strata: Bundle) -> None:
    found = [json.loads(line) for line in run_lines(strata, two_orders()).splitlines()]
    moved = [each for each in found if each["type"] == "carepolicy.case.moved"]
    assert [(each["flow"], each["subject"], each["time"][:10]) for each in moved] == [("client", "Ada", "2026-03-03")]


def test_a_watch_raises_when_its_number_is_reached_and_tells_the_cause(strata: Bundle) -> None:
    found = [json.loads(line) for line in run_lines(strata, two_orders()).splitlines()]
    opened = [each for each in found if each["flow"] == "problem" and each["type"] == "carepolicy.case.opened"]
    assert [(each["subject"], each["time"][:10]) for each in opened] == [("late", "2026-03-04")]


def test_strata_give_the_same_records_for_every_order_of_subjects_and_number_of_workers(strata: Bundle) -> None:
    lines = two_orders()
    by_case = [lines[0], lines[2], lines[1], lines[3]]
    assert records(run_lines(strata, by_case)) == records(run_lines(strata, lines))
    assert run_lines(strata, lines, workers=2) == run_lines(strata, lines)


def test_what_falls_due_at_the_end_is_in_the_order_of_time_then_subject() -> None:
    given = [
        Record(ProgramId(flow, 1, "/shop"), subject, sequence, "case.opened", when, Known(state="open"))
        for when, subject, flow, sequence in (
            ("2026-03-02T09:00:00.500000+00:00", "a", "f", 1),
            ("2026-03-02T09:00:00+00:00", "b", "f", 10),
            ("2026-03-02T09:00:00+00:00", "b", "f", 9),
            ("2026-03-02T09:00:00+00:00", "a", "g", 3),
        )
    ]
    told = in_order_of_time(given)
    assert [(each.subject, each.sequence) for each in told] == [("a", 3), ("b", 9), ("b", 10), ("a", 1)]


def test_a_block_that_ends_in_the_middle_of_a_line_loses_nothing() -> None:
    text = b"\xef\xbb\xbf" + b"".join(b'{"line": %d}\r\n' % number for number in range(50)) + b'{"line": 50}'
    for size in (1, 7, 64, 10_000):
        blocks = [text[i : i + size] for i in range(0, len(text), size)]
        found = [line for block in numbered_lines(blocks) for line in block]
        assert [json.loads(line)["line"] for _, line in found] == list(range(51))
        assert [number for number, _ in found] == list(range(1, 52))


def test_a_line_of_ten_megabytes_is_cut_and_the_next_is_whole() -> None:
    text = b'{"a":"' + b"x" * 10_000_000 + b'"}\n{"b":1}\n'
    blocks = [text[i : i + 65536] for i in range(0, len(text), 65536)]
    found = [line for block in numbered_lines(blocks) for line in block]
    assert [number for number, _ in found] == [1, 2]
    assert len(found[0][1]) < 1_200_000
    assert found[1][1] == b'{"b":1}'


def test_a_line_of_white_space_is_left_out_whatever_block_it_comes_in() -> None:
    text = b'{"a":1}\n   \n{"b":2}\n\t\r\n\r\n\n {"c":3}\n  '
    whole = [line for block in numbered_lines([text]) for line in block]
    assert whole == [(1, b'{"a":1}'), (3, b'{"b":2}'), (7, b' {"c":3}')]
    for size in range(1, len(text)):
        blocks = [text[at : at + size] for at in range(0, len(text), size)]
        assert [line for block in numbered_lines(blocks) for line in block] == whole
