"""Audits of logs of other makers say what others' tools say of the same logs."""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import tarfile
from pathlib import Path

import pytest

from commands import run

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
OPYENXES = ROOT / ".venv" / "others" / "opyenxes-0.3.0.tar.gz"
COMPENSATION = Path(__file__).parent / "compensation"
ORDERS, HELPDESK = DATA / "marketplace_orders.csv", DATA / "helpdesk.xes.gz"

LATE = """
SELECT order_id FROM read_csv(?, all_varchar = true)
WHERE try_strptime(order_delivered_customer_date, '%m/%d/%Y %H:%M')
  >= try_strptime(order_estimated_delivery_date, '%m/%d/%Y %H:%M') + INTERVAL 1 DAY
"""
"""Orders that were delivered when the day that the customer was shown was over."""


@pytest.mark.skipif(not ORDERS.exists(), reason="the marketplace's log is not here")
def test_late_deliveries_are_those_that_one_line_of_sql_finds():
    duckdb = pytest.importorskip("duckdb")
    policies = ROOT / "examples" / "marketplace"
    told = run("audit", str(ORDERS), "--policies", str(policies), "--map", "orders", "--format", "json")
    flow = json.loads(told.stdout)["flows"]["delivery"]
    never_delivered = {each["subject"] for each in flow["due"] if each["clock"] == "promise" and each["late"]}
    late = {row[0] for row in duckdb.execute(LATE, [str(ORDERS)]).fetchall()}
    assert len(late) > 100
    assert set(flow["clocks"]["promise"]["late_subjects"]) - never_delivered == late


@pytest.mark.skipif(not HELPDESK.exists(), reason="the help desk's log is not here")
def test_the_help_desk_is_measured_as_pm4py_measures_it(tmp_path):
    pm4py = pytest.importorskip("pm4py")
    plain = tmp_path / "helpdesk.xes"
    with gzip.open(HELPDESK) as packed, plain.open("wb") as file:
        shutil.copyfileobj(packed, file)
    theirs = pm4py.read_xes(str(plain), variant="iterparse")  # its own reader: the default is of another package, r4pm
    told = run(
        "audit", str(HELPDESK), "--policies", str(ROOT / "examples" / "helpdesk"), "--map", "helpdesk",
        "--format", "json",
    )  # fmt: skip
    found = json.loads(told.stdout)
    flow = found["flows"]["helpdesk_ticket"]
    assert found["events"] == len(theirs) == 21_348
    assert flow["cases"] - flow["reopened"] == theirs["case:concept:name"].nunique() == 4_580
    assert flow["variants_in_all"] == len(pm4py.get_variants(theirs)) == 226
    spans = theirs.groupby("case:concept:name")["time:timestamp"].agg(["min", "max"])
    seconds = (spans["max"] - spans["min"]).dt.total_seconds()
    assert flow["trace_time"]["p50"] == pytest.approx(statistics.median(seconds), abs=1e-6)


@pytest.mark.skipif(not HELPDESK.exists(), reason="the help desk's log is not here")
def test_the_help_desk_in_torn_traces_is_the_same_help_desk(tmp_path):
    etree = pytest.importorskip("lxml.etree")
    with gzip.open(HELPDESK) as packed:
        log = etree.parse(packed).getroot()
    tickets = log.findall("{*}trace")[:400]
    whole, torn = tmp_path / "whole.xes", tmp_path / "torn.xes"
    head, rest = '<log xmlns="http://www.xes-standard.org/">', []
    whole.write_text(head + "".join(etree.tostring(each, encoding="unicode") for each in tickets) + "</log>")
    for each in tickets:
        later = etree.Element(each.tag)
        later.append(etree.fromstring(etree.tostring(each.find("{*}string[@key='concept:name']"))))
        later.extend(each.findall("{*}event")[2:])
        rest.append(later)
    parts = [*rest, *tickets]
    torn.write_text(head + "".join(etree.tostring(each, encoding="unicode") for each in parts) + "</log>")
    asked = ("--policies", str(ROOT / "examples" / "helpdesk"), "--map", "helpdesk", "--format", "json")
    one, two = run("audit", str(whole), *asked), run("audit", str(torn), *asked)
    assert json.loads(one.stdout)["events"] > 1_500
    assert json.loads(two.stdout) == json.loads(one.stdout)
    assert "note: 400 traces have the name of one before" in two.stderr


