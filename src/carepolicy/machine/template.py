"""A message of a compiled set, as ``machine/messages.py`` makes it: literal pieces and placeholders, rendered for a
case in a customer's language. In a language that is written from right to left each value is isolated (U+2068, U+2069),
or else a number or a name beside it would change its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from carepolicy.businesstime.words import limit_in_words
from carepolicy.machine.locales import time_in_words, value_in_words
from carepolicy.policy.characters import MASK, isolated
from carepolicy.translations import Own, msg, translation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.limit import Limit

SENTENCES = {
    "case": msg("{flow}: case {case} is at “{state}”."),
    "met": msg("{clock}: done in time."),
    "late": msg("{clock} is late: it was due {due}."),
    "late_undated": msg("{clock} is late."),
    "warned": msg("{clock} is due {due}."),
    "warned_undated": msg("{clock} is due soon."),
}
"""What a notice says that has no text of its own; ``undated`` is said of a clock whose due time is not known."""


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


class Slot(Struct, frozen=True):
    """A placeholder whose value is known only for a live case. ``kind``: fact, subject, limit or due; or late or
    warned: a sentence about a clock, of which ``type`` holds the title."""

    kind: str
    name: str
    type: str = ""
    currency: str | None = None
    private: bool = False
    words: tuple[tuple[str, str], ...] = ()
    """What people read of the values of a choice, where that is not made of their names; of a limit that is the first
    to fall due of several, the titles of the facts on which they hang."""
    isolated: bool = False
    """Whether the text around it is written from right to left, so that the value must not mix with it."""
    others: tuple[Piece, ...] = ()
    """What is told in its place, in order, where it has no value."""
    case: str = ""
    """The grammatical case in which a limit is told."""

    def all(self) -> Iterator[Slot]:
        """It, and those that stand in for it."""
        yield self
        yield from (each for each in self.others if isinstance(each, Slot))


Piece = str | Slot


class Template(Struct, frozen=True):
    """A text with a subject line in one language. ``locale`` is the language as it is written where the organisation
    is, ``timezone`` that in which times are told; ``tells_zone`` says that readers may take it for another. ``own`` are
    words of carepolicy's that the set brings."""

    language: str
    locale: str
    timezone: str
    tells_zone: bool
    subject: tuple[Piece, ...]
    text: tuple[Piece, ...]
    own: Own = ()

    def render(self, values: Values, reveal: bool) -> tuple[str, str]:
        """The subject line and the text for a case; private facts are masked unless ``reveal``."""
        return self._filled(self.subject, values, reveal), self._filled(self.text, values, reveal)

    def private(self) -> dict[str, tuple[str, ...]]:
        """The private facts that go into the subject line and into the text."""
        return {
            "subject": _private(self.subject),
            "text": _private(self.text),
        }

    def _filled(self, parts: tuple[Piece, ...], values: Values, reveal: bool) -> str:
        if len(parts) == 1 and isinstance(parts[0], str):
            return parts[0]
        return "".join(part if isinstance(part, str) else self.told(part, values, reveal) for part in parts)

    def told(self, slot: Slot, values: Values, reveal: bool) -> str:
        """What stands in the place of a placeholder for a case."""
        said = self._said(slot, values, reveal)
        for each in slot.others:
            said = said or (each if isinstance(each, str) else self._said(each, values, reveal))
        if not said and slot.type == "flag" and not slot.others:  # as guards take it: what nobody said is not so
            said = value_in_words(False, "flag", None, self.locale, self.timezone, self.own)
        return isolated(said) if slot.isolated else said

    def _said(self, slot: Slot, values: Values, reveal: bool) -> str:
        if slot.kind == "subject":
            return values.subject
        if slot.kind == "limit":
            limit = values.clock_limit(slot.name)
            if limit is None:
                return ""
            return limit_in_words(limit, self.language, slot.case, self.own, dict(slot.words))
        if slot.kind == "due":
            due = values.clock_due(slot.name)
            return "" if due is None else self._time(due)
        if slot.kind in ("late", "warned"):
            due = values.clock_due(slot.name)
            said = sentence_of(slot.kind if due is not None else f"{slot.kind}_undated", self.language, self.own)
            return said.format(clock=slot.type, due="" if due is None else self._time(due))
        value = values.fact(slot.name)
        if value is None:
            return ""
        if slot.private and not reveal:
            return MASK
        if slot.words:
            words = dict(slot.words)
            chosen = value if isinstance(value, tuple) else (value,)
            return ", ".join(
                words.get(each) or value_in_words(each, slot.type, None, self.locale, "", self.own) for each in chosen
            )
        if slot.type == "time":
            return ", ".join(map(self._time, value)) if isinstance(value, tuple) else self._time(value)
        return value_in_words(value, slot.type, slot.currency, self.locale, self.timezone, self.own)

    def _time(self, instant: int) -> str:
        return time_in_words(instant, self.locale, self.timezone, self.tells_zone)


def _private(parts: tuple[Piece, ...]) -> tuple[str, ...]:
    return tuple(slot.name for part in parts if isinstance(part, Slot) for slot in part.all() if slot.private)


def sentence_of(name: str, language: str, own: Own) -> str:
    """One of ``SENTENCES`` in a language, with its braces."""
    return translation_of(language, own).gettext(SENTENCES[name])
