"""What a rule is: a code that never changes, the words about it, and the function that finds its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Policies


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the check. ``bad`` and ``good`` are pieces of a policy file that break it and keep it.

    The pieces are laid over a small sound set by the tests, which demand that the bad one is found and
    the good one is not. ``find`` judges a set as it stands; a rule for which the day matters has ``find_on`` in
    its place, which is told the day.
    """

    code: str
    title: str
    explanation: str
    bad: str
    good: str
    find: Callable[[Policies], Iterator[Finding]] | None = None
    severity: Severity = Severity.ERROR
    find_on: Callable[[Policies, date], Iterator[Finding]] | None = None

    def findings(self, policies: Policies, today: date) -> Iterator[Finding]:
        """What the rule finds in a set on a day."""
        if self.find is not None:
            yield from self.find(policies)
        if self.find_on is not None:
            yield from self.find_on(policies, today)
