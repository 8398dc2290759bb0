"""Findings as workflow commands of GitHub Actions, which shows them beside the lines of a change.

The format and its escapes: "Workflow commands for GitHub Actions", GitHub Docs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.findings import Severity

if TYPE_CHECKING:
    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def written(checked: Checked) -> str:
    """One line a finding."""
    return "".join(_line(each) for each in checked.findings)


def _line(finding: Finding) -> str:
    place = finding.place
    about = {"file": place.file, "line": place.line, "endLine": place.end_line, "title": finding.code}
    if place.end_line == place.line:
        about |= {"col": place.column, "endColumn": place.end_column}
    said = ",".join(f"{name}={_property(str(value))}" for name, value in about.items())
    text = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    return f"::{_COMMANDS[finding.severity]} {said}::{_escaped(text)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
