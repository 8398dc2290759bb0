"""CP311: a watch that counts what it brings about itself."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Watches whose event leads, over what flows and other watches raise, to the event that they count."""
    for watch, way in checked.feeding:
        text = f'the watch "{watch.name}" feeds itself: {" → ".join(way)}'
        yield Finding(CODE, text, checked.place(watch.at / "raise"), HINT)


HINT = "let it raise an event that it does not count, and that leads to none which it counts"
CODE = "CP311"
RULE = Rule(
    CODE,
    "watch feeds itself",
    "A watch raises an event when it has counted enough of another. Here the event that it raises is, or brings about, "
    "the one that it counts: once it has begun it would go on by itself, and every problem would look chronic. No set "
    "with such a watch can be run, so this cannot be allowed.",
    "watches:\n  repeated_cause: {count: chronic_problem_found, raise: chronic_problem_found}\n",
    "watches:\n  repeated_cause: {count: customer_wrote, raise: chronic_problem_found}\n",
    find,
)
