"""CP252: a pattern that is no regular expression of RE2."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.guards.compiler import pattern_fault
from carepolicy.policy.findings import Finding

HINTS = {
    "perl operator": "RE2 has no look-ahead and no back-references: say what the text is, not what it is not",
    "escape sequence": "RE2 knows \\d, \\w, \\s, \\b, \\p{L} and the like; any other sign after a \\ must be none",
    "repetition": "a number of times is {2}, {1,3} or {2,}, at most 1000",
    "missing": "every ( has its ), every [ its ]; put a \\ before one that is meant as itself",
    "unexpected": "every ( has its ), every [ its ]; put a \\ before one that is meant as itself",
    "character class": "a range goes from the smaller sign to the larger one, as [a-z]",
}


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Patterns of facts that cannot be read, each at the part that is wrong."""
    for fact in checked.organisation.facts.values():
        said = None if fact.pattern is None else pattern_fault(fact.pattern)
        if fact.pattern is None or said is None:
            continue
        at = fact.at / "pattern"
        start, end = part_of(fact.pattern, said)
        hint = next((hint for words, hint in HINTS.items() if words in said), "")
        yield Finding(CODE, said, checked.within(at, fact.pattern, start, end), hint)


def part_of(pattern: str, said: str) -> tuple[int, int]:
    """The part of a pattern that RE2 names at the end of what it says; all of the pattern where it names none."""
    part = said.rpartition(": ")[2]
    start = pattern.find(part) if part and part != said else -1
    return (start, start + len(part)) if start >= 0 else (0, len(pattern))


CODE = "CP252"
RULE = Rule(
    CODE,
    "pattern cannot be read",
    "pattern: is a regular expression of RE2, which reads any text in time that grows with its length only. A whole "
    "text must match it, so it needs no ^ and no $. In YAML it stands best in single quotes, in which a \\ is a \\.",
    "facts:\n  order.number: {type: text, pattern: '[A-Z'}\n",
    "facts:\n  order.number: {type: text, pattern: '[A-Z]{2}\\d{6}'}\n",
    find,
)
