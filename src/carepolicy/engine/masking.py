"""Card numbers in texts are masked before they go anywhere (PCI DSS 3.3: at most the last four digits are shown)."""

from __future__ import annotations

import re
from typing import Any

_BETWEEN = "[ \\t\\u00a0\\u2000-\\u200d\\u2010-\\u2015\\u202f\\u2060\\u2212\\ufeff._-]"
"""What people and programs put between the digits of a card number: blanks, dashes and dots, seen or unseen."""

_RUN = re.compile(rf"(?<!\d)\d(?:{_BETWEEN}{{0,3}}\d){{12,}}")
"""A run of 13 or more digits, with little between any two."""

_BREAK = f"({_BETWEEN}+)"

DEEPEST = 50
"""So deep a JSON value is shown. Python's own stack ends some way below."""

SHORTEST, LONGEST = 13, 19
"""Digits of a card number (ISO/IEC 7812)."""


def mask_cards(text: str) -> str:
    """``text`` with every card number replaced by ``**** **** **** 1234``; the same object where there is none.

    A card number is a run of 13 to 19 digits that the Luhn check (ISO/IEC 7812-1) accepts. It is looked
    for in runs of digits as they are written, and in the parts of a run that separators set off, since an
    amount or an expiry date may stand beside it.
    """
    if not any(map(str.isdigit, text)):
        return text
    return _RUN.sub(_masked, text)


def mask_within(value: Any, depth: int = 0) -> Any:
    """A JSON value with every card number masked: in texts, names and whole numbers. What is nested deeper than any
    fact could be is left out."""
    if isinstance(value, str):
        return mask_cards(value)
    if isinstance(value, (dict, list, tuple)) and depth == DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {mask_cards(str(name)): mask_within(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_within(each, depth + 1) for each in value]
    if isinstance(value, int) and mask_cards(str(value)) != str(value):
        return mask_cards(str(value))
    return value


def _masked(found: re.Match[str]) -> str:
    run = found.group()
    digits = [int(each) for each in run if each.isdecimal()]
    if SHORTEST <= len(digits) <= LONGEST and _luhn(digits):
        return "**** **** **** " + "".join(map(str, digits[-4:]))
    if len(digits) != len(run):
        return _parts_masked(run)
    return run


def _parts_masked(run: str) -> str:
    """Mask the groups of a longer run that are part of any card number which neighbouring groups make."""
    pieces = re.split(_BREAK, run)
    groups = pieces[::2]
    masked = [False] * len(groups)
    for place in range(len(groups)):
        for end in _card_ends(groups, place):
            masked[place:end] = [True] * (end - place)
    out: list[str] = []
    for place, group in enumerate(groups):
        if not masked[place]:
            out.append(group)
        elif place + 1 == len(groups) or not masked[place + 1]:
            last = "".join(groups[max(0, place - 3) : place + 1])[-4:]
            out.append("**** **** **** " + "".join(str(int(each)) for each in last))
        if place + 1 < len(groups) and not (masked[place] and masked[place + 1]):
            out.append(pieces[2 * place + 1])
    return "".join(out)


def _card_ends(groups: list[str], place: int) -> list[int]:
    """The ends of the stretches of groups, from ``place`` on, that are a card number."""
    digits: list[int] = []
    found = []
    for end, group in enumerate(groups[place : place + LONGEST], place + 1):
        digits.extend(int(each) for each in group)
        if len(digits) > LONGEST:
            break
        if len(digits) >= SHORTEST and _luhn(digits):
            found.append(end)
    return found


def _luhn(digits: list[int]) -> bool:
    doubled = (2 * each - 9 if each > 4 else 2 * each for each in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and any(digits)
