"""`verify` finds whatever is altered by hand in any table, and nothing that commands have done."""

from __future__ import annotations

import ast
import itertools
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.cli import app
from carepolicy.store.open import open_store
from carepolicy.store.records.verify import Verification, verify
from carepolicy.store.sql.tables import TABLES, WRITES, taken_apart
from carepolicy.store.url import parsed
from full_store import empty_tables, fill, surroundings
from laws import examples
from tamper import HEADER, MISSED, NOTHING, tamper, tried

STORE = Path(__file__).parents[2] / "src" / "carepolicy" / "store"
HANDS = ("transaction.py", "sqlite.py", "postgres.py")
"""Modules that may talk to a database past the macs."""

BY_HAND = re.compile(r"\bmac\b|^(INSERT INTO|UPDATE) sums\b")
"""What statements have in them with which those modules keep macs and sums."""

PROVED = (*TABLES, "sums")
UNIQUE = {"inputs": ("name",), "policy_versions": ("digest",), "records": ("sequence",)}
"""Columns of which no two rows have the same, beside those of primary keys."""

PAGE = 4096
BYTES = ("BLOB", "bytea")
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with something in each table; whoever changes it takes a copy."""
    folder = tmp_path_factory.mktemp("full")
    with surroundings(str(folder)):
        fill(f"sqlite:///{folder}/care.db", str(folder))
        yield folder / "care.db"


@pytest.fixture(scope="module")
def filled_postgres(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same in PostgreSQL, which no test leaves changed."""
    folder = tmp_path_factory.mktemp("full_postgres")
    with surroundings(str(folder)):
        fill(f"{server}&schema=full", str(folder))
        yield f"{server}&schema=full"


def copied(filled: Path, folder: Path) -> str:
    shutil.copy(filled, folder / "care.db")
    return f"sqlite:///{folder}/care.db"


# -- what is proved ---------------------------------------------------------------------------------------


def test_there_is_something_in_every_table(filled: Path) -> None:
    assert empty_tables(f"sqlite:///{filled}") == []


def test_every_table_and_column_of_a_store_is_proved(filled: Path, filled_postgres: str) -> None:
    declared = {
        name: ([*table.columns, *(["line"] if name == "records" else ()), "mac"], list(table.key), {
            *table.columns[table.plain :],
            "mac",
        })
        for name, table in TABLES.items()
    }  # fmt: skip
    beside = {"sums", "schema_version"}
    assert {name: told for name, told in columns_of_sqlite(filled).items() if name not in beside} == ordered(declared)
    assert {name for name in columns_of_postgres(filled_postgres) if name not in beside} == set(TABLES)
    for name, found in columns_of_postgres(filled_postgres).items():
        if name not in beside:
            assert found == set(declared[name][0])


def ordered(declared: dict[str, tuple[list[str], list[str], set[str]]]) -> dict[str, tuple[list[str], ...]]:
    return {name: (sorted(columns), key, sorted(blobs)) for name, (columns, key, blobs) in declared.items()}


def columns_of_sqlite(path: Path) -> dict[str, tuple[list[str], ...]]:
    store = open_store(f"sqlite:///{path}")
    with store.reading() as transaction:
        names = [name for (name,) in transaction.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: transaction.rows(f"SELECT name, type, pk FROM pragma_table_info('{name}')") for name in names}
    store.close()
    return {
        name: (
            sorted(each for each, _, _ in columns),
            [each for each, _, place in sorted(columns, key=lambda one: one[2]) if place],
            sorted(each for each, kind, _ in columns if kind == "BLOB"),
        )
        for name, columns in found.items()
    }  # fmt: skip


