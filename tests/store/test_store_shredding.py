"""What was erased cannot be read again: not in any byte of the files, and not in a copy from before, by one who has all
that is left of the keys."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carepolicy.store.open import open_store
from carepolicy.store.privacy.seal import DataKeys
from shops import Shop, rows

SEALED = ("cases", "records", "contacts", "held")
ADA, BOB = "ada@example.org", "bob@example.org"
Values = set[bytes]


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key file instead of a variable, with which a new store in a file has its data keys beside the key."""
    monkeypatch.delenv("CAREPOLICY_KEY")
    path = tmp_path / "keys" / "key"
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(path))
    return path


def lived(shop: Shop) -> Shop:
    """Ada's case is closed, with something typed; Bob's is open."""
    for subject, email in (("mail-1", ADA), ("mail-2", BOB)):
        shop.event("email_received", subject, "2026-03-02 10:00", f"customer.email={email}", "customer.name=A Name")
    shop.event("reply_sent", "mail-1", "2026-03-02 10:30")
    typed = ("--channel", "phone", "--by", "Aoife", "--text", "Ada rang", "--at", "2026-03-02 11:00")
    shop("contact", "add", "mail-1", *typed)
    assert shop("tick", "--now", "2026-03-20").status == 0
    return shop


def erased(shop: Shop, *who: str) -> Any:
    said = shop("customer", "erase", *(who or (ADA,)), "--by", "Mia", "--yes")
    assert said.status == 0, said.err
    return said


def sealed(shop: Shop, subject: str) -> Values:
    """All that is sealed of a subject."""
    return {
        bytes(each)
        for table in SEALED
        for (each,) in rows(shop, f"SELECT sealed FROM {table} WHERE subject = '{subject}' AND sealed IS NOT NULL")
    }


def wrapped(shop: Shop) -> Values:
    return {bytes(each) for (each,) in rows(shop, "SELECT sealed FROM datakeys")}


def opened(what: Values, wrapped: Values, masters: list[str]) -> list[bytes]:
    """What an attacker can read: every key that there is, tried on everything."""
    keys = []
    for each in wrapped:
        for master in masters:
            try:
                keys.append(AESGCM(Fernet(master).decrypt(each)))
            except InvalidToken:
                continue
    found = []
    for each in what:
        for key in keys:
            try:
                found.append(key.decrypt(each[17:29], each[29:], each[1:17]))
            except InvalidTag:
                continue
    return found


def keys_in(path: Path) -> list[str]:
    return path.read_text().strip().split(",")


@contextmanager
def watched(shop: Shop) -> Iterator[None]:
    """Another process has the store open, as a watcher does."""
    store = open_store(shop.url)
    store.wait(0)
    yield
    store.close()


def test_nothing_sealed_stands_in_any_byte_of_the_files_although_a_watcher_has_them_open(file_shop: Shop) -> None:
    lived(file_shop)
    before, others = sealed(file_shop, "mail-1"), sealed(file_shop, "mail-2")
    keys = wrapped(file_shop)
    assert len(before) > 1
    with watched(file_shop):
        file_shop.event("customer_wrote", "mail-2", "2026-03-20 10:00")
        said = erased(file_shop)
        files = sorted(file_shop.file().parent.glob("care.db*"))
        everything = b"".join(each.read_bytes() for each in files)
    assert [each.name for each in files] == ["care.db", "care.db-shm", "care.db-wal"]
    assert said.err == ""
    assert [each for each in before if each in everything] == []
    assert len([each for each in keys if each in everything]) == len(keys) - 1
    assert [each for each in others if each not in everything] == []


