"""Lines become events: read, complete, of a known type, with declared data of the right types, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orjson import JSONDecodeError, loads

from carepolicy.engine import codes
from carepolicy.engine.instants import NoInstant, read_instant
from carepolicy.engine.masking import SHORTEST, mask_cards, names_card
from carepolicy.engine.values import MASK, NamesCard, Taker, WrongValue, taker_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.machine.program import Bundle

LONGEST_LINE = 1 << 20
MERGE = "carepolicy.merge"
DEEPEST_NAME = 8
LONGEST_NAME = 80
"""Characters of an unknown name that a reason tells, and of an identity that is too long."""
LONGEST_IDENTITY = 1_000
"""Bytes in UTF-8 of an event's source and id, and of what names a case: indexes of databases take no more."""
IDENTITIES = ("id", "source", "subject")
"""The attributes that name an event and its case."""
SURELY_SHORT = LONGEST_IDENTITY // 4
"""A text of so many characters has no more bytes than that."""

make_tuple = tuple.__new__
"""Makes a named tuple of a tuple that has its fields, several times quicker than its class does."""


class Incoming(NamedTuple):
    """An event that can be taken. ``data`` holds converted values by the facts' dotted names, None where
    the event takes a value away; ``masked`` says that a card number was masked in it. A ``raised``
    event names the key that it is for as its subject.
    """

    line: int
    subject: str
    type: str
    time: int
    when: str
    source: str
    id: str
    data: dict[str, Any]
    masked: bool = False
    raised: bool = False


