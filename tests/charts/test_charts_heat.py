"""An audit's figures on the chart: numbers told, shares only where they mean something, bounds that never move."""

from __future__ import annotations

import json

import chart_samples as samples
import geometry
import pytest

from carepolicy.businesstime.words import duration
from carepolicy.charts import sheets_of
from carepolicy.charts.card import dot_of
from carepolicy.charts.colours import contrast, text_on
from carepolicy.charts.draw import draw_chart, svgs_of
from carepolicy.charts.heat import GROUNDS, NO_SHARE, BadAudit, chart_of_heat, ground_of, read_audit
from carepolicy.cli.app import run
from shops import SHOP

FIGURES = {
    "cases": 240,
    "open": 22,
    "clocks": {"first_reply": {"rounds": 240, "met": 226, "late": 14, "target": 0.95, "used": {"p50": 7810}}},
    "states": {
        "received": {"visits": 240, "open": 10, "late": 0, "time": {"p50": 3300}},
        "overdue": {"visits": 14, "late": 9, "time": {"p50": 50}},
        "waiting_for_customer": {"visits": 4, "open": 1, "late": 2, "time": {"p50": 99}},
        "answered": {"visits": 0},
    },
}


def audit(folder, figures=FIGURES, **more):
    path = folder / "audit.json"
    path.write_text(json.dumps({"events": 900, "rejected": 0, **more, "flows": {"email_inquiry": figures}}))
    return path


def rows(folder, figures=FIGURES, language=None, **more):
    found = read_audit(audit(folder, figures, **more), "email_inquiry")
    chart = chart_of_heat(samples.email(), "email_inquiry", found, language)
    return chart, {state: mark.rows for state, mark in chart.marks.items()}


def test_numbers_lateness_and_the_median_stand_on_the_cards(tmp_path):
    _, told = rows(tmp_path)
    assert told["received"] == (
        ("240 times here, 10 open, 0 late (0\u00a0%); half within 55\u00a0min", "#F3F3F3"),
        ("First answer: 226 of 240 in time (94\u00a0%), target 95\u00a0%; half within 2\u00a0h 10\u00a0min", "#FEEBD0"),
    )
    assert told["overdue"] == (("14 times here, 9 late (64\u00a0%); half within 50\u00a0s", "#9C2F00"),)


def test_fewer_than_five_cases_have_no_share_no_colour_and_no_median(tmp_path):
    _, told = rows(tmp_path)
    assert told["waiting_for_customer"] == (("4 times here, 1 open, 2 late (too few for a share)", NO_SHARE),)
    assert told["answered"] == (("no case", NO_SHARE),)


def test_the_footer_says_how_many_cases_and_of_which_days(tmp_path):
    chart, _ = rows(tmp_path, **{"from": "2026-01-05T00:00:00+00:00", "to": "2026-03-31"})
    assert chart.footer[-1] == "240 cases, 2026-01-05 to 2026-03-31"
    assert rows(tmp_path)[0].footer[-1] == "240 cases"
    assert [text for text, _ in chart.legend] == [
        "late: none", "up to 10\u00a0%", "up to 20\u00a0%", "up to 50\u00a0%", "over 50\u00a0%",
    ]  # fmt: skip


def test_the_words_follow_the_language(tmp_path):
    _, told = rows(tmp_path, language="fr")
    assert told["overdue"][0][0] == "14 fois ici, 9 en retard (64\u00a0%); la moitié en 50\u00a0s ou moins"


MANY = {
    "cases": 12_345,
    "clocks": {"first_reply": {"met": 9_999, "late": 1, "target": 0.995, "used": {"p50": 900_000}}},
    "states": {"received": {"visits": 12_345, "open": 1_350, "late": 4, "time": {"p50": 630_000}}},
}


@pytest.mark.parametrize(
    ("language", "state", "clock"),
    [
        ("en", "12,345 times here, 1,350 open, 4 late (0.03 %); half within 7 d 7 h",
         "First answer: 9,999 of 10,000 in time (99.99 %), target 99.5 %; half within 10 d 10 h"),
        ("fr", "12 345 fois ici, 1 350 en cours, 4 en retard (0,03 %); la moitié en 7 j 7 h ou moins",
         "First answer : 9 999 sur 10 000 dans le délai (99,99 %), objectif 99,5 %; la moitié en 10 j 10 h ou moins"),
    ],
)  # fmt: skip
def test_numbers_and_times_are_those_of_the_language_and_a_few_are_not_none(tmp_path, language, state, clock):
    chart, told = rows(tmp_path, MANY, language)
    assert [text.replace("\u00a0", " ") for text, _ in told["received"]] == [state, clock]
    assert chart.footer[-1].replace("\u00a0", " ").startswith({"en": "12,345 cases", "fr": "12 345"}[language])


