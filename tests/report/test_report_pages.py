"""The report of an audit says what the audit found, in pages and tables that open from a folder."""

from __future__ import annotations

import csv
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import handbook_sets as sets
import pytest
from reports import reported
from test_handbook_hostile import HOSTILE

from carepolicy.audit.measures import Round
from carepolicy.charts import renderer
from carepolicy.cli import app
from carepolicy.report.figures import histogram_of, round_time
from carepolicy.report.rounds import MOST_LIMITS, Rounds
from commands import run
from shops import EVENTS, SHOP

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")


def rows_of(folder, name="rounds.csv"):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


MADE = []


@pytest.fixture
def report(tmp_path_factory):
    """The report of the shop's log, made once."""
    if not MADE:
        folder = tmp_path_factory.mktemp("report")
        MADE.append((folder, *reported(folder, EVENTS, "--by", "customer.first_order")))
    return MADE[0]


def test_every_flow_with_cases_has_a_page_that_the_overview_leads_to(report):
    folder, found, pages = report
    assert {f"flows/{name}.html" for name in found["flows"]} == set(pages) - {"index.html"}
    assert found["flows"]
    hold_links(folder, pages)
    assert all(f"flows/{name}.html" in pages["index.html"].links for name in found["flows"])


def hold_links(folder, pages):
    """Every link leads to a file of the report, and to something in it."""
    for path, page in pages.items():
        assert page.faults == [], path
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            assert not re.match(r"[a-z]+:", link), (path, link)
            file, _, anchor = link.partition("#")
            target = (folder / path).parent / file if file else folder / path
            assert target.exists(), (path, link)
            if anchor and target.suffix == ".html":
                name = target.resolve().relative_to(folder.resolve()).as_posix()
                assert anchor in pages[name].ids, (path, link)


def ticketed(tmp_path, rows, *more):
    """The report of a log of tickets."""
    log, mapping = tmp_path / "log.csv", tmp_path / "m.yaml"
    log.write_text("ticket,what,at\n" + "".join(f"{row}\n" for row in rows))
    values = "{in: ticket_inserted, take: taken_in_charge, wait: put_on_hold, done: ticket_resolved}"
    mapping.write_text(f"mapping: m\nsubject: ticket\ntime: at\nevent: {{column: what, values: {values}}}\n")
    policies = Path(__file__).parents[2] / "examples" / "helpdesk"
    return reported(tmp_path / "report", log, "--map", str(mapping), "--language", "en", *more, policies=policies)


def test_links_lead_somewhere_where_nothing_happened_and_where_nothing_was_decided(tmp_path):
    for number, rows in enumerate(([], ["T-1,in,2024-03-04T10:00:00Z"])):
        (tmp_path / str(number)).mkdir()
        found, pages = ticketed(tmp_path / str(number), rows)
        assert found["events"] == len(rows) == len(pages) - 1
        hold_links(tmp_path / str(number) / "report", pages)
        assert "No limit was passed." in " ".join(pages["index.html"].text)
        assert not any("Each bar counts rounds" in " ".join(page.text) for page in pages.values())


