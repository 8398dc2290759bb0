"""The coverage of policy sets as one page of HTML that needs no other file and no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

from carepolicy.scenarios.coverage import KINDS

if TYPE_CHECKING:
    from carepolicy.scenarios.coverage import Coverage, Item

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24;
  background: #fff }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.yes { color: #0a5c2b } .no { color: #8f1d14; font-weight: 600 }
meter { width: 12rem; height: 1rem }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } th, td { border-color: #30363d }
  .yes { color: #7ee2a8 } .no { color: #ffaba3 } }
"""


def page_of(coverages: Mapping[str, Coverage]) -> str:
    """The page, in the order of the sets and of their files."""
    return "\n".join(_lines(coverages)) + "\n"


def _lines(coverages: Mapping[str, Coverage]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>What the scenarios cover</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield "<h1>What the scenarios cover</h1>"
    for root, coverage in coverages.items():
        yield f"<h2>{escape(root)}: {coverage.percent:.1f} %</h2>"
        yield from _shares(coverage)
        for flow in dict.fromkeys(each.flow for each in coverage.items):
            yield from _flow(flow, [each for each in coverage.items if each.flow == flow])
    yield "</main>\n</body>\n</html>"


def _shares(coverage: Coverage) -> Iterator[str]:
    yield '<table>\n<thead><tr><th scope="col">What</th><th scope="col">Covered</th><th scope="col">Of</th>'
    yield '<th scope="col">Share</th></tr></thead>\n<tbody>'
    for kind in KINDS:
        covered, total = coverage.share(kind)
        percent = 100 * covered / total if total else 100.0
        meter = f'<meter min="0" max="{total or 1}" value="{covered if total else 1}">{percent:.1f} %</meter>'
        yield f'<tr><th scope="row">{kind.capitalize()}</th><td class="number">{covered}</td>'
        yield f'<td class="number">{total}</td><td>{meter} {percent:.1f} %</td></tr>'
    yield "</tbody>\n</table>"


def _flow(flow: str, items: list[Item]) -> Iterator[str]:
    covered = sum(each.covered for each in items)
    yield f"<h3>{escape(flow) if flow else 'Messages'}: {covered} of {len(items)}</h3>"
    yield '<table>\n<thead><tr><th scope="col">What</th><th scope="col">Where</th><th scope="col">Covered</th></tr>'
    yield "</thead>\n<tbody>"
    for each in items:
        word, kind = ("yes", "yes") if each.covered else ("no scenario", "no")
        where = f"{escape(each.file)}:{each.line}"
        yield f'<tr><td>{escape(each.name)}</td><td>{where}</td><td class="{kind}">{word}</td></tr>'
    yield "</tbody>\n</table>"
