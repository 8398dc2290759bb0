from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.charts import colours

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06X}".format)


def test_black_on_white_has_the_highest_contrast_of_the_standard():
    assert colours.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert colours.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_a_short_colour_is_the_long_one():
    assert colours.channels("#1a0") == colours.channels("#11AA00")


@pytest.mark.parametrize("bad", ["red", "#12", "#GGGGGG", "", "#1234567", "#123456\n", 'x" onload="'])
def test_what_is_not_a_colour_is_refused(bad):
    with pytest.raises(colours.BadColour):
        colours.channels(bad)


@given(COLOURS)
def test_every_owner_colour_gets_texts_that_can_be_read(band):
    shade = colours.shade(band)
    assert colours.contrast(shade.band, shade.on_band) >= colours.AA_TEXT
    assert colours.contrast(shade.tint, shade.on_tint) >= colours.AA_TEXT
    assert colours.contrast(shade.line, "#FFFFFF") >= colours.AA_LINE


def test_built_in_bands_are_eight_or_more_and_distinct():
    assert len(colours.BANDS) >= 8
    for one, other in combinations(colours.BANDS, 2):
        apart = sum(abs(a - b) for a, b in zip(colours.channels(one), colours.channels(other), strict=True))
        assert apart > 40, (one, other)


def test_a_role_keeps_its_own_colour_and_others_take_the_palette_first():
    found = colours.shades(["a", "b", "c"], {"b": "#123456"}, ["#123456", "#AA0000"])
    assert [found[name].band for name in "abc"] == ["#AA0000", "#123456", colours.BANDS[0]]


def test_more_roles_than_colours_still_have_one_each():
    assert len(colours.shades([str(n) for n in range(40)], {}, [])) == 40
