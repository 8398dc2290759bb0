"""An audit on Spark says what one on this machine says, to the digit."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from commands import run
from shops import EVENTS, SHOP

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
HELPDESK = ROOT / "examples" / "helpdesk"
DEMO = ROOT / "examples" / "demo"

MAPPING = """\
mapping: m
flow: helpdesk_ticket
reads: {format: csv}
subject: ticket
time: at
where: area != "none"
event: {column: what, values: {Written: ticket_inserted, Taken: taken_in_charge}}
"""


OF_TRACES = """\
mapping: traces
flow: helpdesk_ticket
reads: {format: xes}
subject: concept:name
event: {column: concept:name, values: {Written: ticket_inserted, Taken: taken_in_charge}}
"""


def shuffled(folder: Path, lines: list[bytes], files: int = 3) -> list[str]:
    """Lines in files, in no order."""
    random.Random(7).shuffle(lines)
    paths = [folder / f"part {number}.jsonl" for number in range(files)]
    for number, path in enumerate(paths):
        path.write_bytes(b"\n".join(lines[number::files]) + b"\n\n")
    return [str(path) for path in paths]


def lines_of(*logs: Path) -> list[bytes]:
    return [line for log in logs for line in log.read_text("utf-8", "replace").encode().splitlines()]


def same_on_both(*arguments: str) -> tuple[dict, str]:
    """What an audit finds here and on Spark, which is the same to the last byte; and what was told beside it."""
    here = run("audit", *arguments, "--format", "json")
    there = run("audit", *arguments, "--format", "json", "--engine", "spark")
    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    assert there.stdout == here.stdout
    return json.loads(there.stdout), there.stderr


def test_a_set_of_many_strata_is_counted_alike_however_lines_are_mixed(cluster, tmp_path):
    paths = shuffled(tmp_path, lines_of(DEMO / "events.jsonl", DEMO / "bad_events.jsonl"))
    found, _ = same_on_both(
        *paths, "--policies", str(POLICIES), "--by", "customer.first_order", "--until", "2027-02-10"
    )
    assert found["rejected"] > 10
    assert found["unexpected"]
    assert found["flows"]["chronic_problem"]["cases"], "a watch has raised what opens these"
    assert found["flows"]["site_review"]["cases"], "its cases are opened by time"


def test_a_log_ends_where_its_last_event_does(cluster, tmp_path):
    paths = shuffled(tmp_path, lines_of(EVENTS, EVENTS.with_name("bad_events.jsonl")))
    found, told = same_on_both(*paths, "--policies", SHOP)
    assert found["duplicates"]
    assert any(flow["open"] for flow in found["flows"].values())
    assert told == ""
    folder = run("audit", str(tmp_path), "--policies", SHOP, "--engine", "spark", "--format", "json")
    assert json.loads(folder.stdout) == found, "a folder is the files in it"


def test_subjects_that_are_joined_are_replayed_by_one_task(cluster, tmp_path):
    lines = lines_of(EVENTS)
    events = [json.loads(line) for line in lines]
    one, two = sorted({each["subject"] for each in events if each["type"] == "email_received"})[:2]
    last = max(each["time"] for each in events)
    merge = {"specversion": "1.0", "id": "merge", "source": "/desk", "type": "carepolicy.merge", "time": last}
    lines.append(json.dumps({**merge, "subject": one, "data": {"into": two}}).encode())
    _, told = same_on_both(*shuffled(tmp_path, lines), "--policies", SHOP)
    assert told == "carepolicy: the log joins subjects: one task of Spark replays it all\n"


def test_rows_of_tables_are_mapped_by_the_tasks(cluster, tmp_path):
    rows = []
    for number in range(60):
        rows.append(f"T-{number},Written,2024-03-{number % 28 + 1:02}T10:{number:02}:00Z,a")
        rows.append(f"T-{number},Taken,2024-03-{(number + number // 20) % 28 + 1:02}T15:00:00Z,b")
    rows += [
        *rows[:4],
        ",Taken,2024-03-02T10:00:00Z,a",
        "T-1,Token,2024-03-02,a",
        "T-2,Taken,2024-03-02,none",
        "a,b,c,d,e",
    ]
    random.Random(3).shuffle(rows)
    mapping = tmp_path / "m.yaml"
    mapping.write_text(MAPPING)
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join(["ticket,what,at,area", *rows[number::3]]) + "\n")
        paths.append(str(path))
    found, _ = same_on_both(*paths, "--policies", str(HELPDESK), "--map", str(mapping))
    assert (found["rejected"], found["left_out"], found["duplicates"]) == (3, 1, 4)


def test_traces_of_several_logs_are_one_log(cluster, tmp_path):
    """Traces of one name, in whichever file, are one case."""
    paths, mapping = [], tmp_path / "m.yaml"
    mapping.write_text(OF_TRACES)
    for number in range(2):
        traces = "".join(
            f'<trace><string key="concept:name" value="T-{name}"/>'
            + "".join(
                f'<event><string key="concept:name" value="{what}"/>'
                f'<date key="time:timestamp" value="2024-03-{4 + number:02}T{hour}:00:00Z"/></event>'
                for what, hour in (("Written", 10), ("Taken", 10 + name))
            )
            + "</trace>"
            for name in range(number, number + 6)
        )
        path = tmp_path / f"{number}.xes"
        path.write_text(f'<log xmlns="http://www.xes-standard.org/">{traces}</log>')
        paths.append(str(path))
    found, told = same_on_both(*paths, "--policies", str(HELPDESK), "--map", str(mapping))
    assert found["flows"]["helpdesk_ticket"]["cases"] == 7
    assert (
        told == "note: 5 traces have the name of one before; the events of traces of one name are those of one case\n"
    )


def test_a_line_that_is_not_utf8_is_named_as_the_reason(cluster, tmp_path):
    log = tmp_path / "events.jsonl"
    log.write_bytes(lines_of(EVENTS)[0] + b'\n{"subject": "\xff"}\n')
    found = run("audit", str(log), "--policies", SHOP, "--engine", "spark")
    assert (found.returncode, found.stderr) == (2, "carepolicy: a line of the log is not written in UTF-8\n")


@pytest.mark.parametrize("option", [("--report", "pages"), ("--against", "."), ("--export", "log.xes")])
def test_what_looks_at_each_round_is_not_for_spark(option):
    found = run("audit", str(EVENTS), "--policies", SHOP, "--engine", "spark", *option)
    assert found.returncode == 2
    assert found.stderr == (
        f"carepolicy: --engine spark adds up sums, and {option[0]} looks at each round: leave one of them out\n"
    )


@pytest.mark.parametrize("lacking", ["pyspark.errors", "pyarrow", "pandas"])
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(monkeypatch, lacking):
    for name in (lacking, "pyspark.sql") if lacking.startswith("pyspark") else (lacking,):
        monkeypatch.setitem(sys.modules, name, None)
    found = run("audit", str(EVENTS), "--policies", SHOP, "--engine", "spark")
    assert found.returncode == 3
    assert found.stderr.startswith("carepolicy: this needs Spark, and ")
    assert found.stderr.endswith("is not installed: install carepolicy[spark]\n")
