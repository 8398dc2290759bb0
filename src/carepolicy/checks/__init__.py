"""Finds what is wrong in a policy set: names of nothing, values of the wrong type, promises that cannot be kept."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING

from carepolicy.checks.allowances import silenced
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.expressions import find as find_in_expressions
from carepolicy.checks.rule import Rule, rule_of, rules
from carepolicy.policy.files import FOLDERS
from carepolicy.policy.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies

__all__ = ["CheckedSet", "Rule", "check_folder", "findings_in", "in_order", "rule_of", "rules", "run_checks"]


def run_checks(policies: Policies, today: date) -> list[Finding]:
    """What all rules find in a set that could be read, in the order of files, lines and columns.

    ``today`` is the day on which the set is judged: whether a calendar ever opens again, and whether next
    year's holidays are known. A finding that a comment allows is left out; comments that allow without reason or
    use are findings too.
    """
    return findings_in(CheckedSet(policies, today))


def findings_in(checked: CheckedSet) -> list[Finding]:
    """The same of a set whose context is at hand, so that the next one can take over what did not change."""
    found = list(find_in_expressions(checked))  # first, since it reads them all
    found += (finding for rule in rules() for finding in rule.find(checked))
    return in_order(_settled(silenced(found, checked.files_read)))


def _settled(findings: list[Finding]) -> list[Finding]:
    """Findings without those about the flow and the clocks of a file in which a name or a type is wrong, and what is
    known where messages are sent.

    Where a state is misspelt another is never reached: the one fault would be told many times over.
    """
    wrong = {_home(each) for each in findings if each.code.startswith("CP2") and each.severity is Severity.ERROR}
    in_flows = any(file.startswith("flows/") for file in wrong)
    return [
        each
        for each in findings
        if not (_home(each) in wrong and each.code.startswith(("CP3", "CP4")))
        and not (in_flows and each.code in ("CP608", "CP609"))
    ]


def _home(finding: Finding) -> str:
    """The file of a finding by its name in the set, whichever layer it stands in."""
    *_, folder, name = "", *finding.place.file.split("/")
    return f"{folder}/{name}" if folder in FOLDERS else name


def check_folder(root: str | os.PathLike[str], today: date | None = None) -> tuple[Policies | None, list[Finding]]:
    """Read and check the set in a folder: the set, None where it could not be read, and all findings.

    The set is judged as of ``today``; of the machine's date where none is given.
    """
    from carepolicy.checks.mappings import check_mappings
    from carepolicy.policy.load import load_policies

    policies, findings = load_policies(root)
    if policies is None:
        return None, in_order(findings)
    return policies, in_order((*findings, *run_checks(policies, today or date.today()), *check_mappings(policies)))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file, line, column and code, each once."""
    once = {(each.place, each.code, each.message): each for each in findings}
    return [once[key] for key in sorted(once)]
