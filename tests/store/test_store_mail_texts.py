"""Whatever a customer writes is data in a mail: parsers of two other makes see our headers and the text, no more."""

from __future__ import annotations

import re
import unicodedata
from email import message_from_bytes
from email.header import decode_header
from email.policy import compat32
from typing import Any

import fast_mail_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.store.outbox.delivery import Undeliverable
from carepolicy.store.outbox.mail import address_of, mail_of, on_one_line
from carepolicy.store.outbox.queue import Request
from laws import examples
from nasty_texts import texts

HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "Content-Type",
    "Content-Transfer-Encoding", "MIME-Version",
]  # fmt: skip


def request(id: str = "f/s/1", **data: Any) -> Request:
    known = {"template": "t", "channel": "email", "language": "en", "to": "a@example.org", "subject": "s", "text": "t"}
    record = {"id": id, "data": {**known, **data}}
    return Request(id, "message", "s", "f", 0, "leased", 0, None, 1, 1, 0, None, record)


def decoded(header: str) -> str:
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", header)
    return "".join(
        part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in decode_header(unfolded)
    )


def ended(text: str) -> str:
    """A body as it is compared: whoever ends its last line, and how."""
    return text.replace("\r\n", "\n").removesuffix("\n")


@settings(max_examples=examples(120))
@given(subject=texts, text=texts, organisation=texts, id=texts, language=texts)
def test_parsers_of_other_makes_see_our_headers_and_the_texts_and_nothing_else(
    subject: str, text: str, organisation: str, id: str, language: str
) -> None:
    asked = request(id, subject=subject, text=text, language=language)
    content = mail_of(asked, organisation, {"email": "care@shop.example"}, 0).content
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|[\x80-\xff\0]", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    speaks = re.fullmatch(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*", language)
    right = [each for each in HEADERS if each != "Content-Language" or speaks]
    subject = on_one_line(subject) or on_one_line(organisation)

    judge = fast_mail_parser.parse_email(content)
    assert (list(judge.headers), {len(each) for each in judge.headers.values()}) == (right, {1})
    assert (judge.subject, judge.attachments, judge.text_html, judge.warnings) == (subject, [], [], [])
    assert judge.from_ is not None
    assert (judge.from_.address, [each.address for each in judge.to]) == ("care@shop.example", ["a@example.org"])
    (body,) = judge.text_plain or [""]

    older = message_from_bytes(content, policy=compat32)
    assert (older.keys(), older.is_multipart(), older.defects) == (right, False, [])
    assert decoded(older["Subject"]) == subject
    payload = older.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode() in (body.replace("\n", "\r\n"), body)
    assert ended(body) == ended("".join(map(seen, re.sub("\ufeff|\r(?=\n)", "", text).replace("\r", "\n"))))


def seen(each: str) -> str:
    """A letter of a body: what none may have is marked."""
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t" else each


@settings(max_examples=examples(150))
@given(local=texts, domain=st.one_of(st.just("example.org"), texts), more=texts)
def test_an_address_is_one_for_all_who_read_it_or_none(local: str, domain: str, more: str) -> None:
    for written in (f"{local}@{domain}", f"{local}{more}@example.org"):
        address = address_of(written)
        if address is None:
            with pytest.raises(Undeliverable):
                mail_of(request(to=written), "Shop", {"email": "care@shop.example"}, 0)
            continue
        mail = mail_of(request(to=written), "Shop", {"email": "care@shop.example"}, 0)
        judge = fast_mail_parser.parse_email(mail.content)
        assert [each.address for each in judge.to] == [address]
        assert (mail.to, mail.wide) == (address, not address.isascii())
        assert message_from_bytes(mail.content, policy=compat32).keys() == HEADERS


@settings(max_examples=examples(200))
@given(texts)
def test_a_subject_keeps_letters_that_are_not_seen_and_loses_what_steers(text: str) -> None:
    line = on_one_line(text)
    assert on_one_line(line) == line
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in line)
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e")
    depth = 0
    for each in line:
        depth += (each in "\u2066\u2067\u2068") - (each == "\u2069")
        assert depth >= 0
    assert depth == 0
    for kept in "\u200c\u200d\u200e\u200f\u00ad":
        assert line.count(kept) == text.count(kept)


@pytest.mark.parametrize(
    "text", ["پیام شما را گرفتیم؛ به‌زودی", "ශ්‍රී ලංකා", "Thanks 👨‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\u2068a\u2069", "Réf\u00a0: 1"]
)
def test_subjects_of_all_scripts_arrive_as_they_are(text: str) -> None:
    content = mail_of(request(subject=text), "Shop", {"email": "care@shop.example"}, 0).content
    assert fast_mail_parser.parse_email(content).subject == text


@pytest.mark.parametrize(
    "to",
    [
        "a@example.org\nBcc: eve@example.org", "a@example.org,eve@example.org", "a@example.org; b@example.org",
        "Ada <a@example.org>", "nobody", "", None, "***", "@example.org", "a@", '"a b"@example.org',
        "=?utf-8?q?a?=@example.org", "a(b)@example.org", "a@[127.0.0.1]", "a..b@example.org", "a" * 300 + "@x.org",
    ],
)  # fmt: skip
def test_an_address_that_is_not_exactly_one_is_refused_for_good(to: str | None) -> None:
    with pytest.raises(Undeliverable) as refused:
        mail_of(request(to=to), "Shop", {"email": "care@shop.example"}, 0)
    assert refused.value.lasting
    assert "eve" not in str(refused.value)
