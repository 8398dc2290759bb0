"""CP624: a placeholder asks for a grammatical case that its language has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.phrases import catalogue_in
from carepolicy.policy.placeholders import Name, PlaceholderError, names_in
from carepolicy.policy.places import At, Place
from carepolicy.translations import translation_of

CASES = (
    "ablative", "accusative", "dative", "elative", "genitive", "illative", "inessive", "instrumental", "locative",
    "nominative", "partitive", "prepositional", "vocative",
)  # fmt: skip
"""The cases that some language has. One without cases takes any of them, as its words stay as they are."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Cases in messages, in each language; in promises, in the first language of the set and where texts/ translate
    them; and in notices, in the language of the role that is told."""
    for text, at, language in _texts(checked):
        for named, known in _unknown_cases(checked, text, language):
            place = checked.within(at, text, named.end + 1, named.end + 1 + len(named.case))
            yield unknown(CODE, f"grammatical case of {named.name} in {language}:", named.case, place, known)
    for file in checked.policies.texts:
        language = PurePath(file).stem
        for entry in catalogue_in(checked.policies, file)[0].alive:
            said = entry.translation if entry.counts and ":" in entry.translation else ""
            for named, known in _unknown_cases(checked, said, language):
                place = Place(file, entry.at, 1, entry.at, len("msgstr") + 1)
                yield unknown(CODE, f"grammatical case of {named.name} in {language}:", named.case, place, known)


def _unknown_cases(checked: CheckedSet, text: str, language: str) -> Iterator[tuple[Name, Sequence[str]]]:
    """The names in a text that ask for a case which the language has not, each with those that it has."""
    try:
        named = names_in(text)
    except PlaceholderError:
        return  # CP225's, and of a translation CP623's
    known = translation_of(language, checked.policies.own_words).cases or CASES
    yield from ((each, known) for each in named if each.case and each.case not in known)


def _texts(checked: CheckedSet) -> Iterator[tuple[str, At, str]]:
    first = checked.organisation.languages[0]
    for language, messages in checked.messages.items():
        for message in messages.values():
            yield message.subject, message.at / "subject", language
            yield message.text, message.at / "text", language
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            yield clock.promise, clock.at / "promise", first
    for _, effects, _ in checked.acts:
        for tell in effects.tell:
            role = checked.organisation.roles.get(tell.role)
            yield tell.say, tell.at / "say", (role.language if role is not None else None) or first


CODE = "CP624"
RULE = Rule(
    CODE,
    "unknown grammatical case",
    "A limit may be told in a grammatical case, where the sentence around it asks for one: in German, innerhalb von "
    "{clock.first_reply.limit:dative} is innerhalb von 2 Geschäftstagen. The case is one that the language has; a "
    "language without cases takes the name of any and changes nothing.",
    'clocks:\n  first_reply: {promise: "We answer within {limit:dativ}.", limit: 3 business hours}\n',
    'clocks:\n  first_reply: {promise: "We answer within {limit:dative}.", limit: 3 business hours}\n',
    find,
)
