"""`carepolicy case` on a store says what it says of the records of a run; `verify` finds what was tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from carepolicy.cli import app
from carepolicy.store.open import open_store
from shops import EVENTS, SHOP, Shop, rows

Ask = Callable[..., tuple[int, str, str]]


def lived(folder: Path, url: str) -> str:
    """The records of a run at whose end many cases are open; the store at ``url`` has run the same."""
    log = folder / "log"
    log.write_bytes(b"".join(EVENTS.read_bytes().splitlines(keepends=True)[:90]))
    path = str(folder / "records.jsonl")
    for more in (["--output", path], ["--store", url, "--output", f"{path}.2"]):
        app.run(["run", str(log), "--policies", SHOP, "--quiet", *more])
    return path


@pytest.fixture
def records(tmp_path: Path, url: str) -> str:
    """Records, and a store that a test may change."""
    return lived(tmp_path, url)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def only_read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store_key: str, compiled: str
) -> tuple[str, str]:
    """Records, and the URL of a store: both for all tests that ask and change nothing."""
    folder = tmp_path_factory.mktemp("asked")
    url = f"sqlite:///{folder}/care.db"
    if request.param == "postgres":
        url = f"{request.getfixturevalue('server')}&schema=asked"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAREPOLICY_KEY", store_key)
        patch.setenv("CAREPOLICY_CACHE", compiled)
        return lived(folder, url), url


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Ask:
    def asked(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = app.run(list(arguments))
        out, err = capfd.readouterr()
        return status, out, err

    return asked


@pytest.mark.parametrize(
    "question",
    [
        ("list",),
        ("list", "--late", "--format", "jsonl"),
        ("list", "--flow", "complaint", "--limit", "2", "--format", "json"),
        ("list", "--owner", "care_lead"),
        ("list", "--state", "nowhere"),
        ("due", "--limit", "3"),
        ("due", "--flow", "complaint", "--format", "jsonl"),
        ("show", "order-2001"),
        ("show", "order-2001", "--format", "json"),
        ("history", "order-2001"),
        ("history", "order-2001", "--format", "text"),
        ("history", "--all"),
        ("history", "--all", "--flow", "complaint"),
        ("show", "order-20001"),
        ("show", "order-2001", "--flow", "complant"),
    ],
    ids=" ".join,
)
def test_a_store_answers_as_the_records_of_a_run_do(
    ask: Ask, only_read: tuple[str, str], question: tuple[str, ...]
) -> None:
    records, url = only_read
    of_file = ask("case", *question, "--records", records, "--policies", SHOP)
    assert ask("case", *question, "--store", url, "--policies", SHOP) == of_file


def test_a_store_that_is_not_there_is_not_made_by_a_question(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = ask("case", "list", "--policies", SHOP)
    assert (status, "there is no store care.db" in err) == (3, True)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_answer_is_told_without_the_password(ask: Ask) -> None:
    status, _, err = ask("case", "list", "--store", "postgresql://ada:secret@127.0.0.1:1/care", "--policies", SHOP)
    assert (status, "cannot be reached" in err, "secret" in err) == (3, True, False)


def tamper(url: str, *statements: str) -> None:
    """Change a store past all that keeps its macs."""
    store = open_store(url)
    with store.transaction() as transaction:
        for statement in statements:
            assert transaction._do(statement) >= 1
    store.close()


ONE = "flow = 'order_fulfilment' AND subject = 'order-2001'"


@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        ([], []),
        (
            [f"UPDATE records SET line = replace(line, 'order-2001/3', 'order-2001/4') WHERE {ONE} AND sequence = 3"],
            [("altered", "order-2001", 3)],
        ),
        ([f"UPDATE records SET time = time + 1 WHERE {ONE} AND sequence = 3"], [("altered", "order-2001", 3)]),
        ([f"DELETE FROM records WHERE {ONE} AND sequence = 3"], [("missing", "order-2001", 3), ("missing", "", 0)]),
        (
            [f"DELETE FROM records WHERE {ONE} AND sequence IN (1, 2)"],
            [("missing", "order-2001", 1), ("missing", "order-2001", 2), ("missing", "", 0)],
        ),
        (
            [
                f"""INSERT INTO records (key, subject, flow, sequence, loose, type, time, line, hash, input, position)
                SELECT key, subject, flow, 999, 0, type, time, line, hash, 0, 0 FROM records WHERE {ONE}
                AND sequence = 3"""
            ],
            [("inserted", "order-2001", 999)],
        ),
        (
            ["DELETE FROM records WHERE subject = 'order-2001'", "DELETE FROM subjects WHERE subject = 'order-2001'"],
            [("missing", "", 0), ("missing", "", 0)],  # of the run, and of the subjects
        ),
    ],
)
def test_verify_names_what_was_altered_lost_or_inserted(
    ask: Ask, url: str, records: str, statements: list[str], faults: list[tuple[str, str, int]]
) -> None:
    tamper(url, *statements)
    status, out, _ = ask("verify", "--store", url, "--format", "json")
    told: dict[str, Any] = json.loads(out)
    assert [(each["kind"], each["subject"], each["number"]) for each in told["faults"]] == faults
    assert status == (1 if faults else 0)
    assert ask("verify", "--store", url)[0] == status


def test_verify_misses_the_last_record_of_a_case(ask: Ask, url: str, records: str) -> None:
    tamper(
        url,
        f"DELETE FROM records WHERE {ONE} AND sequence = (SELECT max(sequence) FROM records WHERE {ONE})",
    )
    status, out, _ = ask("verify", "--store", url)
    assert (status, out.startswith("missing: order_fulfilment/order-2001, record")) == (1, True)


def test_every_single_altered_record_is_found(ask: Ask, url: str, records: str) -> None:
    store = open_store(url)
    with store.reading() as transaction:
        numbers = [number for (number,) in transaction.rows("SELECT no FROM records ORDER BY no LIMIT 40")]
    store.close()
    for number in numbers:
        tamper(url, f"UPDATE records SET line = replace(line, '2026', '2025') WHERE no = {number}")
    _, out, _ = ask("verify", "--store", url, "--format", "json")
    assert len(json.loads(out)["faults"]) == len(numbers)


def test_a_subject_whose_every_trace_is_deleted_is_missed(shop: Shop) -> None:
    for subject in ("mail-1", "mail-2"):
        shop.event("email_received", subject, "2026-03-02 09:05", "customer.email=a@example.org")
    written = rows(shop, "SELECT count(*) FROM records WHERE subject = 'mail-1'")[0][0]
    assert shop("verify").status == 0
    tamper(shop.url, *(f"DELETE FROM {table} WHERE subject = 'mail-1'" for table in ("records", "subjects", "cases")))
    found = shop("verify")
    assert found.status == 1
    for table, many in (("subjects", 1), ("cases", 1), ("records", written)):
        assert f"missing: {table}: {many} that were written, with all that told which they were\n" in found.out
    tamper(shop.url, "DELETE FROM records WHERE subject = 'mail-2' AND sequence = 1")
    assert [each["number"] for each in json.loads(shop("verify", "--format", "json").out)["faults"]] == [1, 0, 0, 0]
