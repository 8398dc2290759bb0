"""Logs as they come are read right, or what is wrong with them is said with a place, a reason and the nearest right
thing: odd_logs.yaml and odd_objects.yaml have them. Never is there a traceback."""

from __future__ import annotations

import gzip
import json
import sqlite3
import tempfile
from pathlib import Path

import pytest
import yaml

from carepolicy.audit.tables import Table
from commands import run
from shops import SHOP

HERE = Path(__file__).parent
HELPDESK = HERE.parents[1] / "examples" / "helpdesk"
TABLES = yaml.safe_load((HERE / "odd_logs.yaml").read_text())
OBJECTS = yaml.safe_load((HERE / "odd_objects.yaml").read_text())
VALUES = {"written": "ticket_inserted", "taken": "taken_in_charge", "solved": "ticket_resolved"}


def named(case) -> str:
    return case["name"]


def written(case) -> bytes:
    """The bytes of a log."""
    rows = []
    for number, row in enumerate(TABLES["rows"]):
        if "at" in case:
            ticket, what, _, level = row.split(",")
            row = "\t".join([ticket, what, case["at"][number % 3], level])
            row = row.replace("\t", case.get("separator", ","))
        elif "separator" in case:
            row = row.replace(",", case["separator"])
        row = row.replace(case.get("old", "\0"), case.get("new", "")).removesuffix(case.get("drop", "\0"))
        rows.append(row + case.get("add", ""))
    head = case.get("head", TABLES["head"])
    lines = [head.replace(",", case["separator"]) if "separator" in case else head, *rows, *case.get("more", [])]
    text = case.get("text", "\n".join(lines) + "\n")
    data = text.encode(case.get("as", "utf-8"))
    return (gzip.compress(data) if case.get("gzip") else data)[: case.get("cut")]


def audited(tmp_path, log: str, mapping: dict):
    (tmp_path / "tickets.yaml").write_text(yaml.safe_dump(mapping))
    asked = ("audit", log, "--policies", str(HELPDESK), "--map", "tickets.yaml")
    return run(*asked, "--format", "json", cwd=tmp_path), run(*asked, cwd=tmp_path)


def held(case, made, told) -> None:
    """What came of a log is what is written down."""
    said = told.stdout + told.stderr
    assert "internal error" not in said
    assert (made.returncode, told.returncode) == (case.get("status", 0),) * 2, said
    if case.get("events") is not None:
        assert json.loads(made.stdout)["events"] == case["events"], said
    assert case.get("told", "") in said
    assert "never" not in case or case["never"] not in said + made.stdout + made.stderr


@pytest.mark.parametrize("case", TABLES["logs"], ids=named)
def test_a_table_as_it_comes(tmp_path, case):
    log = case.get("file", "log.csv")
    (tmp_path / log).write_bytes(written(case))
    mapping = {
        "mapping": "tickets", "flow": "helpdesk_ticket", "subject": "ticket", "time": "at",
        "event": {"column": "what", "values": VALUES}, "facts": {"ticket.service_level": {"column": "level"}},
    } | ({"reads": case["reads"]} if "reads" in case else {})  # fmt: skip
    held(case, *audited(tmp_path, log, mapping))


def objects() -> dict:
    """Three events of one ticket, in OCEL 2.0."""
    events = [
        {"id": f"e{number}", "type": kind, "time": f"2026-03-02T1{number}:00:00Z", "attributes": [],
         "relationships": [{"objectId": "T1", "qualifier": ""}]}
        for number, kind in enumerate(VALUES)
    ]  # fmt: skip
    level = {"name": "level", "time": "1970-01-01T00:00:00Z", "value": "level_1"}
    return {"events": events, "objects": [{"id": "T1", "type": "ticket", "attributes": [level]}]}


def changed(made: dict, edits) -> dict:
    """The same, but for what stands at some paths."""
    for path, value in edits:
        *parts, last = path
        at = made
        for part in parts:
            at = at[part]
        if value == "<none>":
            del at[last]
        else:
            at[last] = value
    return made


OBJECT_MAPPING = {
    "mapping": "tickets", "flow": "helpdesk_ticket", "reads": {"format": "ocel"}, "subject": "ticket",
    "event": {"column": "ocel:activity", "values": VALUES}, "facts": {"ticket.service_level": {"column": "level"}},
}  # fmt: skip


