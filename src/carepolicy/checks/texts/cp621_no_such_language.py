"""CP621: a catalogue of texts in a language that the set does not have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.catalogue import language_line
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.phrases import catalogue_in
from carepolicy.policy.places import Place
from carepolicy.translations import normalised, primary_language


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Catalogues of other languages, two of one language, and headers that say another language than the file."""
    languages = checked.organisation.languages
    first, *others = (normalised(each) for each in languages)
    useful = {tag for each in others for tag in (each, primary_language(each))} - {first}
    seen: dict[str, str] = {}
    for file, content in checked.policies.texts.items():
        said = file.removeprefix("texts/").removesuffix(".po")
        tag = normalised(said)
        place = Place(file, 1, 1, 1, 1)
        if tag == first:
            hint = "take the file away, or put another language first under languages:"
            yield Finding(CODE, f"the set itself is written in {quoted(said)}: it needs no translation", place, hint)
        elif tag not in useful:
            hint = did_you_mean(said, languages[1:]) or "name the language under languages: in organisation.yaml"
            yield Finding(CODE, f"{quoted(said)} is no language of this set", place, hint)
        elif tag in seen:
            yield Finding(CODE, f"{seen[tag]} holds texts in {quoted(said)} too", place, "put both into one file")
        seen[tag] = file
        written = dict(catalogue_in(checked.policies, file)[0].fields).get("Language", "")
        if written and normalised(written) != tag:
            where = language_line(content, file)
            hint = f"write Language: {said}, or call the file {written}.po"
            yield Finding(CODE, f"the header of this file says that it is in {quoted(written)}", where, hint)
    yield from checked.own_findings(CODE)
    useful = {tag for each in languages for tag in (normalised(each), primary_language(each))}
    for file in checked.policies.own_files:
        said = PurePath(file).stem
        if normalised(said) not in useful:
            hint = did_you_mean(said, languages) or "name the language under languages: in organisation.yaml"
            yield Finding(CODE, f"{quoted(said)} is no language of this set", Place(file, 1, 1, 1, 1), hint)


CODE = "CP621"
RULE = Rule(
    CODE,
    "catalogue of no language of the set",
    "A catalogue texts/LANGUAGE.po translates the set into one of the languages: of organisation.yaml beyond the first "
    "(in which the set itself is written); texts/pt.po serves pt-BR and pt-PT. Nobody would ever read one of another "
    "language.",
    'msgid ""\nmsgstr "Language: de\\n"\n',
    'msgid ""\nmsgstr "Language: fr\\n"\n',
    find,
)
