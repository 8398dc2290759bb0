"""carepolicy's own words as a set brings them in a language that lacks some (texts/carepolicy/LANGUAGE.po): what is
wrong with such a file, and the file brought up to date with the phrases of today."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import PurePath

from carepolicy.policy.catalogue import CODE, FUZZY, Entry, catalogue_text, language_line, read_catalogue
from carepolicy.policy.catalogue import Catalogue as Written
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.places import Place
from carepolicy.policy.translations import HEADER, Broken, Updated, counts_of
from carepolicy.translations import (
    ENGLISH,
    Phrasebook,
    catalogue_of,
    categories_of,
    fallbacks,
    locale_of,
    normalised,
    primary_language,
    shipped,
    translation_of,
)
from carepolicy.translations import FOLDER as PACKAGE

FOLDER = "texts/carepolicy"


@cache
def template() -> tuple[Entry, ...]:
    """Every phrase of carepolicy's own, untranslated, in the order of its code."""
    with open(os.path.join(PACKAGE, "carepolicy.pot"), "rb") as file:
        return read_catalogue(file.read(), "carepolicy.pot", plurals=True)[0].entries


@lru_cache(maxsize=64)
def own_words(content: bytes, language: str) -> Phrasebook:
    """A set's catalogue of carepolicy's own words; the same object for the same bytes. What is fuzzy, has not all its
    forms, or could not be filled in is left out: carepolicy's own stand in its place."""
    read = read_catalogue(content, language, plurals=True)[0]
    texts = {
        (each.context, each.text): each.forms or (each.translation,)
        for each in read.alive
        if each.counts and fault_of(each) is None
    }
    header = "\n".join(f"{name}: {value}" for name, value in read.fields if name != PLURALS or _plural_is_one(value))
    return catalogue_of(language, texts, header)


PLURALS = "Plural-Forms"
_PLURALS = re.compile(r"\s*nplurals\s*=\s*([1-9])\s*;\s*plural\s*=(.+?);?\s*", re.DOTALL)


def _plural_is_one(value: str) -> bool:
    """Whether a header says a rule of plural forms that can be worked out, of as many forms as it says."""
    from gettext import c2py  # few sets have such a file

    said = _PLURALS.fullmatch(value)
    if said is None:
        return False
    try:
        rule = c2py(said[2].strip())
        return all(0 <= rule(number) < int(said[1]) for number in range(200))
    except (ValueError, ZeroDivisionError, RecursionError):
        return False


def fault_of(entry: Entry) -> str | None:
    """Why a phrase cannot be told by its translation: its placeholders are not those of the English one."""
    known = {_names_in(each) for each in (entry.text, entry.plural) if each}
    known |= {one - {"0"} for one in known if one is not None and entry.plural}
    for form in entry.forms or (entry.translation,):
        found = _names_in(form)
        if found is None:
            return f"the braces in {quoted(form)} do not pair"
        if found not in known:
            return f"what stands between braces in {quoted(form)} is not that of the phrase"
    return None


def _names_in(text: str) -> frozenset[str] | None:
    """The placeholders of a phrase, ``{}`` by its number; a case (``{:dative}``) is the language's own."""
    try:
        named = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    return frozenset(name or str(number) for number, name in enumerate(named))


def findings_of(content: bytes, file: str) -> Iterator[Finding]:
    """What is wrong with a file of carepolicy's own words."""
    read, findings = read_catalogue(content, file, plurals=True)
    yield from findings
    fields = dict(read.fields)
    if PLURALS in fields and not _plural_is_one(fields[PLURALS]):
        hint = f"{PLURALS}: {plural_of(PurePath(file).stem)}"
        yield Finding(CODE, f"the {PLURALS} of the header can not be worked out", Place(file, 1, 1, 1, 1), hint)
    said = fields.get("Language", "")
    if said and normalised(said) != normalised(PurePath(file).stem):
        message = f"the header of this file says that it is in {quoted(said)}"
        yield Finding("CP621", message, language_line(content, file), f"call the file {said}.po")
    known = {(each.context, each.text) for each in template()}
    cases = fields.get("X-Cases", "").split()
    for each in read.alive:
        line = each.line
        if (each.context, each.text) not in known and not (each.context in cases and ("", each.text) in known):
            message = f"carepolicy does not say {quoted(each.text)}" + (
                f" in the context {quoted(each.context)}" * bool(each.context)
            )
            hint = "`carepolicy texts update` lays down what it says"
            yield Finding("CP622", message, Place(file, line, 1, line, len("msgid") + 1), hint, Severity.WARNING)
        elif each.counts and (fault := fault_of(each)) is not None:
            hint = "a translation has the placeholders of its phrase, each as it is written there"
            yield Finding("CP623", fault, Place(file, each.at, 1, each.at, len("msgstr") + 1), hint)


