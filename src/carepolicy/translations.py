"""carepolicy's own words in other languages than English: gettext catalogues, of the package and of a policy set.

The English phrases stand in the code, marked by ``msg`` and its like; ``locale/LANGUAGE/LC_MESSAGES/carepolicy.po``
holds them in another language, and the ``.mo`` beside it is read (``make words`` makes both anew). A set brings words
of its own in ``texts/carepolicy/LANGUAGE.po``; they come first. English needs no catalogue, and reads none.

A number takes the plural form that CLDR gives it: that of a whole number is worked out by the catalogue's own header,
which agrees with CLDR; that of a fraction ("1.5 hours") by Babel. The forms of a catalogue stand in CLDR's order.
"""

from __future__ import annotations

import os
import struct
from dataclasses import fields, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

ENGLISH = "en"
"""The language of the phrases in the code."""

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
"""The plural categories of CLDR in the order in which a catalogue has a language's forms."""

_ENGLISH_PLURAL = "n != 1"

T = TypeVar("T")


class InContext(str):
    """A phrase that has another translation than the same words have elsewhere."""

    context: str = ""


class Counted(Struct, frozen=True):
    """A phrase with a number in it, in all its forms; ``format`` chooses by the first value."""

    forms: tuple[str, ...]
    context: str = ""
    language: str = ENGLISH
    plural: str = _ENGLISH_PLURAL

    def form(self, number: int | str | Decimal) -> str:
        """The form that a number takes, with its braces."""
        return self.forms[min(form_of(number, self.language, self.plural), len(self.forms) - 1)]

    def format(self, number: int | str | Decimal, *values: object) -> str:
        """The phrase for a number, and what else it tells."""
        return self.form(number).format(numeral(number, self.language), *values)

    def in_context(self, context: str) -> Counted:
        """The same phrase where it is told otherwise."""
        return Counted(self.forms, context, self.language, self.plural)

    def by_category(self) -> dict[str, str]:
        """The forms by the names of CLDR's categories, for a browser's ``Intl.PluralRules``."""
        return dict(zip(categories_of(self.language), self.forms, strict=False))


def msg(text: str) -> str:
    """Marks an English phrase, so that catalogues have it."""
    return text


def pmsg(context: str, text: str) -> str:
    """Marks an English phrase that is told otherwise than the same words elsewhere."""
    phrase = InContext(text)
    phrase.context = context
    return phrase


def msgs(one: str, many: str) -> Counted:
    """Marks an English phrase with a number in it."""
    return Counted((one, many))


COLON = msg(":")
"""Stands between a name and what is said of it; in French with a blank before it."""


class Phrasebook(Struct, frozen=True, eq=False):
    """Words in one language: by context and English phrase its forms, of which a phrase without a number has one.

    ``plural`` is gettext's expression of the form of a whole number; ``cases`` the grammatical cases in which
    numbers are told; empty where they do not change.
    """

    language: str
    texts: Mapping[tuple[str, str], tuple[str, ...]]
    plural: str = _ENGLISH_PLURAL
    cases: tuple[str, ...] = ()


class Translation(Struct, frozen=True, eq=False):
    """What carepolicy says in a language: the first of some catalogues that has a phrase, else the English phrase."""

    language: str
    catalogues: tuple[Phrasebook, ...] = ()

    def gettext(self, text: str) -> str:
        """A phrase."""
        return self.pgettext(getattr(text, "context", ""), text)

    def pgettext(self, context: str, text: str) -> str:
        """A phrase in a context."""
        for each in self.catalogues:
            if (forms := each.texts.get((context, text))) is not None:
                return forms[0]
        return str(text)

    def counted(self, phrase: Counted) -> Counted:
        """All forms of a phrase with a number in it."""
        for each in self.catalogues:
            if (forms := each.texts.get((phrase.context, phrase.forms[0]))) is not None:
                return Counted(forms, phrase.context, self._tag(each), each.plural)
        return phrase

    def has(self, context: str, text: str) -> bool:
        """Whether a phrase is translated."""
        return any((context, text) in each.texts for each in self.catalogues)

    def all(self, declared: T) -> T:
        """An object of phrases, such as the words of a page, in the language."""
        phrases: Any = declared
        told: T = replace(phrases, **{each.name: self._told(getattr(phrases, each.name)) for each in fields(phrases)})
        return told

    def _told(self, phrase: Any) -> Any:
        if isinstance(phrase, str):
            return self.gettext(phrase) if phrase else phrase
        if isinstance(phrase, Counted):
            return self.counted(phrase)
        return {key: self._told(value) for key, value in phrase.items()}

    def _tag(self, catalogue: Phrasebook) -> str:
        """The tag whose rules hold for a catalogue's forms: that which was asked for, as it may name a region."""
        return self.language if primary_language(self.language) == primary_language(catalogue.language) else ENGLISH

    @property
    def cases(self) -> tuple[str, ...]:
        """The grammatical cases in which the language tells numbers; empty where they do not change."""
        return next((each.cases for each in self.catalogues if each.cases), ())


Own = tuple[Phrasebook, ...]
"""The catalogues that a policy set brings."""


