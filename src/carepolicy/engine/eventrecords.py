"""Records about events that were not taken: unexpected, rejected, duplicate."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from carepolicy.engine import codes
from carepolicy.engine.cards import mask_cards
from carepolicy.engine.record import NoProgram, Record, Told, slug
from carepolicy.engine.values import MASK

if TYPE_CHECKING:
    from carepolicy.engine.case import Case
    from carepolicy.engine.intake import Incoming, Refused
    from carepolicy.engine.memory import Memory
    from carepolicy.machine.program import Bundle


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
