"""Mails of one case are one thread: Message-ID, In-Reply-To and References as readers of mail follow them."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path

import fast_mail_parser
import pytest
from aiosmtpd.controller import Controller
from hypothesis import given, settings

from carepolicy.store.outbox.mail import customers_id, mail_of
from carepolicy.store.outbox.queue import Earlier, Request
from laws import examples
from mailboxes import Mailbox
from nasty_texts import texts
from shops import Shop, everything_in

ORGANISATION = """
organisation: Try shop
timezone: Europe/London
roles: {agent: {title: Agent, people: [Aoife], may_see: [customer.email, mail.message_id]}}
channels:
  email: {title: E-mail, address: care@shop.example, to: customer.email}
  letter: {title: Letter, address: 1 High Street, to: customer.email}
facts:
  customer.email: {type: text, private: true}
  mail.message_id: {type: text, private: true, card: never}
"""
FLOW = """
flow: ticket
version: 1
owner: agent
events:
  wrote: {by: customer, carries: {required: [customer.email], optional: [mail.message_id]}}
  answered: {by: staff}
  posted: {by: staff}
  solved: {by: staff}
states:
  open:
    start_on: wrote
    channel: email
    enter: {send: ack}
    on: {answered: {send: answer}, wrote: {send: ack}, posted: by_letter, solved: {to: done, send: bye}}
  by_letter: {channel: letter, enter: {send: answer}, on: {answered: open, wrote: open}}
  done: {channel: email, final: resolved}
