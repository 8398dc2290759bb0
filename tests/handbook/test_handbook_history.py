"""What changed since the last version, as git has it."""

from __future__ import annotations

import shutil
import subprocess

import handbook_sets as sets
import pytest

from carepolicy.cli.app import run
from carepolicy.handbook import build, stale, write


def git(folder, *arguments):
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def commit(folder, message):
    git(folder, "add", "policies")
    git(folder, "commit", "--quiet", "--message", message)


def edit(folder, *pairs):
    flow = folder / "policies/flows/care.yaml"
    text = flow.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    flow.write_text(text, encoding="utf-8")


@pytest.fixture
def repository(tmp_path):
    """Version 3 in two commits, then version 4 with a longer limit."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    sets.set_of(tmp_path / "policies", "Text")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "three")
    edit(tmp_path, ("runs_in: [waiting]", "runs_in: [waiting, checking]"))
    commit(tmp_path, "three still")
    edit(tmp_path, ("version: 3", "version: 4"), ("{is: 3 business hours}", "{is: 5 business hours}"))
    return tmp_path


def page(folder, language="en", **how):
    policies, _ = sets.load_policies(folder / "policies")
    site = build(policies, drawn=False, **how)
    return site, sets.Page(site.files[f"{language}/flows/care.html"].decode()).words


def test_a_page_tells_what_changed_since_the_last_version_before_and_after_the_commit(repository):
    site, before = page(repository)
    assert site.history
    assert (
        "What changed since version 3 unread CHANGED Text, otherwise: 5 business hours, was 3 business hours" in before
    )
    assert "runs in" not in before.partition("What changed since")[2].partition("Stories")[0]
    write(site, repository / "site")
    commit(repository, "four")
    assert stale(page(repository)[0], repository / "site") == []


def test_it_is_told_in_the_language_of_the_page(repository):
    words = page(repository, "fr")[1]
    assert "depuis la version 3 non lu MODIFIÉ Text, sinon : 5 heures ouvrées, au lieu de 3 heures ouvrées" in words


def test_a_version_that_changed_alone_says_so(repository):
    edit(repository, ("{is: 5 business hours}", "{is: 3 business hours}"))
    assert "What changed since version 3 unread Nothing but the version." in page(repository)[1]


def test_a_first_version_has_nothing_to_tell(repository):
    edit(repository, ("version: 4", "version: 3"))
    site, words = page(repository)
    assert "What changed since" not in words
    assert "No changes are known." in sets.Page(site.files["en/changes.html"].decode()).words
    assert site.history


def test_another_set_may_be_named_to_compare_with(repository, monkeypatch, capsys):
    monkeypatch.chdir(repository)
    assert run(["handbook", "--since", "HEAD~1", "--output", "site"]) == 0
    written = sets.Page((repository / "site/en/flows/care.html").read_text(encoding="utf-8")).words
    assert "runs in: “Text”, “Text”, was “Text”" in written
    assert run(["handbook", "--since", "v9"]) == 2
    assert "no git revision" in capsys.readouterr().err


def test_the_check_knows_changes_where_the_history_is_and_leaves_them_out_where_it_is_not(repository, tmp_path_factory):
    write(page(repository)[0], repository / "site")
    assert stale(page(repository)[0], repository / "site") == []
    wrong = repository / "site/en/flows/care.html"
    wrong.write_text(wrong.read_text(encoding="utf-8").replace("was 3 business hours", "was 9"), encoding="utf-8")
    assert stale(page(repository)[0], repository / "site") == ["en/flows/care.html"]
    bare = tmp_path_factory.mktemp("bare")
    shutil.copytree(repository / "policies", bare / "policies")
    without = page(bare)[0]
    assert not without.history
    assert stale(without, repository / "site") == []


def test_a_shallow_clone_has_no_history_to_tell(repository, tmp_path_factory):
    commit(repository, "four")
    place = tmp_path_factory.mktemp("shallow") / "clone"
    git(repository, "clone", "--quiet", "--depth", "1", repository.as_uri(), str(place))
    site, words = page(place)
    assert not site.history
    assert "What changed since" not in words


def test_a_flow_that_came_after_the_set_is_told_as_new(repository):
    commit(repository, "four")
    text = (repository / "policies/flows/care.yaml").read_text(encoding="utf-8")
    (repository / "policies/flows/other.yaml").write_text(text.replace("flow: care", "flow: other"), encoding="utf-8")
    for _ in range(2):  # before it is committed and after
        changes = sets.Page(page(repository)[0].files["en/changes.html"].decode())
        assert "This flow is new." in changes.words
        assert "flows/other.html" in changes.links
        commit(repository, "other")
        (repository / "policies/none.txt").write_text("x")


def test_the_list_of_changes_has_the_newest_first(repository):
    commit(repository, "four")
    for name, valid in (("early", "2026-02-01"), ("late", "2026-06-01")):
        text = (repository / "policies/flows/care.yaml").read_text(encoding="utf-8")
        text = text.replace("flow: care", f"flow: {name}").replace("version: 4", f"version: 1\nvalid_from: {valid}")
        (repository / f"policies/flows/{name}.yaml").write_text(text, encoding="utf-8")
    changes = sets.Page(page(repository)[0].files["en/changes.html"].decode())
    assert [link for link in changes.links if link.startswith("flows/")] == [
        "flows/late.html",
        "flows/early.html",
        "flows/care.html",
    ]
    assert "Valid from Monday 1 June 2026" in changes.words


def test_a_page_has_the_day_of_its_last_change_once_it_is_committed(repository, monkeypatch):
    assert "Last changed" not in page(repository)[1]
    git(repository, "add", "policies")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2099-04-07T12:00:00+00:00")
    git(repository, "commit", "--quiet", "--message", "four")
    site, words = page(repository)
    assert "Version 4 Last changed Tuesday 7 April 2099" in words
    assert "Version 4 · Last changed Tuesday 7 April 2099" in words
    for name in ("index.html", "changes.html", "settings.html"):
        assert "Last changed Tuesday 7 April 2099" in site.files[f"en/{name}"].decode()
    assert "Dernière modification mardi 7 avril 2099" in page(repository, "fr")[1]
    assert "@bottom-left" in site.files["en/flows/care.html"].decode()


def test_what_all_flows_share_is_told_where_an_earlier_set_is_named(repository):
    old = sets.load_policies(repository / "policies")[0]
    organisation = repository / "policies/organisation.yaml"
    organisation.write_text(organisation.read_text(encoding="utf-8").replace("wait: 2 business", "wait: 4 business"))
    new = sets.load_policies(repository / "policies")[0]
    words = sets.Page(build(new, drawn=False, since=old).files["en/changes.html"].decode()).words
    assert "For all flows" in words
    assert "4 business days, was 2 business days" in words


def test_markup_in_a_changed_text_stays_text(repository):
    edit(repository, ('say: "Text"', 'say: "<script>alert(1)</script>"'))
    policies, _ = sets.load_policies(repository / "policies")
    html = build(policies, drawn=False).files["en/flows/care.html"].decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;”, was “Text”" in html


def test_notes_of_the_makers_are_not_told_to_staff(repository):
    commit(repository, "four")
    edit(repository, ("version: 4", "version: 5"), ('based_on: "Text"', 'based_on: "Catalogue P05, line 11"'))
    site, words = page(repository)
    assert "What changed since version 4 unread Nothing but the version." in words
    assert not any(b"Catalogue P05" in content for name, content in site.files.items() if name.endswith(".html"))


def test_a_translation_that_came_is_no_change(repository):
    commit(repository, "four")
    edit(repository, ("version: 4", "version: 5"))
    (repository / "policies/texts").mkdir()
    (repository / "policies/texts/fr.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgctxt "flows.care.purpose"\nmsgid "Text"\nmsgstr "Texte"\n',
        encoding="utf-8",
    )
    words = page(repository, "fr")[1]
    assert "Texte" in words
    assert "depuis la version 4 non lu Rien d’autre que la version." in words
