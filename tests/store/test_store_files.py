"""Files with what is private in them: for their owner alone, and on the disk under their names."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from carepolicy.policy.rewritten import replace_text
from carepolicy.store.open import open_store
from carepolicy.store.privacy import keys
from shops import Shop

ADA = "customer.email=ada@example.org"


@pytest.fixture
def careless() -> Iterator[None]:
    """Files that nobody thinks of are for all."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CAREPOLICY_KEY")
    path = tmp_path / "keys" / "key"
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(path))
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_file_that_is_made_is_its_owners_alone(
    careless: None, file_shop: Shop, key_file: Path, tmp_path: Path
) -> None:
    changed = shutil.copytree(file_shop.policies, tmp_path / "changed")
    notes = changed / "organisation.yaml"
    notes.write_text(notes.read_text() + "\n# another\n")
    file_shop.event("email_received", "m-1", "2026-03-02 10:00", ADA)
    store = open_store(file_shop.url)  # so that what stands beside it is seen
    assert file_shop("apply", "--shadow", "--policies", str(changed)).status in (0, 1)
    file_shop.event("customer_wrote", "m-1", "2026-03-02 11:00", ADA)
    assert file_shop("key", "rotate").status == 0
    assert file_shop("store", "backup", str(tmp_path / "copy.db")).status == 0
    made = [each for each in (*tmp_path.glob("*.db*"), *key_file.parent.iterdir()) if each.is_file()]
    modes = {each.name: oct(mode(each)) for each in made}
    store.close()
    assert {"care.db", "care.db-wal", "care.db-shm", "care.db-shadow", "copy.db", "key", "key.vault"} <= set(modes)
    assert modes == dict.fromkeys(modes, "0o600")
    assert mode(key_file.parent) == 0o700


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o666, 0o660), (0o664, 0o660), (0o640, 0o600)])
def test_a_store_that_is_open_to_others_is_closed_to_them_unless_a_group_may_write(
    file_shop: Shop, before: int, after: int
) -> None:
    file_shop.event("email_received", "m-1", "2026-03-02 10:00", ADA)
    file_shop.file().chmod(before)
    file_shop.event("customer_wrote", "m-1", "2026-03-02 11:00")
    assert oct(mode(file_shop.file())) == oct(after)


def test_a_file_that_must_last_is_on_the_disk_under_its_name(
    file_shop: Shop, key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync

    def noted(number: int) -> None:
        synced.append(os.fstat(number).st_ino)
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    key_file.parent.mkdir()
    keys.made_key()
    made = key_file.stat().st_ino, key_file.parent.stat().st_ino
    assert synced == [*made]
    synced.clear()
    with keys.changing_keys():
        keys.write_keys([keys.new_key()])
    assert synced == [key_file.stat().st_ino, key_file.parent.stat().st_ino]
    file_shop.event("email_received", "m-1", "2026-03-02 10:00", ADA)
    synced.clear()
    copies = tmp_path / "copies"
    copies.mkdir()
    assert file_shop("store", "backup", str(copies / "copy.db")).status == 0
    assert synced[-2:] == [(copies / "copy.db").stat().st_ino, copies.stat().st_ino]
    text = copies / "flow.yaml"
    text.write_text("a")
    replace_text(text, "a", "b")
    assert synced[-2:] == [text.stat().st_ino, copies.stat().st_ino]
