"""`carepolicy handbook --pdf` and its kin: what is written, where, and what is said of it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import handbook_sets as sets
import pytest

import carepolicy.typeset as typesetter
from commands import run
from shops import SHOP

pytest.importorskip("typst", reason="the extra carepolicy[render] is not installed")
pytest.importorskip("pypdf", reason="the extra carepolicy[render] is not installed")

from printed_pages import Printed


def written(folder, *arguments, policies=SHOP):
    done = run("handbook", "--policies", str(policies), *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    (name,) = done.stdout.split()
    assert [str(each.relative_to(folder)) for each in folder.rglob("*.pdf")] == [name]
    return name, Printed((folder / name).read_bytes())


@pytest.mark.parametrize(
    ("arguments", "name", "title"),
    [
        (["--pdf"], "handbook.pdf", "Staff handbook"),
        (["--pdf", "out/book.pdf"], "out/book.pdf", "Staff handbook"),
        (["-o", "book.pdf"], "book.pdf", "Staff handbook"),
        (["--pdf", "--language", "fr"], "handbook-fr.pdf", "Guide de l’équipe"),
        (["--role", "warehouse"], "warehouse.pdf", "Booklet: Warehouse"),
        (["--role", "warehouse", "--pdf", "w.pdf"], "w.pdf", "Booklet: Warehouse"),
        (["--cards"], "cards.pdf", "Quick cards"),
        (["--cards", "a5", "--flow", "complaint"], "cards-complaint.pdf", "Quick cards"),
        (["--cards", "A6", "--role", "warehouse", "--language", "fr"], "cards-warehouse-fr.pdf", "Fiches, Warehouse"),
        (["--flow", "complaint"], "complaint.pdf", "Staff handbook"),
    ],
)
def test_each_way_to_ask_writes_one_file_with_a_telling_name(arguments, name, title, tmp_path):
    found, printed = written(tmp_path, *arguments)
    assert found == name
    assert printed.reader.metadata.title == f"Harbour & Finch: {title}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--role", "warehuose"], 'there is no role "warehuose"; did you mean "warehouse"?'),
        (["--flow", "complain"], 'there is no flow "complain"; did you mean "complaint"?'),
        (["--pdf", "--check"], "--check goes with the site, not with a PDF"),
        (["--pdf", "x.pdf", "-o", "site"], "--output goes with the site, not with a PDF"),
        (["--pdf", "--language", "fr", "--language", "en"], "a PDF is in one language: name one"),
        (["--cards", "--since", "HEAD"], "--since goes with the whole handbook"),
        (["--pdf", "--language", "xx"], 'nothing is said in the language "xx"'),
        (["--cards", "A7"], "'A7' is not one of"),
        (["--pdf", "--date", "soon"], "'soon' does not match the format '%Y-%m-%d'"),
        (["--pdf", "taken"], "cannot write to taken"),
    ],
)
def test_what_cannot_be_printed_is_told_and_nothing_is_written(arguments, said, tmp_path):
    (tmp_path / "taken").mkdir()
    done = run("handbook", "--policies", SHOP, *arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert said in done.stderr
    assert list(tmp_path.rglob("*.pdf")) == []


def test_the_day_is_the_one_that_is_said(tmp_path):
    _, printed = written(tmp_path, "--flow", "complaint", "--date", "2027-01-15")
    assert "As of Friday 15 January 2027" in " ".join(printed.pages[0].split())


def test_the_day_is_that_of_the_last_commit_and_none_where_policies_have_changed_since(tmp_path):
    shutil.copytree(SHOP, tmp_path / "policies")
    day = {"GIT_AUTHOR_DATE": "2026-05-04T12:00:00Z", "GIT_COMMITTER_DATE": "2026-05-04T12:00:00Z"}
    for arguments in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", **day}, check=True)
    done = run("handbook", "--flow", "complaint", cwd=tmp_path)
    assert done.stderr == ""
    printed = Printed((tmp_path / "complaint.pdf").read_bytes())
    assert "As of Monday 4 May 2026" in " ".join(printed.pages[0].split())
    organisation = tmp_path / "policies/organisation.yaml"
    organisation.write_text(organisation.read_text() + "\n# changed\n")
    done = run("handbook", "--flow", "complaint", cwd=tmp_path)
    assert "no day stands on the pages" in done.stderr
    assert "As of" not in Printed((tmp_path / "complaint.pdf").read_bytes()).pages[0]


def test_what_changed_since_an_earlier_set_is_a_chapter_of_its_own(tmp_path):
    shutil.copytree(SHOP, tmp_path / "old")
    flow = tmp_path / "old/flows/complaint.yaml"
    flow.write_text(flow.read_text().replace("limit: 3 business hours", "limit: 5 business hours", 1))
    _, printed = written(tmp_path, "--pdf", "--since", "old")
    told = " ".join(printed.pages[number - 1] for number in printed.chapters()["What changed"])
    assert "5 business hours" in " ".join(told.split())


def test_letters_without_a_font_are_named_and_the_rest_is_printed(tmp_path):
    sets.set_of(tmp_path / "policies", "Hello \ua000")
    done = run("handbook", "--pdf", cwd=tmp_path)
    assert done.returncode == 0
    assert "no font here has letters of YI" in done.stderr


def test_without_typst_it_is_said_what_to_install(tmp_path, monkeypatch):
    typesetter._fonts.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    done = run("handbook", "--policies", SHOP, "--pdf", cwd=tmp_path)
    assert done.returncode == 3
    assert "carepolicy[render]" in done.stderr
    assert list(tmp_path.rglob("*.pdf")) == []