@pytest.mark.parametrize("case", OBJECTS["json"], ids=named)
def test_objects_in_json_as_they_come(tmp_path, case):
    text = case["text"] if "text" in case else json.dumps(changed(objects(), case.get("edits", ())))
    (tmp_path / "log.json").write_text(text)
    held(case, *audited(tmp_path, "log.json", OBJECT_MAPPING))


@pytest.mark.parametrize("case", OBJECTS["xml"], ids=named)
def test_objects_in_xml_as_they_come(tmp_path, case):
    (tmp_path / "log.xml").write_text(case["text"])
    held(case, *audited(tmp_path, "log.xml", OBJECT_MAPPING))


@pytest.mark.parametrize("case", OBJECTS["sqlite"], ids=named)
def test_objects_in_sqlite_as_they_come(tmp_path, case):
    database = sqlite3.connect(tmp_path / "log.sqlite")
    database.executescript(OBJECTS["tables"] + case.get("then", ""))
    database.close()
    held(case, *audited(tmp_path, "log.sqlite", OBJECT_MAPPING))


PARQUET = {
    "as it should be": "ticket, what, moment, level",
    "whole numbers as fractions": "1.0::DOUBLE AS ticket, what, moment, level",
    "a structure and a list": "{'id': ticket} AS ticket, what, moment, [level] AS level",
    "nanoseconds, and a dictionary": "ticket, what::ENUM('written', 'taken', 'solved') AS what, "
    "moment::TIMESTAMP_NS AS moment, level",
    "a column without values": "ticket, what, moment, NULL::VARCHAR AS level",
}


@pytest.mark.parametrize("columns", PARQUET.values(), ids=PARQUET)
def test_columns_of_parquet_as_they_come(tmp_path, columns):
    duckdb = pytest.importorskip("duckdb")
    log = tmp_path / "log.parquet"
    rows = "VALUES ('T-1', 'written', '2024-03-04 08:00Z'), ('T-1', 'taken', '2024-03-04 09:00Z')"
    all_ = "ticket, what, moment::TIMESTAMPTZ AS moment, 'level_1' AS level"
    table = f"(SELECT {all_} FROM ({rows}) t(ticket, what, moment))"
    duckdb.execute(f"SET TimeZone = 'UTC'; COPY (SELECT {columns} FROM {table}) TO '{log}'")
    mapping = {
        "mapping": "tickets", "flow": "helpdesk_ticket", "reads": {"timezone": "UTC"}, "time": "moment",
        "subject": "ticket.id" if "'id'" in columns else "ticket", "event": {"column": "what", "values": VALUES},
        "facts": {"ticket.service_level": {"column": "level"}},
    }  # fmt: skip
    made, told = audited(tmp_path, "log.parquet", mapping)
    found = json.loads(made.stdout)
    assert (found["events"], found["rejected"]) == (2, 0), told.stdout
    assert (found["from"], found["to"]) == ("2024-03-04T08:00:00+00:00", "2024-03-04T09:00:00+00:00")
    cases = run("map", "events", "log.parquet", "--policies", str(HELPDESK), "--map", "tickets.yaml", cwd=tmp_path)
    assert {json.loads(line)["subject"] for line in cases.stdout.splitlines()} == {
        "1" if "DOUBLE" in columns else "T-1"
    }


def test_names_of_parquet_that_differ_in_case_are_two(tmp_path):
    table, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"Ticket": ["x"], "ticket": ["T-1"], "at": ["2024-03-04T08:00:00Z"], "What": ["no"], "what": ["written"]}
    parquet.write_table(table.table([*columns.values()], names=[*columns]), tmp_path / "log.parquet")
    mapping = {"mapping": "tickets", "subject": "ticket", "time": "at", "event": {"column": "what", "values": VALUES}}
    (tmp_path / "tickets.yaml").write_text(yaml.safe_dump(mapping))
    made = run("map", "events", "log.parquet", "--policies", str(HELPDESK), "--map", "tickets.yaml", cwd=tmp_path)
    assert [json.loads(line)["subject"] for line in made.stdout.splitlines()] == ["T-1"], made.stderr


