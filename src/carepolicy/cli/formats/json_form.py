"""Findings as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding


def written(checked: Checked) -> str:
    """``{"findings": […], "files": N}``, indented; lines and columns count from 1, end columns are exclusive."""
    answer = {"findings": [as_data(each) for each in checked.findings], "files": len(checked.files)}
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def as_data(finding: Finding) -> dict[str, Any]:
    """One finding as plain data."""
    place = finding.place
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }
