"""Message templates are compiled once: to literal parts, and placeholders for what only a live case knows.

A placeholder is the name of a fact, or one of ``{case}`` (the subject), ``{organisation}``,
``{flow.title}``, ``{settings.NAME}``, ``{channel.NAME.address}``, ``{channel.NAME.hours}``,
``{clock.NAME.limit}`` and ``{clock.NAME.due}``. What is known beforehand is filled in when a template is
compiled. One that names nothing stays as it is written; the check finds it. ``{customer.name or "customer"}`` says
what stands there where the first has no value. In a language that is written from right
to left each value is isolated (U+2068, U+2069), or else a number or a name beside it would change its place.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.wording import limit_in_words
from carepolicy.machine.formats import is_right_to_left, locale_in, region_of, value_in_words
from carepolicy.machine.notices import notice_of
from carepolicy.machine.templates import Part, Slot, Template
from carepolicy.policy.placeholders import Placeholder, PlaceholderError, pieces
from carepolicy.policy.strata import effects_of
from carepolicy.unseen import isolated

if TYPE_CHECKING:
    from carepolicy.policy.model import Fact, Flow, Policies


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


def compile_notice(policies: Policies, flow: Flow, text: str, state: str, trigger: str | None) -> dict[str, Template]:
    """The text of an internal notice, in the organisation's first language; without one it tells the title of the
    ``state``, and what the notice is told on."""
    language = policies.organisation.languages[0]
    template = _template(policies, flow, language, "", text)
    return {language: template if text else template._replace(text=notice_of(flow, language, state, trigger))}


def _template(policies: Policies, flow: Flow, language: str, subject: str, text: str) -> Template:
    organisation = policies.organisation
    locale = locale_in(language, region_of(organisation))
    return Template(
        language,
        locale,
        organisation.timezone,
        any(each.timezone != organisation.timezone for each in organisation.calendars.values()),
        _parts(policies, flow, locale, subject),
        _parts(policies, flow, locale, text),
    )


def _parts(policies: Policies, flow: Flow, language: str, text: str) -> tuple[Part, ...]:
    try:
        found = pieces(text)
    except PlaceholderError:
        return (text,)
    parts: list[Part] = []
    apart = is_right_to_left(language)
    for piece in found:
        if not isinstance(piece, Placeholder):
            part: Part = piece
        else:
            part = _between_braces(policies, flow, language, piece)
            if apart:
                part = isolated(part) if isinstance(part, str) else part._replace(isolated=True)
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def _between_braces(policies: Policies, flow: Flow, language: str, piece: Placeholder) -> Part:
    """The first of several names whose value is known beforehand ends what is tried after it."""
    tried: list[Part] = []
    for named in piece.names:
        tried.append(_part(policies, flow, language, named.name))
        if tried[-1] and isinstance(tried[-1], str):
            break
    else:
        tried += [] if piece.otherwise is None else [piece.otherwise]
    first, *others = [each for each in tried if each] or [""]
    return first if isinstance(first, str) else first._replace(others=tuple(others))


def _part(policies: Policies, flow: Flow, language: str, name: str) -> Part:
    organisation = policies.organisation
    fact: Fact | None = organisation.facts.get(name)
    if fact is not None:
        return Slot("fact", name, fact.item or fact.type, fact.currency, fact.private)
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