class Refused(Exception):
    """An event that cannot be taken: a code and a reason, and what is known of the event."""

    def __init__(self, code: str, reason: str, event: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = mask_cards(reason)
        self.event = event or {}

    def text(self, name: str, card_never: bool) -> str | None:
        """An attribute of the event, where it is a text; of one that is too long the beginning, and nothing of one that
        holds a card number. ``card_never`` says that what names events and cases holds none."""
        value = self.event.get(name)
        if not isinstance(value, str):
            return None
        if name in IDENTITIES:
            return MASK if not card_never and names_card(value) else shortened(value)
        return shortened(mask_cards(value))


class Intake:
    """Reads events for one policy set and remembers which it has taken."""

    def __init__(self, bundle: Bundle) -> None:
        self._takers = {name: taker_of(fact) for name, fact in bundle.facts.items()}
        self.card_never = bundle.card_never
        self._fields: dict[str, dict[str, Taker]] = {MERGE: {"into": _subject if self.card_never else _cardless}}
        carried = bundle.carries
        for event, facts in carried.items():
            self._fields[event] = {fact: self._takers[fact] for fact in facts}
        self.seen: dict[str, set[str]] = {}

    def read(self, number: int, line: bytes | str) -> Incoming:
        """The event on the line of that number. Raises ``Refused``, for a duplicate too."""
        if len(line) > LONGEST_LINE:
            raise Refused(
                codes.TOO_LONG, f"the line has more than {LONGEST_LINE:,} bytes, the most that an event may have"
            )
        try:
            event = loads(line)
        except JSONDecodeError as fault:
            raise Refused(codes.UNREADABLE, f"this is no JSON: {_what(fault)}") from None
        try:
            subject, kind, said = event["subject"], event["type"], event["time"]
            source, key = event["source"], event["id"]
        except (KeyError, TypeError):
            raise self._incomplete(event) from None
        if not (type(subject) is type(kind) is type(said) is type(source) is type(key) is str and subject and key):
            raise self._incomplete(event)
        if len(line) > SURELY_SHORT:
            for name, text in (("id", key), ("source", source), ("subject", subject)):
                if is_too_long(text):
                    raise Refused(codes.TOO_LONG, f"its {name} {HAS_TOO_MANY_BYTES}", event)
        if not self.card_never:
            for name, text in (("id", key), ("source", source), ("subject", subject)):
                if len(text) >= SHORTEST and names_card(text):
                    raise Refused(codes.NAMES_CARD, str(NamesCard(f"its {name}")), event)
        fields = self._fields.get(kind)
        if fields is None:
            raise Refused(codes.UNKNOWN_TYPE, f"no flow declares {_told(kind, self._fields)}", event)
        try:
            time, when = read_instant(said)
        except NoInstant as fault:
            raise Refused(codes.NO_INSTANT, f"time: {fault}", event) from None
        if event.get("specversion", "1.0") != "1.0":
            raise Refused(codes.INCOMPLETE, "specversion is not 1.0", event)
        given = event.get("data")
        masked = False
        data: dict[str, Any] = {}
        if given:
            masked = self._take_data(event, kind, fields, given, data)
        elif given is not None and type(given) is not dict:
            raise Refused(codes.INCOMPLETE, "data is not an object", event)
        ids = self.seen.get(source)
        if ids is None:
            ids = self.seen[source] = set()
        known = len(ids)
        ids.add(key)
        if len(ids) == known:
            raise Refused(codes.DUPLICATE, "an event with this source and id was taken before", event)
        return make_tuple(Incoming, (number, subject, kind, time, when, source, key, data, masked, False))

    def forget_ids(self) -> None:
        """Forget which events were taken, where somebody else remembers it."""
        self.seen.clear()

    def _take_data(
        self, event: dict[str, Any], kind: str, fields: dict[str, Taker], given: Any, data: dict[str, Any]
    ) -> bool:
        """Fill ``data``; True where a card number was masked."""
        if type(given) is not dict:
            raise Refused(codes.INCOMPLETE, "data is not an object", event)
        masked = False
        for name, value in given.items():
            taker = fields.get(name)
            if taker is None:
                flat = _flatten(name, value)
                if flat is None or name in flat:
                    raise Refused(codes.UNDECLARED, f'"{kind}" does not carry {_told(name, fields)}', event)
                masked |= self._take_data(event, kind, fields, flat, data)
                continue
            if value is None:
                data[name] = None
                continue
            try:
                taken = taker(value)
            except WrongValue as fault:
                raise Refused(fault.code, f"{name}: {fault}", event) from None
            if taken is not value:
                masked |= _was_masked(taken, value)
            data[name] = taken
        return masked

    def _incomplete(self, event: Any) -> Refused:
        if not isinstance(event, dict):
            return Refused(codes.UNREADABLE, "this is JSON, but no object")
        lacking = [name for name in ("id", "source", "type", "subject", "time") if not _is_text(event.get(name))]
        return Refused(codes.INCOMPLETE, "no text for " + ", ".join(lacking), event)


HAS_TOO_MANY_BYTES = f"has more than {LONGEST_IDENTITY:,} bytes, the most that may be"


def is_too_long(identity: str) -> bool:
    """Whether a text is too long to tell one case or event from another."""
    return len(identity) > SURELY_SHORT and len(identity.encode("utf-8", "surrogatepass")) > LONGEST_IDENTITY


def shortened(identity: str) -> str:
    """The text itself, or the beginning of one that is too long."""
    return f"{identity[:LONGEST_NAME]}..." if is_too_long(identity) else identity


def _was_masked(taken: Any, value: Any) -> bool:
    """Whether a text, or one in a list, is not what it was."""
    if type(taken) is tuple:
        return any(map(_was_masked, taken, value))
    return type(taken) is str and taken != value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _subject(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise WrongValue("a subject is expected")
    if is_too_long(value):
        raise WrongValue(f"the subject {HAS_TOO_MANY_BYTES}")
    return value


def _cardless(value: Any) -> str:
    subject = _subject(value)
    if names_card(subject):
        raise NamesCard("the subject")
    return subject


def _flatten(name: str, value: Any) -> dict[str, Any] | None:
    """``{"customer": {"tier": "gold"}}`` as dotted names, None where the value does not nest."""
    if not isinstance(value, dict) or name.count(".") >= DEEPEST_NAME:
        return None
    return {f"{name}.{key}": inner for key, inner in value.items()}


def _told(name: str, known: Mapping[str, Any]) -> str:
    """A name that is not known, in quotes, and the nearest that is; a long one is cut, since it may be a megabyte."""
    name = mask_cards(name)
    if len(name) > LONGEST_NAME:
        return f'"{_plain(name[:LONGEST_NAME])}..."'
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1)
    return f'"{_plain(name)}"' + (f'; did you mean "{found[0]}"?' if found else "")


def _plain(name: str) -> str:
    """A name without what would move the cursor of a terminal."""
    return name if name.isprintable() else "".join(each if each.isprintable() else "?" for each in name)


def _what(fault: JSONDecodeError) -> str:
    """The reason of a JSON error without any of the text that it stands in."""
    return f"{fault.msg.split(':')[0]} at column {fault.colno}"