def test_thousands_of_sequences_are_counted_and_the_commonest_are_shown(tmp_path):
    rows, kinds = [], ("take", "wait", "done")
    for number in range(1_500):
        told = ["in", *(kinds[number // 3**place % 3] for place in range(7))]
        rows += [f"T-{number},{what},2024-03-04T{8 + place:02}:00:00Z" for place, what in enumerate(told)]
    found, pages = ticketed(tmp_path, rows)
    assert found["flows"]["helpdesk_ticket"]["variants_in_all"] == 1_500
    said = " ".join(pages["flows/helpdesk_ticket.html"].text)
    assert "The commonest sequences of events: 20 of 1,500." in said
    assert (tmp_path / "report" / "flows" / "helpdesk_ticket.html").stat().st_size < 400_000


def test_late_now_counts_open_cases_and_not_their_clocks(tmp_path):
    rows = [f"T-{number},in,2024-03-04T10:00:00Z" for number in range(3)]
    found, _ = ticketed(tmp_path, rows, "--until", "2024-06-04T10:00:00Z")
    (flow,) = found["flows"].values()
    assert (flow["open"], flow["late_now"]) == (3, 6)
    for name in ("index.html", "flows/helpdesk_ticket.html"):
        text = (tmp_path / "report" / name).read_text()
        assert re.search(r"Late now</dt><dd>3<|<td>3</td><td>3</td><td>3</td>", text), name


def test_more_than_a_thousand_breaches_are_counted_in_full_and_the_table_of_all_is_linked(tmp_path):
    rows = [f"T-{number:04},in,2024-03-04T10:00:00Z" for number in range(1_100)]
    _, pages = ticketed(tmp_path, rows, "--until", "2024-03-06T10:00:00Z")
    page = pages["flows/helpdesk_ticket.html"]
    said = " ".join(" ".join(page.text).split())
    assert "1,100 limits were passed. The latest 200 stand here, all in rounds.csv ." in said
    assert "report · 4 March 2024 Made" in said  # one day is told once
    assert page.links.count("../rounds.csv") == 1


@pytest.mark.parametrize(
    ("least", "said"),
    [(0.04, 0.1), (0.9, 1), (61, 120), (3_599, 3_600), (9_000, 10_800), (86_401, 172_800), (200 * 86_400, 864_000_00)],
)
def test_a_plot_goes_by_round_times(least, said):
    assert round_time(least) == said


def test_a_plot_says_what_it_counts_and_how_many_and_ends_with_what_took_longer():
    counts = {seconds * 1_000_000: 1 for seconds in range(0, 7_200, 60)} | {10**12: 5}
    found = histogram_of(counts, 7_000)
    assert (found.step, found.until, found.longer) == (300, 7_200, True)
    assert (sum(found.counts), found.counts[-1], {*found.counts[:-1]}) == (125, 5, {5})


def test_figures_of_every_plot_have_a_scale_and_round_times(report):
    folder, _, _ = report
    plots = [
        each for path in folder.rglob("*.html") for each in re.findall(r'<svg class="plot".*?</svg>', path.read_text())
    ]
    assert plots
    for plot in plots:
        told = re.findall(r"<text[^>]*>([^<]*)</text>", plot)
        counts = [int(each.rpartition(" ")[2].replace(",", "")) for each in re.findall("<title>([^<]*)</title>", plot)]
        assert told[:3] == ["Rounds", f"{max(counts):,}", "0"]
        assert len(told) >= 4


def test_rounds_are_counted_as_the_audit_counts_them(report):
    folder, found, _ = report
    rows = rows_of(folder)
    for flow, figures in found["flows"].items():
        for clock, each in figures["clocks"].items():
            mine = [row for row in rows if (row["flow"], row["clock"]) == (flow, clock)]
            assert sum(row["verdict"] == "met" for row in mine) == each["met"]
            assert sum(row["verdict"] == "late" for row in mine) == each["late"]
            late = {row["case"] for row in mine if row["verdict"] == "late"}
            assert late == set(each["late_subjects"])
    assert {row["customer.first_order"] for row in rows} <= {"", "true", "false"}
    assert any(row["customer.first_order"] == "true" for row in rows)


def test_figures_shares_and_breaches_stand_in_the_page_of_their_flow(report):
    _, found, pages = report
    late = 0
    for name, figures in found["flows"].items():
        words = pages[f"flows/{name}.html"].words
        for each in figures["clocks"].values():
            if each["share"] is not None:
                assert f"{each['met']} of {each['met'] + each['late']}" in words
            late += each["late"]
            assert all(subject in words for subject in each["late_subjects"])
    assert late


def test_clocks_stand_in_the_overview_the_worst_first(report):
    folder, found, _ = report
    text = (folder / "index.html").read_text()
    shown = re.findall(r'href="flows/(\w+)\.html#clock-(\w+)"', text)
    decided = {
        (flow, clock): each["share"] - each["target"]
        for flow, figures in found["flows"].items()
        for clock, each in figures["clocks"].items()
        if each["share"] is not None and each["target"] is not None
    }
    distances = [decided[each] for each in shown if each in decided]
    assert len(distances) == len(decided) > 1
    assert all(one <= other for one, other in pairwise(distances))


def test_parquet_holds_what_the_csv_holds(report):
    folder, found, _ = report
    for name in ("rounds", "clocks", "steps"):
        rows = rows_of(folder, f"{name}.csv")
        made = duckdb.read_parquet(str(folder / f"{name}.parquet"))
        assert made.columns == [*rows[0]]
        assert len(made.fetchall()) == len(rows)
    met = sum(each["met"] for flow in found["flows"].values() for each in flow["clocks"].values())
    counted = duckdb.sql(f"SELECT sum(met)::INT FROM read_parquet('{folder / 'clocks.parquet'}')").fetchall()
    assert counted == [(met,)]


def test_private_facts_stand_nowhere_in_a_report(report, tmp_path):
    folder, _, _ = report
    values = {"amy@customer.example", "Amy Ash"}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(value.encode() in content for value in values), path
    told = run("audit", str(EVENTS), "--policies", SHOP, "--report", str(tmp_path / "r"), "--by", "customer.email")
    assert told.returncode == 2
    assert "private" in told.stderr
    assert not (tmp_path / "r").exists()


def test_a_private_fact_that_cannot_be_read_is_not_told_as_the_reason(tmp_path):
    base = {"specversion": "1.0", "source": "/t", "type": "email_received", "time": "2026-03-02T09:00:00Z"}
    lines = [
        {**base, "id": "1", "subject": "m-1", "data": {"customer.email": ["hidden@x.example"]}},
        {**base, "id": "2", "subject": "m-2", "data": {"customer.email": "hidden@x.example", "no.such": "hidden"}},
        {**base, "id": "3", "subject": "m-3", "time": "hidden"},
        {**base, "id": "4", "subject": "m-4"},
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(each) + "\n" for each in lines))
    found, _ = reported(tmp_path / "report", log)
    assert (found["rejected"], found["events"]) == (3, 1)
    assert not any(
        b"hidden@" in path.read_bytes() for path in (tmp_path / "report").rglob("*.*") if "assets" not in path.parts
    )


def test_a_plot_has_lines_at_a_few_limits_and_none_where_each_case_has_its_own(tmp_path):
    many = Rounds(tmp_path, ())
    with many:
        for number in range(1_000):
            for clock, limit in (("same", 3_600), ("own", number)):
                many(Round("f", f"c-{number}", clock, "met", 0, 1, limit, "", "", 0, {}))
    assert many.limits["f", "same"] == {3_600}
    assert MOST_LIMITS < len(many.limits["f", "own"]) < 10


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if "{" not in HOSTILE[kind]])
def test_hostile_texts_and_cases_stay_text(kind, tmp_path):
    text = HOSTILE[kind]
    sets.set_of(tmp_path / "set", text)
    subjects = [f"{each}{text}" for each in ("=", "'=", "a\r\n", '"')]
    base = {"specversion": "1.0", "source": "/t"}
    lines = []
    for number, subject in enumerate(subjects):
        lines.append({**base, "id": f"{number}a", "type": "asked", "subject": subject, "time": "2026-03-02T09:00:00Z"})
        lines.append({**base, "id": f"{number}b", "type": "done", "subject": subject, "time": "2026-03-09T09:00:00Z"})
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(each) + "\n" for each in lines))
    found, pages = reported(tmp_path / "report", log, policies=tmp_path / "set")
    assert found["flows"]["care"]["clocks"]["first"]["late"] == len(subjects), found
    for name, page in pages.items():
        assert page.faults == [], name
        assert page.handlers == [], name
        assert page.styles == [], name
        assert all(src is not None for src in page.scripts), name
        assert not any(re.match(r"\s*[a-z]+:", link, re.IGNORECASE) for link in page.links), name
    rows = rows_of(tmp_path / "report")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    cases = duckdb.sql(f"SELECT \"case\" FROM read_parquet('{tmp_path / 'report' / 'rounds.parquet'}')").fetchall()
    assert sorted(case for (case,) in cases) == sorted(subjects)


