"""Whatever a line holds ends in records or in a dead letter, and the other lines are as they would be without it."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepolicy.engine.intake import numbered_lines
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from laws import examples
from shops import SHOP

HERE = Path(__file__).resolve()
CASES = yaml.safe_load(HERE.with_name("hostile.yaml").read_text(encoding="utf-8"))
END = 4_070_908_800_000_000
"""The year 2099: late enough for all timers of the good lines."""


class Came(NamedTuple):
    """What came of some lines: records (as texts), dead letters."""

    records: list[str]
    dead: list[dict[str, Any]]


@cache
def policies() -> Bundle:
    return compile_folder(SHOP)


def event(number: str, kind: str, at: str, subject: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "specversion": "1.0",
        "id": number,
        "source": "/test",
        "type": kind,
        "subject": subject,
        "time": at,
    }
    return said if data is None else {**said, "data": data}


GOOD = [
    event("1", "order_placed", "2026-03-02T10:00:00+00:00", "a", {"order.ship_by": "2026-03-05T12:00:00Z"}),
    event("2", "payment_authorised", "2026-03-02T10:05:00+00:00", "a"),
    event("3", "email_received", "2026-03-02T11:00:00+00:00", "b", {"customer": {"email": "b@example.org"}}),
    event("4", "reply_sent", "2026-03-03T09:00:00+00:00", "b", {"inquiry.topic": "delivery"}),
    event("5", "handed_to_carrier", "2026-03-06T09:00:00+00:00", "a", {"order.carrier": "Northway"}),
    event("6", "complaint_received", "2026-03-06T10:00:00+00:00", "c", {"customer.email": "c@example.org"}),
]
BAD = event("bad", "order_placed", "2026-03-02T10:00:00+00:00", "zz-bad", {"customer.email": "z@example.org"})


def came_of(lines: list[bytes], *, reveal: bool = False, end: int | None = END) -> Came:
    run = Run(policies(), reveal)
    with OrderedRun(run) as ordered:
        text = "".join(ordered.feed(block) for block in numbered_lines([b"\n".join(lines) + b"\n"]))
        text += "".join(ordered.finish(end))
    return Came([each for each in text.split("\n") if each], [orjson.loads(each) for each in ordered.dead])


@cache
def without(reveal: bool) -> Counter[str]:
    came = came_of([orjson.dumps(each) for each in GOOD], reveal=reveal)
    assert came.dead == []
    return Counter(came.records)


def among_good_ones(bad: bytes, place: int, reveal: bool = False) -> Came:
    """What came of a bad line alone; that of the good ones around it is as it is without."""
    lines = [orjson.dumps(each) for each in GOOD]
    came = came_of([*lines[:place], bad, *lines[place:]], reveal=reveal)
    counted = Counter(came.records)
    assert counted >= without(reveal)
    assert all(each["line"] == place + 1 and each["code"].startswith("CP9") and each["reason"] for each in came.dead)
    return Came(list((counted - without(reveal)).elements()), came.dead)


def line_of(case: dict[str, Any]) -> bytes:
    if "line" in case:
        return str(case["line"]).encode()
    changed = {**BAD, **case.get("attribute", {}), **({"data": case["data"]} if "data" in case else {})}
    changed |= {name: letter * times for name, (letter, times) in case.get("repeated", {}).items()}
    return json.dumps(changed).encode()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_hostile_line_ends_as_it_should(case: dict[str, Any]) -> None:
    came = among_good_ones(line_of(case), 3)
    if "taken" in case:
        assert came.dead == []
        opened = orjson.loads(came.records[0])
        assert (opened["type"], opened["time"]) == ("carepolicy.case.opened", case["taken"])
    else:
        (letter,) = came.dead
        assert letter["code"] == case["code"]
        assert case["reason"] in letter["reason"]
        assert [orjson.loads(each)["type"] for each in came.records] == ["carepolicy.event.rejected"]


@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        orjson.dumps(BAD)[:-2] + b',"a":' + b'{"b":' * 900 + b"1" + b"}" * 902,
        orjson.dumps(BAD)[:-2] + b',"a":' + b"[" * 900 + b"]" * 900 + b"}}",
        orjson.dumps({**BAD, "data": {"k" * 900_000: 1}}),
        orjson.dumps({**BAD, "type": "k" * 900_000}),
        orjson.dumps({**BAD, "id": "k" * 900_000}),
        orjson.dumps({**BAD, "source": "k" * 900_000}),
        orjson.dumps({**BAD, "subject": "k" * 900_000, "type": "unknown"}),
        orjson.dumps({**BAD, "data": {"customer.email": "x" * 10_000_000}}),
        orjson.dumps(BAD).replace(b"zz-bad", b"zz\x00bad"),
        b"\xff\xfe" + orjson.dumps(BAD),
    ],
    ids=[
        "open",
        "nested",
        "names",
        "lists",
        "long name",
        "long type",
        "long id",
        "long source",
        "long subject",
        "10 MB",
        "NUL",
        "UTF-16",
    ],
)
def test_a_line_that_is_deep_long_or_no_text_is_one_short_dead_letter(line: bytes, reveal: bool) -> None:
    came = among_good_ones(line, 2, reveal)
    assert len(came.dead) == 1
    assert len(came.dead[0]["reason"]) < 300
    assert all(len(each) < 2000 for each in came.records)


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    line = orjson.dumps(BAD).replace(b'"subject":"zz-bad"', b'"subject":"other","subject":"zz-last"')
    came = among_good_ones(line, 1)
    assert {orjson.loads(each)["subject"] for each in came.records} == {"zz-last"}


def test_time_that_runs_backwards_is_a_dead_letter() -> None:
    lines = [*GOOD[:2], {**GOOD[4], "id": "late", "time": "2026-03-01T09:00:00+00:00"}]
    came = came_of([orjson.dumps(each) for each in lines])
    assert [(each["line"], each["code"]) for each in came.dead] == [(3, "CP908")]


def test_what_falls_due_after_the_years_of_calendars_never_does() -> None:
    never = {"order.ship_by": "9999-12-31T23:59:59Z", "order.projected_delivery": "9999-12-31T00:00:00Z"}
    lines = [{**GOOD[0], "data": never}, GOOD[1], GOOD[4]]
    came = came_of([orjson.dumps(each) for each in lines])
    started = {
        record["data"]["clock"]: record["data"].get("due")
        for record in map(orjson.loads, came.records)
        if record["type"] == "carepolicy.clock.started"
    }
    assert started["shipping"] == "9999-12-31T23:59:59+00:00"
    assert started["delivery"] is None
    assert came.dead == []


def test_what_fell_due_before_all_calendars_is_late_at_once() -> None:
    before = {"order.ship_by": "0001-01-01T00:00:00Z", "order.projected_delivery": "0001-01-01T00:00:00Z"}
    lines = [{**GOOD[0], "data": before}, GOOD[1], GOOD[4]]
    came = came_of([orjson.dumps(each) for each in lines], end=None)
    late = [r["data"]["clock"] for r in map(orjson.loads, came.records) if r["type"] == "carepolicy.clock.late"]
    assert late == ["shipping", "delivery"]


def test_a_round_may_count_from_before_all_calendars() -> None:
    received = {**GOOD[5], "data": {"complaint.received_at": "0001-01-01T00:00:00Z"}}
    acknowledged = event(
        "7", "complaint_acknowledged", "2026-03-06T10:05:00+00:00", "c", {"complaint.remedy_sought": "x"}
    )
    data = {"complaint.cause": "other", "complaint.remedy": "x"}
    solved = event("8", "solved_at_once", "2026-03-06T10:10:00+00:00", "c", data)
    came = came_of([orjson.dumps(each) for each in (received, acknowledged, solved)], end=None)
    late = [r["data"]["clock"] for r in map(orjson.loads, came.records) if r["type"] == "carepolicy.clock.late"]
    assert late == ["summary"]


HOSTILE = [
    *(each for case in CASES for each in (*case.get("attribute", {}).values(), *case.get("data", {}).values())),
    *("", " ", "\x00", "\u2028", "\x1b[31m", "4111 1111 1111 1111", "x" * 500, "٣", "carepolicy.merge", "a\nb"),
    *(None, True, 0, -1, 1.5, 1 << 62, 10**30, [], {}, [[[]]], {"": {"": ""}}, {"into": "zz-bad"}),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A line that was a good event: an attribute or fact changed, then perhaps bytes of it."""
    said: dict[str, Any] = {**BAD, "type": draw(st.sampled_from(["order_placed", "email_received", "reply_sent"]))}
    facts = {name: draw(st.sampled_from(HOSTILE)) for name in draw(st.sets(st.sampled_from(sorted(FACTS)), max_size=3))}
    said["data"] = {**BAD["data"], **facts}
    changes = st.sampled_from(["id", "source", "type", "subject", "time", "data", "specversion", "more"])
    for name in draw(st.sets(changes, max_size=2)):
        said[name] = draw(st.sampled_from(HOSTILE))
    line = json.dumps(said).encode()
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(len(line), start + 20)))
        line = line[:start] + draw(st.binary(max_size=4) | st.sampled_from(SPLICES)) + line[end:]
    return line.replace(b"\n", b" ")


