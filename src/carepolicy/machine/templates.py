"""Message templates as they were compiled: literal parts and placeholders, rendered in a customer's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from carepolicy.businesstime.wording import FALLBACK, limit_in_words
from carepolicy.machine.formats import time_in_words, value_in_words
from carepolicy.unseen import isolated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.limit import Limit

MASK = "***"

LATENESS = {
    "late": {
        "en": ("{clock} is late: it was due {due}.", "{clock} is late."),
        "fr": ("En retard : {clock}, à échéance du {due}.", "En retard : {clock}."),
        "de": ("{clock} ist überfällig seit {due}.", "{clock} ist überfällig."),
        "es": ("{clock}: con retraso; el plazo acabó el {due}.", "{clock}: con retraso."),
        "nl": ("{clock} is te laat: de termijn liep tot {due}.", "{clock} is te laat."),
    },
    "warned": {
        "en": ("{clock} is due {due}.", "{clock} is due soon."),
        "fr": ("Bientôt à échéance : {clock}, le {due}.", "Bientôt à échéance : {clock}."),
        "de": ("{clock} ist fällig: {due}.", "{clock} ist bald fällig."),
        "es": ("{clock}: el plazo acaba el {due}.", "{clock}: el plazo acaba pronto."),
        "nl": ("{clock} moet klaar zijn op {due}.", "{clock} moet binnenkort klaar zijn."),
    },
}
"""What is said of a clock that is late, or will soon be: with its due time, and where that is not known."""


class Values(Protocol):
    """What a live case tells of itself to a message."""

    def fact(self, name: str) -> Any:
        """The value of the fact of that dotted name, or else its default; None where there is neither."""

    @property
    def subject(self) -> str:
        """What the case is about."""

    def clock_limit(self, name: str) -> Limit | None:
        """The limit of a clock that holds now."""

    def clock_due(self, name: str) -> int | None:
        """When a clock falls due, in microseconds since 1970."""


class Slot(NamedTuple):
    """A placeholder whose value is known only for a live case. ``kind``: fact, subject, limit or due; or late or
    warned: a sentence about a clock, of which ``type`` holds the title."""

    kind: str
    name: str
    type: str = ""
    currency: str | None = None
    private: bool = False
    isolated: bool = False
    """Whether the text around it is written from right to left, so that the value must not mix with it."""
    others: tuple[Part, ...] = ()
    """What is told in its place, in order, where it has no value."""

    def all(self) -> Iterator[Slot]:
        """It, and those that stand in for it."""
        yield self
        yield from (each for each in self.others if isinstance(each, Slot))


Part = str | Slot


class Template(NamedTuple):
    """A text with a subject line in one language. ``locale`` is the language as it is written where the organisation
    is, ``timezone`` that in which times are told; ``tells_zone`` says that readers may take it for another."""

    language: str
    locale: str
    timezone: str
    tells_zone: bool
    subject: tuple[Part, ...]
    text: tuple[Part, ...]

    def render(self, values: Values, reveal: bool) -> tuple[str, str]:
        """The subject line and the text for a case; private facts are masked unless ``reveal``."""
        return self._filled(self.subject, values, reveal), self._filled(self.text, values, reveal)

    def private(self) -> dict[str, tuple[str, ...]]:
        """The private facts that go into the subject line and into the text."""
        return {
            "subject": _private(self.subject),
            "text": _private(self.text),
        }

    def _filled(self, parts: tuple[Part, ...], values: Values, reveal: bool) -> str:
        if len(parts) == 1 and isinstance(parts[0], str):
            return parts[0]
        return "".join(part if isinstance(part, str) else self.told(part, values, reveal) for part in parts)

    def told(self, slot: Slot, values: Values, reveal: bool) -> str:
        """What stands in the place of a placeholder for a case."""
        said = self._said(slot, values, reveal)
        for each in slot.others:
            said = said or (each if isinstance(each, str) else self._said(each, values, reveal))
        if not said and slot.type == "flag" and not slot.others:  # as guards take it: what nobody said is not so
            said = value_in_words(False, "flag", None, self.locale, self.timezone)
        return isolated(said) if slot.isolated else said

    def _said(self, slot: Slot, values: Values, reveal: bool) -> str:
        if slot.kind == "subject":
            return values.subject
        if slot.kind == "limit":
            limit = values.clock_limit(slot.name)
            return "" if limit is None else limit_in_words(limit, self.language)
        if slot.kind == "due":
            due = values.clock_due(slot.name)
            return "" if due is None else self._time(due)
        if slot.kind in LATENESS:
            due = values.clock_due(slot.name)
            words = LATENESS[slot.kind].get(self.language.partition("-")[0], LATENESS[slot.kind][FALLBACK])
            return words[due is None].format(clock=slot.type, due="" if due is None else self._time(due))
        value = values.fact(slot.name)
        if value is None:
            return ""
        if slot.private and not reveal:
            return MASK
        if slot.type == "time":
            return ", ".join(map(self._time, value)) if isinstance(value, tuple) else self._time(value)
        return value_in_words(value, slot.type, slot.currency, self.locale, self.timezone)

    def _time(self, instant: int) -> str:
        return time_in_words(instant, self.locale, self.timezone, self.tells_zone)


def _private(parts: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(slot.name for part in parts if isinstance(part, Slot) for slot in part.all() if slot.private)
