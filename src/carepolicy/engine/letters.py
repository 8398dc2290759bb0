"""Dead letters: what was not taken, with the line, the code, the reason, and the event as far as it may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine import codes
from carepolicy.engine.cards import mask_cards, mask_data, mask_within
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import Refused
from carepolicy.engine.values import MASK, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.engine.intake import Incoming
    from carepolicy.engine.run import Refusal
    from carepolicy.machine.program import Bundle

ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time")


class DeadLetters:
    """Writes one JSON line for each event that was not taken.

    Private facts, values of undeclared names and lines that are no JSON are not shown unless
    ``reveal``; card numbers never are, and of one for which the event was refused not even the last digits. The line
    number leads back to the original.
    """

    def __init__(self, bundle: Bundle, reveal: bool = False) -> None:
        self._facts = bundle.facts
        self._spared = frozenset(name for name, fact in bundle.facts.items() if fact.card_never)
        self._card_never = bundle.card_never
        self._reveal = reveal

    def written(self, refusal: Refusal) -> str:
        """The dead letter of an event that was not taken, or of which a card number was masked."""
        line, code, reason, event, text = refusal
        if isinstance(event, Refused):
            return self.refused(line, event, text)
        return self.untaken(event, code, reason)

    def refused(self, line: int, refused: Refused, raw: bytes | str) -> str:
        """The dead letter of an event that could not be read or was taken before."""
        event: dict[str, Any] = {}
        for name in ATTRIBUTES:
            value = refused.text(name, self._card_never)
            if value is not None:
                event[name] = value
        data = refused.event.get("data")
        if isinstance(data, dict):
            shown = {name: self._shown(str(name), value, 0) for name, value in data.items()}
            if refused.code in (codes.NAMES_CARD, codes.NUMBER_IS_CARD):
                shown = {name: value if mask_within(value) == value else MASK for name, value in shown.items()}
            event["data"] = mask_data(shown, self._spared)
        if not event and self._reveal and len(raw) < 1 << 20:
            text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
            return _line(line, refused.code, refused.reason, {"text": mask_cards(text.rstrip("\r\n"))})
        return _line(line, refused.code, refused.reason, event)

    def untaken(self, event: Incoming, code: str, reason: str) -> str:
        """The dead letter of an event that was read but that no case took."""
        shown: dict[str, Any] = {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": event.subject if self._card_never else mask_cards(event.subject),
            "time": event.when,
        }
        if event.data:
            shown["data"] = {name: self._known(name, value) for name, value in event.data.items()}
        return _line(event.line, code, reason, shown)

    def _known(self, name: str, value: Any) -> Any:
        fact = self._facts.get(name)
        if fact is None:
            return mask_within(value)
        if fact.private and not self._reveal and value is not None:
            return MASK
        return plain(value, fact.type)

    def _shown(self, name: str, value: Any, depth: int) -> Any:
        if isinstance(value, dict) and depth < 8:
            return {str(key): self._shown(f"{name}.{key}", inner, depth + 1) for key, inner in value.items()}
        fact = self._facts.get(name)
        if self._reveal or (fact is not None and not fact.private):
            return value
        return MASK


def _line(line: int, code: str, reason: str, event: Mapping[str, Any]) -> str:
    letter: dict[str, Any] = {} if line == NEVER else {"line": line}
    letter |= {"code": code, "reason": reason}
    if event:
        letter["event"] = event
    return orjson.dumps(letter, default=str).decode() + "\n"