FACTS = ("customer.email", "customer.tier", "order.total", "order.ship_by", "order.estimated", "customer", "order", "x")
SPLICES = [
    b"\\ud800",
    b"\\u0000",
    b"\x00",
    b"[" * 2000,
    b"1e400",
    b"NaN",
    b'"id":"another",',
    b'"',
    b"}",
    b"\r",
    b"\xff",
]


def holds_for(line: bytes, place: int, reveal: bool) -> None:
    came = among_good_ones(line, place, reveal)
    if line.strip():
        assert came.records
        rejected = [each for each in map(orjson.loads, came.records) if ".event." in each["type"]]
        assert len(came.dead) >= len(rejected)
    for each in came.records:
        assert orjson.loads(each)["subject" if "flow" in orjson.loads(each) else "id"]


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(mutated(), st.integers(0, len(GOOD)), st.booleans())
def test_a_mutated_line_changes_nothing_for_the_others(line: bytes, place: int, reveal: bool) -> None:
    holds_for(line, place, reveal)


@pytest.mark.soak
@settings(max_examples=examples(20_000), suppress_health_check=list(HealthCheck))
@given(mutated(), st.integers(0, len(GOOD)), st.booleans())
def test_many_mutated_lines_change_nothing_for_the_others(line: bytes, place: int, reveal: bool) -> None:
    holds_for(line, place, reveal)
