"""CP118: a text that ends at a #, since all that follows is a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import Place, Source

_COMMENT = re.compile(r"(?<=\S)[ \t]+(#(?!carepolicy:)[^\s#].*)$", re.MULTILINE)


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Comments without a space behind their # that begin right after a text without quotes: ``Request #1``."""
    for source in checked.files_read.values():
        for found in _COMMENT.finditer(source.text):
            line = source.text.count("\n", 0, found.start()) + 1
            shift = source.text.rfind("\n", 0, found.start())
            if _ends_a_text(source, line, found.start() - shift):
                place = Place(
                    source.file, line, found.start(1) - shift, line, found.start(1) - shift + len(found[1].rstrip())
                )
                yield Finding(
                    CODE, "from this # on the text is a comment, which nobody sees", place, HINT, Severity.WARNING
                )


def _ends_a_text(source: Source, line: int, column: int) -> bool:
    """Whether a text without quotes ends there: no number, no bracket, and not in the lines below a |."""
    for path, place in source.values.items():
        if (place.end_line, place.end_column) == (line, column) and path not in source.written:
            first = source.text.split("\n", place.line)[place.line - 1][place.column - 1]
            if first not in "'\"[{|>":
                return True
    return False


HINT = "put quotes around the whole text, or a space behind the # of a comment"
CODE = "CP118"
RULE = Rule(
    CODE,
    "text is cut at a #",
    "In YAML a # after a space begins a comment, also in the middle of what was meant as a text: of "
    "`title: Request #1` the title is Request. A text with a # in it stands in quotes; a comment has a space "
    "behind its #.",
    "based_on: Agreement #12 with the works council\n",
    'based_on: "Agreement #12 with the works council"   # of May\n',
    find,
    Severity.WARNING,
)
