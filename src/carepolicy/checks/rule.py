"""What a rule is, and where the rules are: every module of a folder of this room whose name begins with its code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from types import MappingProxyType
from typing import TYPE_CHECKING

from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from carepolicy.checks.context import CheckedSet


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
    find: Callable[[CheckedSet], Iterator[Finding]]
    severity: Severity = Severity.ERROR


@cache
def modules() -> Mapping[str, str]:
    """The module of each rule by its code, sorted by code. No rule is imported."""
    found = {}
    for each in walk_packages([os.path.dirname(__file__)], "carepolicy.checks."):
        name = each.name.rpartition(".")[2]
        if name.startswith("cp") and not each.ispkg:
            found[name.partition("_")[0].upper()] = each.name
    return MappingProxyType(dict(sorted(found.items())))


def rule_of(code: str) -> Rule | None:
    """The rule with a code, imported now; None where no rule has it."""
    module = modules().get(code)
    return None if module is None else _rule_in(module, code)


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, by code."""
    return tuple(_rule_in(module, code) for code, module in modules().items())


def _rule_in(module: str, code: str) -> Rule:
    rule = import_module(module).RULE
    if not isinstance(rule, Rule) or rule.code != code:
        raise TypeError(f"{module} does not define the rule {code}")
    return rule
