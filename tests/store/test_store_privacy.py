"""What is private: sealed in the store, with keys that can be changed and are never mixed up."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import pytest
from cryptography.fernet import Fernet, InvalidToken

from carepolicy.cli import app
from shops import SHOP, Shop, everything_in, rows

SECRETS = (b"ada@example.org", b"Ada Lovelace", b"+44 20 7946 0999", b"4111111111111111", b"4111 1111 1111 1111")


def lived(shop: Shop) -> None:
    """A case with private facts that messages, notices and dead letters tell of, one more event, and a card number."""
    facts = ("customer.email=ada@example.org", "customer.name=Ada Lovelace", "customer.phone=+44 20 7946 0999")
    shop.event("email_received", "mail-1", "2026-03-02 10:00", *facts)
    shop.event("complaint_received", "order-1", "2026-03-02 10:00", *facts, "complaint.about=My card 4111111111111111")
    shop.event("email_received", "mail-1", "2026-03-01 10:00", *facts)
    shop("tick", "--now", "2026-03-20")


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CAREPOLICY_KEY")
    path = tmp_path / "keys" / "key"
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(path))
    return path


def vault_of(shop: Shop, key_file: Path) -> Shop:
    """Where the data keys of a store are, as a store."""
    return shop.at(f"sqlite:///{key_file}.vault") if shop.url.startswith("sqlite") else shop


def test_no_private_fact_and_no_card_number_stands_in_any_byte_of_the_store(shop: Shop) -> None:
    lived(shop)
    everything = everything_in(shop)
    assert b"mail-1" in everything
    assert b"**** **** **** 1111" in everything
    assert [each for each in SECRETS if each in everything] == []


def test_the_key_file_is_its_owners_alone_and_holds_no_more_than_a_key(shop: Shop, key_file: Path) -> None:
    lived(shop)
    assert stat.S_IMODE(os.stat(key_file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(key_file.parent).st_mode) == 0o700
    Fernet(key_file.read_text().strip())
    others = [each for each in key_file.parent.iterdir() if each != key_file]
    assert {stat.S_IMODE(each.stat().st_mode) for each in others} == {0o600}


def test_without_its_key_nothing_is_sealed_and_no_other_key_is_made(shop: Shop, key_file: Path) -> None:
    lived(shop)
    kept = key_file.rename(key_file.with_name("kept"))
    before = rows(shop, "SELECT count(*) FROM records")
    said = shop("event", "email_received", "mail-2", "customer.email=eve@example.org", "--at", "2026-04-01 10:00")
    assert (said.status, "put the key file back" in said.err) == (2, True)
    assert not key_file.exists()
    assert rows(shop, "SELECT count(*) FROM records") == before
    kept.rename(key_file)
    assert shop("event", "email_received", "mail-2", "--at", "2026-04-01 10:00").status == 1
    assert shop("event", "reply_sent", "mail-1", "--at", "2026-04-01 10:00").status == 0


@pytest.mark.parametrize(
    ("key", "words"),
    [(Fernet.generate_key().decode(), "another key"), ("sesame", "no Fernet key"), (",", "holds no key")],
    ids=["of another store", "no key", "none"],
)
def test_a_wrong_key_is_told_without_showing_it(
    shop: Shop, key: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(shop)
    monkeypatch.setenv("CAREPOLICY_KEY", key)
    said = shop("tick", "--now", "2026-05-01")
    assert (said.status, words in said.err, said.out) == (2, True, "")
    assert key not in said.err or key == ","


def test_what_is_no_key_makes_no_store_unreadable(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPOLICY_KEY", "sesame")
    said = shop("event", "email_received", "mail-1", "customer.email=a@example.org", "--at", "2026-03-02 10:00")
    assert (said.status, "no Fernet key" in said.err) == (2, True)
    monkeypatch.setenv("CAREPOLICY_KEY", Fernet.generate_key().decode())
    shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=a@example.org")


def test_a_rotated_key_opens_everything_and_the_old_one_nothing(shop: Shop, key_file: Path) -> None:
    lived(shop)
    old = key_file.read_text().strip()
    said = shop("key", "rotate", "--drop-old")
    assert (said.status, "1 old key dropped" in said.out) == (0, True), said
    new = key_file.read_text().strip()
    keyed = vault_of(shop, key_file)
    wrapped = [
        each for (each,) in (*rows(keyed, "SELECT sealed FROM datakeys"), *rows(shop, "SELECT sealed FROM secrets"))
    ]
    assert len(wrapped) >= 3
    for each in wrapped:
        Fernet(new).decrypt(each)
        with pytest.raises(InvalidToken):
            Fernet(old).decrypt(each)
    assert shop("event", "reply_sent", "mail-1", "--at", "2026-04-01 10:00").status == 0


def test_the_old_key_stays_in_the_file_until_it_is_dropped(shop: Shop, key_file: Path) -> None:
    lived(shop)
    old = key_file.read_text().strip()
    assert shop("key", "rotate").status == 0
    assert key_file.read_text().strip().split(",")[1:] == [old]
    assert stat.S_IMODE(os.stat(key_file).st_mode) == 0o600
    assert "opens, not in the store" in shop("key", "show").out


def test_keys_of_the_variable_are_rotated_by_who_sets_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(shop)
    said = shop("key", "rotate")
    assert (said.status, "CAREPOLICY_KEY=NEW,OLD" in said.err) == (2, True)
    new = Fernet.generate_key().decode()
    monkeypatch.setenv("CAREPOLICY_KEY", f"{new},{os.environ['CAREPOLICY_KEY']}")
    assert shop("key", "rotate").status == 0
    monkeypatch.setenv("CAREPOLICY_KEY", new)
    assert shop("event", "reply_sent", "mail-1", "--at", "2026-04-01 10:00").status == 0


KILLED = """
import os, sys
from carepolicy.cli import app
from carepolicy.store.privacy import rotation
rotation.AT_A_TIME = 1
seen = 0
def told(self, sealed, again=rotation.Keys.again):
    global seen
    seen += 1
    if seen == int(sys.argv[1]):
        os.kill(os.getpid(), 9)
    return again(self, sealed)
