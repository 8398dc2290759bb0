"""Finds the rules: every module of this room whose name begins with its code is one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from carepolicy.checks.rule import Rule


@cache
def modules() -> dict[str, str]:
    """The module of each rule by its code, sorted by code. Nothing is imported."""
    import carepolicy.checks

    names = sorted(each.name for each in iter_modules(carepolicy.checks.__path__) if each.name.startswith("cp"))
    return {name.partition("_")[0].upper(): f"carepolicy.checks.{name}" for name in names}


def rule_of(code: str) -> Rule | None:
    """The rule with a code, imported now; None where no rule has it."""
    module = modules().get(code)
    if module is None:
        return None
    rule = import_module(module).RULE
    if not isinstance(rule, Rule) or rule.code != code:
        raise TypeError(f"{module} does not define the rule {code}")
    return rule


def rules() -> list[Rule]:
    """All rules, by code."""
    return [rule for code in modules() if (rule := rule_of(code)) is not None]
