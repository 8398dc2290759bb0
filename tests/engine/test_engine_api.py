"""The library as a program embeds it: what it takes, what it refuses, and in which words."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import carepolicy
from stories import event, write_set

FLOW = """\
    flow: order
    version: 1
    title: An order
    purpose: Orders are paid.
    owner: care_lead
    events:
      placed: {title: Placed, by: customer, carries: {optional: [order.total]}}
    states:
      dear: {title: Dear, final: dear}
      open:
        title: Open
        start_on: placed
        on: {placed: {when: order.total > 100, to: dear}}
"""


@pytest.fixture
def engine(tmp_path: Path) -> carepolicy.Engine:
    return carepolicy.load(write_set(tmp_path, FLOW)).engine()


def test_events_are_objects_or_lines_and_blank_lines_are_left_out(engine: carepolicy.Engine) -> None:
    line = '{"id":"1","source":"/s","type":"placed","subject":"x","time":"2026-03-02T09:00:00Z"}\n'
    records = list(engine.run([line, "\n", b"", event("placed", "2026-03-02T10:00:00", "y")]))
    assert [each["type"] for each in records] == ["carepolicy.case.opened"] * 2


def test_money_may_come_as_decimals(engine: carepolicy.Engine) -> None:
    events = [event("placed", "2026-03-02T09:00:00"), event("placed", "2026-03-02T10:00:00")]
    events[1]["data"] = {"order.total": Decimal("100.01")}
    assert [each["type"] for each in engine.run(events)][-1] == "carepolicy.case.closed"
    events[1]["data"] = {"order.total": object()}
    with pytest.raises(TypeError, match="not JSON serializable: object"):
        list(engine.run(events))


def test_wrong_use_is_refused_at_once_and_in_words(engine: carepolicy.Engine, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not one text"):
        engine.run("events.jsonl")
    with pytest.raises(ValueError, match="needs a time zone"):
        engine.run([], until=datetime(2026, 3, 2))
    with pytest.raises(ValueError, match="cannot be negative"):
        carepolicy.load(tmp_path).engine(lateness=timedelta(minutes=-5))
    with pytest.raises(carepolicy.PolicyErrors, match="has 1 error: CP115 there is no folder") as caught:
        carepolicy.load(tmp_path / "nowhere")
    assert [each.code for each in caught.value.findings] == ["CP115"]


def test_the_public_names_are_the_ones_that_are_listed() -> None:
    assert dir(carepolicy) == sorted(carepolicy.__all__)
