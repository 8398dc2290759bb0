"""CP625: a language of the set in which carepolicy has no words of its own, or not all."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.ownwords import own_file
from carepolicy.policy.phrases import catalogues_of
from carepolicy.translations import all_phrases, primary_language, translation_of


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Languages of the set that would be told English words that nobody wrote."""
    phrases = all_phrases()
    for number, language in enumerate(checked.organisation.languages):
        if primary_language(language) == "en":
            continue
        words = translation_of(language, checked.policies.own_words)
        lacking = sum(not words.has(context, text) for context, text in phrases)
        of_staff = number == 0 or bool(catalogues_of(checked.policies, language))
        if lacking and (of_staff or lacking == len(phrases)):
            what = "none" if lacking == len(phrases) else f"{lacking} of {len(phrases)} lack"
            place = checked.place(checked.organisation.at / "languages" / number)
            said = f'carepolicy\'s own words in "{language}": {what}, and stand in English on charts and pages'
            file = own_file(tuple(checked.policies.own_files), language)
            hint = f"`carepolicy texts update` lays {file} down, which may bring them"
            yield Finding(CODE, said, place, hint, Severity.WARNING)


CODE = "CP625"
RULE = Rule(
    CODE,
    "no words of carepolicy's own in a language",
    "What carepolicy says by itself (Who:, is late, 2 business days) it has in English, French, German and Spanish, "
    "and lengths of time, yes and no in some more, which is enough where customers alone are written to. Where staff "
    "have texts in such a language, or carepolicy no words in it, charts and pages would say it in English. "
    "A set may bring these words in texts/carepolicy/LANGUAGE.po, a catalogue of gettext; `carepolicy texts update` "
    "lays it down.",
    "languages: [en, fr, sw]\n",
    "languages: [en, fr]\n",
    find,
    Severity.WARNING,
)
