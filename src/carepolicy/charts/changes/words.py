"""The sentences in which changes are told, by language."""

from __future__ import annotations

from dataclasses import dataclass, field

from carepolicy.businesstime.words import primary_language
from carepolicy.policy.language.kinds import KINDS, keys_of

_APPEARS = {
    "flow": "New flow: “{}”",
    "event": "New event: “{}”",
    "clock": "New promise: “{}”",
    "step": "New step: “{}”",
    "end": "New end: “{}”",
    "way": "New – {}",
    "role": "New role: “{}”",
    "calendar": "New calendar: “{}”",
    "channel": "New channel: “{}”",
    "setting": "New setting: “{}”",
    "fact": "New fact: “{}”",
    "watch": "New watch: “{}”",
    "term": "New word: “{}”",
    "message": "New message: “{}”",
}

_GOES = {
    "flow": "The flow “{}” is gone",
    "event": "The event “{}” is gone",
    "clock": "The promise “{}” is gone",
    "step": "The step “{}” is gone",
    "end": "The end “{}” is gone",
    "way": "Gone – {}",
    "role": "The role “{}” is gone",
    "calendar": "The calendar “{}” is gone",
    "channel": "The channel “{}” is gone",
    "setting": "The setting “{}” is gone",
    "fact": "The fact “{}” is gone",
    "watch": "The watch “{}” is gone",
    "term": "The word “{}” is gone",
    "message": "The message “{}” is gone",
}

_OWN_ASPECTS = {
    "happens": "", "value": "", "counts": "", "retention": "what else is kept", "order": "order of steps",
    "enter": "on arrival", "leave": "on leaving",
}  # fmt: skip
"""What is compared besides what keys say."""


def aspects_told(language: int) -> dict[str, str]:
    """What is said under each key, in words of a language: 0 for English, 1 for French."""
    keys = (key for kind in KINDS for key in keys_of(kind))
    return {key.aspect: key.told[language] for key in keys if key.told is not None}


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """Words of a comparison in one language; ``{}`` marks where a value goes.

    ``changed`` has the part, the new value and the old one; ``aspect`` the part and one of its aspects.
    """

    new: str = "NEW"
    changed_word: str = "CHANGED"
    removed: str = "REMOVED"
    aspect: str = "{}, {}"
    changed: str = "{}: {}, was {}"
    changed_text: str = "{}: “{}”, was “{}”"
    added: str = "{}: now {}"
    dropped: str = "{}: no longer {}"
    altered: str = "{}: changed"
    nothing: str = "Nothing changed."
    title: str = "What changed"
    shared: str = "For all flows"
    of_flow: str = "What changes: {}"
    legend_title: str = "Between {} and {}"
    count: str = "{} changes"
    count_one: str = "1 change"
    to_step: str = "show on the chart"
    appears: dict[str, str] = field(default_factory=lambda: _APPEARS)
    goes: dict[str, str] = field(default_factory=lambda: _GOES)
    aspects: dict[str, str] = field(default_factory=lambda: {**aspects_told(0), **_OWN_ASPECTS})


ENGLISH = ChangeWords()


FRENCH = ChangeWords(
    new="NOUVEAU", changed_word="MODIFIÉ", removed="SUPPRIMÉ", changed="{} : {}, au lieu de {}",
    changed_text="{} : « {} », au lieu de « {} »", added="{} : désormais {}", dropped="{} : plus de {}",
    altered="{} : modifié", nothing="Rien n’a changé.", title="Ce qui a changé", shared="Pour tous les processus",
    of_flow="Ce qui change : {}", legend_title="Entre {} et {}", count="{} changements", count_one="1 changement",
    to_step="montrer sur le schéma",
    appears={
        "flow": "Nouveau processus : « {} »",
        "event": "Nouvel événement : « {} »", "clock": "Nouvelle promesse : « {} »",
        "step": "Nouvelle étape : « {} »", "end": "Nouvelle fin : « {} »", "way": "Nouveau – {}",
        "role": "Nouveau rôle : « {} »", "calendar": "Nouveau calendrier : « {} »", "channel": "Nouveau canal : « {} »",
        "setting": "Nouveau réglage : « {} »", "fact": "Nouvelle donnée : « {} »", "watch": "Nouvelle veille : « {} »",
        "term": "Nouveau mot : « {} »", "message": "Nouveau message : « {} »",
    },
    goes={
        "flow": "Le processus « {} » est supprimé", "event": "L’événement « {} » est supprimé",
        "clock": "La promesse « {} » est supprimée", "step": "L’étape « {} » est supprimée",
        "end": "La fin « {} » est supprimée", "way": "Supprimé – {}", "role": "Le rôle « {} » est supprimé",
        "calendar": "Le calendrier « {} » est supprimé", "channel": "Le canal « {} » est supprimé",
        "setting": "Le réglage « {} » est supprimé", "fact": "La donnée « {} » est supprimée",
        "watch": "La veille « {} » est supprimée", "term": "Le mot « {} » est supprimé",
        "message": "Le message « {} » est supprimé",
    },
    aspects={
        **aspects_told(1),
        "happens": "", "value": "", "counts": "", "retention": "conservés aussi", "order": "ordre des étapes",
        "enter": "à l’arrivée", "leave": "en partant",
    },
)  # fmt: skip


def change_words(language: str) -> ChangeWords:
    """The words in a language ("fr", "fr-CA"); English where there are none of that language."""
    return {"en": ENGLISH, "fr": FRENCH}.get(primary_language(language), ENGLISH)
