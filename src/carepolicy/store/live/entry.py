"""Events as people type them: ``KEY=VALUE``, typed as the facts of the set are."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Literal

import orjson

from carepolicy.engine import codes
from carepolicy.policy.likeness import did_you_mean
from carepolicy.store.contract import storable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.machine.program import Bundle
    from carepolicy.store.live.operation import Done

YES, NO = frozenset(("true", "yes", "on", "1")), frozenset(("false", "no", "off", "0"))


class NotTyped(ValueError):
    """A KEY=VALUE that is none; the message says why, without the value."""


def event_line(
    bundle: Bundle,
    type_: str,
    subject: str,
    given: Iterable[str],
    when: str | None,
    identity: str | None,
    source: str,
    told: dict[str, Any],
) -> bytes:
    """The event as a line of JSON, with the facts that were ``given`` as texts and ``told`` as they are. Without
    ``identity`` it gets an id of its own; without ``when`` it says no time. Raises ``NotTyped``."""
    data = {**told, **dict(_typed(bundle, type_, each) for each in given)}
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": identity or str(uuid.uuid4()),
        "source": source,
        "type": type_,
        "subject": subject,
    }
    if when is not None:
        event["time"] = when
    if data:
        event["data"] = data
    return orjson.dumps(event)


def facts_of(text: bytes) -> dict[str, Any]:
    """Facts by their names, as a JSON object tells them. Raises ``NotTyped``, without any of the text."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        raise NotTyped('standard input is no JSON object of facts, such as {"customer.email": "x@example.org"}')
    return told


def completed(line: bytes | str, source: str) -> tuple[bytes | str, str | None, str | None]:
    """The line of an event, with ``source`` and an id of its own where it names none; its source and id."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line, None, None  # as the intake will find
    if not isinstance(event, dict):
        return line, None, None
    whole = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, **event}
    told = [each if isinstance(each, str) else None for each in (whole["source"], whole["id"])]
    return (line if whole.keys() == event.keys() else orjson.dumps(whole)), told[0], told[1]


def fate_of(source: str | None, identity: str | None, done: Done) -> Literal["taken", "held", "duplicate", "refused"]:
    """What became of one event that came alone."""
    if done.held:
        return "held"
    if codes.DUPLICATE in done.tally:
        return "duplicate"
    if done.refused or (storable(source or ""), storable(identity or "")) in done.untaken:
        return "refused"
    return "taken"


def _typed(bundle: Bundle, type_: str, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise NotTyped(f'"{name}" is no KEY=VALUE; write it as customer.tier=gold')
    fact = bundle.facts.get(name)
    if fact is None:
        known = bundle.carries.get(type_) or tuple(bundle.facts)
        if type_ == "carepolicy.merge" and name == "into":
            return name, value
        raise NotTyped(f'there is no fact "{name}"; {did_you_mean(name, known) or "organisation.yaml declares facts"}')
    if value == "":
        return name, None
    if fact.type == "list":
        return name, [_value(name, fact.item or "text", each) for each in value.split(",")]
    return name, _value(name, fact.type, value)


def _value(name: str, kind: str, value: str) -> Any:
    if kind == "flag":
        if value.lower() in YES:
            return True
        if value.lower() in NO:
            return False
        raise NotTyped(f"{name}: true or false is expected")
    if kind == "number":
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            raise NotTyped(f"{name}: a number is expected") from None
    return value
