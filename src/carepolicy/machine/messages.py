"""Message templates: compiled once to literal pieces and placeholders, then rendered in a customer's language.

A placeholder is the name of a fact, or one of ``{case}`` (the subject), ``{organisation}``,
``{flow.title}``, ``{settings.NAME}``, ``{channel.NAME.address}``, ``{channel.NAME.hours}``,
``{clock.NAME.limit}``, ``{clock.NAME.due}`` and ``{message.NAME}``, the text of another
message. What is known beforehand is filled in when a template is
compiled. One that names nothing stays as it is written; the check finds it. ``{customer.name or "customer"}`` says
what stands there where the first has no value. In a language that is written from right
to left each value is isolated (U+2068, U+2069), or else a number or a name beside it would change its place.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from carepolicy.businesstime.words import limit_in_words
from carepolicy.machine.locales import (
    hours_in_words,
    is_right_to_left,
    locale_in,
    time_in_words,
    value_in_words,
)
from carepolicy.policy.characters import isolated
from carepolicy.policy.limit import Limit, LimitError
from carepolicy.policy.node import in_words
from carepolicy.policy.region import region_of
from carepolicy.translations import Own, msg, translation_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.policy.model import Fact, Flow, Message, Policies, Tell
    from carepolicy.policy.placeholders import Placeholder


MASK = "***"
"""What stands in messages and records in place of a private value."""

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
            said = _sentence_of(slot.kind if due is not None else f"{slot.kind}_undated", self.language, self.own)
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


def compile_templates(policies: Policies, flow: Flow) -> dict[str, dict[str, Template]]:
    """The templates that a flow sends, by name and then by language."""
    from carepolicy.policy.phrases import in_language
    from carepolicy.policy.strata import effects_of

    names = sorted({name for effects in effects_of(flow) for name in effects.send})
    return {
        name: {
            language: _template(
                in_language(policies, language), flow, language, texts[name].subject, _whole(texts[name].text, texts)
            )
            for language, texts in policies.messages.items()
            if name in texts
        }
        for name in names
    }


def _whole(text: str, texts: Mapping[str, Message]) -> str:
    """The text of a message with those that it takes in."""
    from carepolicy.policy.placeholders import with_included

    return with_included(text, lambda name: texts[name].text if name in texts else None)


def compile_notice(policies: Policies, flow: Flow, tell: Tell, state: str, trigger: str | None) -> dict[str, Template]:
    """The text of an internal notice in the language of the role that is told; without one it tells the title of the
    ``state``, and what the notice is told on."""
    from carepolicy.policy.phrases import in_language, said_at

    role = policies.organisation.roles.get(tell.role)
    language = (role.language if role is not None else None) or policies.organisation.languages[0]
    spoken = in_language(policies, language)
    flow = spoken.flows.get(flow.name, flow)
    template = _template(
        spoken, flow, language, "", said_at(spoken, ("flows", flow.name, *tell.at.path, "say"), tell.say)
    )
    if not tell.say:
        said = notice_of(flow, language, flow.states[state].title, trigger, policies.own_words)
        template = replace(template, text=said)
    return {language: template}


def _template(policies: Policies, flow: Flow, language: str, subject: str, text: str) -> Template:
    organisation, flow = policies.organisation, policies.flows.get(flow.name, flow)
    locale = locale_in(language, region_of(organisation))
    return Template(
        language,
        locale,
        organisation.timezone,
        any(each.timezone != organisation.timezone for each in organisation.calendars.values()),
        _parts(policies, flow, locale, subject),
        _parts(policies, flow, locale, text),
        policies.own_words,
    )


def _parts(policies: Policies, flow: Flow, language: str, text: str) -> tuple[Piece, ...]:
    from carepolicy.policy.placeholders import Placeholder, PlaceholderError, pieces

    try:
        found = pieces(text)
    except PlaceholderError:
        return (text,)
    parts: list[Piece] = []
    apart = is_right_to_left(language)
    for piece in found:
        if not isinstance(piece, Placeholder):
            part: Piece = piece
        else:
            part = _between_braces(policies, flow, language, piece)
            if apart:
                part = isolated(part) if isinstance(part, str) else replace(part, isolated=True)
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def _between_braces(policies: Policies, flow: Flow, language: str, piece: Placeholder) -> Piece:
    """The first of several names whose value is known beforehand ends what is tried after it."""
    tried: list[Piece] = []
    for named in piece.names:
        tried.append(_part(policies, flow, language, named.name, named.case))
        if tried[-1] and isinstance(tried[-1], str):
            break
    else:
        tried += [] if piece.otherwise is None else [piece.otherwise]
    first, *others = [each for each in tried if each] or [""]
    return first if isinstance(first, str) else replace(first, others=tuple(others))


def _part(policies: Policies, flow: Flow, language: str, name: str, case: str) -> Piece:
    organisation = policies.organisation
    fact: Fact | None = organisation.facts.get(name)
    if fact is not None:
        return Slot("fact", name, fact.item or fact.type, fact.currency, fact.private, fact.words)
    if name == "case":
        return Slot("subject", "")
    if name == "organisation":
        return organisation.name
    if name == "flow.title":
        return flow.title
    first, _, rest = name.partition(".")
    middle, _, last = rest.partition(".")
    if first == "settings" and rest in organisation.settings:
        return _setting(policies, rest, language, case)
    if first == "clock" and middle in flow.clocks and last in ("limit", "due"):
        return Slot(last, middle, case=case, words=_facts_in_limits(policies, flow, middle) if last == "limit" else ())
    if first == "channel" and middle in organisation.channels and last in ("address", "hours"):
        return _channel(policies, middle, last, language)
    return "{" + name + "}"


def _facts_in_limits(policies: Policies, flow: Flow, clock: str) -> tuple[tuple[str, str], ...]:
    """The titles of facts on which limits of a clock hang that are the first to fall due of several."""
    facts = policies.organisation.facts
    parts = (part for choice in flow.clocks[clock].limits for part in choice.limit.parts)
    names = dict.fromkeys(name for part in parts for name in policies.organisation.limit(part).reads)
    return tuple((name, facts[name].title or in_words(name.partition(".")[2])) for name in names if name in facts)


def _setting(policies: Policies, name: str, language: str, case: str) -> str:
    organisation, own = policies.organisation, policies.own_words
    value: Any = organisation.settings[name].told
    if isinstance(value, str):
        try:
            return limit_in_words(value, language, case, own)
        except LimitError:
            return value
    kind = "flag" if isinstance(value, bool) else "date" if isinstance(value, date) else "number"
    return value_in_words(value, kind, None, language, organisation.timezone, own)


def _channel(policies: Policies, name: str, what: str, language: str) -> str:
    organisation = policies.organisation
    channel = organisation.channels[name]
    if what == "address":
        return channel.address
    calendar = organisation.calendars.get(channel.calendar or organisation.calendar or "")
    return "" if calendar is None else hours_in_words(calendar.hours, language, calendar.seasons)


def notice_of(flow: Flow, language: str, state: str, trigger: str | None, own: Own = ()) -> tuple[Piece, ...]:
    """The sentences of a notice: ``state`` is the title of that in which the case is then, ``trigger`` what it is told
    on, if that is an event or a clock's."""
    before, _, after = _sentence_of("case", language, own).partition("{case}")
    parts: list[Piece] = [before.format(flow=flow.title), Slot("subject", ""), after.format(state=state)]
    name, _, what = (trigger or "").partition(".")
    if trigger is not None and trigger in flow.events:
        parts[-1] = f"{parts[-1]} {_sentence(flow.events[trigger].title)}"
    elif name in flow.clocks and what == "met":
        parts[-1] = f"{parts[-1]} {_sentence_of('met', language, own).format(clock=flow.clocks[name].title)}"
    elif name in flow.clocks and what in ("late", "warned"):
        parts[-1] = f"{parts[-1]} "
        parts.append(Slot(what, name, flow.clocks[name].title))
    return tuple(parts)


def _sentence_of(name: str, language: str, own: Own) -> str:
    return translation_of(language, own).gettext(SENTENCES[name])


def _sentence(title: str) -> str:
    return title if title.endswith((".", "!", "?", "…", "。")) else f"{title}."
