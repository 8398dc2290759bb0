"""Messages are compiled once to templates (``machine/template.py``): literal pieces and placeholders.

A placeholder is the name of a fact, or one of ``{case}`` (the subject), ``{organisation}``,
``{flow.title}``, ``{settings.NAME}``, ``{channel.NAME.address}``, ``{channel.NAME.hours}``,
``{clock.NAME.limit}``, ``{clock.NAME.due}`` and ``{message.NAME}``, the text of another
message. What is known beforehand is filled in when a template is
compiled. One that names nothing stays as it is written; the check finds it. ``{customer.name or "customer"}`` says
what stands there where the first has no value.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from carepolicy.businesstime.words import limit_in_words
from carepolicy.machine.locales import hours_in_words, is_right_to_left, locale_in, value_in_words
from carepolicy.machine.template import Piece, Slot, Template, sentence_of
from carepolicy.policy.characters import isolated
from carepolicy.policy.limit import LimitError
from carepolicy.policy.node import in_words
from carepolicy.policy.region import region_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Fact, Flow, Message, Policies, Tell
    from carepolicy.policy.placeholders import Placeholder
    from carepolicy.translations import Own


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
    before, _, after = sentence_of("case", language, own).partition("{case}")
    parts: list[Piece] = [before.format(flow=flow.title), Slot("subject", ""), after.format(state=state)]
    name, _, what = (trigger or "").partition(".")
    if trigger is not None and trigger in flow.events:
        parts[-1] = f"{parts[-1]} {_sentence(flow.events[trigger].title)}"
    elif name in flow.clocks and what == "met":
        parts[-1] = f"{parts[-1]} {sentence_of('met', language, own).format(clock=flow.clocks[name].title)}"
    elif name in flow.clocks and what in ("late", "warned"):
        parts[-1] = f"{parts[-1]} "
        parts.append(Slot(what, name, flow.clocks[name].title))
    return tuple(parts)


def _sentence(title: str) -> str:
    return title if title.endswith((".", "!", "?", "…", "。")) else f"{title}."
