"""Audits of logs of other makers say what others' tools say of the same logs."""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
from pathlib import Path

import pytest

from commands import run

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
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
