"""carepolicy's own words as a set brings them: `texts update` lays a file down and keeps what is there, faults have a
place, and the uppermost of several layers is written to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from babel import Locale

from carepolicy.checks import check_folder
from carepolicy.policy.ownwords import own_file, own_updated, own_words, plural_of, template
from carepolicy.translations import all_phrases, catalogue_of, categories_of, form_of, translation_of
from commands import run

SHOP = Path(__file__).parent / "shop"
FILE = "texts/carepolicy/sw.po"


def laid(language: str = "sw", content: bytes | None = None) -> str:
    made = own_updated(f"texts/carepolicy/{language}.po", content, language)
    assert made is not None
    return made.text


def test_the_template_has_every_phrase_of_the_catalogues() -> None:
    assert {(each.context, each.text) for each in template()} == all_phrases()


@pytest.mark.parametrize("language", ["sw", "pl", "pt-BR", "ar", "ja", "cs", "lt"])
def test_a_file_that_is_laid_down_stays_as_it_is(language: str) -> None:
    text = laid(language)
    assert laid(language, text.encode()) == text
    ours = translation_of(language)
    lacking = sum(not ours.has(*key) for key in all_phrases())
    assert text.count("\nmsgid ") == lacking


@pytest.mark.parametrize("language", ["sw", "pl", "pt-BR", "ar", "ja", "cs", "lt", "ga", "he", "ru"])
def test_the_header_gives_whole_numbers_the_form_that_cldr_gives_them(language: str) -> None:
    catalogue = catalogue_of(language, {}, f"Plural-Forms: {plural_of(language)}")
    order = categories_of(language)
    rule = Locale.parse(language, sep="-").plural_form
    for number in (*range(130), 1000, 1_000_000):
        assert order[form_of(number, language, catalogue.plural)] == rule(number)


def test_what_is_translated_is_kept_and_what_carepolicy_does_not_say_becomes_obsolete() -> None:
    text = laid().replace('msgid "yes"\nmsgstr ""', 'msgid "yes"\nmsgstr "ndiyo"')
    text += '\nmsgid "gone"\nmsgstr "imekwenda"\n'
    again = laid(content=text.encode())
    assert 'msgid "yes"\nmsgstr "ndiyo"' in again
    assert '#~ msgid "gone"\n#~ msgstr "imekwenda"' in again
    assert own_words(again.encode(), "sw").texts == {("", "yes"): ("ndiyo",)}


def test_a_file_of_the_language_serves_its_regions() -> None:
    assert own_file(("texts/carepolicy/pt.po",), "pt-BR") == "texts/carepolicy/pt.po"
    assert own_file(("texts/carepolicy/pt.po", "texts/carepolicy/pt_BR.po"), "pt-BR") == "texts/carepolicy/pt_BR.po"


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('msgid "yes"\nmsgstr ""', 'msgid "yes"\nmsgstr "ndiyo', "CP620", "quotes around this text do not pair"),
        ("nplurals=2; plural=", "nplurals=2; plural=(", "CP620", "can not be worked out"),
        ("Language: sw", "Language: fr", "CP621", 'it is in "fr"'),
        ('msgid "yes"\nmsgstr ""', 'msgid "yess"\nmsgstr "ndiyo"', "CP622", 'does not say "yess"'),
        ('msgid "{} is under {}"\nmsgstr ""', 'msgid "{} is under {}"\nmsgstr "{} chini"', "CP623", "braces"),
        ('msgid "{} is under {}"\nmsgstr ""', 'msgid "{} is under {}"\nmsgstr "{} chini {"', "CP623", "do not pair"),
    ],
)
def test_a_fault_of_a_file_of_own_words_has_its_place(harbour: Path, old: str, new: str, code: str, said: str) -> None:
    organisation = harbour / "organisation.yaml"
    organisation.write_text(organisation.read_text().replace("languages: [en, fr]", "languages: [en, fr, sw]"))
    text = laid()
    assert text.count(old) == 1
    (harbour / FILE).parent.mkdir(parents=True)
    (harbour / FILE).write_text(text.replace(old, new))
    found = [each for each in check_folder(harbour)[1] if each.place.file == FILE]
    assert [(each.code, said in each.message) for each in found] == [(code, True)]
    if code in ("CP622", "CP623") or said.startswith("quotes"):
        lines = text.replace(old, new).splitlines()
        assert lines[found[0].place.line - 1].startswith(("msgid", "msgstr"))


def test_own_words_in_a_language_that_the_set_does_not_have_are_found(harbour: Path) -> None:
    (harbour / FILE).parent.mkdir(parents=True)
    (harbour / FILE).write_text(laid())
    found = [each for each in check_folder(harbour)[1] if each.place.file == FILE]
    assert [each.code for each in found] == ["CP621"]


def test_update_lays_down_what_carepolicy_lacks_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(SHOP, shop)
    shutil.rmtree(shop / "texts/carepolicy", ignore_errors=True)
    done = run("texts", "update", "--policies", str(shop))
    assert done.returncode == 0, done.stderr
    own = shop / "texts/carepolicy"
    assert [each.name for each in own.iterdir()] == ["pt-BR.po"]
    before = (own / "pt-BR.po").read_bytes()
    assert run("texts", "update", "--policies", str(shop)).stdout == done.stdout
    assert (own / "pt-BR.po").read_bytes() == before
    checked = run("texts", "check", "pt-BR", "--policies", str(shop))
    assert (checked.returncode, "words of carepolicy's own" in checked.stdout) == (1, True)


def test_the_uppermost_layer_gets_what_those_below_do_not_translate(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    (top / "organisation.yaml").write_text("organisation: Bakers\nroles: {baker: {title: Head baker}}\n")
    before = {each: each.read_bytes() for each in SHOP.rglob("*") if each.is_file()}
    done = run("texts", "update", "fr", "--policies", str(SHOP), "--policies", str(top))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{top}/texts/fr.po: 0 of 1 texts translated, 1 not translated\n"
    text = (top / "texts/fr.po").read_text()
    assert 'msgctxt "roles.baker.title"\nmsgid "Head baker"' in text
    assert "#: organisation.yaml:2\n" in text
    assert {each: each.read_bytes() for each in before} == before
    checked = run("texts", "check", "fr", "--policies", str(SHOP), "--policies", str(top)).stdout
    assert f"{top}/organisation.yaml:2: stale or fuzzy: Head baker" in checked
