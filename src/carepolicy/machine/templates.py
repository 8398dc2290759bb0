"""Message templates as they were compiled: literal parts and placeholders, rendered in a customer's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from carepolicy.businesstime.wording import limit_in_words
from carepolicy.machine.formats import value_in_words
from carepolicy.named import NamedTuple

if TYPE_CHECKING:
    from carepolicy.businesstime.limit import Limit

MASK = "***"


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
    """A placeholder whose value is known only for a live case. ``kind``: fact, subject, limit or due."""

    kind: str
    name: str
    type: str = ""
    currency: str | None = None
    private: bool = False
    isolated: bool = False
    """Whether the text around it is written from right to left, so that the value must not mix with it."""


Part = str | Slot

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""What turns the direction of writing until it is ended: a value must not, or it would end the isolation itself."""


def isolated(text: str) -> str:
    """A value that keeps to itself amid text of the other direction, as UAX #9 advises where texts are put together."""
    kept = text.translate(_TURNS)
    return f"{FIRST_STRONG_ISOLATE}{kept}{POP_ISOLATE}" if kept else ""


class Template(NamedTuple):
    """A text with a subject line in one language; ``timezone`` is that in which it tells times."""

    language: str
    timezone: str
    subject: tuple[Part, ...]
    text: tuple[Part, ...]

    def render(self, values: Values, reveal: bool) -> tuple[str, str]:
        """The subject line and the text for a case; private facts are masked unless ``reveal``."""
        return self._filled(self.subject, values, reveal), self._filled(self.text, values, reveal)

    def private(self) -> dict[str, tuple[str, ...]]:
        """The private facts that go into the subject line and into the text."""
        return {
            "subject": tuple(part.name for part in self.subject if isinstance(part, Slot) and part.private),
            "text": tuple(part.name for part in self.text if isinstance(part, Slot) and part.private),
        }

    def _filled(self, parts: tuple[Part, ...], values: Values, reveal: bool) -> str:
        if len(parts) == 1 and isinstance(parts[0], str):
            return parts[0]
        return "".join(part if isinstance(part, str) else self.told(part, values, reveal) for part in parts)

    def told(self, slot: Slot, values: Values, reveal: bool) -> str:
        """What stands in the place of a placeholder for a case."""
        said = self._said(slot, values, reveal)
        return isolated(said) if slot.isolated else said

    def _said(self, slot: Slot, values: Values, reveal: bool) -> str:
        if slot.kind == "subject":
            return values.subject
        if slot.kind == "limit":
            limit = values.clock_limit(slot.name)
            return "" if limit is None else limit_in_words(limit, self.language)
        if slot.kind == "due":
            due = values.clock_due(slot.name)
            return "" if due is None else value_in_words(due, "time", None, self.language, self.timezone)
        value = values.fact(slot.name)
        if value is None:
            return ""
        if slot.private and not reveal:
            return MASK
        return value_in_words(value, slot.type, slot.currency, self.language, self.timezone)
