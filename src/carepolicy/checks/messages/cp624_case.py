"""CP624: a placeholder asks for a grammatical case that its language has not."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.placeholders import PlaceholderError, names_in
from carepolicy.policy.places import At
from carepolicy.translations import translation_of

CASES = (
    "ablative", "accusative", "dative", "elative", "genitive", "illative", "inessive", "instrumental", "locative",
    "nominative", "partitive", "prepositional", "vocative",
)  # fmt: skip
"""The cases that some language has. One without cases takes any of them, as its words stay as they are."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Cases in messages, in each language, and in notices and promises, in the first language of the set."""
    for text, at, language in _texts(checked):
        try:
            named = names_in(text)
        except PlaceholderError:
            continue  # CP225's
        known = translation_of(language, checked.policies.own_words).cases or CASES
        for name, _, end, case in named:
            if case and case not in known:
                place = checked.within(at, text, end + 1, end + 1 + len(case))
                yield unknown(CODE, f"grammatical case of {name} in {language}:", case, place, known)


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
            yield tell.say, tell.at / "say", first


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