@pytest.mark.parametrize("ending", ["json", "xml", "sqlite"])
def test_ocel_is_read_as_pm4py_writes_it(tmp_path, ending):
    pm4py = pytest.importorskip("pm4py")
    import pandas

    events = pandas.DataFrame(
        [
            ("e1", "in", "2026-03-02T10:00:00"),
            ("e2", "out", "2026-03-02T11:00:00"),
            ("e3", "in", "2026-03-03T10:00:00"),
        ],
        columns=["ocel:eid", "ocel:activity", "ocel:timestamp"],
    )
    events["ocel:timestamp"] = pandas.to_datetime(events["ocel:timestamp"], utc=True)
    objects = pandas.DataFrame(
        [("m1", "ticket", "gold"), ("m2", "ticket", "plain"), ("c1", "customer", None)],
        columns=["ocel:oid", "ocel:type", "level"],
    )
    links = [("e1", "m1", "ticket"), ("e2", "m1", "ticket"), ("e3", "m2", "ticket"), ("e1", "c1", "customer")]
    relations = pandas.DataFrame(links, columns=["ocel:eid", "ocel:oid", "ocel:type"])
    relations = relations.merge(events, on="ocel:eid")
    relations["ocel:qualifier"] = ""
    path = tmp_path / f"mails.{ending}"
    write = {"json": pm4py.write_ocel2_json, "xml": pm4py.write_ocel2_xml, "sqlite": pm4py.write_ocel2_sqlite}
    write[ending](pm4py.objects.ocel.obj.OCEL(events, objects, relations), str(path))
    mapping = tmp_path / "tickets.yaml"
    mapping.write_text(
        "mapping: tickets\nflow: helpdesk_ticket\nreads: {format: ocel}\nsubject: ticket\n"
        "event: {column: 'ocel:activity', values: {in: ticket_inserted, out: taken_in_charge}}\n"
        "facts: {ticket.service_level: {column: level, values: {gold: level_1}, others: level_4}}\n"
    )
    told = run(
        "audit", str(path), "--policies", str(ROOT / "examples" / "helpdesk"), "--map", str(mapping),
        "--by", "ticket.service_level", "--format", "json", "--until", "2026-03-10",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    flow = json.loads(told.stdout)["flows"]["helpdesk_ticket"]
    by = flow["clocks"]["first_response"]["by"]["ticket.service_level"]
    assert flow["cases"] == 2
    assert {level: (each["met"], each["late"]) for level, each in by.items()} == {"level_1": (1, 0), "level_4": (0, 1)}


def found_in_package(tmp_path, name: str) -> Path:
    """A log that comes with OpyenXes: one that Fluxicon's Nitro wrote, with its source in CSV."""
    if not OPYENXES.exists():
        pytest.skip("the logs of OpyenXes are not here: `make .venv/others/made` fetches them")
    with tarfile.open(OPYENXES) as packed:
        file = packed.extractfile(f"opyenxes-0.3.0/example/xes_file/{name}")
        assert file is not None
        (tmp_path / name).write_bytes(file.read())
    return tmp_path / name


def drafted_audit(tmp_path, log: Path) -> dict:
    """What an audit finds by the mapping that was drafted for a log, as it is."""
    draft = run("map", "suggest", str(log), "compensation", "--policies", str(COMPENSATION))
    assert "8 of 8 kinds of event found" in draft.stderr
    mapping = tmp_path / "drafted.yaml"
    mapping.write_text(draft.stdout)
    told = run("audit", str(log), "--policies", str(COMPENSATION), "--map", str(mapping), "--format", "json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.mark.parametrize(("name", "events", "cases"), [("general_example.xes", 42, 6), ("csv_file.csv", 71, 10)])
def test_a_log_of_another_maker_is_read_by_the_mapping_that_is_drafted_for_it(tmp_path, name, events, cases):
    found = drafted_audit(tmp_path, found_in_package(tmp_path, name))
    flow = found["flows"]["compensation"]
    assert (found["events"], found["rejected"], flow["cases"], flow["variants_in_all"]) == (events, 0, cases, cases)
    assert flow["trace_time"]["p50"] == 815_940.0


def test_a_log_of_another_maker_is_measured_as_pm4py_measures_it(tmp_path):
    pm4py = pytest.importorskip("pm4py")
    log = found_in_package(tmp_path, "general_example.xes")
    theirs = pm4py.read_xes(str(log), variant="iterparse")
    found = drafted_audit(tmp_path, log)
    flow = found["flows"]["compensation"]
    assert found["events"] == len(theirs)
    assert flow["cases"] == theirs["case:concept:name"].nunique()
    assert flow["variants_in_all"] == len(pm4py.get_variants(theirs))
    spans = theirs.groupby("case:concept:name")["time:timestamp"].agg(["min", "max"])
    assert flow["trace_time"]["p50"] == statistics.median((spans["max"] - spans["min"]).dt.total_seconds())


def test_traces_of_another_maker_that_have_no_name_are_told(tmp_path):
    log, mapping = found_in_package(tmp_path, "random_log.xes"), tmp_path / "m.yaml"
    mapping.write_text("mapping: m\nreads: {format: xes}\nsubject: 'concept:name'\nevent: {column: string}\n")
    told = run("audit", str(log), "--policies", str(COMPENSATION), "--map", str(mapping))
    assert told.returncode == 2
    assert "the column concept:name, which names the case, is empty (first in row 1)" in told.stdout
