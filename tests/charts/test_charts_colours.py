from __future__ import annotations

import math
from itertools import combinations

import chart_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.charts import chart_of, colours
from carepolicy.charts.card import dot_of
from carepolicy.charts.text import escaped

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


# What people see who lack the cones for red (protanopia) or for green (deuteranopia), in linear sRGB: Machado, Oliveira
# and Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009, severity 1.0.
VISION = {
    "all three cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
APART = {"all three cones": 14, "protanopia": 10, "deuteranopia": 10}
"""Differences by CIEDE2000. From 2 to 3 on two colours beside each other are seen to differ; owners stand apart."""


def seen(colour, vision):
    """A colour as CIE L*a*b* (D65) as somebody with that vision sees it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colours.channels(colour))
    ]
    red, green, blue = (min(1, max(0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in VISION[vision])
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one, other):
    """The difference of two colours: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", 2005."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    middle = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    more = 1 + 0.5 * (1 - math.sqrt(middle**7 / (middle**7 + 25**7)))
    a1, a2 = a1 * more, a2 * more
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 if a or b else 0 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0
    across = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
    by_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2))
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = across / (1 + 0.015 * chroma * t)
    turned = math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    both = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * turned
    return math.sqrt(by_light**2 + by_chroma**2 + by_hue**2 + both * by_chroma * by_hue)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [  # from the paper's table of test data
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_of_difference_is_that_of_the_paper(one, other, apart):
    assert ciede2000(one, other) == pytest.approx(apart, abs=5e-5)


@pytest.mark.parametrize("vision", VISION)
def test_twelve_owners_have_twelve_colours_that_people_of_any_colour_vision_tell_apart(vision):
    assert len(set(colours.BANDS)) == 12
    for one, other in combinations(colours.BANDS, 2):
        assert ciede2000(seen(one, vision), seen(other, vision)) >= APART[vision], (one, other)


def test_the_owners_name_is_in_white_on_each_band_for_those_who_see_no_colour_and_for_grey_printers():
    for band in colours.BANDS:
        assert colours.text_on(band) == "#FFFFFF"
        assert colours.contrast(band, "#FFFFFF") >= colours.AA_TEXT
    chart = chart_of(samples.complaint(), "complaint")
    for sheet in chart.sheets:
        text = dot_of(chart, sheet).replace("<BR/>", " ")
        assert all(
            f"<B>{escaped(card.owner)}</B>" in text for card in sheet.cards
        )  # what lightness does not tell, the name does


def test_owners_of_one_flow_have_different_colours_though_the_set_has_more_owners_than_there_are_colours():
    names = [f"r{number}" for number in range(30)]
    flows = [names[start : start + 6] for start in range(0, 30, 3)]
    beside = {name: {each for flow in flows if name in flow for each in flow} - {name} for name in names}
    found = colours.shades(names, {}, [], beside)
    for flow in flows:
        assert len({found[name].band for name in flow}) == len(flow)


def test_a_role_keeps_its_own_colour_and_others_take_the_palette_first():
    found = colours.shades(["a", "b", "c"], {"b": "#123456"}, ["#123456", "#AA0000"])
    assert [found[name].band for name in "abc"] == ["#AA0000", "#123456", colours.BANDS[0]]


def test_more_roles_than_colours_still_have_one_each():
    assert len(colours.shades([str(n) for n in range(40)], {}, [])) == 40
