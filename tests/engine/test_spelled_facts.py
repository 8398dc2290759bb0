"""Facts of type phone and email, and facts with bounds: what events bring of them, and what guards say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.checks import check_folder
from carepolicy.engine import codes
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.policy.findings import Severity

LATER = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 1_000_000
ORGANISATION = """
organisation: Try shop
timezone: Europe/London
languages: [en]
roles: {agent: {title: Agent, people: [Aoife], may_see: [customer.phone]}}
channels: {phone: {title: Phone, address: "+44 20 7946 0000", to: customer.phone}}
facts:
  customer.phone: {type: phone, private: true, title: Phone}
  caller.phone: {type: phone, default: 020 7946 0999, title: Phone that calls}
  customer.phones: {type: list of phone, private: true, title: Phones}
  customer.email: {type: email, private: true, title: Address}
  order.items: {type: number, min: 1, max: 10, title: Items}
  order.fee: {type: money, currency: GBP, min: 0, max: 99.90, title: Fee}
  order.sizes: {type: list of number, max: 5, title: Sizes}
  order.number: {type: text, private: true, pattern: '[A-Z]{2}[0-9]{6}', title: Number}
watches: {often: {count: rang, by: caller.phone, reaches: 3, within: 1 day, raise: too_often}}
"""
FLOW = """
flow: call
version: 1
owner: agent
subject: caller.phone
events:
  rang:
    title: The customer rings
    by: customer
    carries:
      required: [caller.phone]
      optional: [customer.phone, customer.phones, customer.email, order.items, order.fee, order.sizes, order.number]
states:
  open:
    title: Open
    owner: agent
    start_on: rang
    channel: phone
    enter: {send: ring_back}
    on:
      rang:
        - {when: 'GUARD', to: known, tell: {role: agent, say: "{caller.phone} rang"}}
        - {tell: {role: agent, say: "It rang again"}}
  known: {title: Known, on: {rang: done}}
  done: {title: Done, final: done}
