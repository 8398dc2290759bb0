"""What a rule is: a code that never changes, the words about it, and the function that finds its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Policies


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the check. ``bad`` and ``good`` are pieces of a policy file that break it and keep it.

    The pieces are laid over a small sound set by the tests, which demand that the bad one is found and
    the good one is not.
    """

    code: str
    title: str
    explanation: str
    bad: str
    good: str
    find: Callable[[Policies], Iterator[Finding]]
    severity: Severity = Severity.ERROR
