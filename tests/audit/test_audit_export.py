"""What an audit exports can be read by others: by pm4py where it is installed, and by carepolicy itself."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest

from carepolicy.audit import export
from commands import run

ROOT = Path(__file__).parents[2]
DEMO, POLICIES = ROOT / "examples" / "demo" / "events.jsonl", ROOT / "policies"


def exported(path: Path) -> dict:
    told = run("audit", str(DEMO), "--policies", str(POLICIES), "--export", str(path), "--format", "json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_every_case_is_a_trace(tmp_path):
    etree = pytest.importorskip("lxml.etree")
    found = exported(tmp_path / "demo.xes")
    log = etree.parse(str(tmp_path / "demo.xes"))
    traces = log.findall("{*}trace")
    assert len(traces) == sum(flow["cases"] for flow in found["flows"].values())
    names = [trace.find("{*}string[@key='concept:name']").get("value") for trace in traces]
    assert len(set(names)) == len(names)
    late = log.findall(".//{*}event/{*}string[@value='clock.late first_reply']")
    assert len(late) == found["flows"]["email_inquiry"]["clocks"]["first_reply"]["late"]
    assert "@example" not in (tmp_path / "demo.xes").read_text()


def test_pm4py_reads_both_formats(tmp_path):
    pm4py = pytest.importorskip("pm4py")
    from pm4py.objects.ocel.importer.jsonocel import importer

    found = exported(tmp_path / "demo.xes.gz")
    exported(tmp_path / "demo.json")
    # its own readers: those that it takes by default are of another package, r4pm
    log = pm4py.read_xes(str(tmp_path / "demo.xes.gz"), variant="iterparse")
    assert log["case:concept:name"].nunique() == sum(flow["cases"] for flow in found["flows"].values())
    ocel = importer.apply(str(tmp_path / "demo.json"), variant=importer.Variants.OCEL20_STANDARD)
    assert set(found["flows"]) <= set(ocel.objects["ocel:type"])
    assert len(ocel.events) > found["events"]


def test_a_packed_export_is_the_same_bytes_whatever_the_time_and_its_name(tmp_path):
    times = iter((1_000_000_000, 1_000_000_009, *[1_000_000_009] * 99))
    with mock.patch("time.time", side_effect=times):
        for name in ("one.xes.gz", "two.xes.gz"):
            with export.exported(str(tmp_path / name), {}):
                pass
    assert (tmp_path / "one.xes.gz").read_bytes() == (tmp_path / "two.xes.gz").read_bytes()


def test_an_ending_that_is_not_known_is_told(tmp_path):
    told = run("audit", str(DEMO), "--policies", str(POLICIES), "--export", str(tmp_path / "demo.doc"))
    assert told.returncode == 2
    assert ".xes, .xes.gz or .json" in told.stderr
