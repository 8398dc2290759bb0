"""Whose fault it was that a request could not be delivered, with real servers and a clock that is handed in: an outage
costs no request anything, a request that nobody takes costs the others nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

import pytest

from carepolicy.cli import app
from carepolicy.engine.instants import parse
from carepolicy.store.contract import Store
from carepolicy.store.faults import StoreFault
from carepolicy.store.open import open_store
from carepolicy.store.outbox.delivery import (
    FIRST_WAIT,
    LEASE,
    LONGEST_DOUBT,
    Carrier,
    Delivered,
    Delivery,
    Doubtful,
    Outcome,
    Server,
    ServerFault,
    Servers,
    Undelivered,
    say_done,
)  # fmt: skip
from carepolicy.store.outbox.mail import MailServer
from carepolicy.store.outbox.queue import LONGEST_WAIT, SECOND, Claim, Outbox, Request, Selection
from carepolicy.store.outbox.webhook import Webhook
from carepolicy.store.privacy.seal import CARRIER, DataKeys
from mailboxes import CUT, DRIBBLE, MailHost
from receivers import DROP, Receiver
from shops import SHOP, Shop

BEGIN = parse("2026-03-02T11:00:00+00:00")
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
COUNT = 12


def written(number: int) -> str:
    """An event: a customer writes, and is to be sent a message."""
    data = {"customer.email": f"c{number}@example.org"}
    time = f"2026-03-02T10:00:{number:02}Z"
    head = {"specversion": "1.0", "id": f"e{number}", "source": "/t", "type": "email_received"}
    return json.dumps({**head, "subject": f"m-{number}", "time": time, "data": data}) + "\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, store_key: str) -> Path:
    """A store in which messages to some customers wait."""
    folder = tmp_path_factory.mktemp("filled")
    log, path = folder / "log", folder / "care.db"
    log.write_text("".join(map(written, range(COUNT))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAREPOLICY_KEY", store_key)
        patch.setenv("CAREPOLICY_CACHE", "off")
        assert app.run(["run", str(log), "--store", f"sqlite:///{path}", "--policies", SHOP, "--quiet"]) == 0
    return path


@dataclass
class Care:
    """A store at work, and a clock that goes on when it is told to."""

    store: Store
    now: int = BEGIN
    told: list[Outcome] = field(default_factory=list)
    ends: bool = False
    unsaid: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store, DataKeys(self.store))
        self.servers = Servers(self.store, DataKeys(self.store))

    def send(self, carrier: Carrier, who: str = "me", at_once: bool = False) -> Delivered:
        clock, ending, told = (lambda: self.now), (lambda: self.ends), self.told.append
        return Delivery(self.outbox, self.servers, carrier, clock, who, 8, told, ending, self.unsaid).run(None, at_once)

    def ids(self) -> list[str]:
        return [each.id for each in self.every()]

    def every(self) -> list[Request]:
        return list(self.outbox.listed(("waiting", "leased", "done", "parked"), "message", None, CARRIER))

    def states(self) -> dict[str, int]:
        return {state: count for state, count in self.outbox.counts().items() if count}

    def live(self, carrier: Carrier, until: int) -> None:
        """Send as a watcher does, until a moment: when a server may be tried again, and when a request is ready."""
        while self.now < until:
            result = self.send(carrier)
            ready = self.outbox.next_ready(carrier.selection)
            self.now = until if ready is None else min(max(result.until, ready, self.now + SECOND), until)


@pytest.fixture
def care(filled: Path, in_memory: Path) -> Iterator[Care]:
    shutil.copy(filled, in_memory / "care.db")
    with closing(open_store(f"sqlite:///{in_memory}/care.db")) as store:
        yield Care(store)


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing need reach a disk, where the system has one: no test here pulls the plug."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture(scope="module")
def host() -> Iterator[MailHost]:
    with MailHost() as found:
        yield found


@contextmanager
def mail_server(host: MailHost) -> Iterator[MailServer]:
    with closing(MailServer("127.0.0.1", host.port, "Shop", {"email": "care@harbour.example"})) as found:
        yield found


def sent_by_mail(host: MailHost) -> list[str | None]:
    return [message_from_bytes(each)["To"] for each in host.mails]


CUSTOMERS = [f"c{number}@example.org" for number in range(COUNT)]


@pytest.mark.parametrize(
    ("answer", "hours"),
    [
        (503, 24), (429, 24), (404, 24), (401, 24), (301, 24), (DROP, 4), (500, 2),
        *(pytest.param(each, 24, marks=pytest.mark.soak) for each in (500, DROP)),
    ],
)  # fmt: skip
def test_a_day_on_which_a_webhook_takes_nothing_parks_nothing(
    care: Care, receiver: Receiver, answer: int | bytes, hours: int
) -> None:
    receiver.posts, receiver.always = [], answer
    with closing(Webhook(receiver.url, "sesame")) as hook:
        care.live(hook, BEGIN + hours * HOUR)
        assert care.states() == {"waiting": COUNT}
        tries = len(receiver.posts)
        receiver.posts, receiver.always = [], 204
        care.live(hook, care.now + DAY)
    assert [post.header("webhook-id") for post in receiver.posts] == care.ids()
    assert (care.states(), {each.attempts for each in care.every()}) == ({"done": COUNT}, {1})
    most = 25 if answer not in (500, DROP) else 100 * hours  # where it may be right it is asked sooner, with more
    assert 10 < tries < most


def test_a_day_on_which_nobody_listens_parks_nothing(care: Care) -> None:
    with ExitStack() as stack:
        gone = stack.enter_context(Receiver())
        hook = stack.enter_context(closing(Webhook(gone.url, "sesame")))
        gone.end()
        care.live(hook, BEGIN + DAY)
        assert (care.states(), {each.attempts for each in care.every()}) == ({"waiting": COUNT}, {0})
        assert "cannot be reached" in (care.send(hook).fault or "")


DAYS = {
    "the greeting": {"": "421 later"}, "no greeting": {"": CUT}, "the name": {"EHLO": "554 no"},
    "a login first": {"MAIL": "530 5.7.0 Authentication required"}, "our address": {"MAIL": "553 5.7.1 no"},
    "the sender for now": {"MAIL": "451 4.3.0 no"}, "relaying": {"RCPT": "554 5.7.1 Relay access denied"},
    "its tables": {"RCPT": "451 4.3.0 lookup failure"}, "its disk": {"DATA": "452 4.3.1 full"},
    "our domain": {".": "550 5.7.26 unauthenticated"}, "cut in the text": {".": CUT}, "shut down": {"RCPT": "421 bye"},
}  # fmt: skip


@pytest.mark.parametrize("hours", [2, pytest.param(24, marks=pytest.mark.soak)])
@pytest.mark.parametrize("what", DAYS)
def test_hours_in_which_a_mail_server_takes_nothing_park_nothing(
    care: Care, host: MailHost, what: str, hours: int
) -> None:
    host.mails, host.replies = [], DAYS[what]
    with mail_server(host) as mail:
        care.live(mail, BEGIN + hours * HOUR)
        assert care.states() == {"waiting": COUNT}
        host.replies = {}
        care.live(mail, care.now + DAY)
    assert sent_by_mail(host) == CUSTOMERS
    assert (care.states(), {each.attempts for each in care.every()}) == ({"done": COUNT}, {1})


@pytest.mark.parametrize(
    ("replies", "kind", "lasting"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, Undelivered, True), ({"RCPT": "553 no"}, Undelivered, True),
        ({"RCPT": "452 4.2.2 mailbox full"}, Undelivered, False), ({"RCPT": "450 4.2.0 grey"}, Undelivered, False),
        ({"RCPT": "451 4.7.1 Greylisted"}, Doubtful, False), ({"RCPT": "450 later"}, Doubtful, False),
        ({".": "554 5.6.0 content"}, Undelivered, True), ({".": "552 too large"}, Undelivered, True),
        ({"MAIL": "552 5.3.4 too large"}, Undelivered, True), ({".": "554 5.7.1 spam"}, Doubtful, True),
        ({"DATA": "554 no valid recipients"}, Undelivered, True), ({"RCPT": "530 login"}, ServerFault, False),
        ({"MAIL": CUT}, ServerFault, False), ({"RCPT": CUT}, ServerFault, False), ({"DATA": CUT}, Doubtful, False),
    ],
)  # fmt: skip
def test_what_a_mail_server_says_tells_whose_fault_it_is(
    care: Care, host: MailHost, replies: dict[str, str], kind: type[Exception], lasting: bool
) -> None:
    host.replies = replies
    with mail_server(host) as mail, pytest.raises(kind) as refused:
        mail.deliver(care.every()[0], care.now)
    assert type(refused.value) is kind
    assert "example.org" not in str(refused.value)
    if isinstance(refused.value, Undelivered):
        assert refused.value.lasting == lasting


@pytest.mark.parametrize("verb", ["", "EHLO", "MAIL", "."])
def test_the_time_for_a_message_is_for_all_that_a_mail_server_says(care: Care, host: MailHost, verb: str) -> None:
    host.replies = {verb: DRIBBLE}
    mail = MailServer("127.0.0.1", host.port, "Shop", {"email": "care@harbour.example"}, deadline=0.3)
    with closing(mail), pytest.raises(Doubtful, match="within 0 seconds"):
        mail.deliver(care.every()[0], care.now)


def test_a_connection_that_had_waited_too_long_is_opened_again_for_the_same_message(care: Care, host: MailHost) -> None:
    host.mails, host.replies, host.asked = [], {".": "250 taken"}, 0
    first, second, third = care.every()[:3]
    with mail_server(host) as mail:
        mail.deliver(first, care.now)
        host.replies = {"MAIL": "421 too slow"}
        with pytest.raises(ServerFault):
            mail.deliver(second, care.now)
        host.replies = {}
        mail.deliver(third, care.now)
    assert (sent_by_mail(host), host.asked) == (CUSTOMERS[:1] + CUSTOMERS[2:3], 2)


def test_a_receiver_that_says_when_to_come_again_is_left_alone_until_then(care: Care, receiver: Receiver) -> None:
    receiver.posts, receiver.always, receiver.extra = [], 429, b"Retry-After: 1800\r\n"
    with closing(Webhook(receiver.url, "sesame")) as hook:
        assert care.send(hook).until == BEGIN + 1800 * SECOND
        care.now += 1799 * SECOND
        assert (care.send(hook).fault, len(receiver.posts)) == ("the receiver answered 429", 1)
        receiver.extra = b"Retry-After: 999999\r\n"
        care.now += SECOND
        assert care.send(hook).until == care.now + LONGEST_WAIT
        receiver.always, receiver.extra = 204, b""
        assert care.send(hook, at_once=True).sent == COUNT


def test_waits_double_up_to_six_hours_and_are_not_the_same_for_two_stores(care: Care) -> None:
    waits = []
    gate = care.servers.enter(Server("mail", "x"), care.now)
    for _ in range(20):
        gate = care.servers.shut(gate, 0, "away", 0, False)
        waits.append(gate.until or 0)
    bounds = [min(FIRST_WAIT << turn, LONGEST_WAIT) for turn in range(20)]
    assert all(bound * 3 // 4 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert len({wait / bound for wait, bound in zip(waits, bounds, strict=True)}) > 10
    doubtful = care.servers.shut(gate, 0, "away", 0, True)
    assert 0 < (doubtful.until or 0) <= LONGEST_DOUBT


class Desk:
    """A carrier that takes some minutes for each request; ``refuses`` has the ids that it does not take, and how.
    ``before`` is called before it takes one, ``after`` when it has."""

    selection = Selection(("message",))
    server = Server("desk", "")

    def __init__(self, care: Care, minutes: int = 0) -> None:
        self.care = care
        self.minutes = minutes
        self.refuses: dict[str, Exception] = {}
        self.took: list[str] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def deliver(self, request: Request, now: int) -> None:
        self.care.now += self.minutes * 60 * SECOND
        self.before()
        if request.id in self.refuses:
            raise self.refuses[request.id]
        self.took.append(request.id)
        self.after()

    def close(self) -> None:
        """There is nothing to end."""


def test_requests_that_no_server_survives_stop_no_others_and_are_parked_at_last(care: Care) -> None:
    desk = Desk(care)
    poison = care.ids()[:3]
    desk.refuses = {id: Doubtful("it answered 500") for id in poison}
    desk.refuses[care.ids()[5]] = Undelivered("refused", lasting=True)
    care.live(desk, BEGIN + 7200 * SECOND)
    assert sorted(desk.took) == sorted(set(care.ids()) - set(desk.refuses))
    for more in range(3):  # only what comes later can tell that these are at fault
        care.live(desk, care.now + DAY)
        assert not {each.state for each in care.every() if each.id in poison} & {"done"}
        assert care.outbox.counts()["parked"] == 1, more
    # With others always coming, they are.
    spare = desk.took[:]
    for id in spare:
        with care.store.transaction() as transaction:
            transaction.run("UPDATE outbox SET state = 'waiting', ready = 0, attempts = 0 WHERE id = ?", (id,))
        care.live(desk, care.now + DAY // 4)
    assert {each.state for each in care.every() if each.id in poison} == {"parked"}


def test_a_single_request_that_fails_by_nobody_knows_whose_fault_waits_longer_each_time(care: Care) -> None:
    only = care.ids()[0]
    with care.store.transaction() as transaction:
        transaction.run("UPDATE outbox SET state = 'done' WHERE id <> ?", (only,))
    desk = Desk(care)
    desk.refuses = {only: Doubtful("it answered 500")}
    waits = []
    for _ in range(12):
        assert care.send(desk).failed == 1
        ready = care.outbox.next_ready(desk.selection)
        assert ready is not None
        waits.append((ready - care.now) // SECOND)
        care.now = ready
    assert waits == [min(60 << turn, 21_600) for turn in range(12)]
    assert {each.attempts for each in care.every() if each.id == only} == {0}


def test_of_several_senders_one_tries_a_server_again_with_one_request(care: Care, receiver: Receiver) -> None:
    receiver.posts, receiver.always = [], 503
    with closing(Webhook(receiver.url, "sesame")) as hook:
        until = care.send(hook).until
        care.now = until
        gate = care.servers.enter(hook.server, care.now)
        assert (gate.until, gate.failures) == (None, 1)
        second = care.send(hook, "another")
        assert (second.sent, second.fault, len(receiver.posts)) == (0, "the receiver answered 503", 1)
        care.servers.leave(gate, care.now)
        receiver.answers, receiver.always = [204, 503], 503
        assert (care.send(hook).sent, len(receiver.posts)) == (1, 3)
    receiver.answers = []


def test_a_server_with_another_password_is_tried_at_once(care: Care) -> None:
    first, second = Server("mail", "old"), Server("mail", "new")
    care.servers.shut(care.servers.enter(first, care.now), care.now, "login", 0, False)
    assert care.servers.enter(first, care.now).until is not None
    assert care.servers.enter(second, care.now).until is None


def test_leases_are_renewed_while_a_sender_works_however_long_it_takes(care: Care) -> None:
    desk = Desk(care, minutes=2)
    other: list[str] = []

    def look() -> None:
        other.extend(each.id for each in care.outbox.take(care.now, DAY, COUNT, "other", desk.selection))

    desk.after = look
    care.send(desk)
    assert len(desk.took) + len(other) == COUNT
    assert not set(desk.took) & set(other)
    assert {each.what for each in care.told} == {"sent"}


def test_who_was_too_late_does_not_touch_what_another_has(care: Care) -> None:
    desk = Desk(care)
    first, *_ = care.outbox.take(care.now, LEASE, 1, "me", desk.selection)
    care.now += LEASE + SECOND
    taken = care.outbox.take(care.now, LEASE, COUNT, "another", desk.selection)
    second = next(each for each in taken if each.id == first.id)
    assert (first.lease, second.lease) == (1, 2)
    assert care.outbox.renew([first], care.now + LEASE) == set()
    care.outbox.release([first])
    say_done(care.outbox, [first], care.told.append)
    assert [each.what for each in care.told] == ["lost"]
    assert [(each.state, each.leased_by) for each in care.every() if each.id == first.id] == [("leased", "another")]


def test_what_another_said_of_a_request_while_it_was_delivered_stays(care: Care) -> None:
    first, second = care.ids()[:2]
    with care.store.transaction() as transaction:
        transaction.run("UPDATE outbox SET state = 'done' WHERE id NOT IN (?, ?)", (first, second))
    desk = Desk(care)
    desk.refuses = {first: Undelivered("refused"), second: Doubtful("it answered 500")}

    def mean_while() -> None:
        for id in (first, second):
            care.outbox.done([Claim(id)])

    desk.before = mean_while
    care.send(desk)
    assert care.states() == {"done": COUNT}


def test_who_is_to_end_delivers_what_is_in_hand_and_gives_back_the_rest(care: Care) -> None:
    desk = Desk(care)

    def end() -> None:
        care.ends = len(desk.took) == 3

    desk.after = end
    care.send(desk)
    assert care.states() == {"done": 3, "waiting": COUNT - 3}
    assert {each.attempts for each in care.every() if each.state == "waiting"} == {0}


def test_what_was_delivered_when_the_store_went_away_is_noted_when_it_is_back(shop: Shop) -> None:
    for number in range(3):
        shop.event("email_received", f"m-{number}", "2026-03-02 10:00", "customer.email=ada@example.org")
    with closing(open_store(shop.url)) as store:
        care = Care(store)
        desk = Desk(care)
        desk.after = store.close
        with pytest.raises(StoreFault):
            care.send(desk)
    assert [each.id for each in care.unsaid] == desk.took
    with closing(open_store(shop.url)) as store:
        again = Care(store, care.now)
        say_done(again.outbox, care.unsaid, again.told.append)
        again.now += LEASE + SECOND
        rest = Desk(again)
        again.send(rest)
        assert (len(desk.took), len(rest.took), set(desk.took) & set(rest.took)) == (1, 2, set())
