"""Letters that nothing here has a font for are told, with the words that have them and what to install."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files

import chart_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.charts import fonts, renderer, sources
from carepolicy.charts.fonts import fonts_wanted, script_of
from carepolicy.cli.app import run

ARIMO = str(files("fontpkg_arimo") / "files" / "Arimo[wght].ttf")


@pytest.fixture
def only_arimo(monkeypatch):
    """A machine on which something draws and whose one font is Arimo."""
    monkeypatch.setenv("CAREPOLICY_RENDERER", "pygraphviz")
    if renderer() is None:
        pytest.skip("pygraphviz cannot be loaded here")
    monkeypatch.setattr(fonts, "_font_files", lambda: [ARIMO])


def titled(title):
    states = {"a": {"start_on": "x", "on": {"y": "end"}}, "end": {"final": "done"}}
    return sources(samples.policies({"flow": "f", "title": title, "states": states}), "f")


@pytest.mark.usefixtures("only_arimo")
@pytest.mark.parametrize(
    ("title", "script", "package"),
    [
        ("返品の受付", "Chinese or Japanese", "fonts-noto-cjk"),
        ("반품 접수", "Korean", "fonts-noto-cjk"),
        ("استلام المرتجعات", "Arabic", "fonts-noto-core"),
        ("वापसी", "Devanagari", "fonts-noto-core"),
        ("คืนสินค้า", "Thai", "fonts-noto-core"),
        ("Party 🎉", "emoji", "fonts-noto-color-emoji"),
        ("Done ✔", "symbol", "fonts-dejavu-core"),
    ],
)
def test_a_title_without_a_font_is_named_with_its_script_and_what_to_install(title, script, package):
    said = fonts_wanted(titled(title))
    assert f"“{title}” ({script})" in said
    assert f"apt-get install {package})" in said


@pytest.mark.usefixtures("only_arimo")
def test_charts_in_letters_that_are_there_are_told_nothing_of():
    for language_title in (
        "Take goods back – “at once” → 5",
        "Ångström, naïveté, Straße",
        "Возврат товара",
        "Επιστροφή",
    ):
        assert fonts_wanted(titled(language_title)) == ""


def test_graphviz_pure_has_arimo_alone_for_pictures_and_leaves_letters_of_svg_to_who_reads(monkeypatch):
    monkeypatch.setenv("CAREPOLICY_RENDERER", "graphviz-pure")
    if renderer() is None:
        pytest.skip("graphviz-pure is not installed")
    assert "write .svg" in fonts_wanted(titled("Done ✔"), ".png")
    assert "write .svg" in fonts_wanted(titled("Done ✔"), ".pdf")
    assert "write .svg" not in fonts_wanted(titled("返品"), ".svg")


def test_where_nothing_draws_nothing_is_told(monkeypatch):
    monkeypatch.setenv("CAREPOLICY_RENDERER", "none")
    assert fonts_wanted(titled("返品")) == ""


def test_a_file_that_is_no_font_has_no_letters(tmp_path):
    for name in ("a.ttf", "b.ttc"):
        (tmp_path / name).write_bytes(b"no font")
        assert fonts._letters_of(str(tmp_path / name)) == frozenset()
    assert fonts._letters_of(str(tmp_path / "gone.otf")) == frozenset()


@given(st.characters(exclude_categories=("C", "Z")))
def test_every_letter_has_a_script_of_one_word(letter):
    assert script_of(letter).split() == [script_of(letter)]


def test_fontconfig_and_the_look_into_fonts_agree_on_what_is_missing():
    if shutil.which("fc-list") is None:
        pytest.skip("fontconfig's fc-list is not here")
    for letter in "éжλש✔漢가ब🎉":
        there = subprocess.run(["fc-list", f":charset={ord(letter):x}", "file"], capture_output=True, check=True).stdout
        named = [line.split(b":")[0] for line in there.splitlines()]
        known = [path for path in named if path.lower().endswith(tuple(each.encode() for each in fonts._ENDINGS))]
        assert bool(known) == any(letter in fonts._letters_of(path) for path in fonts._font_files()), letter


ORGANISATION = """
organisation: 店
timezone: Asia/Tokyo
languages: [ja]
calendars: {office: {title: 営業時間, hours: {mon-fri: 09:00-17:00}}}
calendar: office
roles: {agent: {title: 担当者}}
"""
FLOW = """
flow: q
version: 1
title: 返品の受付
owner: agent
events: {came: {title: 依頼が来る}, done: {title: 終了}}
states:
  a: {title: 受付, start_on: came, owner: agent, on: {done: z}}
  z: {title: 完了, final: resolved}
"""


@pytest.mark.usefixtures("only_arimo")
def test_graph_and_handbook_warn_and_do_not_fail(tmp_path, monkeypatch, capsys):
    (tmp_path / "set" / "flows").mkdir(parents=True)
    (tmp_path / "set" / "organisation.yaml").write_text(ORGANISATION, encoding="utf-8")
    (tmp_path / "set" / "flows" / "q.yaml").write_text(FLOW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands = ["graph q --output q.png", "graph q --output q.svg", "graph --all --output all.svg", "handbook -o site"]
    for command in commands:
        assert run([*command.split(), "--policies", "set"]) == 0
        said = capsys.readouterr().err
        assert "no font here has the letters of “" in said
        assert "(Chinese or Japanese)" in said
    assert run(["graph", "q", "--output", "q.mmd", "--policies", "set"]) == 0
    assert capsys.readouterr().err == ""