rotation.Keys.again = told
sys.exit(app.run(["key", "rotate", "--drop-old", "--store", sys.argv[2]]))
"""


def test_a_rotation_that_is_killed_loses_nothing_and_goes_on(shop: Shop, key_file: Path) -> None:
    lived(shop)
    for at in (1, 2, 3):
        done = subprocess.run([sys.executable, "-c", KILLED, str(at), shop.url], env=os.environ, check=False)
        assert done.returncode == -SIGKILL
        assert len(key_file.read_text().split(",")) == 2
        moment = f"2026-04-01 10:0{at}"
        assert shop("event", "customer_wrote", "mail-1", "--at", moment, "--policies", SHOP).status == 0
    assert shop("key", "rotate", "--drop-old").status == 0
    assert "," not in key_file.read_text()
    assert shop("event", "reply_sent", "mail-1", "--at", "2026-04-02 10:00").status == 0


def test_a_case_is_revealed_as_far_as_the_role_may_see_it(shop: Shop) -> None:
    lived(shop)
    masked = shop("case", "history", "mail-1").out
    assert "ada@example.org" not in masked
    assert shop("case", "history", "mail-1", "--as", "care_lead").out == masked
    revealed = shop("case", "history", "mail-1", "--reveal", "--as", "care_lead")
    assert '"to":"ada@example.org"' in revealed.out
    everything = shop("case", "history", "--all", "--reveal", "--as", "care_lead")
    assert '"to":"ada@example.org"' in everything.out
    assert "4111111111111111" not in everything.out
    shown = shop("case", "show", "mail-1", "--format", "json", "--reveal", "--as", "care_lead")
    assert '"to": "ada@example.org"' in shown.out
    fewer = shop("case", "show", "mail-1", "--format", "json", "--reveal", "--as", "warehouse")
    assert (fewer.status, "ada@example.org" in fewer.out, '"to": "***"' in fewer.out) == (0, False, True)
    assert len(revealed.lines()) == len(masked.splitlines())


def test_who_may_not_see_a_case_unmasked_is_told(shop: Shop, tmp_path: Path) -> None:
    lived(shop)
    assert "add --as ROLE" in shop("case", "show", "mail-1", "--reveal").err
    assert 'did you mean "care_lead"?' in shop("case", "list", "--reveal", "--as", "care_led").err
    (tmp_path / "records").write_text("")
    said = app.run(["case", "list", "--records", str(tmp_path / "records"), "--reveal", "--as", "care_lead"])
    assert said == 2


def test_a_key_file_in_a_folder_that_may_not_be_written_to_is_read_and_nothing_is_put_beside_it(
    shop: Shop, key_file: Path, store_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file.parent.mkdir()
    key_file.write_text(store_key)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(key_file.parent) and allowed(path, mode))
    lived(shop)
    assert list(key_file.parent.iterdir()) == [key_file]
    assert "data keys are in the store" in shop("key", "show").out
