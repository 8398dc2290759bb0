"""CP620: a catalogue of texts that cannot be read as it is."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.phrases import catalogue_in


def find(checked: CheckedSet) -> Iterator[Finding]:
    """What is wrong with the text of each catalogue."""
    for file in checked.policies.texts:
        yield from catalogue_in(checked.policies, file)[1]
    yield from checked.own_findings(CODE)


CODE = "CP620"
RULE = Rule(
    CODE,
    "catalogue that cannot be read",
    "A catalogue of texts (texts/fr.po) is what gettext reads: msgctxt, msgid and msgstr, each with a text between "
    "quotes, an entry for each text. It is UTF-8, and its header says no other encoding. An entry stands once, since "
    "of two that differ nobody could tell which one is meant. The same holds of carepolicy's own words in a language "
    "(texts/carepolicy/sw.po), whose phrases may have plural forms by the rule of the header.",
    '#: flows/email_inquiry.yaml:27\nmsgctxt "flows.email_inquiry.states.answered.title"\nmsgid "Answered"\n'
    'msgstr "Répondu\n',
    '#: flows/email_inquiry.yaml:27\nmsgctxt "flows.email_inquiry.states.answered.title"\nmsgid "Answered"\n'
    'msgstr "Répondu"\n',
    find,
)
