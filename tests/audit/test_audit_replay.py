"""What an audit says of a log is what the live engine says of the same events."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest

from carepolicy.audit import tables
from carepolicy.audit.figures import as_object
from carepolicy.audit.mapping import Mapper, known_to
from carepolicy.audit.replay import Replay
from carepolicy.audit.tables import LogFault, Table
from carepolicy.audit.xes import Traces
from carepolicy.checks.mappings import read_mapping
from carepolicy.machine.bundle import load_bundle
from commands import run
from complaint_events import lines
from shops import EVENTS, SHOP

HELPDESK = Path(__file__).parents[2] / "examples" / "helpdesk"
DEMO = Path(__file__).parents[2] / "examples" / "demo" / "events.jsonl"
POLICIES = Path(__file__).parents[2] / "policies"
COMPLAINTS = Path(__file__).parents[2] / "benchmarks" / "complaints"

ORDERS = """\
mapping: orders
flow: order_fulfilment
reads: {format: csv, timezone: Europe/London, time_format: "%d/%m/%Y %H:%M"}
subject: order
events_from_columns: {placed: order_placed, paid: payment_authorised, shipped: handed_to_carrier}
"""

XES = """<?xml version="1.0"?>
<log xmlns="http://www.xes-standard.org/">
<trace><string key="concept:name" value="T-1"/><string key="level" value="gold"/>
<event><string key="concept:name" value="Written"/>
  <date key="time:timestamp" value="2024-03-04T10:00:00+01:00"/></event>
<event><string key="concept:name" value="Taken"/>
  <date key="time:timestamp" value="2024-03-04T12:00:00.000+01:00"/></event>
