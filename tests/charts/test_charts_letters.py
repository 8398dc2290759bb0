"""Letters are measured without a font; what is measured is what the font of every page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.charts.letters import _TABLES, UNITS, broken, length
from laws import examples


@pytest.mark.parametrize(("bold", "weight"), [(False, 400), (True, 700)])
def test_the_tables_are_those_of_the_font(bold, weight):
    package = pytest.importorskip("fontpkg_arimo", reason="pip install carepolicy[render]")
    ttlib = pytest.importorskip("fontTools.ttLib", reason="pip install carepolicy[render]")
    instancer = pytest.importorskip("fontTools.varLib.instancer")
    variable = ttlib.TTFont(Path(package.__file__).parent / "files" / "Arimo[wght].ttf")
    font = instancer.instantiateVariableFont(variable, {"wght": weight})
    names, widths = font.getBestCmap(), font["hmtx"]
    assert font["head"].unitsPerEm == UNITS
    assert {letter: widths[names[ord(letter)]][0] for letter in _TABLES[bold]} == _TABLES[bold]
    assert set("abcxyzABCXYZ0123456789äéñßœçÄÉÑ«»„“”’–…€£→■ ") <= set(_TABLES[bold])


@settings(max_examples=examples(60))
@given(
    text=st.text(st.characters(categories=("L", "N", "P", "Zs", "M", "Lo")), max_size=120),
    width=st.floats(20, 300),
    bold=st.booleans(),
)
def test_lines_hold_every_letter_and_are_no_wider_than_asked(text, width, bold):
    lines = broken(text, width, 8.5, bold)
    assert all(length(line, 8.5, bold) <= width + 0.01 for line in lines)
    plain = "".join(text.split(" ")).replace("-", "")
    assert "".join("".join(lines).split(" ")).replace("-", "") == "".join(plain.split())


def test_a_word_wider_than_the_line_is_broken_and_chinese_breaks_between_letters():
    assert broken("Donaudampfschifffahrt", 54, 8.5) == ("Donaudampf-", "schifffahrt")
    lines = broken("感谢您的来信，我们会在三个工作小时内回复。", 60, 8.5)
    assert "".join(lines) == "感谢您的来信，我们会在三个工作小时内回复。"
    assert not any(line[0] in "，。" for line in lines)
    assert broken("« Bonjour à tous »", 52, 8.5)[-1] != "»"