"""
MESSAGES = "language: en\nmessages:\n" + "".join(
    f"  {name}: {{subject: About it, text: {name}}}\n" for name in ("ack", "answer", "bye")
)

THEIRS, LATER = "<first@client.example>", "<second@client.example>"


@pytest.fixture
def ticket(file_shop: Shop, tmp_path: Path) -> Shop:
    folder = tmp_path / "policies"
    for path, text in {
        "organisation.yaml": ORGANISATION, "flows/ticket.yaml": FLOW, "messages/en.yaml": MESSAGES
    }.items():  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    file_shop.policies = str(folder)
    return file_shop


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    host, port = found.address.split(":")
    controller = Controller(found, hostname=host, port=int(port))
    controller.start()
    yield found
    controller.stop()


def wrote(shop: Shop, subject: str, at: str, id: str | None = None) -> None:
    more = () if id is None else (f"mail.message_id={id}",)
    shop.event("wrote", subject, f"2026-03-02 {at}", "customer.email=ada@example.org", *more)


def send(shop: Shop, mailbox: Mailbox) -> list[Message]:
    before = len(mailbox.mails)
    said = shop("outbox", "send", "--smtp", mailbox.address, "--now", "2026-03-02 20:00", "--policies", shop.policies)
    assert said.status == 0, said.err
    return mailbox.mails[before:]


def told(mail: Message) -> tuple[str | None, list[str]]:
    """What a mail replies to, and all that it names as gone before."""
    return mail["In-Reply-To"], str(mail["References"] or "").split()


def test_the_mails_of_a_case_name_those_before_them(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00")
    ticket.event("answered", "t-1", "2026-03-02 10:00")
    ticket.event("solved", "t-1", "2026-03-02 11:00")
    ack, answer, bye = send(ticket, mailbox)
    ids = [each["Message-ID"] for each in (ack, answer, bye)]
    assert len(set(ids)) == 3
    assert told(ack) == (None, [])
    assert told(answer) == (ids[0], ids[:1])
    assert told(bye) == (ids[1], ids[:2])
    assert "t-1" not in "".join(ids)


def test_the_customers_own_mail_is_what_the_first_answer_replies_to(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00", THEIRS)
    ticket.event("answered", "t-1", "2026-03-02 10:00")
    wrote(ticket, "t-1", "11:00", LATER)
    ack, answer, again = send(ticket, mailbox)
    first, second = ack["Message-ID"], answer["Message-ID"]
    assert told(ack) == (THEIRS, [THEIRS])
    assert told(answer) == (first, [THEIRS, first])
    assert told(again) == (LATER, [THEIRS, first, second, LATER])


def test_another_case_of_the_same_subject_is_another_thread(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00")
    ticket.event("solved", "t-1", "2026-03-02 10:00")
    wrote(ticket, "t-1", "11:00")
    wrote(ticket, "t-2", "11:00")
    ack, bye, fresh, other = send(ticket, mailbox)
    assert told(bye) == (ack["Message-ID"], [ack["Message-ID"]])
    assert told(fresh) == told(other) == (None, [])


def test_what_goes_by_letter_is_no_mail_of_the_thread(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00", THEIRS)
    ticket.event("posted", "t-1", "2026-03-02 10:00")
    wrote(ticket, "t-1", "11:00", LATER)
    assert "in_reply_to" not in ticket("outbox", "list", "--state", "waiting", "--format", "jsonl").lines()[1]["record"]
    first, then = send(ticket, mailbox)
    assert told(then) == (LATER, [THEIRS, first["Message-ID"], LATER])


def test_a_case_that_joins_another_subject_goes_on_with_its_thread(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00", THEIRS)
    ticket.event("carepolicy.merge", "t-1", "2026-03-02 10:00", "into=t-2")
    ticket.event("answered", "t-2", "2026-03-02 11:00")
    ack, answer = send(ticket, mailbox)
    assert told(answer) == (ack["Message-ID"], [THEIRS, ack["Message-ID"]])


def test_a_case_with_very_many_mails_names_the_last_of_them(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00")
    for minute in range(30):
        ticket.event("answered", "t-1", f"2026-03-02 10:{minute:02}")
    mails = send(ticket, mailbox)
    ids = [each["Message-ID"] for each in mails]
    assert told(mails[-1]) == (ids[-2], ids[-11:-1])


def test_the_customers_id_is_kept_as_private_as_the_fact_and_erased_with_it(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00", THEIRS)
    assert b"client.example" not in everything_in(ticket)
    listed = ticket("outbox", "list", "--format", "jsonl").lines()
    assert listed[0]["record"]["data"]["in_reply_to"] == "***"
    ticket.event("solved", "t-1", "2026-03-02 10:00")
    export = ("customer", "export", "t-1", "--reveal", "--as", "agent", "--policies", ticket.policies)
    assert "client.example" in ticket(*export).out
    erased = ticket("customer", "erase", "t-1", "--by", "Aoife", "--yes", "--policies", ticket.policies)
    assert erased.status == 0, erased.err
    assert "client.example" not in ticket(*export).out


def test_the_id_is_written_with_or_without_its_brackets(ticket: Shop, mailbox: Mailbox) -> None:
    wrote(ticket, "t-1", "09:00", "first@client.example")
    (ack,) = send(ticket, mailbox)
    assert told(ack) == (THEIRS, [THEIRS])


@settings(max_examples=examples(150))
@given(own=texts, before=texts)
def test_whatever_is_said_to_be_an_id_adds_no_header(own: str, before: str) -> None:
    for said, earlier in ((own, before), (f"<{own}@x.example>", f"{before}@x.example")):
        data = {"template": "t", "channel": "email", "language": "en", "to": "a@x.org", "subject": "s", "text": "t"}
        record = {"id": "f/s/2", "data": {**data, "in_reply_to": said}}
        thread = (Earlier("f/s/1", "email", earlier),)
        asked = Request("f/s/2", "message", "s", "f", 0, "leased", 0, None, 1, 1, 0, None, record, thread)
        content = mail_of(asked, "Shop", {"email": "care@shop.example"}, 0).content
        ids = [each for each in map(customers_id, (earlier, said)) if each is not None]
        names = list(fast_mail_parser.parse_email(content).headers)
        assert sorted(names) == sorted({*names}), "no header twice"
        assert {*names} <= {
            "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
            "Content-Language", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
        }  # fmt: skip
        assert max(map(len, content.split(b"\r\n"))) <= 998
        assert {*ids} < {*str(message_from_bytes(content, policy=default)["References"]).split()}