</trace></log>
"""


def test_the_verdicts_are_those_of_the_live_engine(tmp_path):
    status, out, _ = run("run", str(DEMO), "--policies", str(POLICIES), "--quiet")
    records = [json.loads(line) for line in out.splitlines()]
    live = Counter((each["flow"], each["type"], each["data"].get("clock")) for each in records if "flow" in each)
    status, out, _ = run("audit", str(DEMO), "--policies", str(POLICIES), "--format", "json")
    assert status == 0
    found = json.loads(out)
    assert found["flows"]
    for name, flow in found["flows"].items():
        assert flow["cases"] == live[name, "carepolicy.case.opened", None]
        for clock, figures in flow["clocks"].items():
            assert figures["met"] == live[name, "carepolicy.clock.met", clock], (name, clock)
            assert figures["late"] == live[name, "carepolicy.clock.late", clock], (name, clock)
            assert figures["rounds"] == figures["met"] + figures["late"] + figures["cancelled"] + figures["running"]


def test_a_case_of_a_higher_stratum_is_opened_again_whatever_others_closed_between(tmp_path):
    log = tmp_path / "events.jsonl"
    raised, dismissed = ("problem_raised", {}), ("problem_dismissed", {"problem.reason": "chance"})
    told = [("a", *raised), ("a", *dismissed), ("b", *raised), ("b", *dismissed), ("a", *raised)]
    log.write_text("".join(
        json.dumps({"specversion": "1.0", "id": f"{day}", "source": "/test", "type": kind, "subject": name,
                    "time": f"2026-03-{day:02}T10:00:00Z", "data": data}) + "\n"
        for day, (name, kind, data) in enumerate(told, 2)
    ))  # fmt: skip
    found = json.loads(run("audit", str(log), "--policies", SHOP, "--format", "json").stdout)
    flow = found["flows"]["chronic_problem"]
    assert (flow["cases"], flow["open"], flow["reopened"]) == (3, 1, 1)


def test_rows_of_a_table_become_events_whatever_their_order(tmp_path):
    log = tmp_path / "orders.csv"
    log.write_text(
        "\ufefforder;placed;paid;shipped\nO-2;02/03/2026 10:00;02/03/2026 10:05;04/03/2026 11:00\n"
        "O-1;03/03/2026 09:00;03/03/2026 09:01;\nO-1;03/03/2026 09:00;03/03/2026 09:01;\nO-3;yesterday;;\n"
        ";02/03/2026 10:00;;\n"
    )
    replay = mapped(tmp_path, ORDERS, SHOP, log)
    found = as_object(replay)
    assert found["events"] == 5
    assert found["duplicates"] == 1
    assert found["rejected"] == 2, found["reasons"]
    assert found["flows"]["order_fulfilment"]["cases"] == 2
    assert found["from"] == "2026-03-02T10:00:00+00:00"


def mapped(tmp_path, text, policies, log):
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    bundle = load_bundle(policies)
    mapping, findings = read_mapping(str(path), known_to(bundle))
    assert findings == []
    mapper, replay = Mapper(mapping, bundle), Replay(bundle)
    with Table([str(log)], mapping.reads.format, mapping.reads, mapper.times) as table:
        replay.take_mapped(table, mapper)
    replay.finish()
    return replay


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path):
    log = tmp_path / "orders.csv"
    log.write_text("ordr,placed,paid,shipped\nO-1,02/03/2026 10:00,,\n")
    with pytest.raises(LogFault, match='no column "order"; did you mean "ordr"'):
        mapped(tmp_path, ORDERS, SHOP, log)


def test_a_mapping_is_checked_against_the_policies_at_its_lines(tmp_path):
    path = tmp_path / "orders.yaml"
    path.write_text(ORDERS.replace("order_placed", "order_place"))
    log = tmp_path / "orders.csv"
    log.write_text("order\n")
    status, _, err = run("audit", str(log), "--policies", SHOP, "--map", str(path))
    assert status == 2
    assert "orders.yaml:5:" in err
    assert (
        'unknown event "order_place"; did you mean "order_placed"?' in err.replace("\n", " ") or "order_placed" in err
    )


def test_traces_of_xes_are_cases(tmp_path):
    log = tmp_path / "tickets.xes"
    log.write_text(XES)
    (tmp_path / "m.yaml").write_text(
        "mapping: m\nflow: helpdesk_ticket\nreads: {format: xes}\nsubject: 'concept:name'\ntime: 'time:timestamp'\n"
        "event: {column: 'concept:name', values: {Written: ticket_inserted, Taken: taken_in_charge}}\n"
    )
    bundle = load_bundle(HELPDESK)
    mapping, findings = read_mapping(str(tmp_path / "m.yaml"), known_to(bundle))
    assert findings == []
    replay = Replay(bundle)
    with Traces([str(log)]) as traces:
        replay.take_mapped(traces, Mapper(mapping, bundle))
    replay.finish()
    flow = as_object(replay)["flows"]["helpdesk_ticket"]
    assert (flow["cases"], flow["open"], flow["clocks"]["first_response"]["met"]) == (1, 1, 1)
    assert flow["variants"] == [{"events": ["ticket_inserted", "taken_in_charge"], "count": 1, "subjects": ["T-1"]}]


def traces(*told):
    """A log in XES: of each trace its name, and its events as (activity, hour of one day)."""
    lines = []
    for name, events in told:
        lines.append(f'<trace><string key="concept:name" value="{name}"/>' if name else "<trace>")
        lines += [
            f'<event><string key="concept:name" value="{what}"/>'
            f'<date key="time:timestamp" value="2024-03-04T{hour:02}:00:00+01:00"/></event>'
            for what, hour in events
        ]
        lines.append("</trace>")
    return '<?xml version="1.0"?>\n<log xmlns="http://www.xes-standard.org/">\n' + "\n".join(lines) + "\n</log>\n"


def test_traces_of_one_name_are_one_case_whose_events_are_in_the_order_of_time(tmp_path):
    (tmp_path / "m.yaml").write_text(
        "mapping: m\nflow: helpdesk_ticket\nreads: {format: xes}\nsubject: 'concept:name'\ntime: 'time:timestamp'\n"
        "event: {column: 'concept:name', values: {Written: ticket_inserted, Taken: taken_in_charge}}\n"
    )
    logs = {
        "whole.xes": [traces(("T-1", [("Written", 9), ("Taken", 11)]), ("T-2", [("Written", 10)]))],
        "parts.xes": [traces(("T-1", [("Taken", 11)]), ("T-2", [("Written", 10)]), ("T-1", [("Written", 9)]))],
        "logs.xes": [traces(("T-1", [("Taken", 11)]), ("T-2", [("Written", 10)])), traces(("T-1", [("Written", 9)]))],
    }
    found, said = {}, {}
    for name, texts in logs.items():
        paths = [tmp_path / f"{number}-{name}" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        asked = ("--policies", str(HELPDESK), "--map", str(tmp_path / "m.yaml"), "--format", "json")
        told = run("audit", *map(str, paths), *asked)
        assert told.returncode == 0, told.stderr
        found[name], said[name] = json.loads(told.stdout), told.stderr
    assert found["whole.xes"]["flows"]["helpdesk_ticket"]["clocks"]["first_response"]["met"] == 1
    assert found["parts.xes"] == found["logs.xes"] == found["whole.xes"]
    note = "note: 1 trace has the name of one before; the events of traces of one name are those of one case\n"
    assert said == {"whole.xes": "", "parts.xes": note, "logs.xes": note}


def test_traces_without_a_name_are_no_case_and_not_one_of_them_all(tmp_path):
    log = tmp_path / "tickets.xes"
    log.write_text(traces(("", [("Written", 9)]), ("", [("Taken", 10)])))
    with Traces([str(log)]) as found:
        assert [(name, [row[0] for row in rows]) for name, rows in found.groups("concept:name", ["concept:name"])] == [
            (None, [1]),
            (None, [2]),
        ]
        assert found.repeated == 0


def test_an_object_that_stands_in_two_logs_is_one_case(tmp_path):
    (tmp_path / "m.yaml").write_text(
        "mapping: m\nflow: helpdesk_ticket\nreads: {format: ocel}\nsubject: ticket\n"
        "event: {column: 'ocel:activity', values: {Written: ticket_inserted, Taken: taken_in_charge}}\n"
    )

    def log(name, *events):
        link = {"relationships": [{"objectId": "T-1", "qualifier": "about"}], "attributes": []}
        told = [{"id": f"e{n}", "type": what, "time": f"2024-03-04T{hour:02}:00:00Z", **link}
                for n, (what, hour) in enumerate(events)]  # fmt: skip
        path = tmp_path / name
        path.write_text(json.dumps({"events": told, "objects": [{"id": "T-1", "type": "ticket", "attributes": []}]}))
        return str(path)

    both = [log("second.json", ("Taken", 11)), log("first.json", ("Written", 9))]
    whole = [log("whole.json", ("Written", 9), ("Taken", 11))]
    asked = ("--policies", str(HELPDESK), "--map", str(tmp_path / "m.yaml"), "--format", "json")
    told = [run("audit", *paths, *asked) for paths in (both, whole)]
    assert json.loads(told[0].stdout) == json.loads(told[1].stdout)
    assert json.loads(told[0].stdout)["flows"]["helpdesk_ticket"]["clocks"]["first_response"]["met"] == 1


def test_events_of_a_subject_may_stand_in_any_order(tmp_path):
    lines = DEMO.read_text().splitlines()
    mixed = tmp_path / "mixed.jsonl"
    latest_first = sorted(lines, key=lambda line: json.loads(line)["time"], reverse=True)
    mixed.write_text("\n".join(latest_first) + "\n")
    bundle = load_bundle(POLICIES)
    found = []
    for path in (DEMO, mixed):
        with Table([str(path)], "jsonl", None) as table:
            replay = Replay(bundle)
            replay.take_lines(table)
        replay.finish()
        found.append(as_object(replay))
    for each in found:
        each.pop("duplicates")
    assert found[0]["flows"].keys() == found[1]["flows"].keys()
    assert {name: flow["clocks"] for name, flow in found[0]["flows"].items()} == {
        name: flow["clocks"] for name, flow in found[1]["flows"].items()
    }


def test_a_clock_below_what_is_demanded_ends_with_one():
    status, _, err = run("audit", str(DEMO), "--policies", str(POLICIES), "--fail-under", "target")
    assert status == 1
    assert "email_inquiry.first_reply: 80.0% in time, less than 95%" in err
    assert run("audit", str(DEMO), "--policies", str(POLICIES), "--fail-under", "0")[0] == 0
    status, _, err = run("audit", str(DEMO), "--policies", str(POLICIES), "--fail-under", "much")
    assert (status, "from 0 to 100" in err) == (2, True)


def tickets(tmp_path):
    """A log of 1,500 tickets as CSV, and its mapping."""
    log, mapping = tmp_path / "tickets.csv", tmp_path / "m.yaml"
    rows = [
        f"T-{number},{what},2024-03-{number % 28 + 1:02}T{hour}:{number % 60:02}:00Z"
        for number in range(1_500)
        for what, hour in (("Written", 10), ("Taken", 11))
    ]
    log.write_text("ticket,what,at\n" + "\n".join(rows) + "\n")
    mapping.write_text(
        "mapping: m\nflow: helpdesk_ticket\nreads: {format: csv}\nsubject: ticket\ntime: at\n"
        "event: {column: what, values: {Written: ticket_inserted, Taken: taken_in_charge}}\n"
    )
    return log, mapping


@pytest.mark.parametrize("more", [[], ["--workers", "2"]])
def test_a_terminal_is_shown_how_far_an_audit_is_and_a_pipe_is_not(tmp_path, more):
    log, mapping = tickets(tmp_path)
    asked = [sys.executable, "-m", "carepolicy", "audit", str(log), "--policies", str(HELPDESK), "--map", str(mapping)]
    shown = {}
    for option in ([], ["--quiet"]):
        ours, theirs = os.openpty()
        process = subprocess.Popen([*asked, *more, *option], stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # which is how a terminal ends
            while some := os.read(ours, 65_536):
                seen += some
        os.close(ours)
        assert process.communicate()[0].startswith(b"3,000 events")
        assert process.returncode == 0
        shown[bool(option)] = seen
    assert b"audit: sorting" in shown[False]
    assert b"audit: events" in shown[False]
    assert b"3000" in shown[False]
    assert shown[True] == b""
    told = run(*asked[3:], *more)
    assert (told.returncode, told.stderr) == (0, "")


def test_traces_tell_how_many_bytes_are_read_and_how_many_events_there_are(tmp_path):
    log = tmp_path / "tickets.xes"
    log.write_text(traces(*[(f"T-{n}", [("Written", 9), ("Taken", 10)]) for n in range(1_000)]))
    told = []

    def watch(part, total):
        told.append([part, total, 0])
        return lambda more: told[-1].__setitem__(2, told[-1][2] + more)

    with Traces([str(log)], watch=watch) as found:
        assert sum(len(rows) for _, rows in found.groups("concept:name", ["concept:name"])) == 2_000
    assert [each[:2] for each in told] == [["bytes read", log.stat().st_size], ["events", 2_000]]
    assert all(0 < done <= total for _, total, done in told)


def test_each_of_several_tables_tells_which_of_its_lines_make_no_row(tmp_path):
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text("order,placed\nO-1,02/03/2026 10:00\nO-2,02/03/2026 10:00,too,many\n")
    two.write_text("placed,order,paid\n02/03/2026 11:00,O-3,\n02/03/2026 10:00,O-4,,too,many\n03/03/2026 11:00,O-5,\n")
    mapping, _ = read_mapping(
        str(written(tmp_path / "m.yaml", ORDERS.replace(", shipped: handed_to_carrier", ""))),
        known_to(load_bundle(SHOP)),
    )
    replay = Replay(load_bundle(SHOP))
    with Table((str(one), str(two)), "csv", mapping.reads, Mapper(mapping, replay.bundle).times) as table:
        replay.take_mapped(table, Mapper(mapping, replay.bundle))
    replay.finish()
    found = as_object(replay)
    assert (found["events"], found["rejected"]) == (3, 2)


def test_what_is_counted_goes_from_one_process_to_another_whatever_guards_flows_have():
    log = Table((str(EVENTS),), "jsonl", None)
    replay = Replay(load_bundle(SHOP))
    with log:
        replay.take_lines(log)
    replay.finish()
    before = as_object(replay)
    replay.measures = pickle.loads(pickle.dumps(replay.measures))
    assert as_object(replay) == before


def test_lines_that_are_no_utf8_are_told_of_every_log(tmp_path):
    logs = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for log in logs:
        log.write_bytes(b'{"subject": "\xff"}\n')
    found = run("audit", *map(str, logs), "--policies", SHOP)
    assert found.returncode == 2
    assert found.stdout.startswith("0 events\n2 rows not understood\n  1 x CP901: ")
    assert all(f"1 x CP901: {log}: the line is not written in UTF-8" in found.stdout for log in logs)
    assert found.stderr == "carepolicy: no row of the log makes an event\n"


def written(path, text):
    path.write_text(text)
    return path


def test_several_processes_count_what_one_counts(tmp_path):
    log, mapping = tmp_path / "tickets.csv", tmp_path / "m.yaml"
    rows = []
    for number in range(60):
        rows.append(f"T-{number},Written,2024-03-{number % 28 + 1:02}T10:{number:02}:00Z")
        rows.append(f"T-{number},Taken,2024-03-{(number + number // 20) % 28 + 1:02}T15:00:00Z")
    log.write_text("ticket,what,at\n" + "\n".join(rows) + "\n,Taken,2024-03-02T10:00:00Z\nT-1,Token,2024-03-02\n")
    mapping.write_text(
        "mapping: m\nflow: helpdesk_ticket\nreads: {format: csv}\nsubject: ticket\ntime: at\n"
        "event: {column: what, values: {Written: ticket_inserted, Taken: taken_in_charge}}\n"
    )
    asked = ("audit", str(log), "--policies", str(HELPDESK), "--map", str(mapping), "--format", "json")
    one, two = run(*asked), run(*asked, "--workers", "2")
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert json.loads(two.stdout) == json.loads(one.stdout)
    assert json.loads(one.stdout)["rejected"] == 2


def test_several_processes_count_flows_whose_ways_have_guards(tmp_path):
    log = tmp_path / "complaints.jsonl"
    log.write_bytes(b"".join(lines(600)))
    asked = ("audit", str(log), "--policies", str(COMPLAINTS), "--by", "customer.tier", "--format", "json")
    one, two = run(*asked), run(*asked, "--workers", "2")
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert two.stdout == one.stdout
    assert json.loads(one.stdout)["flows"]["complaint"]["clocks"]["first_reply"]["late"] > 5


def test_a_table_tells_nobody_how_far_it_is(tmp_path):
    log = tmp_path / "orders.csv"
    log.write_text("order\nO-1\n")
    with Table([str(log)], "csv", None) as table:
        (found,) = table._do("SELECT current_setting('enable_progress_bar')").fetchall()
    assert found == (False,)


def test_a_log_that_does_not_fit_is_given_more_memory(tmp_path):
    log = tmp_path / "complaints.jsonl"
    log.write_bytes(b"".join(lines(600)))
    asked = ("audit", str(log), "--policies", str(COMPLAINTS), "--format", "json")
    enough = run(*asked)
    with mock.patch.object(tables, "MEMORY", "100KB"):  # less than a block of DuckDB
        assert run(*asked) == enough
        with mock.patch.object(tables, "MORE_MEMORY", "200KB"):
            told = run(*asked)
    assert (told.returncode, "Traceback" in told.stderr) == (2, False)