def test_where_a_reader_holds_the_log_it_is_told_and_done_the_next_time(
    file_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from carepolicy.store.sql import sqlite

    monkeypatch.setattr(sqlite, "SHORT_PATIENCE", 0.01)
    lived(file_shop)
    before = sealed(file_shop, "mail-1")
    reader = open_store(file_shop.url)
    with reader.reading() as transaction:
        transaction.rows("SELECT count(*) FROM records")
        said = erased(file_shop)
        assert "care.db-wal may still hold what was erased, since another process is reading the store" in said.err
    again = erased(file_shop, "mail-1")
    everything = b"".join(each.read_bytes() for each in file_shop.file().parent.glob("care.db*"))
    reader.close()
    assert again.err == ""
    assert [each for each in before if each in everything] == []


def test_what_is_left_of_it_in_the_database_is_opened_by_no_key_that_is_left(shop: Shop, store_key: str) -> None:
    lived(shop)
    ada, bob = sealed(shop, "mail-1"), sealed(shop, "mail-2")
    assert len(opened(ada, wrapped(shop), [store_key])) == len(ada)
    erased(shop)
    assert opened(ada, wrapped(shop), [store_key]) == []
    assert len(opened(bob, wrapped(shop), [store_key])) == len(bob)


@pytest.mark.parametrize("named", [False, True], ids=["beside the key", "named"])
def test_a_copy_of_the_store_from_before_opens_nothing_of_it_when_data_keys_are_in_a_vault(
    shop: Shop, key_file: Path, named: bool, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not named and not shop.url.startswith("sqlite"):
        pytest.skip("workers on many machines have no folder in common: PostgreSQL needs a vault that is named")
    url = new_url() if named else f"sqlite:///{key_file}.vault"
    if named:
        monkeypatch.setenv("CAREPOLICY_VAULT", url)
    lived(shop)
    vault = shop.at(url)
    copy, ada, bob = wrapped(shop), sealed(shop, "mail-1"), sealed(shop, "mail-2")
    assert copy == set()
    assert len(opened(ada, wrapped(vault), keys_in(key_file))) == len(ada)
    erased(shop)
    assert opened(ada, copy | wrapped(shop) | wrapped(vault), keys_in(key_file)) == []
    assert len(opened(bob, wrapped(vault), keys_in(key_file))) == len(bob)


def test_a_restored_copy_works_and_what_was_erased_since_stays_unreadable(
    file_shop: Shop, key_file: Path, tmp_path: Path
) -> None:
    lived(file_shop)
    copy = tmp_path / "copy.db"
    shutil.copy(file_shop.file(), copy)
    erased(file_shop)
    restored = file_shop.at(f"sqlite:///{copy}")
    shown = restored("customer", "export", "mail-1", "--reveal", "--as", "care_lead")
    assert (shown.status, ADA in shown.out, "Ada rang" in shown.out, "(erased)" in shown.out) == (0, False, False, True)
    assert BOB in restored("customer", "export", "mail-2", "--reveal", "--as", "care_lead").out
    restored.event("email_received", "mail-1", "2026-03-21 10:00", f"customer.email={ADA}")
    assert ADA in restored("customer", "export", "mail-1", "--reveal", "--as", "care_lead").out
    assert restored("verify").status == 0


def test_a_vault_that_is_lost_or_another_is_told_and_nothing_is_sealed_without_it(
    file_shop: Shop, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(file_shop)
    vault = Path(f"{key_file}.vault")
    kept = vault.rename(vault.with_name("kept"))
    said = file_shop("event", "email_received", "mail-3", f"customer.email={BOB}", "--at", "2026-03-21 10:00")
    assert (
        said.status,
        "put its newest copy back, or name it in CAREPOLICY_VAULT; if it is lost" in said.err,
    ) == (2, True), said.err
    assert not vault.exists()
    monkeypatch.setenv("CAREPOLICY_VAULT", f"sqlite:///{key_file}.another")
    other = file_shop.at(f"sqlite:///{file_shop.file().with_name('other.db')}")
    other.event("email_received", "mail-1", "2026-03-21 10:00", f"customer.email={BOB}")
    said = file_shop("event", "email_received", "mail-3", f"customer.email={BOB}", "--at", "2026-03-21 10:00")
    assert (said.status, "is not the one with the data keys of this store" in said.err) == (2, True), said.err
    monkeypatch.setenv("CAREPOLICY_VAULT", f"sqlite:///{kept}")
    file_shop.event("email_received", "mail-3", "2026-03-21 10:00", f"customer.email={BOB}")


def test_a_vault_that_is_lost_for_good_is_given_up_and_the_store_goes_on(file_shop: Shop, key_file: Path) -> None:
    lived(file_shop)
    for end in ("", "-wal", "-shm"):
        Path(f"{key_file}.vault{end}").unlink(missing_ok=True)
    wrote = ("event", "customer_wrote", "mail-2", "--policies", file_shop.policies, "--at")
    assert file_shop(*wrote, "2026-03-21 10:00").status == 2
    assert file_shop("key", "lost").status == 2
    said = file_shop("key", "lost", "--yes")
    assert (said.status, said.out) == (0, "2 data keys given up; what they sealed counts as erased\n")
    assert file_shop(*wrote, "2026-03-21 10:00").status == 0
    file_shop.event("email_received", "mail-3", "2026-03-22 10:00", f"customer.email={BOB}")
    shown = file_shop("customer", "export", "mail-3", "--reveal", "--as", "care_lead").out
    assert (BOB in shown, BOB in file_shop("customer", "export", "mail-2", "--reveal", "--as", "care_lead").out) == (
        True,
        False,
    )
    assert file_shop("verify").status == 0


def test_data_keys_move_into_a_vault_that_is_named_when_keys_are_rotated(
    shop: Shop, new_url: Callable[[], str], key_file: Path, monkeypatch: pytest.MonkeyPatch, store_key: str
) -> None:
    monkeypatch.setenv("CAREPOLICY_KEY", store_key)
    lived(shop)
    assert len(wrapped(shop)) == 2
    monkeypatch.delenv("CAREPOLICY_KEY")
    key_file.parent.mkdir()
    key_file.write_text(store_key)
    vault = new_url()
    monkeypatch.setenv("CAREPOLICY_VAULT", vault)
    assert shop("key", "rotate", "--drop-old").status == 0
    assert (wrapped(shop), len(wrapped(shop.at(vault)))) == (set(), 2)
    assert BOB in shop("customer", "export", "mail-2", "--reveal", "--as", "care_lead").out
    assert "data keys are in " in shop("key", "show").out


def test_what_is_kept_no_longer_is_shredded_and_the_rest_of_the_subject_is_sealed_anew(
    shop: Shop, store_key: str
) -> None:
    lived(shop)
    shop.event("email_received", "mail-1", "2029-03-01 10:00", f"customer.email={ADA}", "--yes")
    before = sealed(shop, "mail-1")
    said = shop("tick", "--quiet", "--yes", "--now", "2029-04-30")
    assert "private of 1 closed case" in said.err
    after = sealed(shop, "mail-1")
    assert after
    assert before.isdisjoint(after)
    assert opened(before, wrapped(shop), [store_key]) == []
    assert len(opened(after, wrapped(shop), [store_key])) == len(after)
    assert ADA in shop("customer", "export", "mail-1", "--reveal", "--as", "care_lead").out


def test_records_that_are_let_go_take_their_data_key_with_them(
    shop: Shop, store_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = shutil.copytree(shop.policies, tmp_path / "set")
    organisation = changed / "organisation.yaml"
    text = organisation.read_text()
    organisation.write_text(text.replace("\nkeep: 3 years", "\nkeep: {records: 1 month}"))
    assert organisation.read_text() != text
    short = Shop(shop._capfd, shop.url, str(changed))
    monkeypatch.setenv("CAREPOLICY_POLICIES", str(changed))
    lived(short)
    outbox = short("outbox", "take", "--limit", "99", "--now", "2026-03-20").lines()
    for each in outbox:
        assert short("outbox", "done", each["id"], "--lease", "1").status == 0
    ada, bob = sealed(short, "mail-1"), sealed(short, "mail-2")
    said = short("tick", "--quiet", "--yes", "--now", "2026-06-01")
    assert "of records, as keep: says" in said.err, said
    assert sealed(short, "mail-1") == set()
    assert opened(ada, wrapped(short), [store_key]) == []
    assert opened(bob, wrapped(short), [store_key])


def test_what_another_process_seals_while_the_data_key_goes_is_not_lost(shop: Shop) -> None:
    """It has the key in hand, and has not committed; who throws the key away waits for it, and seals it anew."""
    if not shop.url.startswith("postgres"):
        pytest.skip("SQLite has one writer at a time")
    lived(shop)
    one, other, looking = (open_store(shop.url) for _ in range(3))
    sealer = DataKeys(other)
    renewed = Thread(target=lambda: other.attempt(lambda there: sealer.renew(there, "mail-1")))
    typed = "INSERT INTO contacts (time, subject, flow, sequence, direction, author, summary, sealed) VALUES"
    with one.transaction() as transaction:
        now_sealed = DataKeys(one).seal(transaction, "mail-1", b"typed meanwhile")
        transaction.run(f"{typed} (?, ?, '', 0, 'in', 'Mia', '', ?)", (1, "mail-1", now_sealed))
        renewed.start()
        while not looking.ask("SELECT 1 FROM pg_locks WHERE NOT granted"):
            sleep(0.01)
    renewed.join()
    found = [DataKeys(looking).opened(each) for (each,) in looking.ask("SELECT sealed FROM contacts WHERE time = 1")]
    for each in (one, other, looking):
        each.close()
    assert found == [b"typed meanwhile"]
