"""A store on a disk that fails, or that somebody has written over: told in a sentence, never by a traceback."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
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


def demand_words(shop: Shop, spoilt: bytes, entry: dict[str, Any], folder: Path, case: str) -> None:
    """A command on a spoilt file answers, or says what is wrong. ``case`` names the file where it does neither."""
    for end in ("-wal", "-shm"):
        Path(f"{shop.file()}{end}").unlink(missing_ok=True)
    shop.file().write_bytes(spoilt)
    (folder / "copy.db").unlink(missing_ok=True)
    places = {"{FOLDER}": str(folder), "{SET}": SHOP}
    given = [places.get(each, each).replace("{FOLDER}", str(folder)) for each in entry.get("arguments", [])]
    said = shop(*entry["command"].split(), *given)
    assert said.status in (0, 1, 2, 3), (case, said)
    assert "internal error" not in said.err, f"{case}: {said.err}"
    assert "Traceback" not in said.err, f"{case}: {said.err}"
    assert "ada@example.org" not in said.err, case


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What commands are called with; a fault of ours prints where it is."""
    monkeypatch.setenv("CAREPOLICY_DEBUG", "1")
    found = tmp_path / "work"
    found.mkdir()
    (found / "staff.yaml").write_text("roles: {care_agent: {people: 2}}\nwork: {email_inquiry: {mean: 10 minutes}}\n")
    return found


def test_each_page_may_be_spoilt_and_no_command_says_more_than_a_sentence(
    file_shop: Shop, whole: bytes, folder: Path
) -> None:
    commands = [each for each in READING if each["command"] not in ("plan", "store backup")]
    for number, (page, how, file) in enumerate(spoilt(whole, random.Random(7))):
        if number % 3 == 0:  # each page once at least
            demand_words(file_shop, file, commands[number // 3 % len(commands)], folder, f"page {page}, {how}, seed 7")


@pytest.mark.soak
@pytest.mark.parametrize("entry", READING, ids=[each["command"] for each in READING])
def test_a_command_says_no_more_than_a_sentence_of_any_page(
    file_shop: Shop, whole: bytes, folder: Path, entry: dict[str, Any]
) -> None:
    """Each page is spoilt in one of the ways, by another seed each time: a command takes a quarter of a minute."""
    seed = random.randrange(1_000_000)
    ways = random.Random(seed)
    for page, found in groupby(spoilt(whole, random.Random(seed)), key=itemgetter(0)):
        _, how, file = ways.choice(list(found))
        demand_words(file_shop, file, entry, folder, f"page {page}, {how}, seed {seed}")
