"""What a check has to say: a code, a place, a reason and the nearest right thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from carepolicy.policy.characters import shown
from carepolicy.policy.likeness import did_you_mean, sole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.policy.places import Place


class Severity(StrEnum):
    """How much a finding matters: errors stop a policy set, warnings and notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place. ``replacement`` is text that may stand there instead, if one is safe."""

    code: str
    message: str
    place: Place
    hint: str = ""
    severity: Severity = Severity.ERROR
    replacement: str | None = None


def unknown(code: str, what: str, name: str, place: Place, known: Iterable[str]) -> Finding:
    """The finding that ``name`` is no known ``what``, with the nearest right name."""
    names = sorted(set(known))
    return Finding(code, f'unknown {what} "{name}"', place, did_you_mean(name, names), replacement=sole(name, names))


LONGEST_QUOTE = 60
"""Characters of a value that a message repeats."""


def quoted(value: object) -> str:
    """A value in quotes, on one line, cut where it is long: the place of the finding shows all of it."""
    said = shown(str(value).replace("\n", " "))
    return f'"{said}"' if len(said) <= LONGEST_QUOTE else f'"{said[:LONGEST_QUOTE]}…"'
