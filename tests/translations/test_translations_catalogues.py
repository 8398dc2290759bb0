"""The catalogues of carepolicy's own words: whole where they are said to be, in step with the code, and compiled."""

from __future__ import annotations

import importlib.util
import io
import re
import string
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from babel import Locale
from babel.messages.pofile import read_po

from carepolicy.translations import (
    CATEGORIES,
    FOLDER,
    categories_of,
    fallbacks,
    form_of,
    shipped,
    shipped_languages,
    translation_of,
)

ROOT = Path(__file__).parents[2]
COMPLETE = ("de", "es", "fr")
SOME = ("ar", "he", "it", "nl", "pl", "pt", "ru")
WHOLE_NUMBERS = (*range(0, 130), 200, 1000, 1001, 1_000_000, 1_000_001, 3_000_000)


@cache
def words() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_words", ROOT / "docs" / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def phrases() -> set[tuple[str, str]]:
    """Every phrase that the code marks, by context and (first) text."""
    found = ((each.context or "", each.id) for each in words().template() if each.id)
    return {(context, text if isinstance(text, str) else text[0]) for context, text in found}


def test_these_are_the_languages_of_the_package():
    assert shipped_languages() == {*COMPLETE, *SOME}


def test_catalogues_are_as_make_words_makes_them():
    stale = [path.name for path, content in words().files().items() if path.read_bytes() != content]
    assert stale == []


@pytest.mark.parametrize("language", COMPLETE)
def test_a_complete_catalogue_has_every_phrase_of_the_code(language):
    catalogue = shipped(language)
    assert catalogue is not None
    assert phrases() - catalogue.texts.keys() == set()


@pytest.mark.parametrize("language", SOME)
def test_every_language_tells_lengths_of_time_and_yes_and_no(language):
    from carepolicy.businesstime.words import LENGTHS, LESS_THAN

    words_in = translation_of(language)
    told = {*(each.forms[0] for each in LENGTHS.values()), LESS_THAN, "yes", "no"}
    assert [each for each in told if not words_in.has("", each)] == []


@pytest.mark.parametrize("language", [*COMPLETE, *SOME])
def test_a_phrase_keeps_its_placeholders(language):
    path = Path(FOLDER) / language / "LC_MESSAGES" / "carepolicy.po"
    wrong = []
    for each in read_po(io.BytesIO(path.read_bytes())):
        english = [each.id] if isinstance(each.id, str) else list(each.id)
        forms = [each.string] if isinstance(each.string, str) else list(each.string)
        if each.id and all(forms):
            known = {frozenset(names_in(text)) for text in english}
            # A form may leave its number out, where the word says it: "une fois", "dvakrát".
            known |= {frozenset(one - {"0"}) for one in known if not isinstance(each.id, str)}
            wrong += [form for form in forms if frozenset(names_in(form)) not in known]
    assert wrong == []


def names_in(text: str) -> set[str]:
    """The placeholders of a phrase; ``{}`` by its number."""
    named = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    return {name or str(number) for number, name in enumerate(named)}


@pytest.mark.parametrize("language", [*COMPLETE, *SOME])
def test_whole_numbers_take_the_form_that_cldr_gives_them(language):
    catalogue = shipped(language)
    assert catalogue is not None
    rule, order = Locale.parse(language).plural_form, categories_of(language)
    found = [order[form_of(number, language, catalogue.plural)] for number in WHOLE_NUMBERS]
    assert found == [rule(number) for number in WHOLE_NUMBERS]


@pytest.mark.parametrize("language", [*COMPLETE, *SOME])
def test_a_phrase_about_a_number_has_a_form_for_each_category(language):
    path = Path(FOLDER) / language / "LC_MESSAGES" / "carepolicy.po"
    said = re.search(r"nplurals=(\d)", path.read_text(encoding="utf-8"))
    assert said is not None
    categories = {*Locale.parse(language).plural_form.tags, "other"}
    assert categories <= set(CATEGORIES)
    assert int(said[1]) == len(categories)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("pt-BR", ["pt_BR", "pt"]),
        ("FR", ["fr"]),
        ("zh-hant-tw", ["zh_Hant_TW", "zh_Hant", "zh"]),
        ("en", ["en"]),
    ],
)
def test_a_tag_falls_back_to_its_language(tag, expected):
    assert fallbacks(tag) == expected


@pytest.mark.parametrize(("tag", "said"), [("FR", "oui"), ("fr_CA", "oui"), ("pt-BR", "sim"), ("de-AT", "ja")])
def test_words_of_a_region_are_those_of_its_language(tag, said):
    assert translation_of(tag).gettext("yes") == said


@pytest.mark.parametrize("language", COMPLETE)
def test_no_translation_says_its_beginning_twice(language: str) -> None:
    path = ROOT / f"src/carepolicy/locale/{language}/LC_MESSAGES/carepolicy.po"
    texts = [each.string for each in read_po(io.BytesIO(path.read_bytes())) if isinstance(each.string, str)]
    long = [text for text in texts if len(text) > 60]
    assert len(long) > 10
    assert [text for text in long if text.count(text[:30]) > 1] == []