def test_a_row_can_be_read_where_a_page_shows_its_chart_dark():
    for ground in (*GROUNDS, NO_SHARE):
        assert contrast(dark(text_on(ground)), dark(ground)) >= 4.5


def dark(colour):
    """A colour as ``filter: invert(1) hue-rotate(180deg)`` shows it."""
    inverse = [255 - int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    grey = 2 * sum(weight * each for weight, each in zip((0.213, 0.715, 0.072), inverse, strict=True))
    return "#" + "".join(f"{min(max(round(grey - each), 0), 255):02X}" for each in inverse)


@pytest.mark.parametrize(
    ("late", "of", "step"),
    [(0, 100, 0), (1, 100, 1), (10, 100, 1), (11, 100, 2), (20, 100, 2), (50, 100, 3), (51, 100, 4), (100, 100, 4)],
)
def test_the_bounds_of_the_colours_never_move(late, of, step):
    assert ground_of(late, of) == GROUNDS[step]


def test_text_on_every_ground_can_be_read():
    for ground in (*GROUNDS, NO_SHARE):
        assert contrast(text_on(ground), ground) >= 4.5


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "1 h"), (7810, "2 h 10 min"), (360000, "100 h")],
)
def test_times_are_told_in_two_units(seconds, said):
    assert duration(seconds) == said


@pytest.mark.usefixtures("drawing")
def test_figures_cover_nothing_and_leave_the_bands_as_they_are(tmp_path):
    chart, _ = rows(tmp_path)
    (sheet,) = chart.sheets
    source = dot_of(chart, sheet)
    assert geometry.faults(source) == []
    (picture,) = svgs_of(chart)
    assert "14 times here, 9 late (64\u00a0%)" in picture.replace("&#160;", "\u00a0")
    assert all(shade.band in source for shade in chart.shades.values())
    assert "9 late" in picture.partition("<desc")[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", 'has no object "flows"'),
        ('{"flows": 3}', 'has no object "flows"'),
        ('{"flows": {"complaint": {}}}', 'no figures of the flow "email_inquiry"; it has those of: complaint'),
    ],
)
def test_what_is_no_audit_is_refused_in_words(tmp_path, text, said):
    path = tmp_path / "audit.json"
    path.write_text(text)
    with pytest.raises(BadAudit, match=said.replace("(", r"\(")):
        read_audit(path, "email_inquiry")


def test_figures_of_wrong_kinds_are_left_out(tmp_path):
    odd = {
        "cases": "many", "states": {"received": {"visits": -3, "late": "x"}, "overdue": 7, "gone": {"visits": 2}},
        "clocks": {"first_reply": {"met": True, "late": None, "used": {"p50": "long"}}, "<b>": {}},
    }  # fmt: skip
    chart, told = rows(tmp_path, odd)
    assert told == {"received": (("no case", NO_SHARE), ("First answer: no case", NO_SHARE))}
    assert chart.footer[-1] == "0 cases"


@pytest.mark.usefixtures("drawing")
def test_the_command_draws_it_and_refuses_what_it_cannot(tmp_path, capsys):
    path = audit(tmp_path)
    out = tmp_path / "heat.svg"
    arguments = ["graph", "email_inquiry", "--policies", SHOP, "--heat", str(path)]
    assert run([*arguments, "-o", str(out)]) == 0
    assert "240 times here" in out.read_text(encoding="utf-8")
    assert run([*arguments, "-o", str(tmp_path / "heat.mmd")]) == 2
    assert run(["graph", "--all", "--policies", SHOP, "--heat", str(path), "-o", str(out)]) == 2
    assert run(["graph", "complaint", "--policies", SHOP, "--heat", str(path), "-o", str(out)]) == 2
    assert "it has those of: email_inquiry" in capsys.readouterr().err


@pytest.mark.usefixtures("drawing")
def test_paper_with_figures_is_exact_too(tmp_path):
    found = read_audit(audit(tmp_path), "email_inquiry")
    chart = chart_of_heat(samples.email(), "email_inquiry", found)
    drawn = draw_chart(chart, tmp_path / "h.pdf")
    assert drawn.files[0].read_bytes().startswith(b"%PDF")
    items = [each for sheet in sheets_of(chart).sheets for each in sheet.items]
    told = " ".join(line for each in items for line in getattr(each, "lines", ()))
    assert "240 times here" in told
