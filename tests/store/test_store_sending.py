"""`outbox send` as a process: it is ended between two deliveries, and outlives a store that is away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM

import pytest

from mailboxes import free_port
from receivers import HOLD, Receiver
from shops import SHOP, Shop

Process = subprocess.Popen[str]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("CAREPOLICY_WEBHOOK_SECRET", "sesame")
    with Receiver() as found:
        yield found


@contextmanager
def sending(shop: Shop, receiver: Receiver, *options: str) -> Iterator[Process]:
    command = ["outbox", "send", "--webhook", receiver.url, "--store", shop.url, "--policies", SHOP, *options]
    run = [sys.executable, "-m", "carepolicy", *command]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def write(shop: Shop, *numbers: int) -> None:
    for number in numbers:
        shop.event("email_received", f"mail-{number}", "2026-03-02 10:00", "customer.email=ada@example.org")


@pytest.mark.parametrize(
    ("options", "signal", "status"), [(("--watch",), SIGTERM, 0), (("--watch",), SIGINT, 130), ((), SIGTERM, 130)]
)
def test_who_is_ended_while_it_delivers_notes_that_delivery_and_gives_back_the_rest(
    file_shop: Shop, receiver: Receiver, options: tuple[str, ...], signal: int, status: int
) -> None:
    write(file_shop, 1, 2, 3)
    receiver.answers = [HOLD]
    with sending(file_shop, receiver, *options) as process:
        assert receiver.holds.wait(60)
        process.send_signal(signal)
        receiver.go_on.set()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err, out) == (status, False, "1 sent, 0 failed, 0 parked\n")
    assert len(receiver.posts) == 1
    found = file_shop("outbox", "list", "--state", "all", "--format", "jsonl").lines()
    assert [(each["state"], each["attempts"]) for each in found] == [("done", 1), ("waiting", 0), ("waiting", 0)]


def test_a_watcher_that_sleeps_ends_at_once(file_shop: Shop, receiver: Receiver) -> None:
    write(file_shop, 1)
    with sending(file_shop, receiver, "--watch") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1 sent, 0 failed, 0 parked\n"
        process.send_signal(SIGTERM)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_a_watcher_outlives_a_store_that_goes_away_and_tells_it_once(
    server: str, postgres: str, capfd: pytest.CaptureFixture[str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    psycopg = pytest.importorskip("psycopg")
    monkeypatch.setenv("CAREPOLICY_POLICIES", SHOP)
    shop = Shop(capfd, postgres)
    write(shop, 1)
    with sending(shop, receiver, "--watch") as process, psycopg.connect(server, autocommit=True) as other:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "1 sent, 0 failed, 0 parked\n"
        for number in (2, 3):
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            assert "trying again until it can be reached" in process.stderr.readline()
            assert process.stderr.readline() == "it can be reached again\n"
            write(shop, number)
            assert process.stdout.readline() == "1 sent, 0 failed, 0 parked\n"
        process.send_signal(SIGTERM)
        assert (process.communicate(timeout=60), process.returncode) == (("", ""), 0)
    assert len({each.header("webhook-id") for each in receiver.posts}) == len(receiver.posts) == 3


def test_a_command_that_is_started_every_minute_leaves_a_server_alone_that_failed(
    file_shop: Shop, receiver: Receiver
) -> None:
    write(file_shop, 1, 2)
    receiver.always = 503
    send = ("outbox", "send", "--webhook", receiver.url, "--now")
    for _ in range(2):
        said = file_shop(*send, "2026-03-02 10:01")
        assert (said.status, said.out, len(receiver.posts)) == (3, "0 sent, 0 failed, 0 parked\n", 1)
        assert said.err.startswith("the receiver answered 503; trying again Mon 2026-03-02 10:01")
    assert file_shop(*send, "2026-03-02 10:01", "--at-once").status == 3
    assert len(receiver.posts) == 2
    receiver.always = 204
    assert file_shop(*send, "2026-03-02 10:02").out == "2 sent, 0 failed, 0 parked\n"


def test_messages_wait_for_the_mail_server_and_are_not_posted_in_its_place(file_shop: Shop, receiver: Receiver) -> None:
    write(file_shop, 1)
    both = ("outbox", "send", "--smtp", f"127.0.0.1:{free_port()}", "--webhook", receiver.url)
    assert (file_shop(*both).status, receiver.posts) == (3, [])
    file_shop("tick", "--now", "2026-03-05 12:00", "--yes", "--quiet")  # the first answer is late, as is told to a lead
    assert file_shop(*both).status == 3
    kinds = [post.header("webhook-id") for post in receiver.posts]
    assert kinds
    listed = file_shop("outbox", "list", "--state", "all", "--format", "jsonl").lines()
    assert sorted(kinds) == sorted(each["id"] for each in listed if each["kind"] != "message")
