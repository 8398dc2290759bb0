"""Findings as SARIF 2.1.0 (OASIS standard, 2020), which code hosts and editors read."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from carepolicy._version import __version__
from carepolicy.policy.findings import Severity

if TYPE_CHECKING:
    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def written(checked: Checked) -> str:
    """One run with the rules that were broken and a result a finding. Columns count code points."""
    codes = sorted({each.code for each in checked.findings})
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "carepolicy", "version": __version__, "rules": [_rule(code) for code in codes]}
                },
                "columnKind": "unicodeCodePoints",
                "artifacts": [{"location": {"uri": _uri(file)}} for file in checked.files],
                "results": [_result(each, codes.index(each.code)) for each in checked.findings],
            }
        ],
    }
    return orjson.dumps(log, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _rule(code: str) -> dict[str, Any]:
    from carepolicy.cli.pages import page_of

    page = page_of(code)
    if page is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.meaning},
        "help": {"text": page.text()},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    place = finding.place
    text = f"{finding.message}: {finding.hint}" if finding.hint else finding.message
    region = {"startLine": place.line, "startColumn": place.column}
    region |= {"endLine": place.end_line, "endColumn": place.end_column}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
