"""The sentences in which changes are told, by language."""

from __future__ import annotations

from dataclasses import dataclass, field

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

_ASPECTS = {
    "happens": "", "value": "", "counts": "", "text": "text", "version": "version", "title": "title",
    "purpose": "purpose", "owner": "owner", "steward": "steward", "valid_from": "valid from", "calendar": "calendar",
    "keep": "kept for", "retention": "what else is kept",
    "every": "every", "starting": "starting", "promise": "promise", "subject": "subject",
    "covers": "covers", "based_on": "based on", "synonyms": "also called", "order": "order of steps",
    "moves_to": "open cases move", "phases": "phases", "by": "comes from", "carries": "carries", "target": "in time",
    "warn_at": "warns at", "runs_in": "runs in", "pauses_in": "stands still in", "restarts_on": "begins anew when",
    "again": "when it starts again", "counts_from": "counts from", "never_pauses": "never stands still",
    "rolls": "on a closed day", "channel": "channel", "waits": "who waits", "steps": "what to do",
    "say": "what to say", "never": "what never to say", "ask": "question", "note": "why",
    "start_on": "starts when", "outcome": "outcome", "to": "leads to", "when": "condition",
    "answer": "answer", "except": "not at", "send": "sends", "tell": "tells", "request": "does", "open": "starts",
    "raise": "reports", "assign": "goes to", "extend": "more time", "spends": "gives away", "set": "notes down",
    "people": "people", "deputy": "deputy", "authority": "may decide up to", "may_see": "may see",
    "colour": "colour", "hours": "hours", "timezone": "time zone", "holidays": "public holidays",
    "closed": "closed days", "open_days": "special hours", "imports": "imported days", "address": "address",
    "card": "card numbers looked for",
    "type": "kind", "private": "privacy", "default": "default", "languages": "languages", "palette": "colours",
    "paper": "paper", "apologises": "apologises", "enter": "on arrival", "leave": "on leaving",
}  # fmt: skip


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
    aspects: dict[str, str] = field(default_factory=lambda: _ASPECTS)


ENGLISH = ChangeWords()


def change_words(language: str) -> ChangeWords:
    """The words in a language ("fr", "fr-CA"); English where there are none of that language."""
    from carepolicy.charts.changes.words_french import FRENCH

    return {"en": ENGLISH, "fr": FRENCH}.get(language.split("-")[0].split("_")[0].lower(), ENGLISH)
