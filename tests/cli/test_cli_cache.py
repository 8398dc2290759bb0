"""The cache gives back what was stored, to the user who stored it, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from carepolicy.cli import stores
from carepolicy.machine import cache
from carepolicy.policy.files import digest_of
from shops import SHOP


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAREPOLICY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_stored_comes_back(folder: Path) -> None:
    cache.store("things", "abc", b"what was compiled")
    assert cache.load("things", "abc") == b"what was compiled"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_another_digest_or_kind_is_not_there(folder: Path) -> None:
    cache.store("things", "abc", b"1")
    assert cache.load("things", "abd") is None
    assert cache.load("others", "abc") is None


def test_off_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAREPOLICY_CACHE", "off")
    cache.store("things", "abc", b"1")
    assert cache.load("things", "abc") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", [b"", b"short", b"carepolicy cache\n" + b"x" * 40])
def test_a_broken_file_is_as_good_as_none(folder: Path, harm: bytes) -> None:
    cache.store("things", "abc", b"1")
    next(folder.iterdir()).write_bytes(harm)
    assert cache.load("things", "abc") is None


def test_one_changed_byte_is_seen(folder: Path) -> None:
    cache.store("things", "abc", b"a text that is long enough to change")
    file = next(folder.iterdir())
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    assert cache.load("things", "abc") is None


def test_a_folder_that_others_may_write_to_is_not_read(folder: Path) -> None:
    cache.store("things", "abc", b"1")
    folder.chmod(0o777)
    assert cache.load("things", "abc") is None


def test_a_file_that_others_may_write_to_is_not_read(folder: Path) -> None:
    cache.store("things", "abc", b"1")
    next(folder.iterdir()).chmod(0o666)
    assert cache.load("things", "abc") is None


def test_a_link_in_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "other")
    cache.store("things", "abc", b"1")
    assert list((tmp_path / "other").iterdir()) == []
    assert cache.load("things", "abc") is None


def test_the_folder_is_where_the_platform_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import platformdirs

    monkeypatch.delenv("CAREPOLICY_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in (str(tmp_path / "elsewhere"), ""):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        cache.store("things", "abc", b"1")
        kept = Path(platformdirs.user_cache_dir("carepolicy", appauthor=False))
        assert len(list(kept.glob("things-*"))) == 1


def test_a_folder_that_cannot_be_made_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CAREPOLICY_CACHE", str(tmp_path / "file" / "cache"))
    cache.store("things", "abc", b"1")
    assert cache.load("things", "abc") is None


def test_the_oldest_go_when_there_are_too_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", 3)
    cache.store("others", "z", b"1")
    for number in range(5):
        cache.store("things", str(number), b"%d" % number)
        newest = max(folder.glob("things-*"), key=lambda each: each.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    assert [cache.load("things", str(number)) for number in range(5)] == [None, None, b"2", b"3", b"4"]
    assert cache.load("others", "z") == b"1"


def test_a_folder_is_hashed_again_only_when_one_of_its_files_was_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREPOLICY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stores, "SETTLED", 0)
    folder = tmp_path / "policies"
    shutil.copytree(SHOP, folder)
    hashed: list[str] = []

    def counted(root: str) -> str:
        hashed.append(root)
        return digest_of(root)

    monkeypatch.setattr(stores, "digest_of", counted)
    installed = digest_of(folder)
    assert [stores.differs(str(folder), installed) for _ in range(3)] == [False] * 3
    assert len(hashed) == 1
    organisation = folder / "organisation.yaml"
    before = organisation.stat()
    organisation.write_text(organisation.read_text()[:-1] + "#")
    os.utime(organisation, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [stores.differs(str(folder), installed) for _ in range(2)] == [True] * 2
    assert len(hashed) == 2
