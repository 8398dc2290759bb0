"""A store as a service lives on it: posted to and read from several threads, awaited, and refusing in words."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

import carepolicy
from carepolicy.engine.record import ClockData
from shops import SHOP
from stories import event, write_set

MORNING = datetime(2026, 3, 2, 10, tzinfo=UTC)
ADA = {"customer.email": "ada@example.org", "customer.name": "Ada"}


def mail(subject: str, number: int = 1, **more: Any) -> dict[str, Any]:
    told = event("email_received", MORNING.isoformat(), subject)
    return {**told, "id": f"{subject}-{number}", "data": ADA, **more}


def kinds(records: list[carepolicy.Record]) -> list[str]:
    return [each.kind for each in records]


def test_an_event_is_taken_once_and_its_records_are_values(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        first, second = store.post(mail("m-1")), store.post(mail("m-1"))
        assert (first.fate, first.id, second.fate, second.letters[0]["code"]) == (
            "taken",
            "m-1-1",
            "duplicate",
            "CP909",
        )
        assert "case.opened" in kinds(first.records)
        assert all(each.subject == "m-1" for each in first.records)
        of_the_case = [each for each in store.history("m-1") if each.sequence]
        assert [each.as_dict() for each in of_the_case] == [each.as_dict() for each in first.records]


def test_what_no_case_takes_is_refused_and_what_is_no_event_too(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        unexpected = store.post({"type": "parcel_found", "subject": "o-1"})
        assert (unexpected.fate, unexpected.source) == ("refused", "/carepolicy/library")
        assert store.post("no JSON").fate == "refused"
        far = store.post(mail("m-1", time=(datetime.now(UTC) + timedelta(days=3)).isoformat()))
        assert (far.fate, far.letters[0]["code"]) == ("refused", "CP915")
        with pytest.raises(TypeError, match="not int"):
            store.post(7)


def test_time_fires_clocks_and_due_tells_what_comes_next(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        store.post(mail("m-2"))
        (case,) = store.due()
        assert (case.subject, case.flow) == ("m-2", "email_inquiry")
        assert case.next_due is not None
        assert store.next_due() is not None
        late = store.tick(MORNING + timedelta(days=2))
        assert "clock.late" in kinds(late)
        assert [each.subject for each in store.cases(late=True)] == ["m-2"]
        assert store.case("m-2").late
        with pytest.raises(ValueError, match="needs a time zone"):
            store.tick(datetime(2026, 3, 2))


def test_private_facts_are_shown_to_roles_that_may_see_them(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        store.post(mail("m-3"))
        store.tick(MORNING + timedelta(days=2))
        asked = [each.data for each in store.history("m-3") if each.kind == "message.requested"]
        seen = [each.data for each in store.history("m-3", role="care_lead") if each.kind == "message.requested"]
        assert asked
        assert "ada@example.org" not in repr([dict(each) for each in asked])
        assert "ada@example.org" in repr([dict(each) for each in seen])
        with pytest.raises(ValueError, match='no role "care_led"; did you mean "care_lead"'):
            store.history("m-3", role="care_led")
        assert any(each.kind == "customer" for each in store.contacts("ada@example.org"))


def test_unknown_names_are_told_with_the_nearest(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        store.post(mail("order-77"))
        with pytest.raises(carepolicy.UnknownSubject, match='did you mean "order-77"'):
            store.case("order-78")
        with pytest.raises(carepolicy.UnknownSubject, match=r'no case of the flow "email"; .*"?email_inquiry'):
            store.case("order-77", "email")
        with pytest.raises(carepolicy.UnknownSubject, match="nobody is known"):
            store.contacts("bob@example.org")
        with pytest.raises(ValueError, match=r'there is no role "zzz"$'):
            store.contacts("order-77", role="zzz")


def test_fewer_than_none_are_not_asked_for(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        for asked in (store.cases, store.due, store.outbox.requests):
            with pytest.raises(ValueError, match="cannot be negative"):
                asked(limit=-1)
        with pytest.raises(ValueError, match="cannot be negative"):
            store.outbox.take("worker", -1)


def test_a_store_that_is_closed_says_so(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        pass
    store.close()
    for call in (store.cases, store.outbox.counts, lambda: store.post(mail("m-9"))):
        with pytest.raises(ValueError, match="this store is closed"):
            call()


def test_requests_are_taken_done_and_failed(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        store.post(mail("m-4"))
        store.tick(MORNING + timedelta(days=2))
        waiting = store.outbox.counts()["waiting"]
        assert waiting == len(store.outbox.requests()) > 1
        first, *rest = store.outbox.take("worker", 100)
        store.outbox.done([first])
        assert [each.state for each in store.outbox.fail(rest, "no route", park=True)] == ["parked"] * len(rest)
        assert store.outbox.counts() == {"waiting": 0, "leased": 0, "done": 1, "parked": len(rest)}
        assert store.outbox.replay() == len(rest)
        with pytest.raises(carepolicy.NoRequest):
            store.outbox.done([replace(first, id="none")])


def test_many_threads_post_at_once_and_nothing_is_lost_or_taken_twice(url: str) -> None:
    with carepolicy.open_store(url, SHOP, connections=4) as store, ThreadPoolExecutor(8) as threads:
        begin = threading.Barrier(8)

        def work(thread: int) -> list[str]:
            begin.wait()
            return [store.post(mail(f"s-{number % 5}", number)).fate for number in range(12)]

        fates = [fate for found in threads.map(work, range(8)) for fate in found]
        assert sorted(set(fates)) == ["duplicate", "taken"]
        assert fates.count("taken") == 12
        assert len(store.cases()) == 5
        sequences = [each.sequence for each in store.history("s-1") if each.sequence]
        assert sequences == list(range(1, len(sequences) + 1))


def test_what_another_has_written_is_seen_though_the_outbox_was_asked_since(url: str) -> None:
    with (
        carepolicy.open_store(url, SHOP, connections=1) as ours,
        carepolicy.open_store(url, SHOP, connections=1) as theirs,
    ):
        ours.post(mail("m-1"))
        theirs.post({"type": "agent_assigned", "subject": "m-1"})
        ours.outbox.done(ours.outbox.take("a mailer"))
        assert ours.post({"type": "reply_sent", "subject": "m-1"}).fate == "taken"
        sequences = [each.sequence for each in ours.history("m-1", "email_inquiry")]
        assert sequences == list(range(1, len(sequences) + 1))
        theirs.tick(MORNING + timedelta(days=1))
        assert ours.case("m-1").state == "answered"


def test_the_same_is_awaited(url: str) -> None:
    async def work() -> tuple[list[str], int]:
        async with await carepolicy.open_async_store(url, SHOP) as store:
            fates: list[str] = []

            async def post(number: int) -> None:
                fates.append((await store.post(mail(f"a-{number}"))).fate)

            async with anyio.create_task_group() as group:
                for number in range(6):
                    group.start_soon(post, number)
            await store.tick(MORNING + timedelta(days=2))
            assert (await store.outbox.counts())["waiting"] > 0
            return fates, len(await store.cases(late=True))

    with ThreadPoolExecutor(1) as alone:  # this thread may have an event loop already, of a browser
        assert alone.submit(anyio.run, work).result() == (["taken"] * 6, 6)


def test_a_connection_that_was_lost_is_made_anew(postgres: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with carepolicy.open_store(postgres, SHOP) as store:
        store.post(mail("m-5"))
        with psycopg.connect(postgres.split("&schema")[0], autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert store.post(mail("m-6")).fate == "taken"
        assert len(store.cases()) == 2


def test_what_is_wrong_with_a_store_or_a_set_is_a_public_exception(tmp_path: Path) -> None:
    with pytest.raises(carepolicy.NoStoreUrl, match="names no store"):
        carepolicy.open_store("mysql://care", SHOP)
    with pytest.raises(carepolicy.NotInstalled):
        carepolicy.open_store(f"sqlite:///{tmp_path}/empty.db", None)
    wrong = write_set(tmp_path / "set", "flow: x\nversion: 1\n")
    with pytest.raises(carepolicy.PolicyErrors):
        carepolicy.open_store(f"sqlite:///{tmp_path}/wrong.db", wrong)
    with pytest.raises(ValueError, match="cannot be negative"):
        carepolicy.open_store(f"sqlite:///{tmp_path}/x.db", SHOP, lateness=timedelta(-1))


def test_a_store_is_asked_whether_several_may_write_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(url: str, policies: str | None, most: int) -> None:
        raise RuntimeError("a pool of connections")

    monkeypatch.setattr("carepolicy.livestore.ServerConnections", refused)
    monkeypatch.setattr("carepolicy.store.sql.sqlite.SqliteStore.many_writers", True)
    with pytest.raises(RuntimeError, match="a pool of connections"):
        carepolicy.open_store(f"sqlite:///{tmp_path}/care.db", SHOP)


def test_records_of_a_post_are_not_read_back_from_their_lines(url: str) -> None:
    with carepolicy.open_store(url, SHOP) as store:
        posted = [store.post(mail("m-1")), store.post(mail("m-1")), store.post({"type": "parcel_found"})]
        begun = [each for one in posted for each in one.records if each.kind == "clock.started"]
        assert begun
        assert all(isinstance(each.data, ClockData) for each in begun)
        of_the_case = [each for each in posted[0].records if each.sequence]
        assert of_the_case == [each for each in store.history("m-1") if each.sequence]
