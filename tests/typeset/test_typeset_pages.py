"""Pages of Typst: texts are data, the bytes depend on nothing else, and what no font shows is told."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

import carepolicy.typeset as typesetter
from carepolicy.typeset import NoTypesetter, TypesetError, typeset
from laws import examples
from nasty_texts import texts

pypdf = pytest.importorskip("pypdf", reason="the extra carepolicy[render] is not installed")
pytest.importorskip("typst", reason="the extra carepolicy[render] is not installed")

PAGE = """
#let data = json("data.json")
#set document(title: "Said", date: none)
#set text(font: "Arimo", lang: "en")
#set par(justify: false)
= Said
#data
"""


def words(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.parametrize(
    "text",
    [
        "#panic()",
        "$x^2$",
        "*bold* _thin_",
        '#import "x.typ"',
        "= Title",
        "</script>",
        "\\u{41} ~ -- ---",
        '"])[#x"',
        "//x",
    ],
)
def test_a_text_is_never_taken_for_markup(text):
    assert words(typeset(PAGE, text).pdf) == f"Said {text}"


@settings(max_examples=examples(40))
@given(text=texts)
def test_any_text_can_be_set_and_gives_the_same_bytes(text):
    assert typeset(PAGE, text) == typeset(PAGE, text)


def test_a_page_is_tagged_and_says_by_which_standard():
    pdf = typeset(PAGE, "Texts").pdf
    root = pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert bool(root["/MarkInfo"]["/Marked"])
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Metadata"].get_object().get_data()


def test_letters_that_no_font_has_are_told_and_the_rest_is_set():
    made = typeset(PAGE, "Hello \U00012000\U00012001")
    assert made.unshown == "\U00012000\U00012001"
    assert "Hello" in words(made.pdf)
    assert typeset(PAGE, "Hello").unshown == ""


def test_a_page_has_the_files_that_are_given_with_it():
    square = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="9" height="9"/></svg>'
    made = typeset(PAGE + '#image("square.svg", alt: "A square")', "x", {"square.svg": square})
    assert made.pdf.startswith(b"%PDF")


def test_a_description_that_typst_refuses_is_told_in_its_words():
    with pytest.raises(TypesetError, match="unknown variable: nothing"):
        typeset("#nothing", None)


def test_no_page_reads_a_file_of_the_machine(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    with pytest.raises(TypesetError):
        typeset(f'#read("{tmp_path}/secret.txt")')
    with pytest.raises(TypesetError):
        typeset('#read("../../../../../../../../etc/passwd")')


def test_without_typst_it_is_said_what_to_install(monkeypatch):
    typesetter._fonts.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(NoTypesetter, match=r"carepolicy\[render\]"):
        typeset(PAGE, "x")


def test_wheels_of_fonts_are_found_by_what_they_declare():
    assert [Path(folder).name for folder in typesetter.font_folders()].count("fontpkg_arimo") == 1


@pytest.mark.parametrize(
    ("letters", "told"),
    [
        ("", ""),
        ("日本", "no font here has letters of CJK (日); boxes stand for them: pip install noto-cjk-sans-jp-regular"),
        ("แข", "no font here has letters of THAI (แ); boxes stand for them: pip install fontpkg-noto-sans-thai"),
        (
            "\U00012000",
            "no font here has letters of CUNEIFORM (\U00012000); boxes stand for them: install one for the system",
        ),
        (
            "\U000ffffe",
            "no font here has letters of unknown (\U000ffffe); boxes stand for them: install one for the system",
        ),
    ],
)
def test_a_script_without_a_font_is_named_with_the_wheel_that_has_one(letters, told):
    assert typesetter.how_to_show(letters) == told
