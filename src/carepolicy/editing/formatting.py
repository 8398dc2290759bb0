"""Files laid out: read, compared with their canonical layout, and written back whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.editing.files import kind_of
from carepolicy.editing.layout import CannotLayOut, laid_out
from carepolicy.policy.composing import compose
from carepolicy.policy.documents import documents
from carepolicy.policy.files import read_bytes
from carepolicy.policy.reading import text_of
from carepolicy.policy.writing import Rewritten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.policy.findings import Finding


@dataclass(frozen=True, slots=True)
class Formatted(Rewritten):
    """A file's text as it is and in its canonical layout; where it has none, the findings or the reason why."""

    findings: Sequence[Finding] = ()
    reason: str = ""

    @property
    def changed(self) -> bool:
        """Whether the file is otherwise than its layout."""
        return self.before != self.after

    def write(self) -> None:
        """Write the layout. Raises ``OSError``; the file then is as it was."""
        if self.changed:
            Rewritten.write(self)


def formatted(file: str) -> Formatted:
    """A policy file and its layout. Never raises for what a file holds."""
    content, findings = read_bytes(file, file)
    if content is None:
        return Formatted(file, "", "", findings)
    text, findings = text_of(content, file)
    if text is None:
        return Formatted(file, "", "", findings)
    return formatted_text(content.decode(), file, kind_of(file) or "flow")


def formatted_text(text: str, file: str, kind: str) -> Formatted:
    """A text, which may have a byte order mark, and its layout as a file of one kind."""
    plain = text.removeprefix("\ufeff")
    for part in documents(plain) if kind == "scenario" else [plain]:
        source, findings = compose(part, file)
        if source is None:
            return Formatted(file, text, text, findings)
    try:
        return Formatted(file, text, laid_out(text, kind))
    except CannotLayOut as problem:
        return Formatted(file, text, text, reason=str(problem))
