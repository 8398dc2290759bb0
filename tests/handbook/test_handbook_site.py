"""The handbook as files: the same every time, whole, and with every link leading somewhere."""

from __future__ import annotations

import re

import handbook_sets as sets
import pytest
from click.testing import CliRunner

from carepolicy.cli.app import app
from carepolicy.handbook import build, stale, write
from commands import run
from shops import SHOP


@pytest.fixture(scope="module")
def undrawn():
    return build(sets.sample(), drawn=False)


@pytest.fixture(scope="module")
def pages(site):
    return sets.pages_of(site)


def test_the_same_policies_give_the_same_bytes(site):
    assert build(sets.sample()).files == site.files


def test_a_site_without_graphviz_says_the_same_in_words(monkeypatch):
    monkeypatch.setenv("CAREPOLICY_RENDERER", "none")
    site = build(sets.sample())
    assert "Graphviz" in site.advice
    assert not any(name.endswith(".svg") for name in site.files if name.startswith("charts/"))
    page = sets.Page(site.files["en/flows/complaint.html"].decode())
    assert "There was no Graphviz" in page.words
    assert "state-received" in page.ids


def test_pages_are_well_formed_and_no_id_comes_twice(pages):
    for name, page in pages.items():
        assert page.faults == [], name
        assert len(page.ids) == len(set(page.ids)), name


def test_every_link_leads_to_a_file_and_every_anchor_to_an_id(site, pages):
    for name, page in pages.items():
        for link in page.links:
            file, anchor = sets.resolved(name, link)
            assert file in site.files, f"{name}: {link}"
            assert not anchor or anchor in pages[file].ids, f"{name}: {link}"


def test_every_address_of_the_search_leads_to_an_id(site, pages):
    for language in ("en", "fr"):
        addresses = re.findall(r'"u":"([^"]+)"', site.files[f"{language}/search-index.js"].decode())
        assert len(addresses) > 40
        for address in addresses:
            file, anchor = sets.resolved(f"{language}/index.html", address)
            assert not anchor or anchor in pages[file].ids, address


