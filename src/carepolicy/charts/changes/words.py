"""The sentences in which changes are told, by language."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from carepolicy.policy.language.kinds import KINDS, keys_of
from carepolicy.translations import Counted, Own, msg, msgs, translation_of

_APPEARS = {
    "flow": msg("New flow: “{}”"),
    "event": msg("New event: “{}”"),
    "clock": msg("New promise: “{}”"),
    "step": msg("New step: “{}”"),
    "end": msg("New end: “{}”"),
    "way": msg("New – {}"),
    "role": msg("New role: “{}”"),
    "calendar": msg("New calendar: “{}”"),
    "channel": msg("New channel: “{}”"),
    "setting": msg("New setting: “{}”"),
    "fact": msg("New fact: “{}”"),
    "watch": msg("New watch: “{}”"),
    "term": msg("New word: “{}”"),
    "command": msg("New command: “{}”"),
    "message": msg("New message: “{}”"),
}

_GOES = {
    "flow": msg("The flow “{}” is gone"),
    "event": msg("The event “{}” is gone"),
    "clock": msg("The promise “{}” is gone"),
    "step": msg("The step “{}” is gone"),
    "end": msg("The end “{}” is gone"),
    "way": msg("Gone – {}"),
    "role": msg("The role “{}” is gone"),
    "calendar": msg("The calendar “{}” is gone"),
    "channel": msg("The channel “{}” is gone"),
    "setting": msg("The setting “{}” is gone"),
    "fact": msg("The fact “{}” is gone"),
    "watch": msg("The watch “{}” is gone"),
    "term": msg("The word “{}” is gone"),
    "command": msg("The command “{}” is gone"),
    "message": msg("The message “{}” is gone"),
}

_OWN_ASPECTS = {
    "happens": "", "value": "", "counts": "", "retention": msg("what else is kept"), "order": msg("order of steps"),
    "enter": msg("on arrival"), "leave": msg("on leaving"),
}  # fmt: skip
"""What is compared besides what keys say."""


def aspects_told() -> dict[str, str]:
    """What is said under each key."""
    keys = (key for kind in KINDS for key in keys_of(kind))
    return {key.aspect: key.told for key in keys if key.told is not None}


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """Words of a comparison in one language; ``{}`` marks where a value goes.

    ``changed`` has the part, the new value and the old one; ``aspect`` the part and one of its aspects.
    """

    new: str = msg("NEW")
    changed_word: str = msg("CHANGED")
    removed: str = msg("REMOVED")
    aspect: str = msg("{}, {}")
    told_of: str = msg("{}: {}")
    changed: str = msg("{}: {}, was {}")
    changed_text: str = msg("{}: “{}”, was “{}”")
    added: str = msg("{}: now {}")
    dropped: str = msg("{}: no longer {}")
    altered: str = msg("{}: changed")
    nothing: str = msg("Nothing changed.")
    title: str = msg("What changed")
    shared: str = msg("For all flows")
    of_flow: str = msg("What changes: {}")
    legend_title: str = msg("Between {} and {}")
    count: Counted = msgs("1 change", "{} changes")
    to_step: str = msg("show on the chart")
    appears: dict[str, str] = field(default_factory=lambda: _APPEARS)
    goes: dict[str, str] = field(default_factory=lambda: _GOES)
    aspects: dict[str, str] = field(default_factory=lambda: {**aspects_told(), **_OWN_ASPECTS})


@lru_cache(maxsize=64)
def change_words(language: str, own: Own = ()) -> ChangeWords:
    """The words in a language ("fr", "fr-CA"); ``own`` are catalogues of the set."""
    return translation_of(language, own).all(ChangeWords())
