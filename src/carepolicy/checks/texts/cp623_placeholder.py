"""CP623: a translation whose placeholders are not those of the text."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Names between braces that are in the one and not in the other, and braces that do not pair."""
    for each in checked.translated:
        for entry, file, reason, breaks in each.wrong:
            line = entry.at
            message = f"in the translation of {quoted(entry.text)} {reason}"
            severity = Severity.ERROR if breaks else Severity.WARNING
            hint = "a translation has the placeholders of its text, each as it is written there"
            yield Finding(CODE, message, Place(file, line, 1, line, len("msgstr") + 1), hint, severity)
    yield from checked.own_findings(CODE)


CODE = "CP623"
RULE = Rule(
    CODE,
    "placeholder that the text does not have",
    "What stands between braces is filled in, in every language: a translation has the same names between braces as "
    "its text, though it may put them elsewhere. One that is not in the text names nothing; one that is left out keeps "
    "from the reader what others are told, which is a warning.",
    'msgctxt "flows.email_inquiry.clocks.first_reply.promise"\nmsgid "We answer e-mails within {limit}."\n'
    'msgstr "Nous répondons en {délai}."\n',
    'msgctxt "flows.email_inquiry.clocks.first_reply.promise"\nmsgid "We answer e-mails within {limit}."\n'
    'msgstr "Nous répondons en {limit}."\n',
    find,
)
