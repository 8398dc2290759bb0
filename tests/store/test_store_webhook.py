"""Webhooks, over the wire: what is posted, what an answer means for the request and the server, what goes to whom."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given, settings

from carepolicy.store.outbox.delivery import Doubtful, ServerFault, Undeliverable, Undelivered
from carepolicy.store.outbox.queue import SECOND, Request
from carepolicy.store.outbox.webhook import CONFLICTS, NOT_OURS, Webhook, address_of
from laws import examples
from nasty_texts import texts
from receivers import DRIBBLE, DROP, LONG, Receiver
from shops import Shop

NOW = ("--now", "2026-03-02 10:01")
OURS = [
    "Host", "Accept", "Accept-Encoding", "Connection", "User-Agent", "Content-Type", "Idempotency-Key", "webhook-id",
    "webhook-timestamp", "webhook-signature", "Content-Length",
]  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture(scope="module")
def hook(shared: Receiver) -> Iterator[Webhook]:
    with closing(Webhook(shared.url, "sesame")) as found:
        yield found


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_SECRET", "sesame")
    with Receiver() as found:
        yield found


@pytest.fixture
def asked(file_shop: Shop) -> Shop:
    """Two customers have written; each is to be sent a message."""
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    file_shop.event("email_received", "mail-2", "2026-03-02 10:00", "customer.email=zoé@example.org")
    return file_shop


def request(id: str = "f/s/1", **record: Any) -> Request:
    return Request(id, "message", "s", "f", 0, "leased", 0, None, 1, 1, 0, None, {"id": id, "data": {}, **record})


def test_a_webhook_is_given_the_event_signed_with_its_id_as_the_key(asked: Shop, receiver: Receiver) -> None:
    ids = [each["id"] for each in asked("outbox", "list", "--format", "jsonl").lines()]
    assert asked("outbox", "send", "--webhook", receiver.url).status == 0
    assert [each.header("Idempotency-Key") for each in receiver.posts] == ids
    post = receiver.posts[0]
    assert post.start == b"POST /care?shop=1 HTTP/1.1"
    assert post.header("Content-Type").startswith("application/cloudevents+json")
    headers = {name.decode(): value.decode() for name, value in post.headers}
    event = standardwebhooks.Webhook(b"sesame").verify(post.body, headers)
    assert (event["specversion"], event["id"], event["data"]["to"]) == ("1.0", ids[0], "ada@example.org")


def test_a_secret_of_the_standard_signs_as_the_standard_has_it(shared: Receiver) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    hook = Webhook(shared.url, secret)
    now = int(standardwebhooks.webhooks.datetime.now().timestamp()) * SECOND
    hook.deliver(request(), now)
    hook.close()
    headers = {name.decode(): value.decode() for name, value in shared.posts[-1].headers}
    assert standardwebhooks.Webhook(secret).verify(shared.posts[-1].body, headers)["id"] == "f/s/1"


@settings(max_examples=examples(60))
@given(id=texts, field=texts)
def test_no_text_of_a_request_adds_a_header_or_changes_where_it_goes(
    shared: Receiver, hook: Webhook, id: str, field: str
) -> None:
    asked = request(id, data={"text": field, field: id})
    before = len(shared.posts)
    if any("\ud800" <= each <= "\udfff" for each in id + field):  # JSON has no such letters
        with pytest.raises(Undeliverable):
            hook.deliver(asked, 0)
        return
    hook.deliver(asked, 0)
    (post,) = shared.posts[before:]
    assert post.start == b"POST /care?shop=1 HTTP/1.1"
    assert sorted(name.decode() for name, _ in post.headers) == sorted(OURS)
    assert json.loads(post.body) == asked.record


TABLE: dict[int, type[Exception]] = {
    **dict.fromkeys((301, 302, 307, 308, 401, 402, 403, 404, 405, 407, 408, 410, 421, 426, 429), ServerFault),
    **dict.fromkeys((501, 502, 503, 504, 507, 599), ServerFault),
    **dict.fromkeys((400, 406, 409, 411, 413, 414, 415, 422, 423, 425, 431, 451), Undelivered),
    500: Doubtful,
}


@pytest.mark.parametrize("status", sorted(TABLE))
def test_an_answer_tells_whose_fault_it_is(shared: Receiver, hook: Webhook, status: int) -> None:
    shared.answers = [status]
    with pytest.raises(TABLE[status]) as refused:
        hook.deliver(request(), 0)
    assert type(refused.value) is TABLE[status]
    if isinstance(refused.value, Undelivered):
        assert refused.value.lasting == (status not in (409, 423, 425, 500))


def test_the_table_of_the_documents_says_the_same() -> None:
    text = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
    cells = re.search(r"\n\| webhook \|(.*?)\|(.*?)\|(.*?)\|(.*?)\|\n", text)
    assert cells is not None
    later, _, either, server = ({int(each) for each in re.findall(r"\b[45]\d\d\b", cell)} for cell in cells.groups())
    assert (later, either, server) == (CONFLICTS, {500}, NOT_OURS)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7), (" 120 ", 120), ("Thu, 01 Jan 1970 00:10:00 GMT", 600), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 00:00:00 GMT", 0), ("soon", 0), ("-5", 0), ("٣", 0), ("", 0), ("9" * 30, 999_999_999),
    ],
)  # fmt: skip
def test_a_receiver_may_say_when_to_come_again(shared: Receiver, hook: Webhook, said: str, seconds: int) -> None:
    shared.answers = [b"HTTP/1.1 429 Later\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % said.encode()]
    with pytest.raises(ServerFault) as refused:
        hook.deliver(request(), 0)
    assert refused.value.wait == seconds * SECOND


def test_the_time_for_an_answer_is_for_all_of_it(shared: Receiver) -> None:
    shared.answers = [DRIBBLE, DROP, LONG]
    for fault in ("no answer within 0 seconds", "ended the connection"):
        with closing(Webhook(shared.url, "sesame", patience=0.3)) as hook, pytest.raises(Doubtful, match=fault):
            hook.deliver(request(), 0)
    with closing(Webhook(shared.url, "sesame", patience=0.3)) as hook:
        hook.deliver(request(), 0)  # it has said 200, and that it will go on: the request was taken


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://h/käse", "h", b"/k%C3%A4se"), ("https://käse.example/a b?c=ü", "käse.example", b"/a%20b?c=%C3%BC"),
        ("https://[::1]:8443/x", "::1", b"/x"), ("https://h", "h", b"/"), ("https://h/a%20b", "h", b"/a%20b"),
    ],
)  # fmt: skip
def test_addresses_may_have_letters_of_all_scripts(url: str, host: str, path: bytes) -> None:
    assert (address_of(url).host, address_of(url).raw_path) == (host, path)
    assert address_of(url).raw_host.isascii()


def test_what_is_no_web_address_is_told_without_the_password_in_it(
    file_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_SECRET", "sesame")
    file_shop("tick")
    for url in ("ftp://h/x", "h/x", "https://", "https://u:hunter2@h/", "https://u:hunter2@h:x/", "https://h:99999/",
                "https://h\n/", "https://xn--/", "https://" + "ü" * 300 + "/", "https://h:0/"):  # fmt: skip
        said = file_shop("outbox", "send", "--webhook", url)
        assert (said.status, "hunter2" in said.err, "internal" in said.err) == (2, False, False), url
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_SECRET", "whsec_no base64!")
    said = file_shop("outbox", "send", "--webhook", "https://h/")
    assert (said.status, "base64" in said.err, "no base64!" in said.err) == (2, True, False)


def test_private_facts_go_to_other_machines_only_encrypted(file_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_SECRET", "sesame")
    file_shop("tick")  # nothing is to be sent, so nobody is asked
    for how in (("--webhook", "http://care.example/"), ("--smtp", "mail.example:25")):
        said = file_shop("outbox", "send", *how)
        assert (said.status, "private facts" in said.err, "--allow-unencrypted" in said.err) == (2, True, True)
        assert file_shop("outbox", "send", *how, "--allow-unencrypted").status == 0
    for how in (
        ("--webhook", "https://care.example/"), ("--webhook", "http://127.0.0.9:1/"), ("--smtp", "[::1]:25"),
        ("--webhook", "http://localhost/"), ("--smtp", "mail.example:25", "--starttls"),
    ):  # fmt: skip
        assert file_shop("outbox", "send", *how).status == 0


def test_headers_come_from_files_and_variables_and_none_is_ours(
    asked: Shop, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = ("outbox", "send", "--webhook", receiver.url)
    (tmp_path / "headers").write_text("Authorization: Bearer hunter2\n\nX-Shop: one\r\n")
    assert asked(*send, "--header", f"@{tmp_path}/headers", "--header", "X-More: two", "--limit", "1").status == 0
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_AUTHORIZATION", "Basic aGk=")
    assert asked(*send, "--limit", "1").status == 0
    first, second = receiver.posts
    assert [first.header(name) for name in ("Authorization", "X-Shop", "X-More")] == ["Bearer hunter2", "one", "two"]
    assert second.header("Authorization") == "Basic aGk="
    for wrong, why in (
        ("Authorization: Bearer hunter2", "list of processes"), ("X-Shop", "is no header"),
        ("X: a\nY: b", "is no header"),
        ("Content-Type: text/plain", "not yours"), ("webhook-id: 1", "not yours"), ("@nowhere", "nowhere"),
        ("X Y: 1", "is no header"), ("X: é", "is no header"),
    ):  # fmt: skip
        said = asked(*send, "--header", wrong)
        assert (said.status, why in said.err, "hunter2" in said.err) == (2, True, False), wrong


def test_a_header_that_is_none_is_told_of_without_its_text(
    asked: Shop, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = ("outbox", "send", "--webhook", receiver.url)
    (tmp_path / "headers").write_text("X-Shop: one\nBearer hunter2\n")
    said = asked(*send, "--header", f"@{tmp_path}/headers")
    assert (said.status, "headers: line 2 is no header" in said.err, "hunter2" in said.err) == (2, True, False)
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_AUTHORIZATION", "Bearer hunter2\r\nX-Evil: 1")
    said = asked(*send)
    assert (said.status, "AUTHORIZATION is no header" in said.err, "hunter2" in said.err) == (2, True, False)
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_AUTHORIZATION", "Bearer one")
    (tmp_path / "headers").write_text("authorization: Bearer two\n")
    assert asked(*send, "--header", f"@{tmp_path}/headers", "--limit", "1").status == 0
    assert receiver.posts[0].header("Authorization") == "Bearer two"


def test_a_proxy_of_the_environment_is_asked_and_one_that_is_away_is_told(
    asked: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{receiver.port}")
    monkeypatch.setenv("NO_PROXY", "")
    asked("outbox", "send", "--webhook", "http://care.example/in", "--allow-unencrypted", "--limit", "1")
    assert receiver.posts[0].start == b"POST http://care.example/in HTTP/1.1"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asked("outbox", "send", "--webhook", receiver.url, "--limit", "1")
    assert receiver.posts[1].start == b"POST /care?shop=1 HTTP/1.1"


def test_what_a_receiver_refuses_is_parked_and_what_it_has_in_hand_is_posted_again(
    asked: Shop, receiver: Receiver
) -> None:
    receiver.answers = [409, 422]
    said = asked("outbox", "send", "--webhook", receiver.url, *NOW)
    assert (said.status, said.out) == (1, "0 sent, 1 failed, 1 parked\n")
    said = asked("outbox", "send", "--webhook", receiver.url, "--now", "2026-03-02 10:02")
    assert (said.status, said.out) == (0, "1 sent, 0 failed, 0 parked\n")
    keys = [each.header("Idempotency-Key") for each in receiver.posts]
    assert keys[2] == keys[0]


def test_who_sends_may_have_an_event_loop_of_his_own(hook: Webhook) -> None:
    async def send() -> None:
        hook.deliver(request(), 0)

    with ThreadPoolExecutor(1) as pool:  # in the tests' own thread a browser may have one already
        pool.submit(asyncio.run, send()).result()