NAMES_OF_XML = {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink"}
FETCHED = re.compile(
    rb"""<[^>]*\s[\w:-]+\s*=\s*["']?\s*(https?://[^\s"'>]+)|(?:url\(|@import)\s*["']?(https?://[^\s"')]+)"""
)


def test_nothing_is_fetched_from_elsewhere(site):
    for name, content in site.files.items():
        if name.endswith(".html"):  # a message to a customer may name an address in its words
            outside = {found for pair in FETCHED.findall(content) for found in pair if found}
            assert outside <= NAMES_OF_XML, name
        elif name.endswith((".css", ".js")):
            assert set(re.findall(rb"https?://[^\s\"')]+", content)) <= NAMES_OF_XML, name


def test_an_address_that_would_be_fetched_is_seen_and_one_in_words_is_not():
    assert FETCHED.search(b'<img alt="" src="https://elsewhere.example/a.png">')
    assert FETCHED.search(b"<style>a { background: url(https://elsewhere.example/a.png) }</style>")
    assert not FETCHED.search(b"<p>Answers are at https://harbour.example/questions.</p>")


def test_each_language_has_all_pages_in_its_own_words(pages):
    assert {name[3:] for name in pages if name.startswith("en/")} == {
        name[3:] for name in pages if name.startswith("fr/")
    }
    assert pages["en/index.html"].language == "en"
    assert pages["fr/index.html"].language == "fr"
    assert "J’ai un client qui …" in pages["fr/index.html"].words
    assert "3 heures ouvrées" in pages["fr/flows/complaint.html"].words
    assert "3 business hours" in pages["en/flows/complaint.html"].words


def test_a_handbook_may_be_written_in_some_languages_only(site, tmp_path):
    french = sets.sample()
    written = build(french, drawn=False, only=["fr"])
    assert {name.partition("/")[0] for name in written.files} & {"en", "fr"} == {"fr"}
    assert 'href="en/' not in written.files["index.html"].decode()


def test_a_language_that_the_set_has_not_is_refused_with_the_nearest(tmp_path):
    told = run("handbook", "--policies", str(SHOP), "--language", "fra")
    assert told.returncode == 2
    assert 'did you mean "fr"?' in told.stderr
    assert run("handbook", "--policies", str(SHOP), "--language", "fr-CA", "-o", str(tmp_path)).returncode == 0
    assert ((tmp_path / "fr").is_dir(), (tmp_path / "en").exists()) == (True, False)


def test_a_language_without_words_of_ours_gets_english_ones(tmp_path):
    site = build(sets.set_of(tmp_path, "Text", ("ja", "ar")), drawn=False)
    page = sets.Page(site.files["ar/index.html"].decode())
    assert page.language == "en"
    assert "I have a customer who …" in page.words


def test_the_check_passes_on_what_was_just_written(site, undrawn, tmp_path):
    write(site, tmp_path)
    assert stale(undrawn, tmp_path) == []


def test_the_check_names_changed_missing_and_left_over_files(site, undrawn, tmp_path):
    write(site, tmp_path)
    page = tmp_path / "en/flows/complaint.html"
    page.write_text(page.read_text(encoding="utf-8").replace("Handle a complaint", "Handle it"), encoding="utf-8")
    (tmp_path / "charts/fr/complaint.dot").unlink()
    with (tmp_path / "files.txt").open("a") as listed:
        listed.write("en/flows/gone.html\n")
    (tmp_path / "en/flows/gone.html").write_text("old")
    assert stale(undrawn, tmp_path) == ["charts/fr/complaint.dot", "en/flows/complaint.html", "en/flows/gone.html"]


@pytest.mark.usefixtures("drawing")
def test_the_check_does_not_look_at_pictures(site, undrawn, tmp_path):
    write(site, tmp_path)
    page = tmp_path / "en/flows/complaint.html"
    drawn_otherwise = page.read_text(encoding="utf-8").replace("<polygon", "<polygon data-other-graphviz=''")
    page.write_text(drawn_otherwise, encoding="utf-8")
    (tmp_path / "charts/en/complaint.svg").write_text("<svg/>")
    assert stale(undrawn, tmp_path) == []


def test_writing_removes_pages_of_flows_that_are_gone_and_nothing_else(site, tmp_path):
    outside = tmp_path / "keep.txt"
    folder = tmp_path / "site"
    write(site, folder)
    outside.write_text("mine")
    (folder / "own.html").write_text("mine")
    (folder / "en/flows/gone.html").write_text("old")
    (folder / "files.txt").write_text("en/flows/gone.html\n../keep.txt\n")
    write(site, folder)
    assert not (folder / "en/flows/gone.html").exists()
    assert (folder / "own.html").exists()
    assert outside.exists()


def test_writing_anew_changes_no_file(site, tmp_path):
    write(site, tmp_path)
    assert write(site, tmp_path) == []


def test_the_command_writes_checks_and_names_what_is_stale(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sets.set_of(tmp_path / "policies", "Text")
    run = CliRunner().invoke
    missing = run(app, ["handbook", "--check"])
    assert missing.exit_code == 1
    assert "generated/en/index.html\n" in missing.output
    made = run(app, ["handbook"])
    assert made.exit_code == 0, made.output
    assert made.output.startswith("generated/index.html (")
    assert run(app, ["handbook", "--check"]).exit_code == 0
    flow = tmp_path / "policies/flows/care.yaml"
    flow.write_text(flow.read_text().replace("version: 3", "version: 4"))
    changed = run(app, ["handbook", "--check"])
    assert changed.exit_code == 1
    assert "generated/fr/flows/care.html\n" in changed.output
    assert "not up to date" in str(changed.exception)


@pytest.mark.usefixtures("drawing")
def test_pdfs_are_the_same_every_time(tmp_path):
    policies = sets.set_of(tmp_path, "Text", ("en",))
    one, two = (build(policies, pdf=True).files["charts/en/care.pdf"] for _ in range(2))
    assert one.startswith(b"%PDF")
    assert b"CreationDate" not in one  # nor any other day of the machine
    assert one == two
