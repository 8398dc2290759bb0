"""What a check has to say: a code, a place, a reason and the nearest right thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from carepolicy.policy.characters import shown

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


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like ``name`` or means the same in another language, or None where none is alike."""
    from difflib import get_close_matches

    from carepolicy.policy.vocabulary import meant, same

    names = list(known)
    return same(name, names) or meant(name, names) or next(iter(get_close_matches(name, names, n=1, cutoff=0.6)), None)


def sole(name: str, known: Iterable[str]) -> str | None:
    """The one known name that ``name`` can only be meant for: it alone is very near, or so much the nearest.

    None where two could be meant: then people are to choose.
    """
    from difflib import SequenceMatcher, get_close_matches

    from carepolicy.policy.vocabulary import same

    names = list(known)
    alike = same(name, names)
    if alike is not None:
        return alike
    found = get_close_matches(name, names, n=2, cutoff=SAFE)
    if len(found) < 2:
        return found[0] if found else None
    first, second = (SequenceMatcher(None, each, name).ratio() for each in found)
    return found[0] if first - second >= CLEAR else None


SAFE, CLEAR = 0.75, 0.08
"""How like a name must be to take the place of another, and how much more so than the next one."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or all of them where there are few and none is near."""
    names = sorted(set(known))
    near = nearest(name, names)
    if near is not None:
        return f'did you mean "{near}"?'
    if 0 < len(names) <= 6:
        return "known here: " + ", ".join(names)
    return ""


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
