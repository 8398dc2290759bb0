"""The outbox: at least once, under an id that stays; leased, done, failed, parked, replayed; sent for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from signal import SIGKILL
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from mailboxes import Mailbox, free_port
from shops import SHOP, Shop, everything_in

NOW = ("--now", "2026-03-02 10:01")


@pytest.fixture
def asked(shop: Shop) -> Shop:
    """Two customers have written; each is to be sent a message, one of them in French."""
    shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    shop.event("email_received", "mail-2", "2026-03-02 10:00", "customer.email=zoé@example.org", "customer.language=fr")
    return shop


def listed(shop: Shop, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop("outbox", "list", "--format", "jsonl", *more).lines()
    return found


def test_what_is_listed_is_masked_and_what_is_taken_is_not(asked: Shop) -> None:
    assert [each["record"]["data"]["to"] for each in listed(asked)] == ["***", "***"]
    said = asked("outbox", "take", "--limit", "5", *NOW)
    taken = said.lines()
    assert [each["record"]["data"]["to"] for each in taken] == ["ada@example.org", "zoé@example.org"]
    assert [each["id"] for each in taken] == [each["record"]["id"] for each in taken]
    assert asked("outbox", "take", *NOW).status == 1


@pytest.mark.parametrize(
    ("options", "status", "shown"),
    [
        (("--reveal", "--as", "care_lead"), 0, "ada@example.org"),
        (("--as", "care_lead"), 0, "***"),
        (("--reveal", "--as", "warehouse"), 0, "***"),
        (("--reveal", "--as", "feedback_steward"), 2, "may see nothing"),
        (("--reveal",), 2, "--as ROLE"),
        (("--reveal", "--as", "care_leed"), 2, 'did you mean "care_lead"'),
    ],
)
def test_a_role_sees_what_it_may_see(file_shop: Shop, options: tuple[str, ...], status: int, shown: str) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    said = file_shop("outbox", "list", "--format", "jsonl", *options)
    assert (said.status, shown in said.out + said.err) == (status, True)
    assert ("ada@example.org" in said.out + said.err) == (shown == "ada@example.org")


def test_a_lease_that_ends_gives_the_request_to_the_next_with_the_same_id(asked: Shop) -> None:
    (first,) = asked("outbox", "take", "--lease", "5m", *NOW).lines()
    (second,) = asked("outbox", "take", *NOW).lines()
    assert second["id"] != first["id"]
    asked("outbox", "done", second["id"])
    assert asked("outbox", "take", "--now", "2026-03-02 10:05:59").status == 1
    (again,) = asked("outbox", "take", "--now", "2026-03-02 10:06").lines()
    assert (again["id"], again["attempts"]) == (first["id"], 2)


def test_who_was_too_late_is_not_heard_and_who_may_be_must_say_which_lease_he_has(asked: Shop) -> None:
    (first,) = asked("outbox", "take", "--lease", "5m", "--by", "one", *NOW).lines()
    id = first["id"]
    again = asked("outbox", "take", "--limit", "2", "--by", "two", "--now", "2026-03-02 10:07").lines()
    assert {each["id"]: each["lease"] for each in again}[id] == 2
    for say in (("done",), ("fail", "--park")):
        said = asked("outbox", *say, id, "--lease", "1")
        assert (said.status, f'"{id}": lease 1 is over, two has the request by lease 2' in said.err) == (2, True)
        said = asked("outbox", *say, id)
        assert (said.status, "--lease N" in said.err) == (2, True)
    assert [(each["state"], each["leased_by"]) for each in listed(asked)] == [("leased", "two")] * 2
    other = next(each["id"] for each in again if each["id"] != id)
    assert asked("outbox", "done", id, "--lease", "2", other).status == 2
    assert asked("outbox", "done", id, other, "--lease", "2", "--lease", "1").status == 0
    assert listed(asked) == []
    assert asked("outbox", "done", id, "--lease", "2").status == 0  # said twice, which is no fault
    assert "was done already" in asked("outbox", "fail", id, "--lease", "2").err


def test_what_was_erased_while_it_was_carried_out_stays_parked(asked: Shop) -> None:
    (taken,) = asked("outbox", "take", *NOW).lines()
    assert asked("customer", "erase", "ada@example.org", "--force", "--yes", "--by", "me").status == 0
    asked("outbox", "fail", taken["id"], "--lease", "1")
    assert {each["id"]: each["state"] for each in listed(asked)}[taken["id"]] == "parked"


def test_what_failed_waits_twice_as_long_each_time_and_is_then_parked_until_it_is_replayed(file_shop: Shop) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    id = listed(file_shop)[0]["id"]
    for minute, ready in ((0, "10:01"), (1, "10:03"), (3, "10:07")):
        at = ("--now", f"2026-03-02 10:0{minute}")
        assert file_shop("outbox", "take", *at).status == 0
        assert file_shop("outbox", "fail", id, "--reason", "no answer", "--attempts", "4", *at).status == 0
        assert listed(file_shop)[0]["ready"] == f"2026-03-02T{ready}:00+00:00"
    file_shop("outbox", "take", "--now", "2026-03-02 10:07")
    file_shop("outbox", "fail", id, "--attempts", "4", "--now", "2026-03-02 10:07")
    assert listed(file_shop, "--state", "parked")[0]["id"] == id
    assert file_shop("outbox", "take", "--now", "2027-01-01").status == 1
    assert file_shop("outbox", "replay", id).status == 0
    assert listed(file_shop)[0]["attempts"] == 0
    assert file_shop("outbox", "take", "--now", "2026-03-02 10:08").status == 0
    text = file_shop("outbox", "list").out
    assert id in text
    assert "leased by" in text


def test_ids_that_are_none_are_told_and_change_nothing(file_shop: Shop) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    id = listed(file_shop)[0]["id"]
    said = file_shop("outbox", "done", id, "email_inquiry/mail-9/1")
    assert (said.status, 'no request "email_inquiry/mail-9/1"' in said.err) == (2, True)
    assert listed(file_shop)[0]["state"] == "waiting"
    assert "not parked" in file_shop("outbox", "replay", id).err
    file_shop("outbox", "done", id)
    assert "was done already" in file_shop("outbox", "fail", id).err
    assert listed(file_shop) == []


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    host, port = found.address.split(":")
    controller = Controller(found, hostname=host, port=int(port), enable_SMTPUTF8=True)
    controller.start()
    yield found
    controller.stop()


def test_messages_are_sent_as_mail_from_the_channels_address(asked: Shop, mailbox: Mailbox) -> None:
    ids = [each["id"] for each in listed(asked)]
    said = asked("outbox", "send", "--smtp", mailbox.address, *NOW)
    assert (said.status, said.out) == (0, "2 sent, 0 failed, 0 parked\n"), said
    first, second = mailbox.mails
    assert mailbox.given[0] == ("care@harbour.example", ["ada@example.org"])
    assert first["From"] == "Harbour & Finch <care@harbour.example>"
    assert first["To"] == "ada@example.org"
    assert "mail-1" in first["Subject"]
    assert first["Date"] == "Mon, 02 Mar 2026 10:01:00 +0000"
    assert first["Auto-Submitted"] == "auto-generated"
    assert "Your number for this matter is mail-1." in first.get_content()
    assert (second["To"], second["Content-Language"]) == ("zoé@example.org", "fr")
    assert "reçu" in second["Subject"]
    assert len({first["Message-ID"], second["Message-ID"]}) == 2
    assert [each["id"] for each in listed(asked, "--state", "done")] == ids
    assert asked("outbox", "send", "--smtp", mailbox.address, *NOW).out == "0 sent, 0 failed, 0 parked\n"


KILLED = """
import os, sys
from carepolicy.cli import app
from carepolicy.store.outbox.queue import Outbox
Outbox.done = lambda self, ids: os.kill(os.getpid(), 9)
sys.exit(app.run(["outbox", "send", "--smtp", sys.argv[1], "--store", sys.argv[2], "--now", "2026-03-02 10:01"]))
"""


def test_a_sender_that_is_killed_after_sending_sends_again_under_the_same_id(asked: Shop, mailbox: Mailbox) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, mailbox.address, asked.url], env=os.environ, check=False)
    assert done.returncode == -SIGKILL
    assert len(mailbox.mails) == 1
    assert asked("outbox", "send", "--smtp", mailbox.address, *NOW).out.startswith("0 sent")
    assert asked("outbox", "send", "--smtp", mailbox.address, "--now", "2026-03-02 11:00").out.startswith("2 sent")
    ids = [each["Message-ID"] for each in mailbox.mails]
    assert (len(ids), len(set(ids))) == (3, 2)
    assert ids[0] in ids[1:]


def test_a_refusal_for_good_parks_and_one_for_now_waits(asked: Shop, mailbox: Mailbox) -> None:
    mailbox.answers = ["550 no such user ada@example.org", "451 try again later"]
    said = asked("outbox", "send", "--smtp", mailbox.address, *NOW)
    assert (said.status, said.out) == (1, "0 sent, 1 failed, 1 parked\n")
    assert "ada@example.org" not in said.err
    assert {each["state"]: each["fault"] for each in listed(asked)} == {
        "parked": "the mail server refused the message (550)",
        "waiting": "the mail server refused the message (451)",
    }
    assert b"ada@example.org" not in everything_in(asked)


def test_a_mail_server_that_is_not_there_takes_nothing(file_shop: Shop) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    said = file_shop("outbox", "send", "--smtp", f"127.0.0.1:{free_port()}", *NOW)
    assert (said.status, "cannot be reached" in said.err) == (3, True)
    assert listed(file_shop)[0]["attempts"] == 0
    assert file_shop("outbox", "send", "--smtp", "localhost", *NOW).status == 2
    assert file_shop("outbox", "send", *NOW).status == 2


def test_a_receiver_that_is_not_there_costs_nothing(file_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    file_shop.event("email_received", "mail-2", "2026-03-02 10:00", "customer.email=bob@example.org")
    url = f"http://127.0.0.1:{free_port()}/"
    assert "CAREPOLICY_WEBHOOK_SECRET" in file_shop("outbox", "send", "--webhook", url).err
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_SECRET", "sesame")
    said = file_shop("outbox", "send", "--webhook", url, *NOW)
    assert (said.status, said.out, "cannot be reached" in said.err) == (3, "0 sent, 0 failed, 0 parked\n", True)
    assert [(each["state"], each["attempts"]) for each in listed(file_shop)] == [("waiting", 0), ("waiting", 0)]


def test_two_takers_never_get_the_same_request(asked: Shop) -> None:
    command = [sys.executable, "-m", "carepolicy", "outbox", "take", "--store", asked.url, "--policies", SHOP]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) for _ in range(2)]
    ids = [json.loads(each.communicate(timeout=60)[0])["id"] for each in both]
    assert len(set(ids)) == 2
