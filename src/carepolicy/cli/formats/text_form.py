"""Findings as text, with the line that is wrong and a caret under the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from carepolicy.cli.terminal import plain, width
from carepolicy.policy.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding

SHOWN = 160
"""How many characters of a source line are shown."""

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def written(checked: Checked) -> str:
    """All findings, one block each; styled, so that who prints it strips the style where it is not wanted."""
    return "".join(_block(each, checked.texts.get(each.place.file, ())) for each in checked.findings)


def _block(finding: Finding, lines: Sequence[str]) -> str:
    place = finding.place
    colour = _COLOURS[finding.severity]
    kind = "" if finding.severity is Severity.ERROR else f" {finding.severity.value}:"
    where = click.style(plain(f"{place.file}:{place.line}:{place.column}:"), bold=True)
    block = [f"{where} {click.style(finding.code + kind, fg=colour)} {plain(finding.message)}"]
    if 0 < place.line <= len(lines):
        block += _excerpt(finding, lines[place.line - 1], colour)
    elif finding.hint:
        block.append(f"      = {plain(finding.hint)}")
    block.append(f"   = `carepolicy explain {finding.code}` says more")
    return "\n".join(block) + "\n"


def _excerpt(finding: Finding, line: str, colour: str) -> list[str]:
    """The source line, and under it carets as wide as the token, then the hint."""
    place = finding.place
    start = min(place.column - 1, len(line))
    end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
    end = max(min(end, len(line)), start + 1)
    first = max(0, start - SHOWN // 2) if len(line) > SHOWN else 0
    shown = line[first : first + SHOWN]
    before = plain(shown[: start - first]).expandtabs(4)
    token = plain(shown[start - first : end - first])
    after = plain(shown[end - first :])
    lead, trail = "…" if first else "", "…" if first + SHOWN < len(line) else ""
    number = f"{place.line:>5}"
    carets = click.style("^" * max(1, width(token)), fg=colour)
    hint = f" {plain(finding.hint)}" if finding.hint else ""
    return [
        f"{number} | {lead}{before}{token}{after}{trail}".rstrip(),
        f"{' ' * len(number)} | {' ' * (width(before) + len(lead))}{carets}{hint}",
    ]
