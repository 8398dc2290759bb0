"""Message templates, compiled once: literal parts and placeholders, rendered in a customer's language.

A placeholder is the name of a fact, or one of ``{case}`` (the subject), ``{organisation}``,
``{flow.title}``, ``{settings.NAME}``, ``{channel.NAME.address}``, ``{channel.NAME.hours}``,
``{clock.NAME.limit}`` and ``{clock.NAME.due}``. What is known beforehand is filled in when a template is
compiled. One that names nothing stays as it is written; the check finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from carepolicy.businesstime.wording import limit_in_words
from carepolicy.machine.formats import value_in_words
from carepolicy.policy.placeholders import Placeholder, PlaceholderError, pieces
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime.limit import Limit
    from carepolicy.policy.model import Fact, Flow, Policies

MASK = "***"


class Values(Protocol):
    """What a live case tells of itself to a message."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Values by the facts' dotted names."""

    @property
    def subject(self) -> str:
        """What the case is about."""

    def clock_limit(self, name: str) -> Limit | None:
        """The limit of a clock that holds now."""

    def clock_due(self, name: str) -> int | None:
        """When a clock falls due, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder whose value is known only for a live case. ``kind``: fact, subject, limit or due."""

    kind: str
    name: str
    type: str = ""
    currency: str | None = None
    private: bool = False


Part = str | Slot


@dataclass(frozen=True, slots=True)
class Template:
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
        return "".join(part if isinstance(part, str) else self._value(part, values, reveal) for part in parts)

    def _value(self, slot: Slot, values: Values, reveal: bool) -> str:
        if slot.kind == "subject":
            return values.subject
        if slot.kind == "limit":
            limit = values.clock_limit(slot.name)
            return "" if limit is None else limit_in_words(limit, self.language)
        if slot.kind == "due":
            due = values.clock_due(slot.name)
            return "" if due is None else value_in_words(due, "time", None, self.language, self.timezone)
        value = values.facts.get(slot.name)
        if value is None:
            return ""
        if slot.private and not reveal:
            return MASK
        return value_in_words(value, slot.type, slot.currency, self.language, self.timezone)


def compile_templates(policies: Policies, flow: Flow) -> dict[str, dict[str, Template]]:
    """The templates that a flow sends, by name and then by language."""
    names = sorted({name for effects in effects_of(flow) for name in effects.send})
    return {
        name: {
            language: _template(policies, flow, language, texts[name].subject, texts[name].text)
            for language, texts in policies.messages.items()
            if name in texts
        }
        for name in names
    }


def compile_text(policies: Policies, flow: Flow, text: str) -> dict[str, Template]:
    """The text of an internal notice, in the organisation's first language; nothing where there is none."""
    language = policies.organisation.languages[0]
    return {language: _template(policies, flow, language, "", text)} if text else {}


def _template(policies: Policies, flow: Flow, language: str, subject: str, text: str) -> Template:
    timezone = policies.organisation.timezone
    return Template(
        language, timezone, _parts(policies, flow, language, subject), _parts(policies, flow, language, text)
    )


def _parts(policies: Policies, flow: Flow, language: str, text: str) -> tuple[Part, ...]:
    try:
        found = pieces(text)
    except PlaceholderError:
        return (text,)
    parts: list[Part] = []
    for piece in found:
        part = _part(policies, flow, language, piece) if isinstance(piece, Placeholder) else piece
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def _part(policies: Policies, flow: Flow, language: str, piece: Placeholder) -> Part:
    organisation, name = policies.organisation, piece.name
    fact: Fact | None = organisation.facts.get(name)
    if fact is not None:
        return Slot("fact", name, fact.type, fact.currency, fact.private)
    if name == "case":
        return Slot("subject", "")
    if name == "organisation":
        return organisation.name
    if name == "flow.title":
        return flow.title
    first, _, rest = name.partition(".")
    middle, _, last = rest.partition(".")
    if first == "settings" and rest in organisation.settings:
        return _setting(organisation.settings[rest].value, language, organisation.timezone)
    if first == "clock" and middle in flow.clocks and last in ("limit", "due"):
        return Slot(last, middle)
    if first == "channel" and middle in organisation.channels and last in ("address", "hours"):
        return _channel(policies, middle, last, language)
    return "{" + name + "}"


def _setting(value: Any, language: str, timezone: str) -> str:
    from carepolicy.businesstime import LimitError

    if isinstance(value, str):
        try:
            return limit_in_words(value, language)
        except LimitError:
            return value
    kind = "flag" if isinstance(value, bool) else "date" if isinstance(value, date) else "number"
    return value_in_words(value, kind, None, language, timezone)


def _channel(policies: Policies, name: str, what: str, language: str) -> str:
    from carepolicy.machine.formats import hours_in_words

    organisation = policies.organisation
    channel = organisation.channels[name]
    if what == "address":
        return channel.address
    calendar = organisation.calendars.get(channel.calendar or organisation.calendar or "")
    return "" if calendar is None else hours_in_words(calendar.hours, language)
