"""CP602: a private fact in a subject line."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Placeholders of private facts in the subject of a message, in every language."""
    for messages in checked.messages.values():
        for message in messages.values():
            for each in checked.private_in(message.subject):
                place = checked.within(message.at / "subject", message.subject, each.start, each.end)
                yield Finding(CODE, f"{each.name} is private, and stands in a subject", place, HINT, Severity.WARNING)


HINT = "say it in the text, and name the case by {case}"
CODE = "CP602"
RULE = Rule(
    CODE,
    "private fact in a subject line",
    "A subject line is shown on locked screens and in lists, kept in the logs of mail servers, and never encrypted. A "
    "fact that is private does not belong there; {case} tells the customer what it is about.",
    "language: en\nmessages:\n  auto_reply: {subject: 'Your e-mail from {customer.email}'}\n",
    "language: en\nmessages:\n  auto_reply: {subject: 'Your e-mail ({case})'}\n",
    find,
    Severity.WARNING,
)
