"""CP409: a text that says a time in so many words, where a clock has it."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.promises import promised_times
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Times in clocks' promises, and times that messages and staff promise, which a clock of the flow has or belies."""
    yield from (each for each in promised_times(checked) if each.code == CODE)


CODE = "CP409"
RULE = Rule(
    CODE,
    "promised time is typed, not the clock's",
    "A text tells the customer a time in so many words, and a clock has this time, or another. When the clock changes, "
    "the text would go on saying the old one. Numbers come from the clock: {clock.NAME.limit} in messages, {limit} in "
    'a clock\'s own promise. Only times are read that the sentence says are ours ("we answer within …"), in messages '
    "and in what staff say:, in English, French, German, Spanish, Italian, Portuguese, Polish and Dutch; in steps:, "
    "never: and purpose: also those that only say by when. What customers may do, or are asked to do, is no promise.",
    "clocks:\n  first_reply: {promise: We answer e-mails within 3 business hours., limit: 3 business hours}\n",
    'clocks:\n  first_reply: {promise: "We answer e-mails within {limit}.", limit: 3 business hours}\n',
    find,
    Severity.WARNING,
)
