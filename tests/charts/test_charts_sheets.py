"""Sheets of paper: all words, nothing under 8 points, nothing over another, and the fewest sheets that hold that."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import chart_samples as samples
import paper_faults
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_charts_hostile import HOSTILE, hostile

from carepolicy.charts import Mark, UnknownFormat, chart_of, draw, sheets_of
from carepolicy.charts.address import address_of
from carepolicy.charts.blocks import index_of, letter_of
from carepolicy.charts.letters import length
from carepolicy.charts.printed import printed
from carepolicy.charts.sheets import PAPERS, SMALLEST, UnknownPaper
from carepolicy.charts.strips import StripText
from carepolicy.policy.load import load_policies
from carepolicy.typeset import NoTypesetter
from laws import examples

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture(scope="module")
def library():
    policies, _ = load_policies(POLICIES)
    return policies


@pytest.fixture
def typesetter():
    pytest.importorskip("typst", reason="pip install carepolicy[render]")
    return pytest.importorskip("pdfminer.high_level", reason="pdfminer.six reads the pages back")


def laid_of(policies, flow, language=None, paper="A4", **more):
    return sheets_of(chart_of(policies, flow, language=language), paper, **more)


def faults_of_pdf(laid, pdf):
    """What a reader of the file finds wrong with it: each text of the plan has to stand at its place, and these have to
    hold every word of the chart."""
    found = []
    pages = list(paper_faults.read(pdf))
    if len(pages) != len(laid.sheets):
        return [f"{len(pages)} pages for {len(laid.sheets)} sheets"]
    for sheet, (box, letters) in zip(laid.sheets, pages, strict=True):
        wrong = (
            [f"is {box}"]
            if [round(side, 1) for side in box[2:]] != [round(laid.width, 1), round(laid.height, 1)]
            else []
        )
        small = {round(each.size, 2) for each in letters if each.size < SMALLEST - 0.01 and each.get_text().strip()}
        wrong += [f"has letters of {small}"] if small else []
        wrong += [f"{each} is outside" for each in letters if not _inside(box, each)]
        wrong += [f"has letters on each other: {pair}" for pair in _on_each_other(letters)]
        wrong += paper_faults.absent(sheet, laid.height, letters)
        found += [f"page {sheet.number} {each}" for each in wrong]
    told = [" ".join(each.lines) for sheet in laid.sheets for each in sheet.items if isinstance(each, StripText)]
    text = paper_faults.squeezed("".join(told))
    wanted = (paper_faults.squeezed(each) for each in paper_faults.words_of(laid.chart))
    return [*found, *(f"missing: {each}" for each in dict.fromkeys(wanted) if each not in text)]


def _inside(box, letter):
    return (
        letter.x0 >= box[0] + 20 and letter.y0 >= box[1] + 20 and letter.x1 <= box[2] - 20 and letter.y1 <= box[3] - 20
    )


def _on_each_other(letters):
    """Letters whose middles are at one place."""
    middles = sorted(
        ((each.y0 + each.y1) / 2, (each.x0 + each.x1) / 2, each.get_text())
        for each in letters
        if each.get_text().strip()
    )
    for one, other in pairwise(middles):
        if abs(one[0] - other[0]) < 0.5 and abs(one[1] - other[1]) < 0.8:
            yield one[2] + other[2]


@pytest.mark.parametrize(
    ("flow", "language"), [("complaint", "en"), ("phone_call", "fr"), ("shipping_delay", "de"), ("fixed_note", "es")]
)
def test_a_pdf_has_every_word_in_letters_of_8_points_and_more_and_nothing_over_another(
    library, typesetter, flow, language
):
    laid = laid_of(library, flow, language)
    assert paper_faults.faults(laid) == []
    assert faults_of_pdf(laid, printed(laid).pdf) == []
    used, widest = paper_faults.width_used(laid)
    assert used > 0.7
    assert widest > 0.9


@pytest.mark.soak
def test_every_flow_of_the_library_in_all_its_languages_on_every_paper(library, typesetter):
    found = {}
    for flow in library.flows:
        for language in library.organisation.languages:
            for paper in PAPERS:
                laid = laid_of(library, flow, language, paper)
                wrong = [*paper_faults.faults(laid), *faults_of_pdf(laid, printed(laid).pdf)]
                used, widest = paper_faults.width_used(laid)
                wrong += [f"width used: {used:.2f}, {widest:.2f}"] if used <= 0.7 or widest <= 0.9 else []
                found |= {(flow, language, paper): wrong} if wrong else {}
    assert found == {}


def test_what_reads_the_file_sees_small_letters_lost_words_and_letters_on_each_other(library, typesetter):
    laid = laid_of(library, "fixed_note")
    pdf = printed(laid).pdf
    whole = laid_of(library, "complaint")
    assert any(" lacks " in each for each in faults_of_pdf(whole, pdf))
    assert any(each.startswith("missing: ") for each in faults_of_pdf(sheets_with(whole, laid.sheets[0].items), pdf))
    (sheet,) = laid.sheets
    said = next(each for each in sheet.items if isinstance(each, StripText) and each.lines)
    twice = sheets_with(laid, (*sheet.items, said))
    small = sheets_with(laid, (*sheet.items, changed(said, size=6.0, y=said.y + 200)))
    assert any(" is over " in each for each in paper_faults.faults(twice))
    assert any("on each other" in each for each in faults_of_pdf(laid, printed(twice).pdf))
    assert any("letters of {6.0}" in each for each in faults_of_pdf(laid, printed(small).pdf))
    assert any("has 6.00 points" in each for each in paper_faults.faults(small))


@pytest.mark.parametrize("far", [False, True])
def test_a_line_that_is_as_long_as_its_room_is_not_broken_again(library, typesetter, far):
    laid = laid_of(library, "newsletter", "es")
    told = [line for sheet in laid.sheets for each in sheet.items if isinstance(each, StripText) for line in each.lines]
    sizes = [8 + number * 0.37 for number in range(9)]
    lines = [
        StripText(40, 30 + number * 15, length(text, size), (text, "below"), size, far=far)
        for number, (text, size) in enumerate(zip(told * 5, sizes * 5, strict=False))
    ]
    tight = changed(laid, sheets=(changed(laid.sheets[0], items=tuple(lines)),))
    ((_, letters),) = paper_faults.read(printed(tight).pdf)
    wide = changed(
        tight, sheets=(changed(tight.sheets[0], items=tuple(changed(each, width=each.width + 30) for each in lines)),)
    )
    ((_, free),) = paper_faults.read(printed(wide).pdf)
    assert [round(each.y0, 2) for each in letters] == [round(each.y0, 2) for each in free]


def changed(value, **more):
    return type(value)(**{name: more.get(name, getattr(value, name)) for name in value.__dataclass_fields__})


def sheets_with(laid, items):
    return changed(laid, sheets=(changed(laid.sheets[0], items=items),))


def test_sheets_are_bookmarks_links_and_tags(library, typesetter, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads the outline")
    (file,) = draw(library, "phone_call", tmp_path / "p.pdf").files
    reader = pypdf.PdfReader(file)
    laid = laid_of(library, "phone_call")
    assert len(reader.pages) == len(laid.sheets) > 1
    titles = [each.title for each in _flat(reader.outline)]
    assert titles.count("Answer a phone call") == len(laid.sheets)
    assert [each for each in titles if each[:1].isdigit()] == [
        f"{card.number}\u2002{card.title}" for card in laid.chart.sheets[0].cards
    ]
    assert reader.metadata.title == "Answer a phone call"
    root = reader.trailer["/Root"]
    assert bool(root["/MarkInfo"]["/Marked"])
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    leading = [
        reader.named_destinations.get(place) if isinstance(place := link["/Dest"], str) else place
        for page in reader.pages
        for link in page.get("/Annots", [])
        if "/Dest" in link.get_object()
    ]
    assert len(leading) > 10


def _flat(outline):
    for each in outline:
        if isinstance(each, list):
            yield from _flat(each)
        else:
            yield each


def test_a_step_has_one_number_and_one_place_on_screen_page_and_paper(library):
    for paper in PAPERS:
        laid = laid_of(library, "phone_call", paper=paper)
        (screen,) = chart_of(library, "phone_call").sheets
        numbers = {card.state: card.number for card in screen.cards}
        assert list(laid.sheet_of) == list(numbers)
        for sheet in laid.sheets:
            titles = [
                each.lines[0] for each in sheet.items if isinstance(each, StripText) and each.level == 2 and each.anchor
            ]
            assert [title.partition("\u2002")[0] for title in titles] == [str(numbers[state]) for state in sheet.states]
        for sheet in laid.sheets:
            told = "\n".join(" ".join(each.lines) for each in sheet.items if isinstance(each, StripText))
            for state, other in laid.sheet_of.items():
                card = next(card for card in screen.cards if card.state == state)
                if f"→ {card.number} {card.title} · sheet" in told:
                    assert f"→ {card.number} {card.title} · sheet {other}" in told
                    assert other != sheet.number


def test_the_same_policies_give_the_same_file(library, typesetter):
    one, other = (printed(laid_of(library, "complaint")).pdf for _ in range(2))
    assert one == other


def test_the_fewest_sheets_hold_a_flow_and_letters_are_as_large_as_these_allow(library):
    small = laid_of(library, "site_change")
    assert len(small.sheets) == 1
    assert small.scale > 1.3
    assert len(laid_of(library, "phone_call", paper="A3").sheets) < len(laid_of(library, "phone_call").sheets)
    assert len(laid_of(library, "phone_call", say=False).sheets) <= len(laid_of(library, "phone_call").sheets)


def test_words_to_say_are_left_out_only_where_that_is_asked(library, typesetter, tmp_path):
    say = chart_of(library, "complaint").sheets[0].cards[0].say
    for wanted in (True, False):
        (file,) = draw(library, "complaint", tmp_path / "c.pdf", say=wanted).files
        text = "".join(each.get_text() for _, letters in paper_faults.read(file.read_bytes()) for each in letters)
        assert (paper_faults.squeezed(say) in paper_faults.squeezed(text)) is wanted


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_in_every_field_lies_over_nothing(kind, language):
    laid = laid_of(hostile(HOSTILE[kind]), "f", language)
    assert paper_faults.faults(laid) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_stays_text_on_paper_and_is_whole(typesetter, tmp_path, kind):
    drawn = draw(hostile(HOSTILE[kind]), "f", tmp_path / "f.pdf")
    text = "".join(each.get_text() for _, letters in paper_faults.read(drawn.files[0].read_bytes()) for each in letters)
    if kind in ("script", "quotes", "backslash", "long", "html"):
        assert paper_faults.squeezed(HOSTILE[kind]) in paper_faults.squeezed(text)


def test_a_text_longer_than_a_sheet_goes_on_on_the_next(typesetter, tmp_path):
    say = "A sentence that nobody can end. " * 300
    policies = samples.policies(
        {
            "flow": "f",
            "events": {"e": "Done"},
            "states": {
                "a": {"start_on": "e", "owner": "agent", "title": "Long", "say": say, "on": {"e": "b"}},
                "b": {"final": "resolved"},
            },
        }
    )
    laid = laid_of(policies, "f")
    assert paper_faults.faults(laid) == []
    assert len(laid.sheets) > 1
    (file,) = draw(policies, "f", tmp_path / "f.pdf").files
    text = "".join(each.get_text() for _, letters in paper_faults.read(file.read_bytes()) for each in letters)
    assert text.count("nobody") == text.count("sentence") == 300
    assert "1 Long (continued)" in text


@pytest.mark.parametrize(("steps", "paper"), [(1, "A4"), (100, "A4"), (100, "A3")])
def test_flows_of_one_and_of_a_hundred_steps_are_laid_out(steps, paper):
    laid = laid_of(long_flow(steps), "long", paper=paper)
    assert paper_faults.faults(laid) == []
    assert len(laid.sheet_of) == steps
    assert sorted(laid.sheet_of.values()) == list(laid.sheet_of.values())


def long_flow(count):
    names = [f"step_{n}" for n in range(count)]
    states = {name: {"owner": "agent", "on": {}} for name in names}
    for here, there in pairwise(names):
        states[here]["on"]["next"] = there
    states[names[0]]["start_on"] = "begin"
    states[names[-1]]["on"]["next"] = "end"
    states["end"] = {"final": "resolved"}
    return samples.policies({"flow": "long", "states": states})


def test_what_a_mark_says_stands_on_paper():
    marks = {
        "received": Mark("NEW", "#1B6E2E", rows=(("22 open, 9 late (41 %)", "#FDC98A"),)),
        "check-complete-0": Mark("CHANGED", "#8A5A00", "dotted", (("was: no", "#FFF1CC"),)),
    }
    policies = samples.complaint()
    (sheet,) = chart_of(policies, "complaint").sheets
    marks[sheet.cards[0].exits[0].key] = marks.pop("check-complete-0")
    laid = sheets_of(chart_of(policies, "complaint", marks=marks))
    told = [line for sheet in laid.sheets for each in sheet.items if isinstance(each, StripText) for line in each.lines]
    assert {"NEW", "22 open, 9 late (41 %)", "CHANGED", "was: no"} <= set(told)
    assert paper_faults.faults(laid) == []


def test_a_sheet_bears_a_code_of_its_first_step_where_the_handbook_can_be_read(typesetter, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads the links")
    pytest.importorskip("segno", reason="pip install carepolicy[render]")
    policies = samples.policies(samples.COMPLAINT, handbook="https://care.harbour.example/handbook/")
    (file,) = draw(policies, "complaint", tmp_path / "c.pdf").files
    links = [
        link["/A"]["/URI"]
        for page in pypdf.PdfReader(file).pages
        for link in page.get("/Annots", [])
        if "/A" in link.get_object()
    ]
    address = "https://care.harbour.example/handbook/en/flows/complaint.html"
    assert address_of(policies, "complaint", "en") == address
    assert links[0] == f"{address}#state-received"
    assert address_of(samples.complaint(), "complaint", "en") == ""


def test_sheets_as_pictures_are_files_of_their_own_and_one_picture_is_one_file(library, typesetter, tmp_path):
    drawn = draw(library, "phone_call", tmp_path / "p.png", sheets=True)
    assert [file.name for file in drawn.files] == [f"p-{n}.png" for n in range(1, len(drawn.files) + 1)]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in drawn.files)
    for name in ("p.dot", "p.mmd"):
        with pytest.raises(UnknownFormat, match=r"take \.pdf, \.svg or \.png"):
            draw(library, "phone_call", tmp_path / name, sheets=True)


def test_without_typst_it_is_said_what_to_install(library, tmp_path, monkeypatch):
    import carepolicy.typeset as typesetter

    typesetter._fonts.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(NoTypesetter, match=r"carepolicy\[render\]"):
        draw(library, "complaint", tmp_path / "c.pdf")
    assert not (tmp_path / "c.pdf").exists()


def test_a_paper_that_is_not_known_is_refused():
    with pytest.raises(UnknownPaper, match="A4"):
        laid_of(samples.complaint(), "complaint", paper="A5")


@settings(max_examples=examples(60))
@given(st.integers(0, 20_000))
def test_letters_of_what_is_told_once_are_counted_through(index):
    assert index_of(letter_of(index)) == index
    assert letter_of(index).isalpha()
