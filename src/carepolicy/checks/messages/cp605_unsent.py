"""CP605: a message that no flow sends."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.likeness import nearest


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Templates, in the first language that has them, that nothing sends."""
    sent = checked.senders.keys()
    known = {name for messages in checked.messages.values() for name in messages}
    misspelt = sent - known
    told: set[str] = set()
    for language in (*checked.organisation.languages, *checked.messages):
        for name, message in checked.messages.get(language, {}).items():
            # Where what is sent is misspelt, that is the one fault.
            if name not in sent and name not in told and nearest(name, misspelt) is None:
                told.add(name)
                place = checked.key_place(message.at)
                yield Finding(CODE, f'no flow sends "{name}"', place, HINT, Severity.NOTE)


HINT = "send it, or take it away"
CODE = "CP605"
RULE = Rule(
    CODE,
    "message that nobody sends",
    "A text that no flow sends is read by no customer. Either a send: is missing, or it can go.",
    "language: en\nmessages:\n  birthday_wishes: {subject: Happy birthday, text: Many happy returns.}\n",
    "language: en\nmessages:\n  auto_reply: {subject: Your message, text: Thank you for writing.}\n",
    find,
    Severity.NOTE,
)
