"""CP416: a time is promised that no clock keeps."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.promises import promised_times
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Times that messages and staff promise, and that are neither a clock's nor near one."""
    yield from (each for each in promised_times(checked) if each.code == CODE)


CODE = "CP416"
RULE = Rule(
    CODE,
    "promised time that no clock keeps",
    "A message, or what staff say, promises a time in so many words, and no clock of the flow has it: nobody is warned "
    "before it is over, and nobody hears when it was. Give the flow a clock of that length, and write "
    "{clock.NAME.limit} in the message. It is read as CP409 reads it. Where others keep it (a carrier, a bank), say so "
    "in a comment.",
    "states:\n  received: {say: You will have an answer within 20 days.}\n",
    "states:\n  received: {say: You may send it back within 20 days.}\n",
    find,
    Severity.NOTE,
)
