"""Who may only read a store gets every answer of it that others get, and is told so where something is to be kept."""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from carepolicy.cli.app import app
from carepolicy.store.open import open_store
from carepolicy.store.sql import migrations
from shops import SHOP, Said, Shop

TABLE: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "commands.yaml").read_text())
READING = [each for each in TABLE if each["reads"]]
WRITING = [each for each in TABLE if not each["reads"]]
EVENT = '{"id":"l","source":"/log","type":"reply_sent","subject":"mail-1","time":"2026-03-02T11:00:00Z"}\n'
MASTER = {1, 2, 3}
"""The rights by which root reads and writes whatever it likes: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER."""


@contextmanager
def as_anybody() -> Iterator[None]:
    """Let rights of files and folders hold for root as well."""
    if os.geteuid() or sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()
    if libc.capget(head, rights):
        pytest.skip("rights of root cannot be asked for here")
    had = rights[0]
    rights[0] = had & ~sum(1 << each for each in MASTER)
    if libc.capset(head, rights):
        pytest.skip("root cannot do without its rights here")
    try:
        yield
    finally:
        rights[0] = had
        libc.capset(head, rights)


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """All commands that work on a store."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))
    elif any(each.name == "store" for each in command.params):
        yield " ".join(path)


def test_the_table_has_every_command_on_a_store() -> None:
    assert sorted(each["command"] for each in TABLE) == sorted(commands(app))


class Filled:
    """A store with a case, and what commands are called with."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop = shop
        self.folder = folder
        folder.mkdir()
        (folder / "log.jsonl").write_text(EVENT)
        (folder / "staff.yaml").write_text(
            "roles: {care_agent: {people: 2}}\nwork: {email_inquiry: {mean: 10 minutes}}\n"
        )
        changed = shutil.copytree(SHOP, folder / "set") / "flows" / "email_inquiry.yaml"
        changed.write_text(changed.read_text().replace("3 business hours", "2 business hours"))
        shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
        shop.event("email_received", "mail-2", "2026-03-02 10:05", "customer.email=bob@example.org")
        shop("outbox", "fail", "email_inquiry/mail-2/5", "--park")
        shop.event("reply_sent", "mail-3", "2026-03-02 10:05")

    def __call__(self, entry: dict[str, Any]) -> Said:
        for each in self.folder.glob("copy.db*"):
            each.unlink()
        places = {"{FOLDER}": str(self.folder), "{SET}": str(self.folder / "set")}
        given = entry.get("arguments", [])
        for name, place in places.items():
            given = [each.replace(name, place) for each in given]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in entry.get("environment", {}).items():
                patch.setenv(name, value)
            said = self.shop(*entry["command"].split(), *given)
        assert "internal error" not in said.err, (entry, said.err)
        return said

    def answers(self) -> dict[str, tuple[int, str]]:
        """What reading commands say."""
        said = {each["command"]: self(each) for each in READING}
        differ = {each["command"] for each in READING if each.get("differs")}
        return {name: (each.status, "" if name in differ else each.out) for name, each in said.items()}

    def demand_refusals(self) -> None:
        """Each writing command says that nothing can be kept."""
        for each in WRITING:
            said = self(each)
            words = each.get("instead", "may only be read")
            assert (said.status, words in said.err) == (1 if "instead" in each else 3, True), (each, said)


@pytest.fixture
def filled(file_shop: Shop, tmp_path: Path) -> Filled:
    return Filled(file_shop, tmp_path / "work")


@pytest.mark.parametrize("log", ["no log", "a log", "a log and no index of it"])
@pytest.mark.parametrize("what", ["the file", "the folder"])
def test_a_file_that_may_only_be_read_answers_as_others_do(filled: Filled, tmp_path: Path, what: str, log: str) -> None:
    store = filled.shop.file()
    held = None
    if log != "no log":
        held = open_store(filled.shop.url)  # as long as somebody has it open the log stays
        filled.shop.event("reply_sent", "mail-1", "2026-03-02 10:20")
    before = filled.answers()
    assert {status for status, _ in before.values()} == {0}
    place = tmp_path / "only"
    place.mkdir()
    for end in ("", "-wal", "-shm"):
        if Path(f"{store}{end}").exists() and not (end == "-shm" and "no index" in log):
            shutil.copy(f"{store}{end}", place / f"care.db{end}")
    if held is not None:
        held.close()
    for each in place.iterdir():
        each.chmod(0o444)
    place.chmod(0o555 if what == "the folder" else 0o755)
    bytes_before = (place / "care.db").read_bytes()
    filled.shop.url = f"sqlite:///{place}/care.db"
    try:
        with as_anybody():
            assert filled.answers() == before
            filled.demand_refusals()
    finally:
        place.chmod(0o755)
    assert (place / "care.db").read_bytes() == bytes_before


def test_a_user_of_postgresql_who_may_only_select_is_answered_as_others_are(
    server: str, postgres: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setenv("CAREPOLICY_POLICIES", SHOP)
    filled = Filled(Shop(capfd, postgres), tmp_path / "work")
    before = filled.answers()
    assert {status for status, _ in before.values()} == {0}
    name = postgres.partition("schema=")[2]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_reader LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {name} TO {name}_reader".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {name}_reader".encode())
    filled.shop.url = postgres.replace("://postgres:@", f"://{name}_reader:@")
    assert filled.shop.url != postgres
    assert filled.answers() == before
    filled.demand_refusals()


def test_a_store_of_an_older_version_that_may_only_be_read_says_who_can_help(file_shop: Shop) -> None:
    with sqlite3.connect(file_shop.file()) as store:
        for step in range(5):
            for each in migrations.statements(step, migrations.SQLITE):
                store.execute(each)
        store.execute(f"PRAGMA application_id={migrations.APPLICATION}")
        store.execute("PRAGMA user_version=5")
    file_shop.file().chmod(0o444)
    with as_anybody():
        said = file_shop("verify")
    assert (said.status, "tables of version 5" in said.err, "who may write to it" in said.err) == (3, True, True), (
        said.err
    )
