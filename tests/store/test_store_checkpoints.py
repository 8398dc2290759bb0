"""Checkpoints that are kept elsewhere find stores that were put back or forked; proofs stand without the store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.cli import app
from carepolicy.store.open import open_store
from carepolicy.store.privacy import erase
from carepolicy.store.records.checkpoint import HashTree, climbed, leaf
from carepolicy.store.sql import statements
from laws import examples
from shops import Said, Shop


def mail(shop: Shop, number: int) -> None:
    shop.event("email_received", f"mail-{number}", f"2026-03-02 09:{number:02}", "customer.email=a@example.org")


def head(shop: Shop, path: Path) -> dict[str, Any]:
    said = shop("verify", "--head")
    assert said.status == 0, said.err
    path.write_text(said.out)
    told: dict[str, Any] = json.loads(said.out)
    return told


def against(shop: Shop, path: Path) -> Said:
    return shop("verify", "--against", str(path))


@pytest.fixture
def anchored(shop: Shop, tmp_path: Path) -> Path:
    """A checkpoint of a store with one case."""
    mail(shop, 1)
    head(shop, tmp_path / "head.json")
    return tmp_path / "head.json"


# -- checkpoints ------------------------------------------------------------------------------------------


def test_a_store_that_has_grown_since_comes_from_its_checkpoint(shop: Shop, anchored: Path) -> None:
    assert against(shop, anchored).status == 0
    mail(shop, 2)
    shop("tick", "--now", "2026-03-05 09:00")
    shop("customer", "erase", "a@example.org", "--force", "--by", "Chidi", "--yes")
    shop("outbox", "take", "--limit", "5")
    assert against(shop, anchored).status == 0


def test_a_store_that_was_put_back_is_found_and_so_is_one_that_went_on_from_there(
    file_shop: Shop, tmp_path: Path
) -> None:
    mail(file_shop, 1)
    head(file_shop, tmp_path / "first.json")
    shutil.copy(file_shop.file(), tmp_path / "copy.db")
    mail(file_shop, 2)
    told = head(file_shop, tmp_path / "second.json")
    shutil.copy(tmp_path / "copy.db", file_shop.file())
    said = against(file_shop, tmp_path / "second.json")
    assert (said.status, "records: 5 that stood here at" in said.out, "put back" in said.out) == (1, True, True)
    for number in (3, 4, 5):
        mail(file_shop, number)
    assert head(file_shop, tmp_path / "third.json")["records"] > told["records"]
    said = against(file_shop, tmp_path / "second.json")
    assert (said.status, said.out.startswith("altered: records: those that stood here at")) == (1, True)
    assert against(file_shop, tmp_path / "first.json").status == 0
    assert against(file_shop, tmp_path / "third.json").status == 0


def test_a_store_is_put_back_also_where_only_its_outbox_is(file_shop: Shop, tmp_path: Path) -> None:
    mail(file_shop, 1)
    head(file_shop, tmp_path / "first.json")
    shutil.copy(file_shop.file(), tmp_path / "copy.db")
    file_shop("outbox", "take", "--limit", "5")
    head(file_shop, tmp_path / "second.json")
    shutil.copy(tmp_path / "copy.db", file_shop.file())
    said = against(file_shop, tmp_path / "second.json")
    assert (said.status, "1 writes that had been done at" in said.out) == (1, True)


def test_a_checkpoint_of_another_store_is_told(shop: Shop, anchored: Path, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    assert app.run(["event", "email_received", "mail-1", "customer.email=a@example.org", "--store", other]) == 0
    assert app.run(["verify", "--against", str(anchored), "--store", other]) == 1


def test_an_altered_store_gives_no_checkpoint(shop: Shop, anchored: Path) -> None:
    store = open_store(shop.url)
    with store.transaction() as transaction:
        past: Any = transaction
        past._do("UPDATE outbox SET state = 'done'")
    store.close()
    said = shop("verify", "--head")
    assert (said.status, "public_key" in said.out, "altered: outbox email_inquiry/mail-1/" in said.out) == (
        1,
        False,
        True,
    )


def test_records_that_were_let_go_since_are_still_in_the_checkpoint_and_the_rest_of_their_case_is_proved(
    shop: Shop, anchored: Path, tmp_path: Path
) -> None:
    mail(shop, 2)
    store = open_store(shop.url)
    for subject, last in (("mail-1", 3), ("mail-2", 99)):
        with store.transaction() as transaction:
            rows = transaction.rows(statements.CHAIN_OF_CASE, ("", subject, "email_inquiry", last))
            erase._cut(transaction, ("", subject, "email_inquiry"), rows, 0)
    store.close()
    assert against(shop, anchored).status == 0
    mail(shop, 3)  # whose records get numbers that nothing had before
    assert against(shop, anchored).status == 0
    head(shop, tmp_path / "later.json")
    assert against(shop, tmp_path / "later.json").status == 0
    proof = tmp_path / "proof.json"
    proof.write_text(shop("case", "history", "mail-1", "--proof").out)
    assert check(shop, proof).status == 0


@pytest.mark.parametrize("name", ["records", "last", "tree", "writes", "sums", "time", "public_key", "signature"])
def test_an_altered_checkpoint_is_none(shop: Shop, anchored: Path, name: str) -> None:
    told = json.loads(anchored.read_text())
    value = told[name]
    told[name] = value + 1 if isinstance(value, int) else value[:-4] + "AAA=" if isinstance(value, str) else []
    anchored.write_text(json.dumps(told))
    said = against(shop, anchored)
    assert (said.status, "it was altered" in said.err or "no JSON" in said.err) == (1, True)


def test_a_key_rotation_changes_neither_checkpoint_nor_public_key(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAREPOLICY_KEY")
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(tmp_path / "key"))
    mail(shop, 1)
    before = head(shop, tmp_path / "head.json")
    assert shop("key", "rotate").status == 0
    assert shop("key", "rotate", "--drop-old").status == 0
    assert against(shop, tmp_path / "head.json").status == 0
    mail(shop, 2)
    assert head(shop, tmp_path / "again.json")["public_key"] == before["public_key"]
    assert shop("verify").status == 0


# -- proofs -------------------------------------------------------------------------------------------


@pytest.fixture
def proved(shop: Shop, tmp_path: Path) -> Path:
    """The proof of one of three cases."""
    for number in (1, 2, 3):
        mail(shop, number)
    shop.event("reply_sent", "mail-2", "2026-03-02 10:00")
    said = shop("case", "history", "mail-2", "--proof")
    assert said.status == 0, said.err
    (tmp_path / "proof.json").write_text(said.out)
    return tmp_path / "proof.json"


def check(shop: Shop, path: Path, *more: str) -> Said:
    shop._capfd.readouterr()
    status = app.run(["verify", "--proof", str(path), *more])
    return Said(status, *shop._capfd.readouterr())


def test_a_proof_stands_without_the_store_and_its_key(
    shop: Shop, proved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = head(shop, tmp_path / "head.json")["public_key"]
    history = shop("case", "history", "mail-2").lines()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAREPOLICY_KEY")
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(tmp_path / "none" / "key"))
    said = check(shop, proved, "--public-key", public)
    assert (said.status, said.out.startswith(f"{len(history)} records of mail-2, as they stood at ")) == (0, True)
    assert [json.loads(each["line"]) for each in json.loads(proved.read_text())["records"]] == history
    assert check(shop, proved, "--public-key", "A" * 44).status == 1
    assert not (tmp_path / "none").exists()


def test_nothing_in_a_proof_can_be_altered_or_left_out(shop: Shop, proved: Path) -> None:
    text = proved.read_text()
    told = json.loads(text)
    for old, new in (("2026-03-02", "2026-03-03"), ("mail-2", "mail-3"), ("reply_sent", "reply_sunt")):
        proved.write_text(text.replace(old, new, 1))
        assert check(shop, proved).status == 1
    proved.write_text(json.dumps({**told, "records": told["records"][:-1]}))
    assert check(shop, proved).status == 1


def test_what_is_private_stays_masked_in_a_proof(shop: Shop, proved: Path) -> None:
    assert "a@example.org" not in proved.read_text()


@given(st.integers(1, 70), st.data())
@settings(max_examples=examples(30))
def test_every_leaf_leads_to_a_peak_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=5))
    tree = HashTree(wanted)
    leaves = [leaf(number, bytes(28)) for number in range(size)]
    for each in leaves:
        tree.add(each)
    peaks = tree.peaks()
    for place in wanted:
        assert climbed(leaves[place], place, tree.path(place)) in peaks
        assert climbed(leaf(size, bytes(28)), place, tree.path(place)) not in peaks


def test_the_vault_is_verified_with_the_store(file_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAREPOLICY_KEY")
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(tmp_path / "key"))
    mail(file_shop, 1)
    assert file_shop("verify").status == 0
    vault = open_store(f"sqlite:///{tmp_path}/key.vault")
    with vault.transaction() as transaction:
        past: Any = transaction
        assert past._do("DELETE FROM datakeys") == 1
    vault.close()
    said = file_shop("verify")
    assert (said.status, said.out.startswith("missing: vault: datakeys: 1 that")) == (1, True)
