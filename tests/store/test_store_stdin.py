"""`carepolicy event -`: events and facts come on standard input, each event is answered when it is on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest

from shops import SHOP, Shop, rows

ADA = "ada@example.org"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Let a text come on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(text)))


def lines(*events: Any) -> bytes:
    return b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in events)


def test_each_line_is_answered_and_one_that_is_refused_stops_no_other(
    shop: Shop, typed: Callable[[bytes], None]
) -> None:
    received = {"type": "email_received", "subject": "mail-1", "data": {"customer": {"email": ADA}}}
    reply = {"id": "r", "source": "/desk", "type": "reply_sent", "subject": "mail-1"}
    far = {"id": "f", "type": "reply_sent", "subject": "mail-1", "time": "2149-12-31T00:00:00Z"}
    typed(lines(reply, received, b"{half", b"", {**received, "id": 7}, far, reply, reply)[:-1])
    said = shop("event", "-", "--quiet")
    told = [(each["line"], each["is"], each.get("codes", [])) for each in said.lines()]
    assert told == [
        (1, "refused", ["CP911"]),
        (2, "taken", []),
        (3, "refused", ["CP901"]),
        (5, "refused", ["CP902"]),
        (6, "refused", ["CP915"]),
        (7, "taken", []),
        (8, "duplicate", ["CP909"]),
    ]
    assert (said.status, ADA in said.err + said.out) == (1, False)
    assert [(each["source"], each["id"]) for each in said.lines()[:1]] == [("/desk", "r")]


def test_the_records_of_a_line_stand_before_its_answer(shop: Shop, typed: Callable[[bytes], None]) -> None:
    received = {"id": "a", "type": "email_received", "subject": "mail-1", "data": {"customer.email": ADA}}
    typed(lines(received, {"id": "b", "type": "reply_sent", "subject": "mail-1"}))
    said = shop("event", "-")
    kinds = [each.get("type", each.get("is")) for each in said.lines()]
    assert kinds[0] == "carepolicy.case.opened"
    assert kinds[kinds.index("taken") + 1] == "carepolicy.case.moved"
    assert (kinds.count("taken"), kinds[-1], said.status) == (2, "taken", 0)


def test_facts_on_standard_input_are_taken_with_those_that_are_typed(
    shop: Shop, typed: Callable[[bytes], None]
) -> None:
    typed(json.dumps({"customer": {"email": ADA}}).encode())
    assert shop("event", "email_received", "mail-1", "customer.tier=gold", "-").status == 0
    ((body, sealed),) = rows(shop, "SELECT body, sealed FROM cases")
    assert (b'"customer.tier":"gold"' in bytes(body), ADA.encode() in bytes(body), sealed is None) == (
        True,
        False,
        False,
    )
    typed(b'["' + ADA.encode() + b'"]')
    said = shop("event", "email_received", "mail-2", "-")
    assert (said.status, "no JSON object of facts" in said.err, ADA in said.err) == (2, True, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-", "mail-1"], "leave the rest out"),
        (["-", "--at", "2026-03-02"], "leave the rest out"),
        (["-", "--id", "a"], "leave the rest out"),
        (["email_received"], "event email_received SUBJECT"),
    ],
)
def test_what_makes_no_sense_together_is_told(shop: Shop, arguments: list[str], words: str) -> None:
    said = shop("event", *arguments)
    assert (said.status, words in said.err) == (2, True)


def test_a_line_is_answered_though_more_may_come_and_is_kept_though_its_teller_is_killed(file_shop: Shop) -> None:
    command = [sys.executable, "-m", "carepolicy", "event", "-", "--quiet", "--store", file_shop.url]
    with subprocess.Popen([*command, "--policies", SHOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(
            lines({"id": "a", "type": "email_received", "subject": "m", "data": {"customer.email": ADA}})
        )
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["is"] == "taken"
        process.kill()
    assert rows(file_shop, "SELECT source, id FROM events") == [("/carepolicy/cli", "a")]
