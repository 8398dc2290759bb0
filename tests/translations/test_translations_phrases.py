"""Lengths of time in words: a table of phrases, and CLDR's own words for the units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from babel import Locale
from babel.units import format_unit

from carepolicy.businesstime.words import LENGTHS, limit_in_words
from carepolicy.policy.ownwords import own_words
from carepolicy.translations import Counted, categories_of, form_of, shipped, translation_of

TABLE: dict[str, list[dict[str, str]]] = yaml.safe_load((Path(__file__).parent / "phrases.yaml").read_text("utf-8"))
PHRASES = [
    (language, row.get("case", ""), limit, said)
    for language, rows in TABLE.items()
    for row in rows
    for limit, said in row.items()
    if limit != "case"
]


def test_the_table_has_sixty_phrases_in_eight_languages():
    assert len(PHRASES) >= 60
    assert len(TABLE) >= 8


@pytest.mark.parametrize(("language", "case", "limit", "said"), PHRASES)
def test_a_limit_is_told_in_its_language_and_case(language: str, case: str, limit: str, said: str):
    assert limit_in_words(limit, language, case) == said


@pytest.mark.parametrize("language", [each for each in TABLE if each not in ("en", "ar", "he")])
@pytest.mark.parametrize("number", ["1", "2", "5", "21", "0.5", "1.5"])
@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day", "week", "month", "year"])
def test_elapsed_units_are_those_of_cldr(language: str, number: str, unit: str):
    told: Any = float(number) if "." in number else int(number)
    words = translation_of(language).counted(LENGTHS[unit]).format(number)
    assert words == format_unit(told, f"duration-{unit}", locale=language).replace("\u00a0", " ")


@pytest.mark.parametrize("language", TABLE)
def test_a_fraction_takes_the_form_that_cldr_gives_it(language: str):
    from decimal import Decimal

    catalogue = shipped(language)
    plural = "n != 1" if catalogue is None else catalogue.plural
    for number in ("0.5", "1.5", "2.5", "21.5"):
        category = Locale.parse(language).plural_form(Decimal(number))
        assert categories_of(language)[form_of(number, language, plural)] == category


OWN = """msgid ""
msgstr ""
"Language: sw\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "{} hour"
msgid_plural "{} hours"
msgstr[0] "saa {}"
msgstr[1] "saa {}"

#, fuzzy
msgid "{} day"
msgid_plural "{} days"
msgstr[0] "siku {}"
msgstr[1] "siku {}"

msgid "yes"
msgstr "ndiyo"
"""


def test_words_of_the_set_come_before_those_of_the_package_and_a_fuzzy_one_does_not_count():
    own = (own_words(OWN.encode(), "sw"), own_words(OWN.encode(), "de"))
    assert limit_in_words("3 hours", "sw", own=own) == "saa 3"
    assert limit_in_words("3 days", "sw", own=own) == "3 days"
    assert limit_in_words("3 hours", "de-CH", own=own) == "saa 3"
    assert limit_in_words("3 days", "de-CH", own=own) == "3 Tage"


def test_a_catalogue_that_cannot_be_read_has_no_words():
    assert own_words(b"\xff\xfe not a catalogue", "sw").texts == {}


def test_a_phrase_with_too_few_forms_takes_the_last():
    assert Counted(("one", "many"), "", "pl", "n != 1").form("0.5") == "many"


def test_what_could_not_be_filled_in_is_told_in_english():
    broken = own_words(OWN.replace("saa {}", "saa {} {}").encode(), "sw")
    assert limit_in_words("3 hours", "sw", own=(broken,)) == "3 hours"


@pytest.mark.parametrize(
    "rule", ["nplurals=2; plural=(n !=", "nplurals=1; plural=n;", "plural", "nplurals=2; plural=n/0;"]
)
def test_a_rule_that_cannot_be_worked_out_does_no_harm(rule: str):
    broken = own_words(OWN.replace("nplurals=2; plural=(n != 1);", rule).encode(), "sw")
    assert limit_in_words("3 hours", "sw", own=(broken,)) == "saa 3"
