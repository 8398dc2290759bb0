"""Keys that are rotated by several at once, on one store or on more with one key file: none that is needed is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from carepolicy.cli.times import wall_clock
from carepolicy.engine.instants import text_of
from carepolicy.store.live.entry import event_line
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.privacy.keys import STORES, rotating_keys
from shops import Shop

ADA = "ada@example.org"
ROTATE = "import sys; from carepolicy.cli import app; sys.exit(app.run(sys.argv[1:]))"


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CAREPOLICY_KEY")
    path = tmp_path / "keys" / "key"
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(path))
    return path


@pytest.fixture
def shops(shop: Shop, new_url: Callable[[], str], key_file: Path) -> tuple[Shop, Shop]:
    """Two stores with one key file, each with a private fact."""
    both = shop, shop.at(new_url())
    for each in both:
        each.event("email_received", "mail-1", "2026-03-02 10:00", f"customer.email={ADA}")
    return both


def is_readable(shop: Shop) -> bool:
    return ADA in shop("customer", "export", "mail-1", "--reveal", "--as", "care_lead").out


def keys(key_file: Path) -> int:
    return key_file.read_text().count(",") + 1


@pytest.mark.parametrize("stores", [1, 2])
def test_two_rotations_at_once_come_one_after_the_other_and_lose_no_key(
    shops: tuple[Shop, Shop], stores: int, key_file: Path
) -> None:
    there = shops[0], shops[stores - 1]
    command = [sys.executable, "-c", ROTATE, "key", "rotate", "--drop-old", "--store"]
    with rotating_keys(lambda: None):
        begun = [
            subprocess.Popen([*command, each.url], env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for each in there
        ]
        for each in begun:
            assert each.stderr is not None
            assert b"waiting for a rotation of the same keys to end" in each.stderr.readline()
    said = [each.communicate(timeout=60) for each in begun]
    assert {each.returncode for each in begun} <= {0, 1}, said
    assert all(map(is_readable, shops))
    assert shops[0]("key", "rotate", "--drop-old").status in (0, 1)
    assert shops[1]("key", "rotate", "--drop-old").status == 0
    assert (keys(key_file), all(map(is_readable, shops))) == (1, True)


def test_a_key_that_another_store_needs_is_kept_and_the_store_is_named(
    shops: tuple[Shop, Shop], key_file: Path
) -> None:
    one, other = shops
    said = one("key", "rotate", "--drop-old")
    assert (said.status, "still needs an old key, which stays" in said.err) == (1, True), said
    assert "password" not in said.err
    assert (keys(key_file), is_readable(one), is_readable(other)) == (2, True, True)
    said = other("key", "rotate", "--drop-old")
    assert (said.status, "1 old key dropped" in said.out) == (0, True), said
    assert (keys(key_file), is_readable(one), is_readable(other)) == (1, True, True)


def test_a_store_that_is_gone_keeps_its_key_until_its_line_is_taken_out(
    file_shop: Shop, key_file: Path, tmp_path: Path
) -> None:
    gone = file_shop.at(f"sqlite:///{tmp_path}/gone.db")
    for each in (file_shop, gone):
        each.event("email_received", "mail-1", "2026-03-02 10:00", f"customer.email={ADA}")
    gone.file().rename(tmp_path / "elsewhere.db")
    said = file_shop("key", "rotate", "--drop-old")
    assert (said.status, f"{tmp_path}/gone.db" in said.err, f"{key_file}{STORES}" in said.err) == (1, True, True)
    (tmp_path / "elsewhere.db").rename(gone.file())
    assert is_readable(gone)
    noted = Path(f"{key_file}{STORES}")
    noted.write_text("".join(line for line in noted.read_text().splitlines(keepends=True) if "gone" not in line))
    assert file_shop("key", "rotate", "--drop-old").status == 0
    assert keys(key_file) == 1


def test_a_copy_of_a_store_in_place_of_it_is_asked_itself_which_key_it_needs(
    file_shop: Shop, key_file: Path, tmp_path: Path
) -> None:
    other = file_shop.at(f"sqlite:///{tmp_path}/other.db")
    for each in (file_shop, other):
        each.event("email_received", "mail-1", "2026-03-02 10:00", f"customer.email={ADA}")
    copy = other.file().read_bytes()
    assert other("key", "rotate").status == 0
    other.file().write_bytes(copy)  # restored from before
    assert file_shop("key", "rotate", "--drop-old").status == 1
    assert (keys(key_file), is_readable(other)) == (2, True)


def test_a_process_that_was_at_work_before_seals_with_the_new_key(shop: Shop, key_file: Path) -> None:
    store = open_store(shop.url)
    operation = Operation(store, shop.policies, wall_clock())
    bundle = operation.bundle()

    def take(subject: str) -> None:
        now = text_of(wall_clock())
        line = event_line(bundle, "email_received", subject, (f"customer.email={ADA}",), now, None, "/test", {})
        operation.take([(1, line)])

    take("mail-1")
    assert shop("key", "rotate", "--drop-old").status == 0
    take("mail-2")
    store.close()
    assert keys(key_file) == 1
    assert ADA in shop("customer", "export", "mail-2", "--reveal", "--as", "care_lead").out
