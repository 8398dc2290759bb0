"""What a rule is, and where the rules are: every module of a folder of this room whose name begins with its code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pkgutil import walk_packages

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


def modules() -> dict[str, str]:
    """The module of each rule by its code, sorted by code. No rule is imported."""
    import carepolicy.checks

    found = {}
    for each in walk_packages(carepolicy.checks.__path__, "carepolicy.checks."):
        name = each.name.rpartition(".")[2]
        if name.startswith("cp") and not each.ispkg:
            found[name.partition("_")[0].upper()] = each.name
    return dict(sorted(found.items()))


def rule_of(code: str) -> Rule | None:
    """The rule with a code, imported now; None where no rule has it."""
    module = modules().get(code)
    return None if module is None else _rule_in(module, code)


def rules() -> list[Rule]:
    """All rules, by code."""
    return [_rule_in(module, code) for code, module in modules().items()]


def _rule_in(module: str, code: str) -> Rule:
    rule = import_module(module).RULE
    if not isinstance(rule, Rule) or rule.code != code:
        raise TypeError(f"{module} does not define the rule {code}")
    return rule
