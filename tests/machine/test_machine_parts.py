"""Messages that take in the text of others, and languages whose messages stand in several files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import carepolicy
from carepolicy.policy.load import load_policies
from carepolicy.policy.placeholders import with_included
from stories import write_set

FLOW = """
flow: ticket
version: 1
title: Ticket
purpose: Try.
owner: agent
events:
  opened: {title: Opened, by: customer, carries: {required: [customer.email]}}
  solved: {title: Solved, by: staff}
states:
  open: {title: Open, start_on: opened, owner: agent, channel: email, waits: us, enter: {send: ack}, on: {solved: done}}
  done: {title: Done, final: resolved}
"""
ORGANISATION = """
organisation: Try shop
timezone: Europe/London
languages: [en, fr]
calendar: office
calendars: {office: {title: Office, hours: {mon-fri: 09:00-17:00}}}
roles: {agent: {title: Agent, people: [Aoife], deputy: lead}, lead: {title: Lead, people: [Ben], deputy: agent}}
channels: {email: {title: E-mail, address: care@example.org, to: customer.email}}
facts: {customer.email: {type: text, private: true, title: Address}, customer.language: {type: text, default: en}}
"""
ENGLISH = """
language: en
messages:
  ack: {subject: Yours, text: "Thank you.\\n{message.signature}"}
  signature: {text: "Yours,\\n{organisation}, {channel.email.address}\\n"}
"""


def codes(root: Path) -> list[tuple[str, str, int, str]]:
    found = carepolicy.check(root)
    return [(each.code, each.place.file, each.place.line, each.message) for each in found if each.code != "CP223"]


def laid(tmp_path: Path, messages: dict[str, str]) -> Path:
    root = write_set(tmp_path / "set", FLOW, organisation=ORGANISATION)
    (root / "messages" / "en.yaml").unlink()
    for name, text in messages.items():
        (root / "messages" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "messages" / name).write_text(text)
    return root


def sent(root: Path) -> list[Any]:
    event = {"specversion": "1.0", "id": "1", "source": "/t", "type": "opened", "subject": "s"}
    event |= {"time": "2026-03-02T10:00:00+00:00", "data": {"customer.email": "x@example.org"}}
    records = carepolicy.load(root).engine().run([event])
    return [each["data"] for each in records if each["type"].endswith("message.requested")]


def test_a_message_ends_with_the_text_of_another(tmp_path: Path) -> None:
    french = (
        ENGLISH.replace("language: en", "language: fr").replace("Thank you.", "Merci.").replace("Yours,", "À vous,")
    )
    root = laid(tmp_path, {"en.yaml": ENGLISH, "fr.yaml": french})
    assert [each["text"] for each in sent(root)] == ["Thank you.\nYours,\nTry shop, care@example.org"]
    assert not [each for each in codes(root) if each[0] in ("CP225", "CP601", "CP605", "CP608")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{message.signature}", "{message.signatur}", 'unknown placeholder "message.signatur"'),
        ("{message.signature}", "{message.ack}", 'unknown placeholder "message.ack"'),
        ("{organisation},", "{message.ack},", 'unknown placeholder "message.ack"'),
        ("{organisation},", "{organization},", 'unknown placeholder "organization"'),
    ],
)
def test_a_part_that_is_not_there_or_goes_round_is_told_at_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    root = laid(tmp_path, {"en.yaml": ENGLISH.replace(old, new)})
    assert said in [message for code, _, _, message in codes(root) if code == "CP225"]


def test_a_part_that_lacks_in_a_language_is_told(tmp_path: Path) -> None:
    french = "language: fr\nmessages:\n  ack: {subject: À vous, text: Merci.}\n"
    root = laid(tmp_path, {"en.yaml": ENGLISH, "fr.yaml": french})
    assert [message for code, _, _, message in codes(root) if code == "CP601"] == ['"signature" is not written in fr']


def test_messages_of_one_language_may_stand_in_several_files(tmp_path: Path) -> None:
    first, second = ENGLISH.split("  signature:")
    more = "language: en\nmessages:\n  signature:" + second
    root = laid(tmp_path, {"en/tickets.yaml": first, "en/all.yaml": more})
    assert [each["text"] for each in sent(root)] == ["Thank you.\nYours,\nTry shop, care@example.org"]
    policies, findings = load_policies(root)
    assert findings == []
    assert policies is not None
    assert policies.messages["en"]["signature"].at.file == "messages/en/all.yaml"


def test_a_file_in_the_folder_of_another_language_is_told(tmp_path: Path) -> None:
    root = laid(tmp_path, {"fr/tickets.yaml": ENGLISH})
    found = load_policies(root)[1]
    assert [(each.code, each.place.file, each.place.line, each.hint) for each in found] == [
        ("CP115", "messages/fr/tickets.yaml", 2, "move it to messages/en/")
    ]


def test_a_message_that_two_files_hold_is_told_at_the_second(tmp_path: Path) -> None:
    root = laid(tmp_path, {"en/a.yaml": ENGLISH, "en/b.yaml": ENGLISH.partition("  signature")[0]})
    found = load_policies(root)[1]
    assert [(each.code, each.place.file, each.place.line, each.message) for each in found] == [
        ("CP116", "messages/en/b.yaml", 4, 'messages/en/a.yaml holds a message "ack" too')
    ]


def test_a_folder_in_the_folder_of_a_language_is_told(tmp_path: Path) -> None:
    root = laid(tmp_path, {"en/a.yaml": ENGLISH, "en/old/b.yaml": ENGLISH, "en/c.yml": ENGLISH})
    found = load_policies(root)[1]
    assert [(each.code, each.place.file, each.hint) for each in found] == [
        ("CP115", "messages/en/c.yml", "call it c.yaml"),
        ("CP115", "messages/en/old/b.yaml", "it must stand in messages/en/ itself"),
    ]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("no part", "no part"),
        ("{{message.a}}", "{{message.a}}"),
        ("x {message.a} y { message.a }", "x A y A"),
        ("{message.b}{message.a}", "{message.b}A"),
        ("{message.a", "{message.a"),
        ("{case} {message.a}.", "{case} A."),
    ],
)
def test_parts_are_put_in_where_their_names_stand(text: str, whole: str) -> None:
    assert with_included(text, {"a": "A\n"}.get) == whole