def columns_of_postgres(url: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    store = open_store(url)
    with store.reading() as transaction:
        for table, column in transaction.rows(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ?", (parsed(url)[1],)
        ):
            found.setdefault(table, set()).add(column)
    store.close()
    return found


def test_every_statement_that_writes_is_one_that_the_sums_know() -> None:
    written = [
        text
        for path in STORE.rglob("*.py")
        if path.name not in (*HANDS, "migrations.py", "tables.py")
        for text in whole_texts(ast.parse(path.read_text()))
        if text.startswith(WRITES) and not BY_HAND.search(text)
    ]
    assert len(written) > 60
    for sql in written:
        assert taken_apart(sql), sql


def test_every_statement_has_a_name_of_its_own() -> None:
    tree = ast.parse((STORE / "sql" / "statements.py").read_text())
    names = [
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in ast.walk(node.targets[0])
        if isinstance(name, ast.Name)
    ]
    assert len(names) > 150
    assert [name for name, times in Counter(names).items() if times > 1] == []


def whole_texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module, but for the parts of those that are put together."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not isinstance(node, ast.JoinedStr):
            yield from whole_texts(node)


def test_nobody_else_speaks_sql() -> None:
    spoken = re.compile(r"(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA|VACUUM|CREATE TABLE|LOCK TABLE) ")
    logs = {STORE.parent / room for room in ("audit", "report")}  # of others, which are read by SQL as well
    rooms = [path for path in STORE.parent.rglob("*.py") if path.parent not in {STORE / "sql", *logs}]
    texts = [
        (path.name, node.value)
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(texts) > 5_000
    assert [(name, text) for name, text in texts if spoken.match(text)] == []


def test_only_backends_write_past_the_sums() -> None:
    past = ("._do(", "._do_many(", "._ask(", "_connection")
    found = [path.name for path in STORE.rglob("*.py") if any(each in path.read_text() for each in past)]
    assert set(found) <= set(HANDS)


# -- by hand ----------------------------------------------------------------------------------------------


Change = tuple[str, str, tuple[Any, ...]]
"""What is done in words, and a statement with its values that does it."""


def other(value: Any, kind: str) -> Any:
    if value is None:
        return b"x" if kind in BYTES else 1 if kind in ("INTEGER", "bigint") else "x"
    if isinstance(value, int):
        return value + 1_000
    if isinstance(value, str):
        return value + "x"
    return bytes([value[0] ^ 1]) + bytes(value[1:])


def changes_by_hand(transaction: Any, kinds: Callable[[str], dict[str, str]]) -> Iterator[Change]:
    """Each cell of the first and the last row of every table altered, and each of the two rows taken away."""
    for table in PROVED:
        key = TABLES[table].key if table in TABLES else ("shard",)
        where = " AND ".join(f"{name} = ?" for name in key)
        types = kinds(table)
        names = ", ".join(types)
        rows = transaction.rows(f"SELECT {names} FROM {table} ORDER BY {', '.join(key)}")
        for row in rows[:1] + rows[1:][-1:]:
            known = dict(zip(types, row, strict=True))
            at = tuple(known[name] for name in key)
            for name, kind in types.items():
                words = f"{table}.{name} of {at}"
                yield words, f"UPDATE {table} SET {name} = ? WHERE {where}", (other(known[name], kind), *at)
            yield f"{table} without {at}", f"DELETE FROM {table} WHERE {where}", at


def is_found(transaction: Any, change: Change) -> bool:
    """Whether a change is found; it is taken back."""
    _, sql, values = change
    transaction._do("SAVEPOINT hand")
    transaction._do(sql, values)
    found = any(Verification(transaction).faults())
    transaction._do("ROLLBACK TO hand")
    return found


def kinds_in_sqlite(transaction: Any) -> Callable[[str], dict[str, str]]:
    return lambda table: dict(transaction.rows(f"SELECT name, type FROM pragma_table_info('{table}')"))


def test_every_cell_altered_and_every_row_taken_away_by_hand_is_found(filled: Path, tmp_path: Path) -> None:
    store = open_store(copied(filled, tmp_path))
    with store.transaction() as transaction:
        assert list(Verification(transaction).faults()) == []
        changes = list(changes_by_hand(transaction, kinds_in_sqlite(transaction)))
        assert len(changes) > 200
        assert [words for words, sql, values in changes if not is_found(transaction, (words, sql, values))] == []
    store.close()


def test_so_it_is_in_postgresql(filled_postgres: str) -> None:
    def kinds(table: str) -> dict[str, str]:
        sql = """SELECT column_name, data_type FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = ?"""
        return dict(transaction.rows(sql, (table,)))

    store = open_store(filled_postgres)
    with store.transaction() as transaction:
        assert list(Verification(transaction).faults()) == []
        changes = [each for each in changes_by_hand(transaction, kinds) if ".no of" not in each[0]]  # PostgreSQL's own
        sample = changes[:: max(1, len(changes) // examples(40))]
        assert [each[0] for each in sample if not is_found(transaction, each)] == []
    store.close()


@pytest.mark.parametrize("table", [each for each in PROVED if each != "sums"])
def test_a_row_that_is_put_in_by_hand_is_found(filled: Path, tmp_path: Path, table: str) -> None:
    store = open_store(copied(filled, tmp_path))
    with store.transaction() as transaction:
        kinds = kinds_in_sqlite(transaction)(table)
        unique = {*TABLES[table].key, *UNIQUE.get(table, ())}
        other = {"INTEGER": "{0} + 1000", "TEXT": "{0} || 'x'", "BLOB": "CAST({0} || 'x' AS BLOB)"}
        copy = ", ".join(other[kind].format(name) if name in unique else name for name, kind in kinds.items())
        sql = f"INSERT INTO {table} ({', '.join(kinds)}) SELECT {copy} FROM {table} LIMIT 1"
        assert is_found(transaction, (table, sql, ()))
    store.close()


def test_a_row_of_an_earlier_day_is_found_although_its_mac_is_right(filled: Path, tmp_path: Path) -> None:
    url = copied(filled, tmp_path)
    store = open_store(url)
    with store.transaction() as transaction:
        before = transaction.rows("SELECT state, ready, leased_by, attempts, fault, mac, id FROM outbox LIMIT 1")[0]
    app.run(["outbox", "fail", before[-1], "--park", "--store", url])
    with store.transaction() as transaction:
        assert list(Verification(transaction).faults()) == []
        back = "UPDATE outbox SET state = ?, ready = ?, leased_by = ?, attempts = ?, fault = ?, mac = ? WHERE id = ?"
        transaction._do(back, before)
        (fault,) = Verification(transaction).faults()
        assert (fault.table, fault.kind) == ("outbox", "altered")
    store.close()


# -- bytes of the file ------------------------------------------------------------------------------------


def test_no_single_bit_changes_an_answer_unseen(filled: Path, tmp_path: Path) -> None:
    came, missed = tamper(filled.read_bytes(), examples(300), 3, tmp_path / "changed.db")
    assert (missed, came.total() - came[NOTHING] > examples(10)) == ([], True), came


def test_no_bit_of_the_header_of_a_file_changes_what_can_be_done_with_it_unseen(filled: Path, tmp_path: Path) -> None:
    whole, path = filled.read_bytes(), tmp_path / "changed.db"
    bits = range(0, HEADER * 8, max(1, HEADER * 8 // examples(60)))
    assert [bit for bit in bits if tried(whole, bit, None, path) == MISSED] == []


@pytest.mark.parametrize(
    "name", [b"cases_by_opening", b"indexsubjects_by_due", b"tableheld", b"sqlite_autoindex_inputs_1"]
)
def test_what_a_table_or_an_index_is_called_and_is_cannot_be_changed_unseen(
    filled: Path, tmp_path: Path, name: bytes
) -> None:
    whole = filled.read_bytes()
    place = whole.index(name)
    found = [tried(whole, place * 8 + bit, None, tmp_path / "changed.db") for bit in range(8)]
    assert MISSED not in found


def test_a_page_that_is_lost_is_told_without_a_traceback(
    filled: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = filled.read_bytes()
    for page in range(1, len(whole) // PAGE, 7):
        lost = whole[: page * PAGE] + os.urandom(PAGE) + whole[(page + 1) * PAGE :]
        (tmp_path / "care.db").write_bytes(lost)
        status = app.run(["verify", "--store", f"sqlite:///{tmp_path}/care.db"])
        out, err = capfd.readouterr()
        assert (status, "damaged" in out) == (1, True) or (status, "is damaged" in err) == (2, True), (status, out, err)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER helpful AFTER INSERT ON outbox BEGIN UPDATE outbox SET channel = 'fax'; END",
        "CREATE TABLE more (a TEXT)",
        "DROP INDEX outbox_by_ready",
    ],
)
def test_tables_that_are_laid_out_otherwise_are_told(filled: Path, tmp_path: Path, statement: str) -> None:
    store = open_store(copied(filled, tmp_path))
    with store.transaction() as transaction:
        past: Any = transaction
        past._do(statement)
    (fault,) = verify(store).faults
    assert (fault.kind, fault.table in statement) == ("damaged", True)
    store.close()


def test_what_is_laid_over_tables_of_postgresql_is_told(postgres: str, filled: Path) -> None:
    store = open_store(postgres)
    assert verify(store).faults == []
    with store.transaction() as transaction:
        past: Any = transaction
        past._do("CREATE RULE quiet AS ON DELETE TO cases DO INSTEAD NOTHING")
    (fault,) = verify(store).faults
    assert (fault.kind, fault.table, "the rule quiet" in fault.words) == ("damaged", "cases", True)
    store.close()


# -- by commands ------------------------------------------------------------------------------------------


FACTS = ("customer.email=ada@example.org", "ticket.cause=late")
COMMANDS = (
    ("event", "asked", "t-1", *FACTS, "--at", "2026-03-03T09:00:00Z"),
    ("event", "asked", "t-1", "--id", "one", "--at", "2026-03-03T09:00:00Z"),
    ("event", "answered", "t-2", "--at", "2026-03-03T09:30:00Z"),
    ("event", "answered", "t-6", "--at", "2026-03-03T09:30:00Z"),
    ("event", "carepolicy.merge", "t-2", "into=t-1", "--at", "2026-03-03T09:40:00Z"),
    ("tick", "--now", "2026-03-04T09:00:00Z"),
    ("tick", "--now", "2029-03-04T09:00:00Z", "--quiet"),
    ("outbox", "take", "--limit", "3", "--now", "2026-03-05T09:00:00Z"),
    ("outbox", "replay", "--all"),
    ("outbox", "fail", "ticket/t-2/5", "--park"),
    ("outbox", "done", "ticket/t-2/5"),
    ("contact", "add", "t-1", "--by", "Ben", "--text", "Called", "--new"),
    ("customer", "erase", "t-1", "--force", "--by", "Ben", "--yes"),
    ("apply", "--shadow"),
    ("apply",),
    ("key", "rotate"),
    ("key", "rotate", "--drop-old"),
    ("run", "LOG", "--lateness", "1h", "--quiet"),
    ("run", "LOG", "--resume", "--quiet"),
)


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[str, Path]]:
    """URLs of empty stores, each with a folder."""

    def make() -> tuple[str, Path]:
        folder = tmp_path_factory.mktemp("fresh")
        if request.param == "sqlite":
            return f"sqlite:///{folder}/care.db", folder
        return f"{request.getfixturevalue('server')}&schema=fresh_{next(numbers)}", folder

    return make


def test_whatever_commands_do_verify_finds_nothing(fresh: Callable[[], tuple[str, Path]], filled: Path) -> None:
    policies = str(filled.parent / "set")

    @given(st.lists(st.sampled_from(COMMANDS), min_size=8, max_size=16))
    @settings(max_examples=examples(2))
    def law(commands: list[tuple[str, ...]]) -> None:
        url, folder = fresh()
        (folder / "log").write_text((filled.parent / "log.jsonl").read_text())
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("CAREPOLICY_KEY")
            patch.setenv("CAREPOLICY_KEY_FILE", str(folder / "key"))
            patch.setenv("CAREPOLICY_POLICIES", policies)
            for command in (COMMANDS[0], *commands):
                said = app.run([str(folder / "log") if each == "LOG" else each for each in command] + ["--store", url])
                assert said in (0, 1, 2), command
            store = open_store(url)
            assert verify(store).faults == [], commands
            store.close()

    law()
