from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import chart_samples as samples
import geometry
import pytest

from carepolicy.charts import Mark, NoRenderer, UnknownFormat, UnknownPaper, draw, draw_all, pictures, sources
from carepolicy.charts.render import render, renderer
from shops import SHOP

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("made", "name"), [(samples.complaint, "complaint"), (samples.email, "email_inquiry")])
def test_the_dot_text_is_the_one_that_was_looked_at(made, name):
    (source,) = sources(made(), name)
    assert source == (GOLDEN / f"{name}.dot").read_text(encoding="utf-8")


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("style", ["card", "plain"])
@pytest.mark.parametrize("say", [True, False])
@pytest.mark.parametrize(("made", "name"), [(samples.complaint, "complaint"), (samples.email, "email_inquiry")])
def test_no_arrow_crosses_and_nothing_overlaps(made, name, style, say):
    for source in sources(made(), name, style=style, say=say):
        assert geometry.faults(source) == []


def test_the_measure_sees_crossings_overlaps_and_run_over_nodes():
    box = geometry.Box("a", 0, 0, 10, 10)
    assert geometry.overlaps([box, geometry.Box("b", 5, 5, 15, 15)]) == [("a", "b")]
    one, other = geometry.Line("p", "q", ((0, 0), (100, 100))), geometry.Line("r", "s", ((0, 100), (100, 0)))
    ends = [geometry.Box(name, 900, 900, 901, 901) for name in "pqrs"]
    assert len(geometry.crossings(ends, [one, other])) == 1
    assert geometry.runs_over([geometry.Box("x", 40, 40, 60, 60)], [one]) == [(("p", "q"), "x")]


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize(("paper", "size"), [("A4", (595, 842)), ("A3", (842, 1191)), ("Letter", (612, 792))])
def test_a_page_has_exactly_the_size_of_its_paper(tmp_path, paper, size):
    drawn = draw(samples.complaint(), "complaint", tmp_path / "c.pdf", paper=paper)
    boxes = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", drawn.files[0].read_bytes())
    assert boxes
    assert {tuple(sorted(float(side) for side in box)) for box in boxes} == {tuple(sorted(size))}


@pytest.mark.usefixtures("drawing")
def test_a_paper_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(UnknownPaper, match="A4"):
        draw(samples.complaint(), "complaint", tmp_path / "c.pdf", paper="A5")