@lru_cache(maxsize=256)
def translation_of(language: str, own: Own = ()) -> Translation:
    """carepolicy's words in the language of a tag (``fr``, ``FR``, ``pt-BR``, ``zh-Hant-TW``): the words of the tag,
    then those of its language without the region; of each, those of the set before those of the package."""
    found: list[Phrasebook] = []
    for tag in fallbacks(language):
        found += [each for each in own if normalised(each.language) == tag]
        known = shipped(tag)
        found += [] if known is None else [known]
    return Translation(language, tuple(found))


def fallbacks(language: str) -> list[str]:
    """A tag and what it falls back to: ``zh_Hant_TW``, ``zh_Hant``, ``zh``."""
    parts = normalised(language).split("_")
    return ["_".join(parts[:length]) for length in range(len(parts), 0, -1)]


def normalised(tag: str) -> str:
    """A tag as CLDR writes it: ``pt_BR`` of ``pt-br``."""
    first, *more = tag.strip().replace("-", "_").split("_")
    return "_".join([first.lower(), *(each.title() if len(each) == 4 else each.upper() for each in more)])


@lru_cache(maxsize=256)
def primary_language(tag: str) -> str:
    """The language of a tag without its script and region: "fr" of "fr-CA" and of "fr_CA"."""
    return tag.strip().replace("_", "-").partition("-")[0].lower()


@cache
def shipped(tag: str) -> Phrasebook | None:
    """The package's catalogue of exactly that tag, normalised; None where there is none."""
    if tag not in shipped_languages():
        return None
    with open(os.path.join(FOLDER, tag, "LC_MESSAGES", "carepolicy.mo"), "rb") as file:
        return read_mo(file.read(), tag)


FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "locale")


@cache
def shipped_languages() -> frozenset[str]:
    """The languages besides English in which the package has words, all or some."""
    return frozenset(each for each in os.listdir(FOLDER) if os.path.isdir(os.path.join(FOLDER, each)))


def said_by_us() -> tuple[str, ...]:
    """The languages in which carepolicy has words of its own, sorted."""
    return tuple(sorted({ENGLISH, *shipped_languages()}))


def read_mo(content: bytes, language: str) -> Phrasebook:
    """A compiled catalogue of gettext."""
    order = "<" if content[:4] == b"\xde\x12\x04\x95" else ">"
    count, ids, strings = struct.unpack_from(f"{order}3I", content, 8)
    texts: dict[tuple[str, str], tuple[str, ...]] = {}
    for index in range(count):
        size, at = struct.unpack_from(f"{order}2I", content, ids + 8 * index)
        length, begin = struct.unpack_from(f"{order}2I", content, strings + 8 * index)
        context, _, text = content[at : at + size].decode().rpartition("\x04")
        texts[context, text.partition("\0")[0]] = tuple(content[begin : begin + length].decode().split("\0"))
    return catalogue_of(language, texts, texts.pop(("", ""), ("",))[0])


def catalogue_of(language: str, texts: Mapping[tuple[str, str], tuple[str, ...]], header: str) -> Phrasebook:
    """A catalogue from its phrases and its header."""
    said = dict(line.split(": ", 1) for line in header.splitlines() if ": " in line)
    plural = said.get("Plural-Forms", "").partition("plural=")[2].strip().rstrip(";") or _ENGLISH_PLURAL
    return Phrasebook(language, texts, plural, tuple(said.get("X-Cases", "").split()))


def form_of(number: int | str | Decimal, language: str, plural: str) -> int:
    """Which of a language's forms a number takes: by a catalogue's rule where it is whole, else by CLDR's."""
    told = str(number)
    if told.isdecimal():
        return _rule(plural)(int(told))
    if primary_language(language) == ENGLISH:
        return 1
    from decimal import Decimal

    return categories_of(language).index(locale_of(language).plural_form(Decimal(told)))


@cache
def _rule(plural: str) -> Callable[[int], int]:
    if plural == _ENGLISH_PLURAL:
        return lambda number: int(number != 1)
    from gettext import c2py

    rule: Callable[[int], int] = c2py(plural)
    return rule


@cache
def categories_of(language: str) -> tuple[str, ...]:
    """The plural categories of a language, in the order of its forms."""
    if primary_language(language) == ENGLISH:
        return ("one", "other")
    known = {*locale_of(language).plural_form.tags, "other"}
    return tuple(each for each in CATEGORIES if each in known)


def numeral(number: int | str | Decimal, language: str) -> str:
    """A number as it stands in a phrase: a whole one in plain digits, else with the language's decimal sign."""
    told = str(number)
    if told.isdecimal() or primary_language(language) == ENGLISH:
        return told
    from decimal import Decimal

    from babel.numbers import format_decimal

    return format_decimal(Decimal(told), locale=locale_of(language))


@lru_cache(maxsize=64)
def locale_of(language: str) -> Any:
    """The CLDR locale of a language tag; that of its language where CLDR does not know the region, English where it
    does not know the language."""
    from babel import Locale, UnknownLocaleError

    for tag in fallbacks(language):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale(ENGLISH)


@cache
def all_phrases() -> frozenset[tuple[str, str]]:
    """Every phrase that the code marks, by context and (first) text: those of the German catalogue, which is whole."""
    german = shipped("de")
    return frozenset() if german is None else frozenset(key for key in german.texts if key[0] not in german.cases)
