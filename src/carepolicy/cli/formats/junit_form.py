"""Findings as a JUnit report: a test case a file, a failure an error in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from carepolicy.cli.terminal import plain
from carepolicy.policy.findings import Severity

if TYPE_CHECKING:
    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding


def written(checked: Checked) -> str:
    """One suite. Errors are failures, and warnings where they count; the rest is the output of its file's case."""
    failing = (Severity.ERROR, Severity.WARNING) if checked.strict else (Severity.ERROR,)
    errors = [each for each in checked.findings if each.severity in failing]
    files = sorted({*checked.files, *(each.place.file for each in checked.findings)})
    failed = {each.place.file for each in errors}
    suites = ElementTree.Element("testsuites")
    counts = {"tests": str(len(files)), "failures": str(len(failed)), "errors": "0", "skipped": "0"}
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "carepolicy check", **counts})
    for file in files:
        case = ElementTree.SubElement(suite, "testcase", classname="carepolicy.check", name=plain(file))
        mine = [each for each in checked.findings if each.place.file == file]
        wrong = [each for each in mine if each.severity in failing]
        if wrong:
            failure = ElementTree.SubElement(case, "failure", message=plain(wrong[0].message), type=wrong[0].code)
            failure.text = "\n".join(map(_line, wrong))
        told = [each for each in mine if each.severity not in failing]
        if told:
            ElementTree.SubElement(case, "system-out").text = "\n".join(map(_line, told))
    return document(suites)


def document(suites: ElementTree.Element) -> str:
    """Test suites as a file."""
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _line(finding: Finding) -> str:
    place = finding.place
    text = f"{place.file}:{place.line}:{place.column}: {finding.code} {finding.message}"
    return plain(f"{text} ({finding.hint})" if finding.hint else text)
