"""The library as a program embeds it: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import carepolicy
from carepolicy.engine.history.log import read_record
from carepolicy.engine.record import ClockData
from complaint_events import lines as complaints
from shops import BAD_EVENTS, EVENTS, SHOP
from stories import event, write_set

COMPLAINTS = Path(__file__).parents[2] / "benchmarks" / "complaints"

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


def test_records_come_as_values_and_behind_each_event_where_nothing_can_come_before_them(
    engine: carepolicy.Engine,
) -> None:
    asked = []

    def events() -> Iterator[dict[str, Any]]:
        for number in range(3):
            asked.append(number)
            yield event("placed", f"2026-03-02T0{number + 1}:00:00", f"s-{number}")

    records = engine.records(events())
    first = next(records)
    assert (first.kind, first.subject, first.sequence, first.data["state"]) == ("case.opened", "s-0", 1, "open")
    assert asked == [0]
    assert [each.subject for each in records] == ["s-1", "s-2"]


def test_events_of_the_cloudevents_package_are_taken(engine: carepolicy.Engine) -> None:
    package = pytest.importorskip("cloudevents.core.v1.event", reason="pip install cloudevents")
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    attributes = {"id": "1", "source": "/s", "specversion": "1.0", "type": "placed", "subject": "x", "time": at}
    attributes |= {"datacontenttype": "application/json"}
    taken = package.CloudEvent(attributes=attributes, data={"order.total": 120})
    plain = {**attributes, "time": at.isoformat(), "data": {"order.total": 120}}
    assert list(engine.run([taken])) == list(engine.run([plain]))


def test_a_set_can_be_pickled_and_works_as_before(tmp_path: Path) -> None:
    policies = carepolicy.load(write_set(tmp_path, FLOW))
    events = [event("placed", "2026-03-02T09:00:00")]
    again = pickle.loads(pickle.dumps(policies))
    assert list(again.engine().run(events)) == list(policies.engine().run(events))
    assert again.flows.keys() == policies.flows.keys()
    assert list(pickle.loads(pickle.dumps(policies)).engine().run(events)) == list(policies.engine().run(events))


def test_a_check_gives_the_findings(tmp_path: Path) -> None:
    sound = write_set(tmp_path / "sound", FLOW)
    wrong = write_set(tmp_path / "wrong", FLOW.replace("to: dear", "to: deer"))
    assert [each for each in carepolicy.check(sound) if each.code == "CP203"] == []
    (found,) = [each for each in carepolicy.check(wrong) if each.code == "CP203"]
    assert isinstance(found, carepolicy.Finding)
    assert (found.place.file, found.hint) == ("flows/order.yaml", 'did you mean "dear"?')


def test_all_names_of_the_public_api_are_there() -> None:
    assert sorted(carepolicy.__all__) == dir(carepolicy)
    assert all(getattr(carepolicy, name) is not None for name in carepolicy.__all__)
    with pytest.raises(AttributeError, match="no attribute 'opne_store'"):
        carepolicy.opne_store  # noqa: B018


def test_records_are_the_engines_own_and_the_same_as_those_read_from_its_lines() -> None:
    """Those of the demo wait in a file until all lines are read, as the set has watches."""
    bad = BAD_EVENTS.read_bytes().splitlines()
    for folder, lines in ((SHOP, EVENTS.read_bytes().splitlines()), (COMPLAINTS, [*complaints(60)])):
        policies = carepolicy.load(folder)
        records = [*policies.engine().records([*lines, *bad])]
        assert records == [read_record(json.dumps(each).encode()) for each in policies.engine().run([*lines, *bad])]
        assert {"event.rejected", "clock.started"} < {each.kind for each in records}
    assert all(isinstance(each.data, ClockData) for each in records if each.kind == "clock.started")
