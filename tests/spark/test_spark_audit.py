"""An audit on Spark says what one on this machine says, to the digit."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from commands import run
from shops import EVENTS, SHOP
from spark.strata import in_time, set_of_strata

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


def same_on_both(*arguments: str, writes: Path | None = None, export: str = "out.xes") -> tuple[dict, str]:
    """What an audit finds here and on Spark, which is the same to the last byte; and what was told beside it. A report
    and an export that it ``writes`` in a folder are the same too."""
    found, told = [], []
    for engine in ("local", "spark"):
        folder = None if writes is None else writes / engine
        beside = [] if folder is None else ["--report", str(folder), "--export", str(folder / export)]
        if folder is not None:
            folder.mkdir()
        said = run("audit", *arguments, "--format", "json", "--engine", engine, *beside)
        assert said.returncode == 0, said.stderr
        found.append(said.stdout)
        told.append([line for line in said.stderr.splitlines() if "index.html" not in line])
    assert found[0] == found[1]
    if writes is not None:
        here, there = (files_in(writes / engine) for engine in ("local", "spark"))
        assert here.keys() == there.keys()
        assert [name for name, text in here.items() if text != there[name]] == []
    return json.loads(found[1]), "\n".join(told[1])


def files_in(folder: Path) -> dict[str, bytes]:
    """The files in a folder, with what is in them."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.soak
def test_strata_rounds_and_limits_are_those_of_one_machine_however_lines_are_mixed(cluster, tmp_path):
    now, old = set_of_strata(tmp_path / "now"), set_of_strata(tmp_path / "old")
    flow = old / "flows" / "email_inquiry.yaml"
    flow.write_text(flow.read_text().replace("is: 3 business hours", "is: 1 business hour"))
    paths = shuffled(tmp_path, [line.decode("utf-8", "replace").encode() for line in in_time()])
    found, told = same_on_both(
        *paths, "--policies", str(now), "--by", "customer.id", "--against", str(old),
        "--sweep", "email_inquiry.first_reply.limit=1h..4h/1h", writes=tmp_path,
    )  # fmt: skip
    assert told == ""
    for flow in ("chronic_problem", "regular_customer", "week_of_complaints", "desk_count"):
        assert found["flows"][flow]["cases"], "it is of a higher stratum, or opens cases by time"
    assert any(each["late_no_more"] for each in found["against"]["clocks"])
    assert len({each["met"] for each in found["sweep"]["points"]}) > 1


@pytest.mark.soak
def test_a_year_of_the_library_is_counted_alike_however_lines_are_mixed(cluster, tmp_path):
    year = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "shop_year.py", "--events", "10000"], capture_output=True, check=True
    )
    lines = lines_of(DEMO / "events.jsonl", DEMO / "bad_events.jsonl") + year.stdout.splitlines()
    paths = shuffled(tmp_path, lines)
    found, _ = same_on_both(*paths, "--policies", str(POLICIES), "--by", "customer.first_order", writes=tmp_path)
    assert found["rejected"] > 10
    for flow in ("chronic_problem", "site_review", "gold_customer", "newsletter"):
        assert found["flows"][flow]["cases"]


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
    _, told = same_on_both(*shuffled(tmp_path, lines), "--policies", SHOP, writes=tmp_path)
    assert told == "carepolicy: the log joins subjects: one task of Spark replays it all"


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
    asked = *paths, "--policies", str(HELPDESK), "--map", str(mapping)
    found, _ = same_on_both(*asked, writes=tmp_path, export="out.json")
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
    found, told = same_on_both(*paths, "--policies", str(HELPDESK), "--map", str(mapping), writes=tmp_path)
    assert found["flows"]["helpdesk_ticket"]["cases"] == 7
    assert told == "note: 5 traces have the name of one before; the events of traces of one name are those of one case"


def test_a_line_that_is_not_utf8_is_named_as_the_reason(cluster, tmp_path):
    log = tmp_path / "events.jsonl"
    log.write_bytes(lines_of(EVENTS)[0] + b'\n{"subject": "\xff"}\n')
    found = run("audit", str(log), "--policies", SHOP, "--engine", "spark")
    assert (found.returncode, found.stderr) == (2, "carepolicy: a line of the log is not written in UTF-8\n")


def test_an_export_of_another_form_is_refused_before_anything_is_read():
    found = run("audit", str(EVENTS), "--policies", SHOP, "--engine", "spark", "--export", "log.csv")
    assert found.returncode == 2
    assert found.stderr == "carepolicy: log.csv: records are exported as .xes, .xes.gz or .json (OCEL 2.0)\n"


@pytest.mark.parametrize("lacking", ["pyspark.errors", "pyarrow", "pandas"])
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(monkeypatch, lacking):
    for name in (lacking, "pyspark.sql") if lacking.startswith("pyspark") else (lacking,):
        monkeypatch.setitem(sys.modules, name, None)
    found = run("audit", str(EVENTS), "--policies", SHOP, "--engine", "spark")
    assert found.returncode == 3
    assert found.stderr.startswith("carepolicy: this needs Spark, and ")
    assert found.stderr.endswith("is not installed: install carepolicy[spark]\n")