"""
ALARM = """
flow: alarm
version: 1
owner: agent
subject: caller.phone
events: {too_often: {title: Somebody rings too often, by: system, carries: {optional: [caller.phone]}}}
states: {new: {title: New, start_on: too_often, after: {1 day: {to: done}}}, done: {title: Done, final: done}}
"""
MESSAGES = 'language: en\nmessages: {ring_back: {subject: We ring back, text: "We ring back {customer.phone}."}}\n'


def policies(root: Path, guard: str = 'customer.phone == "020 7946 0123"') -> Path:
    files = {
        "organisation.yaml": ORGANISATION, "flows/call.yaml": FLOW.replace("GUARD", guard), "flows/alarm.yaml": ALARM,
        "messages/en.yaml": MESSAGES,
    }  # fmt: skip
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policies(tmp_path_factory.mktemp("calls"))


def ring(number: int, data: dict[str, Any]) -> bytes:
    event = {
        "specversion": "1.0", "id": str(number), "source": "/tests", "type": "rang", "subject": f"s-{number}",
        "time": f"2026-03-02T10:{number:02}:00+00:00", "data": {"caller.phone": "+44 20 7946 0555", **data},
    }  # fmt: skip
    return json.dumps(event).encode()


def run(folder: Path, *data: dict[str, Any], reveal: bool = False) -> tuple[list[Any], list[Any]]:
    """The records and the dead letters of events with this data."""
    ordered = OrderedRun(Run(compile_folder(str(folder)), reveal))
    lines = [(n, ring(n, each)) for n, each in enumerate(data, 1)]
    records = ordered.feed(lines) + "".join(ordered.finish(LATER))
    return [orjson.loads(line) for line in records.splitlines()], [orjson.loads(line) for line in ordered.dead]


def kinds(records: list[Any]) -> list[str]:
    return [each["type"].removeprefix("carepolicy.") for each in records]


def test_the_set_has_no_error(folder: Path) -> None:
    _, findings = check_folder(folder)
    assert [each for each in findings if each.severity is Severity.ERROR] == []


def test_a_number_that_is_written_in_four_ways_is_one_case_and_one_customer_for_a_watch(folder: Path) -> None:
    ways = ("+44 20 7946 0555", "+442079460555", "020 7946 0555", "+44 (0)20-7946-0555")
    records, letters = run(folder, *({"caller.phone": each} for each in ways))
    assert letters == []
    opened = [each for each in records if each["type"] == "carepolicy.case.opened"]
    assert [(each["flow"], each["subject"]) for each in opened] == [
        ("call", "+442079460555"), ("alarm", "+442079460555"),
    ]  # fmt: skip


def test_a_number_in_a_guard_is_compared_as_it_is_meant_and_told_as_people_read_it(folder: Path) -> None:
    records, letters = run(folder, {}, {"customer.phone": "+44-20-7946-0123"})
    assert letters == []
    told = [each["data"]["text"] for each in records if each["type"] == "carepolicy.notice.requested"]
    assert told == ["020 7946 0555 rang"]


@pytest.mark.parametrize("revealed", [False, True])
def test_a_private_number_is_masked_and_told_to_its_customer_only(folder: Path, revealed: bool) -> None:
    records, _ = run(folder, {"customer.phone": "0044 20 7946 0123"}, reveal=revealed)
    message = next(each["data"] for each in records if each["type"] == "carepolicy.message.requested")
    if revealed:
        assert (message["to"], message["text"]) == ("+442079460123", "We ring back 020 7946 0123.")
    else:
        assert (message["to"], message["text"]) == ("***", "We ring back ***.")


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        ({"customer.phone": "nobody 12"}, codes.WRONG_TYPE, "customer.phone: a telephone number is expected"),
        ({"customer.phone": 442079460123}, codes.WRONG_TYPE, "customer.phone: a telephone number is expected"),
        ({"customer.phones": ["020 7946 0123", "7"]}, codes.WRONG_TYPE, "customer.phones: a telephone number"),
        ({"customer.phone": "4222 2222 2222 2"}, codes.WRONG_TYPE, "customer.phone: a telephone number"),
        ({"customer.email": "Ada <ada@example.org>"}, codes.WRONG_TYPE, "customer.email: an address of e-mail is"),
        ({"customer.email": "4111111111111111@example.org"}, codes.NAMES_CARD, "customer.email: this value holds a"),
        ({"order.items": 0}, codes.BOUNDS, "order.items: at least 1 is expected"),
        ({"order.items": 10.5}, codes.BOUNDS, "order.items: at most 10 is expected"),
        ({"order.items": 10**16}, codes.BOUNDS, "order.items: at most 10 is expected"),
        ({"order.fee": "99.91"}, codes.BOUNDS, "order.fee: at most 99.90 is expected"),
        ({"order.fee": -1}, codes.BOUNDS, "order.fee: at least 0 is expected"),
        ({"order.sizes": [1, 6]}, codes.BOUNDS, "order.sizes: at most 5 is expected"),
        ({"order.number": "AB1234567"}, codes.BOUNDS, "order.number: a text that [A-Z]{2}[0-9]{6} matches is expected"),
        ({"order.number": "xAB123456"}, codes.BOUNDS, "order.number: a text that [A-Z]{2}[0-9]{6} matches is expected"),
    ],
)  # fmt: skip
def test_a_value_that_a_fact_does_not_allow_is_rejected_and_not_shown(
    folder: Path, data: dict[str, Any], code: str, reason: str
) -> None:
    records, letters = run(folder, data)
    assert kinds(records) == ["event.rejected"]
    told = records[0]["data"]
    assert (told["code"], letters[0]["code"]) == (code, code)
    assert told["reason"].startswith(reason)
    value = next(iter(data.values()))
    assert not (isinstance(value, str) and value in told["reason"])
    private = {name for name in data if not name.startswith("order.") or name == "order.number"}
    assert all(letters[0]["event"]["data"][name] == "***" for name in private)


def test_what_is_within_the_bounds_is_taken_and_nothing_is_said_of_cards(folder: Path) -> None:
    data = {
        "order.items": 10, "order.fee": "99.90", "order.sizes": [], "order.number": "AB123456",
        "customer.phones": ["020 7946 0123", "+49 1512 3456789"], "customer.email": "ADA@Example.org",
    }  # fmt: skip
    records, letters = run(folder, data)
    assert letters == []
    assert kinds(records)[0] == "case.opened"


@pytest.mark.parametrize(
    ("guard", "code", "says"),
    [
        ('customer.phone == "12"', "CP213", '"12" is no telephone number'),
        ('customer.email == "ada"', "CP213", '"ada" is no address of e-mail'),
        ('"Ada" != customer.email', "CP213", '"Ada" is no address of e-mail'),
        ('customer.phone in ["020 7946 0123", "99"]', "CP213", '"99" is no telephone number'),
        ('"99" in customer.phones', "CP213", '"99" is no telephone number'),
        ("customer.phone == order.number", "CP212", "a telephone number is compared with a text"),
        ("customer.phone == customer.email", "CP212", "a telephone number is compared with an address of e-mail"),
        ("customer.phone == 442079460123", "CP212", "a telephone number is compared with a number"),
        ("order.items > 10", "CP308", ""),
        ("order.fee < 0", "CP308", ""),
        ("event.order.items > order.items + 9", "CP308", ""),
    ],
)
def test_a_guard_that_cannot_be_meant_is_found(tmp_path: Path, guard: str, code: str, says: str) -> None:
    _, findings = check_folder(policies(tmp_path, guard))
    assert code in [each.code for each in findings]
    assert says in "; ".join(each.message for each in findings)


@pytest.mark.parametrize(
    ("guard", "data", "holds"),
    [
        ('customer.phone in ["01 23 45 67 89", "+44 (0)20 7946 0123"]', {"customer.phone": "020 7946 0123"}, True),
        ('"+44 20 7946 0124" in customer.phones', {"customer.phones": ["020 7946 0124"]}, True),
        ('customer.phones == ["020 7946 0124"]', {"customer.phones": ["+442079460124"]}, True),
        ("caller.phone in customer.phones", {"customer.phones": ["020 7946 0555"]}, True),
        ("caller.phone != customer.phone", {"customer.phone": "020 7946 0555"}, False),
        ('customer.phone.startsWith("+44")', {"customer.phone": "020 7946 0555"}, True),
        ('customer.email == "ADA@example.ORG"', {"customer.email": "Ada@Example.org"}, True),
        ('customer.email.endsWith("@Example.org")', {"customer.email": "ada@EXAMPLE.org"}, True),
        ("order.items >= 10", {"order.items": 10}, True),
    ],
)
def test_a_guard_holds_however_a_value_is_written(
    tmp_path: Path, guard: str, data: dict[str, Any], holds: bool
) -> None:
    root = policies(tmp_path, guard)
    _, findings = check_folder(root)
    assert [each for each in findings if each.code.startswith("CP2")] == []
    records, letters = run(root, {}, data)
    assert letters == []
    assert ("case.moved" in kinds(records)) is holds