@pytest.mark.usefixtures("drawing")
def test_sheets_of_a_pdf_are_its_pages(tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf joins the sheets of a PDF")
    (file,) = draw(_long(), "long", tmp_path / "long.pdf").files
    pages = pypdf.PdfReader(file).pages
    assert len(pages) > 2
    assert f"page 2 of {len(pages)}" in pages[1].extract_text().replace("\n", " ")


@pytest.mark.usefixtures("drawing")
def test_a_sheet_whose_text_would_be_too_small_on_paper_is_cut_and_keeps_its_numbers(tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf joins the sheets of a PDF")
    pages = {}
    for paper in ("A3", "A4"):
        drawn = draw(_long(12), "long", tmp_path / f"{paper}.pdf", paper=paper)
        pages[paper] = [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(drawn.files[0]).pages]
    assert len(pages["A4"]) > len(pages["A3"])
    assert "note" not in drawn.advice
    for name, number in (("Step 0", 1), ("Step 6", 7), ("Step 11", 12)):
        assert sum(f"{number} {name} " in page for page in pages["A4"]) == 1
    assert "sheet 2, step" in pages["A4"][0]


@pytest.mark.usefixtures("drawing")
def test_text_that_stays_too_small_is_said(tmp_path):
    say = "A sentence that nobody can end. " * 60
    states = {"a": {"start_on": "e", "owner": "agent", "say": say, "on": {"e": "b"}}, "b": {"final": "resolved"}}
    drawn = draw(samples.policies({"flow": "f", "states": states}), "f", tmp_path / "f.pdf", say=True)
    assert re.search(r"smallest text is [\d.]+ points on A4, and below 8 .* --paper A3", drawn.advice)


@pytest.mark.usefixtures("drawing")
def test_sheets_of_an_svg_are_files_of_their_own(tmp_path):
    drawn = draw(_long(), "long", tmp_path / "long.svg")
    assert [file.name for file in drawn.files] == ["long-1.svg", "long-2.svg"]
    assert "sheet 2, step 11" in drawn.files[0].read_text(encoding="utf-8")


@pytest.mark.usefixtures("drawing")
def test_an_svg_is_for_people():
    (picture,) = pictures(samples.complaint(), "complaint")
    root = ElementTree.fromstring(picture)
    assert root.get("width") is None
    assert root.get("viewBox")
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Flowchart: Handle a complaint"
    assert root[1].text.startswith("7 steps. 1 Complaint received (Front desk)")
    titles = {each.text for each in root.iter(f"{SVG}title")}
    assert "Step 4, Investigate. Complaint specialist. 5 business days." in titles
    assert not any(re.fullmatch(r"[a-z0-9_]+(->[a-z0-9_]+)?", title) for title in titles)
    assert {each.get("id") for each in root.iter() if (each.get("id") or "").startswith("state-")} == {
        f"state-{name}"
        for name in ("received", "check", "waiting", "investigate", "decides", "offered", "under_way", "solved")
    }
    assert "transparent" not in picture
    assert "Generated by" not in picture
    assert "Liberation Sans" in picture


@pytest.mark.usefixtures("drawing")
def test_a_deep_link_of_a_chip_leads_to_a_card_of_the_chart():
    (picture,) = pictures(samples.complaint(), "complaint")
    root = ElementTree.fromstring(picture)
    ids = {each.get("id") for each in root.iter()}
    links = {each.get("{http://www.w3.org/1999/xlink}href") for each in root.iter(f"{SVG}a")}
    assert "#state-decides" in links
    assert {link[1:] for link in links} <= ids


def test_without_graphviz_the_text_is_written_and_pictures_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CAREPOLICY_RENDERER", "none")
    drawn = draw(samples.email(), "email_inquiry", tmp_path / "e.dot")
    assert drawn.files[0].read_text(encoding="utf-8").startswith("digraph")
    assert "pictures" in drawn.advice
    for ending in ("svg", "png", "pdf"):
        with pytest.raises(NoRenderer):
            draw(samples.email(), "email_inquiry", tmp_path / f"e.{ending}")
    assert not (tmp_path / "e.svg").exists()


@pytest.fixture
def graph_on_a_bare_machine(tmp_path):
    """`carepolicy graph` without dot on the PATH, and without GLib, which the wheel of pygraphviz does not bring."""
    (tmp_path / "pygraphviz").mkdir()
    broken = "raise ImportError('libgobject-2.0.so.0: cannot open shared object file')"
    (tmp_path / "pygraphviz" / "__init__.py").write_text(broken, encoding="utf-8")
    command = [sys.executable, "-m", "carepolicy", "graph", "email_inquiry", "--policies", SHOP, "--output"]
    settings = {**os.environ, "PYTHONPATH": str(tmp_path), "PATH": str(tmp_path)}

    def graph(output, **more):
        return subprocess.run([*command, output], cwd=tmp_path, env={**settings, **more}, capture_output=True)

    return graph


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_machine_with_neither_dot_nor_the_libraries_of_pygraphviz_draws_all_the_same(
    graph_on_a_bare_machine, tmp_path, ending
):
    pytest.importorskip("fontpkg_arimo", reason="pip install carepolicy[render]")
    done = graph_on_a_bare_machine(f"e.{ending}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"e.{ending}").stat().st_size > 10_000


@pytest.mark.parametrize("by", ["dot", "pygraphviz", "graphviz-pure"])
def test_whatever_draws_a_chart_its_words_are_there_and_nothing_lies_on_them(tmp_path, monkeypatch, by):
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads the page back")
    monkeypatch.setenv("CAREPOLICY_RENDERER", by)
    if renderer() is None:
        pytest.skip(f"no {by} here")
    policies = samples.complaint()
    assert [geometry.faults(source) for source in sources(policies, "complaint")] == [[]]
    (picture,) = pictures(policies, "complaint", heading=True)
    (page, *_) = pypdf.PdfReader(draw(policies, "complaint", tmp_path / "c.pdf", paper="A3").files[0]).pages
    assert tuple(sorted(page.mediabox[2:])) == (842, 1191)
    told = " ".join(page.extract_text().split())
    for words in ("Handle a complaint", "Closed – no remedy", "Over £100 or unsafe?"):
        assert words in " ".join(re.sub(r"<[^>]+>|&#160;|\xa0", " ", picture).split())
        assert words in told


def test_a_graphviz_that_cannot_be_loaded_is_as_none_and_says_why(graph_on_a_bare_machine):
    done = graph_on_a_bare_machine("e.svg", CAREPOLICY_RENDERER="pygraphviz")
    assert done.returncode != 0
    assert b"libgobject-2.0.so.0: cannot open shared object file" in done.stderr
    assert b"apt-get install graphviz" in done.stderr
    assert b"internal error" not in done.stderr


def test_an_ending_or_style_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(UnknownFormat, match=r"\.scxml"):
        draw(samples.email(), "email_inquiry", tmp_path / "e.docx")
    with pytest.raises(UnknownFormat, match="the styles are card, plain"):
        draw(samples.email(), "email_inquiry", tmp_path / "e.dot", style="fancy")
    with pytest.raises(UnknownFormat, match=r"half empty. Take \.bpmn.*--role"):
        draw(samples.email(), "email_inquiry", tmp_path / "e.dot", style="lanes")


@pytest.mark.usefixtures("drawing")
def test_a_mark_shows_its_word_and_its_rows():
    marks = {"received": Mark("NEW", "#1B6E2E", rows=(("22 open, 9 late (41 %)", "#FDC98A"),))}
    (picture,) = pictures(samples.email(), "email_inquiry", marks=marks)
    assert ">NEW<" in picture
    assert "22 open, 9 late (41 %)" in picture


@pytest.mark.usefixtures("drawing")
def test_a_chart_is_laid_out_once_however_many_steps_it_has(monkeypatch):
    """Laying out is what takes the time of a chart; benchmarks/handbook_speed.py measures it."""
    drawn = []
    monkeypatch.setattr(
        sys.modules["carepolicy.charts.draw"], "render", lambda source, kind: drawn.append(kind) or render(source, kind)
    )
    for steps in (5, 20):
        pictures(_long(steps), "long", split=False)
    assert drawn == ["svg", "svg"]


@pytest.mark.usefixtures("drawing")
def test_an_overview_shows_who_starts_whom(tmp_path):
    survey = {
        "flow": "feedback_survey", "title": "Ask how it went", "events": {"sent": "The survey is sent"},
        "states": {"asked": {"start_on": "sent", "on": {"sent": "done"}}, "done": {"final": "resolved"}},
    }  # fmt: skip
    policies = samples.policies(samples.EMAIL, survey)
    path, advice = draw_all(policies, tmp_path / "all.svg")
    text = path.read_text(encoding="utf-8")
    assert advice == ""
    assert "Ask how it went" in text
    assert 'id="flow-feedback_survey"' in text
    draw_all(policies, tmp_path / "all.dot")
    source = (tmp_path / "all.dot").read_text(encoding="utf-8")
    assert "link_0 -> flow_feedback_survey" in source
    assert geometry.faults(source) == []


def _long(count=20):
    names = [f"step_{n}" for n in range(count)]
    states = {name: {"title": f"Step {n}", "owner": "agent", "on": {}} for n, name in enumerate(names)}
    for here, there in pairwise(names):
        states[here]["on"]["next"] = there
    states[names[0]]["start_on"] = "begin"
    states[names[-1]]["on"]["next"] = "end"
    states["end"] = {"title": "Done", "final": "resolved"}
    return samples.policies({"flow": "long", "title": "Long", "events": {"next": "Go on"}, "states": states})
