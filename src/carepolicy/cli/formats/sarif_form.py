"""Findings as SARIF 2.1.0 (OASIS standard, 2020), which code hosts and editors read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from carepolicy._version import __version__
from carepolicy.cli.explain import page_of
from carepolicy.policy.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SITE = "https://carepolicy.example/"
"""By which our rules are known, as the schemas of policy files are: a name, and not yet a site."""

BASE = "SRCROOT"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def written(checked: Checked) -> str:
    """One run with the rules that were broken and a result a finding. Columns count code points."""
    codes = sorted({each.code for each in checked.findings})
    locate = _Locations([*checked.files, *(each.place.file for each in checked.findings)])
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "carepolicy",
                        "version": __version__,
                        "informationUri": SITE,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {BASE: {"description": {"text": "The folder that all files are told from."}}},
                "artifacts": [{"location": locate(file)} for file in checked.files],
                "results": [_result(each, codes.index(each.code), locate) for each in checked.findings],
            }
        ],
    }
    return orjson.dumps(log, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _rule(code: str) -> dict[str, Any]:
    page = page_of(code)
    if page is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.meaning},
        "help": {"text": page.text(), "markdown": page.markdown()},
        "helpUri": f"{SITE}rules/{code}",
    }


def _result(finding: Finding, rule: int, locate: _Locations) -> dict[str, Any]:
    place = finding.place
    text = f"{finding.message}: {finding.hint}" if finding.hint else finding.message
    region = {"startLine": place.line, "startColumn": place.column}
    region |= {"endLine": place.end_line, "endColumn": place.end_column}
    result = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": locate(place.file), "region": region}}],
    }
    if finding.replacement is not None:
        change = {"deletedRegion": region, "insertedContent": {"text": finding.replacement}}
        changes = [{"artifactLocation": locate(place.file), "replacements": [change]}]
        result["fixes"] = [{"description": {"text": f"write {finding.replacement}"}, "artifactChanges": changes}]
    return result


class _Locations:
    """Where files are, told from one folder above them all: that of the repository, else the working folder."""

    def __init__(self, files: Sequence[str]) -> None:
        here = os.getcwd()
        root = next((str(each) for each in (Path(here), *Path(here).parents) if (each / ".git").exists()), here)
        self._root = os.path.commonpath([root, *(os.path.dirname(os.path.abspath(file)) for file in files)])

    def __call__(self, file: str) -> dict[str, str]:
        below = os.path.relpath(os.path.abspath(file), self._root)
        return {"uri": quote(Path(below).as_posix()), "uriBaseId": BASE}