def test_cases_that_are_numbers_in_one_file_and_texts_in_another_are_the_same(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    for number, (ticket, what) in enumerate((("'1'", "written"), ("1", "taken"), ("1.0::DOUBLE", "solved"))):
        row = f"SELECT {ticket} AS ticket, '{what}' AS what, TIMESTAMPTZ '2024-03-04 0{number}:00:00Z' AS moment"
        duckdb.execute(f"COPY ({row}) TO '{tmp_path / f'{number}.parquet'}'")
    mapping = {
        "mapping": "tickets",
        "subject": "ticket",
        "time": "moment",
        "event": {"column": "what", "values": VALUES},
    }
    (tmp_path / "tickets.yaml").write_text(yaml.safe_dump(mapping))
    asked = ("--policies", str(HELPDESK), "--map", "tickets.yaml")
    for logs in (["0.parquet", "1.parquet", "2.parquet"], ["2.parquet", "0.parquet"], ["1.parquet", "2.parquet"]):
        made = run("map", "events", *logs, *asked, cwd=tmp_path)
        assert [json.loads(line)["subject"] for line in made.stdout.splitlines()] == ["1"] * len(logs), made.stderr


def test_of_several_logs_it_is_told_in_which_a_line_is_wrong(tmp_path):
    for name, more in (("one.csv", ""), ("two.csv", "T-1,written\n")):
        (tmp_path / name).write_text(f"ticket,what,at\nT-1,taken,2024-03-04T08:00:00Z\n{more}")
    (tmp_path / "three.csv").write_bytes("ticket,what,at\nT-1,solved\n".encode("utf-16"))
    mapping = {"mapping": "tickets", "subject": "ticket", "time": "at", "event": {"column": "what", "values": VALUES}}
    (tmp_path / "tickets.yaml").write_text(yaml.safe_dump(mapping))
    asked = ("--policies", str(HELPDESK), "--map", "tickets.yaml")
    told = run("audit", "one.csv", "two.csv", "three.csv", *asked, cwd=tmp_path).stdout
    assert "1 x two.csv: the line has 2 columns, and the first line names 3 (in row 2)" in told
    assert "1 x three.csv: the line has 2 columns, and the first line names 3 (in row 1)" in told
    (tmp_path / "four.parquet").write_bytes(b"PAR1")
    told = run("audit", "one.csv", "four.parquet", *asked, cwd=tmp_path)
    assert told.returncode == 2
    assert "four.parquet is no text, but Parquet: logs that are read together are of one format" in told.stderr


WHERE = [
    ("log.csv", "ticket,kind,what,at\nT-1,web,written,2024-03-04T08:00:00Z\nT-2,post,written,2024-03-04T08:00:00Z\n"),
    (
        "log.jsonl",
        '{"ticket": "T-1", "kind": "web", "what": "written", "at": "2024-03-04T08:00:00Z"}\n'
        '{"ticket": "T-2", "kind": "post", "what": "written", "at": "2024-03-04T08:00:00Z"}\n',
    ),
    (
        "log.xes",
        "<log>"
        + "".join(
            f'<trace><string key="ticket" value="{ticket}"/><event><string key="kind" value="{kind}"/>'
            '<string key="what" value="written"/><date key="at" value="2024-03-04T08:00:00Z"/></event></trace>'
            for ticket, kind in (("T-1", "web"), ("T-2", "post"))
        )
        + "</log>",
    ),
]


@pytest.mark.parametrize(("name", "text"), WHERE, ids=[name for name, _ in WHERE])
def test_a_condition_on_rows_may_name_columns_that_nothing_else_does_and_none_that_is_not_there(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    event = {"column": "what", "values": VALUES}
    mapping = {"mapping": "tickets", "subject": "ticket", "time": "at", "event": event, "where": "kind == 'web'"}
    made, told = audited(tmp_path, name, mapping)
    assert (json.loads(made.stdout)["events"], json.loads(made.stdout)["left_out"]) == (1, 1), told.stderr
    _, told = audited(tmp_path, name, mapping | {"where": "knid == 'web'"})
    assert "internal error" not in told.stderr
    if name == "log.csv":  # where the columns are known
        assert told.returncode == 2
        assert 'log.csv is not as where: has it: unknown name "knid"' in told.stderr
        assert 'did you mean "kind"?' in told.stderr


def test_what_stands_where_private_facts_do_is_not_told_as_the_reason(tmp_path):
    (tmp_path / "log.csv").write_text("id,mail,at\nA,jane@example.org,2026-03-02T10:00:00Z\nB,in,jane@example.org\n")
    mapping = {
        "mapping": "m", "subject": "id", "time": "at", "facts": {"customer.email": {"column": "mail"}},
        "event": {"column": "mail", "values": {"in": "email_received"}},
    }  # fmt: skip
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(mapping))
    told = run("audit", "log.csv", "--policies", SHOP, "--map", "m.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert 'no event stands for "aaaa@aaaaaaa.aaa" in the column mail' in told.stdout
    assert "jane" not in told.stdout + told.stderr


@pytest.mark.parametrize("text", [b"", b"hello", b"PAR1 and no more"])
def test_what_is_no_parquet_is_told(tmp_path, text):
    (tmp_path / "log.parquet").write_bytes(text)
    mapping = {"mapping": "tickets", "subject": "ticket", "time": "at", "event": {"column": "what", "values": VALUES}}
    _, told = audited(tmp_path, "log.parquet", mapping)
    assert told.returncode == 2
    assert "log.parquet is no Parquet, or is cut short" in told.stderr


def test_a_column_of_times_that_cannot_be_read_takes_nothing_from_the_others(tmp_path):
    (tmp_path / "log.csv").write_text("ticket,a,b\nT-1,2024-03-04T08:00:00Z,soon\nT-2,2024-03-04T08:00:00Z,\n")
    columns = {"a": "ticket_inserted", "b": "taken_in_charge"}
    mapping = {"mapping": "tickets", "subject": "ticket", "events_from_columns": columns}
    made, told = audited(tmp_path, "log.csv", mapping)
    found = json.loads(made.stdout)
    assert (found["events"], found["rejected"]) == (2, 1)
    assert '"aaaa" is no date and time (in row 1)' in told.stdout


def test_times_of_facts_are_written_as_those_of_events(tmp_path):
    (tmp_path / "log.csv").write_text("order_id,at,promised\nA,43008.5,43010\nB,43008.5,9999999\n")
    mapping = {
        "mapping": "orders", "flow": "delivery", "reads": {"time_format": "excel"}, "subject": "order_id",
        "events_from_columns": {"at": "order_placed"}, "facts": {"order.estimated": {"column": "promised"}},
    }  # fmt: skip
    (tmp_path / "orders.yaml").write_text(yaml.safe_dump(mapping))
    policies = str(HELPDESK.parent / "marketplace")
    made = run("map", "events", "log.csv", "--policies", policies, "--map", "orders.yaml", cwd=tmp_path)
    facts = [json.loads(line)["data"] for line in made.stdout.splitlines()]
    assert facts[0] == {"order.estimated": "2017-10-02T03:00:00+00:00"}
    assert "Traceback" not in made.stderr


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("dd.MM.yyyy HH:mm", 'no letter of strptime stands in "dd.MM.yyyy HH:mm"'), ("%Q", '%Q means nothing in "%Q"'),
        ("%d.%m.%Y %", '% means nothing in "%d.%m.%Y %"'), ("Excel", 'no letter of strptime stands in "Excel"'),
        ("excel", ""), ("%-d.%-m.%y %I:%M %p", ""),
    ],
)  # fmt: skip
def test_a_way_to_write_times_that_reads_none_is_found_at_its_place(tmp_path, form, told):
    (tmp_path / "log.csv").write_text("ticket,what,at\n")
    event = {"column": "what", "values": VALUES}
    mapping = {"mapping": "tickets", "subject": "ticket", "time": "at", "event": event, "reads": {"time_format": form}}
    _, said = audited(tmp_path, "log.csv", mapping)
    assert said.returncode == (2 if told else 0), said.stderr
    assert told in said.stderr
    assert ("tickets.yaml:" in said.stderr) == bool(told)


def test_a_folder_for_temporary_files_may_be_called_anything(tmp_path, monkeypatch):
    folder = tmp_path / "o'brien; --"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    (tmp_path / "log.jsonl").write_text('{"a": "b"}\n', encoding="utf-8")
    with Table([str(tmp_path / "log.jsonl")], "jsonl", None) as table:
        assert table.sample(1) == [{"a": "b"}]
