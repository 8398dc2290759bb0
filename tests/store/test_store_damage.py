"""A store on a disk that fails, or that somebody has written over: told in a sentence, never by a traceback."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shops import EVENTS, SHOP, Shop

READING: list[dict[str, Any]] = [
    each for each in yaml.safe_load((Path(__file__).parent / "commands.yaml").read_text()) if each["reads"]
]


@pytest.fixture
def whole(file_shop: Shop, tmp_path: Path) -> bytes:
    """The bytes of a small store, all in one file."""
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    file_shop.event("reply_sent", "mail-1", "2026-03-02 10:30")
    file_shop.event("reply_sent", "mail-2", "2026-03-02 10:30")
    file_shop("run", str(EVENTS), "--quiet", "--output", "/dev/null")
    with sqlite3.connect(file_shop.file()) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file_shop.file().read_bytes()


def spoilt(whole: bytes, rng: random.Random) -> Iterator[tuple[int, str, bytes]]:
    """The file with one page after the other spoilt: all of it, or a stretch of it."""
    size = int.from_bytes(whole[16:18], "big")
    for begin in range(0, len(whole), size):
        at = begin + rng.randrange(size - 60)
        yield begin // size, "a page of noise", whole[:begin] + rng.randbytes(size) + whole[begin + size :]
        yield begin // size, "an empty page", whole[:begin] + bytes(size) + whole[begin + size :]
        yield begin // size, "a stretch of noise", whole[:at] + rng.randbytes(60) + whole[at + 60 :]
        yield begin // size, "a stretch of letters", whole[:at] + b"x" * 60 + whole[at + 60 :]


def demand_words(shop: Shop, spoilt: bytes, entry: dict[str, Any], folder: Path) -> None:
    """A command on a spoilt file answers, or says what is wrong."""
    for end in ("-wal", "-shm"):
        Path(f"{shop.file()}{end}").unlink(missing_ok=True)
    shop.file().write_bytes(spoilt)
    (folder / "copy.db").unlink(missing_ok=True)
    places = {"{FOLDER}": str(folder), "{SET}": SHOP}
    given = [places.get(each, each).replace("{FOLDER}", str(folder)) for each in entry.get("arguments", [])]
    said = shop(*entry["command"].split(), *given)
    assert said.status in (0, 1, 2, 3), said
    assert "internal error" not in said.err, said.err
    assert "Traceback" not in said.err
    assert "ada@example.org" not in said.err


def test_each_page_may_be_spoilt_and_no_command_says_more_than_a_sentence(
    file_shop: Shop, whole: bytes, tmp_path: Path
) -> None:
    commands = [each for each in READING if each["command"] not in ("plan", "store backup")]
    for number, (_, _, file) in enumerate(spoilt(whole, random.Random(7))):
        if number % 3 == 0:  # each page once at least
            demand_words(file_shop, file, commands[number // 3 % len(commands)], tmp_path)


@pytest.mark.soak
def test_all_commands_say_no_more_than_a_sentence_of_any_page(file_shop: Shop, whole: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copytree(SHOP, folder / "set")
    for seed in range(3):
        for _, _, file in spoilt(whole, random.Random(seed)):
            for each in READING:
                demand_words(file_shop, file, each, folder)
