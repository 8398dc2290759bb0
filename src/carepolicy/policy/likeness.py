"""Which known name somebody may have meant by one that is not known, and which names are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def with_hint(said: str, name: str, known: Iterable[str]) -> str:
    """What is said of a name that is not known, and behind it the hint, where there is one."""
    hint = did_you_mean(name, known)
    return f"{said}; {hint}" if hint else said


def compared(person: str) -> str:
    """A name as it is compared: blanks around it and capitals make nobody another."""
    return person.strip().casefold()