def test_a_csv_with_a_mapping_gets_a_report(tmp_path):
    (tmp_path / "orders.yaml").write_text(
        "mapping: orders\nflow: order_fulfilment\n"
        'reads: {format: csv, timezone: Europe/London, time_format: "%d/%m/%Y %H:%M"}\nsubject: order\n'
        "events_from_columns: {placed: order_placed, paid: payment_authorised, shipped: handed_to_carrier}\n"
    )
    log = tmp_path / "orders.csv"
    log.write_text(
        "order,placed,paid,shipped\nO-1,02/03/2026 10:00,02/03/2026 10:05,02/03/2026 11:00\n"
        "O-2,02/03/2026 10:00,,\nO-3,yesterday,,\n"
    )
    found, pages = reported(tmp_path / "report", log, "--map", str(tmp_path / "orders.yaml"))
    assert found["rejected"] == 1
    assert next(iter(found["reasons"])) in pages["index.html"].words
    words = pages["flows/order_fulfilment.html"].words
    assert "O-2" in words  # what is open falls due


def test_an_empty_log_has_a_report_that_says_so(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("")
    found, pages = reported(tmp_path / "report", log)
    assert found["events"] == 0
    assert [*pages] == ["index.html"]
    assert "The log has no event." in pages["index.html"].words
    assert rows_of(tmp_path / "report") == []
    assert (tmp_path / "report" / "rounds.parquet").exists()


def test_without_graphviz_pages_say_the_same_as_text(tmp_path, monkeypatch):
    monkeypatch.setattr("carepolicy.report.pages.renderer", lambda: None)
    _, pages = reported(tmp_path / "report", EVENTS)
    flow = next(page for path, page in pages.items() if path != "index.html")
    assert "There was no Graphviz where this page was made" in flow.words


@pytest.mark.skipif(renderer() is None, reason="nothing draws here: no dot, no pygraphviz, no graphviz-pure")
def test_the_chart_of_a_flow_bears_its_figures(report):
    _, found, pages = report
    name = max(found["flows"], key=lambda each: found["flows"][each]["cases"])
    assert "polygon" in pages[f"flows/{name}.html"].tags
    assert f"{found['flows'][name]['cases']} cases" in pages[f"flows/{name}.html"].words


def test_a_report_over_an_earlier_one_leaves_no_page_of_it(tmp_path):
    folder = tmp_path / "report"
    reported(folder, EVENTS)
    (folder / "mine.txt").write_text("mine")
    log = tmp_path / "log.jsonl"
    log.write_text("")
    _, pages = reported(folder, log)
    assert [*pages] == ["index.html"]
    assert (folder / "mine.txt").exists()


def test_an_audit_that_fails_leaves_no_half_of_a_table(tmp_path):
    told = run("audit", str(tmp_path / "none.jsonl"), "--policies", SHOP, "--report", str(tmp_path / "report"))
    assert told.returncode != 0
    assert [*Path(tmp_path / "report").glob("*")] == []


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "report").write_text("")
    told = run("audit", str(EVENTS), "--policies", SHOP, "--report", str(tmp_path / "report"))
    assert told.returncode != 0
    assert str(tmp_path / "report") in told.stderr
    assert "Traceback" not in told.stderr


def test_a_report_without_duckdb_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    status = app.run(["audit", str(EVENTS), "--policies", SHOP, "--report", str(tmp_path / "report")])
    assert (status, capsys.readouterr().err) == (
        2, "carepolicy: a report has tables that need DuckDB: install carepolicy[audit]\n",
    )  # fmt: skip
    assert not (tmp_path / "report").exists()
