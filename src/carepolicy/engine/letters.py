"""What was not taken: its record, and its dead letter with the event as far as it may be shown."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from carepolicy.engine import codes
from carepolicy.engine.cards import mask_cards, mask_data, mask_within
from carepolicy.engine.facts import plain
from carepolicy.engine.intake import AT_THE_END, Refused
from carepolicy.engine.record import NoProgram, Record, Told, slug
from carepolicy.policy.characters import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.engine.case import Case
    from carepolicy.engine.intake import Incoming
    from carepolicy.engine.memory import Memory
    from carepolicy.machine.program import Bundle


ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time")


class Refusal(Struct, frozen=True):
    """An event that was not taken, or of which a card number was masked: the number of the line that brought it
    (``AT_THE_END`` where a flow raised it after all lines) and, where it could not be read, the text of that line."""

    line: int
    code: str
    reason: str
    event: Incoming | Refused
    text: bytes | str = b""


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
        event = refusal.event
        if isinstance(event, Refused):
            return self.refused(refusal.line, event, refusal.text)
        return self.untaken(event, refusal.code, refusal.reason)

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
    letter: dict[str, Any] = {} if line == AT_THE_END else {"line": line}
    letter |= {"code": code, "reason": reason}
    if event:
        letter["event"] = event
    return orjson.dumps(letter, default=str).decode() + "\n"


class EventRecords:
    """Writes the records, and numbers those of one event so that each has an id of its own."""

    def __init__(self, bundle: Bundle, memory: Memory) -> None:
        self._memory = memory
        self._source = "/carepolicy/" + slug(bundle.organisation)
        self._card_never = bundle.card_never

    def refused(self, refused: Refused, line: bytes | str) -> Record:
        """The record of an event that could not be read or was taken before.

        One that names no source and id, or a card number there, is known by a hash of its line. No value of the event
        is told, only its id, type, subject and time where they are texts.
        """
        known = {name: refused.text(name, self._card_never) for name in ("source", "id", "type", "subject", "time")}
        source, key = known["source"], known["id"]
        if source is None or key is None or MASK in (source, key):
            text = line if isinstance(line, str) else line.decode("utf-8", "surrogateescape")
            # Masked, since of what is known but for a few digits the hash would tell these.
            text = text if refused.code != codes.NAMES_CARD else mask_cards(text)
            source, key = "line", blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
        kind = "duplicate" if refused.code == codes.DUPLICATE else "rejected"
        told = {name: value for name in ("id", "type") if (value := known[name]) is not None}
        about = {name: known[name] for name in ("subject", "time")}
        if refused.code == codes.NO_INSTANT:
            about["time"] = None
        lacks = tuple(name for name, value in about.items() if value is None)
        of = NoProgram(self._identity(kind, source, key), self._source, "", lacks)
        data = Told(event=told, code=refused.code, reason=refused.reason)
        return Record(of, about["subject"] or "", 0, f"event.{kind}", about["time"] or "", data)

    def unexpected(self, event: Incoming, case: Case) -> Record:
        """The record of an event for which a case had no transition."""
        code, reason = codes.UNEXPECTED, f"no transition for {event.type} in the state {case.state.name}"
        return self.in_case(event, case, "unexpected", code, reason)

    def in_case(self, event: Incoming, case: Case, kind: str, code: str, reason: str) -> Record:
        """A record that belongs to a case's own sequence."""
        told = {"id": event.id, "type": event.type}
        data = Told(event=told, code=code, reason=reason, state=case.state.name)
        return case.record(f"event.{kind}", event.when, data)

    def outside(
        self, event: Incoming, subject: str, kind: str, code: str, reason: str, flow: str | None = None
    ) -> Record:
        """A record about an event that reached no case."""
        flow_of = () if flow is None else (flow,)
        times = self._memory.times(event.source, event.id)
        again = (str(times + 1),) if times else ()
        identity = "/".join(("event", kind, event.source, event.id, subject, *flow_of, *again))
        data = Told(event={"id": event.id, "type": event.type}, code=code, reason=reason)
        return Record(NoProgram(identity, self._source, flow or ""), subject, 0, f"event.{kind}", event.when, data)

    def _identity(self, kind: str, source: str, key: str) -> str:
        count = self._memory.count(kind, source, key)
        return f"event/{kind}/{source}/{key}" + (f"/{count}" if count > 1 else "")