def plural_of(language: str) -> str:
    """The rule of plural forms of a language as gettext writes it, its forms in CLDR's order."""
    from babel.plural import to_gettext  # few sets have such a file

    for tag in fallbacks(language):
        known = shipped(tag)
        if known is not None:
            return f"nplurals={len(categories_of(language))}; plural={known.plural};"
    # CLDR's exponent of a compact number (1c6) is none of a plain one.
    return re.sub(r"\be\b", "0", to_gettext(locale_of(language).plural_form))


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """How far carepolicy has words in a language, those of the set and its own together: ``missing`` has none."""

    language: str
    file: str
    total: int
    missing: tuple[Entry, ...]


def own_standing(files: Sequence[str], own: tuple[Phrasebook, ...], language: str) -> OwnStanding:
    """How far carepolicy has words in a language; ``files`` are those of own words that the set has."""
    words = translation_of(language, own)
    english = primary_language(language) == ENGLISH
    missing = tuple(each for each in template() if not english and not words.has(each.context, each.text))
    return OwnStanding(language, own_file(files, language), len(template()), missing)


def own_file(files: Sequence[str], language: str) -> str:
    """The file of own words in a language, or of the same language without a region; where it would stand."""
    for tag in fallbacks(language):
        for file in files:
            if normalised(PurePath(file).stem) == tag:
                return file
    return f"{FOLDER}/{language}.po"


def own_updated(file: str, content: bytes | None, language: str, below: tuple[Phrasebook, ...] = ()) -> Updated | None:
    """The file of own words as it should be. It has an entry for each phrase that it has already, and for each that
    neither carepolicy itself nor a layer ``below`` has in the language. None where there is no file, and none is
    needed.

    The same file gives the same bytes. Raises ``Broken``.
    """
    if content is None and primary_language(language) == ENGLISH:
        return None
    before, findings = read_catalogue(content or b"", file, plurals=True)
    if findings and content is not None:
        raise Broken(findings)
    known = {(each.context, each.text): each for each in before.entries}
    known |= {(each.context, each.text): each for each in before.alive}
    ours = translation_of(language, below)
    fields = {name: value for name, value in before.fields if name != "Language"}
    fields = {"Language": PurePath(file).stem, **dict(HEADER), PLURALS: plural_of(language), **fields}
    count = int(said[1]) if (said := _PLURALS.match(fields[PLURALS])) else len(categories_of(language))
    entries = []
    for each in template():
        found = known.pop((each.context, each.text), None)
        if found is not None or not ours.has(each.context, each.text):
            entries.append(_entry(each, found, count))
    cases = fields.get("X-Cases", "").split()
    phrases = {each.text: each for each in template() if not each.context}
    kept = [key for key in known if key[0] in cases and key[1] in phrases]
    entries += [_entry(replace(phrases[text], context=case), known.pop((case, text)), count) for case, text in kept]
    gone = [replace(each, obsolete=True, places=()) for each in known.values() if each.translation.strip()]
    if not entries and content is None:
        return None
    made = catalogue_text(Written(file, (*entries, *gone), tuple(fields.items()), before.comments))
    return Updated(file, made, **counts_of(entries), moved=0, gone=len(gone))


def _entry(phrase: Entry, found: Entry | None, count: int) -> Entry:
    """A phrase with what a file has of it."""
    flags = tuple(each for each in phrase.flags if each != FUZZY)
    if found is None or bool(found.plural) != bool(phrase.plural):
        forms = ("",) * count if phrase.plural else ()
        return replace(phrase, translation="", forms=forms, places=(), flags=flags)
    forms = (*found.forms, *[""] * (count - len(found.forms))) if phrase.plural else ()
    said = found.translation if all(each.strip() for each in forms) else ""
    flags = tuple(dict.fromkeys((*(each for each in found.flags if each == FUZZY), *flags)))
    return replace(phrase, translation=said, forms=forms, places=(), flags=flags, comments=found.comments)
