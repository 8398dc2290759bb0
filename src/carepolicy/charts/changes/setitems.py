"""The parts of a set that its flows share, as items: roles, calendars, settings, messages and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.charts.changes.items import Item, Key, text, texts
from carepolicy.charts.labels import labels_of
from carepolicy.charts.text import clean, humanised
from carepolicy.charts.words import fact_title, limit_told
from carepolicy.machine.locales import hours_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.charts.changes.items import Aspect, Side
    from carepolicy.policy.model import CalendarSpec, Organisation, Role


def set_items(side: Side) -> Iterator[tuple[Key, Item]]:
    """Everything of a set but its flows, by the order of the files."""
    organisation = side.policies.organisation
    yield ("organisation",), Item("organisation", clean(organisation.name), aspects=_organisation(side, organisation))
    for role in organisation.roles.values():
        yield ("role", role.name), Item("role", _titled(role.title, role.name), aspects=_role(organisation, role))
    for spec in organisation.calendars.values():
        yield ("calendar", spec.name), Item("calendar", _titled(spec.title, spec.name), aspects=_calendar(side, spec))
    for channel in organisation.channels.values():
        channel_aspects = {
            "title": text(channel.title),
            "address": text(channel.address),
            "calendar": _calendar_name(organisation, channel.calendar),
            "to": (channel.to, fact_title(organisation, channel.to) if channel.to else ""),
        }
        yield ("channel", channel.name), Item("channel", _titled(channel.title, channel.name), aspects=channel_aspects)
    for setting in organisation.settings.values():
        value = {"value": (setting.value, limit_told(organisation, str(setting.value), side.language))}
        yield ("setting", setting.name), Item("setting", humanised(setting.name), aspects=value)
    for name, fact in organisation.facts.items():
        yield ("fact", name), Item("fact", fact_title(organisation, name), aspects={
            "title": text(fact.title),
            "type": ((fact.type, fact.item, fact.of, fact.currency), " ".join([fact.type, *fact.of])),
            "private": (fact.private, "private" if fact.private else ""),
            "card": _no_card(side, fact.card_never),
            "default": (str(fact.default), "" if fact.default is None or fact.private else str(fact.default)),
        })  # fmt: skip
    for watch in organisation.watches.values():
        told = f"{watch.reaches} × {humanised(watch.count)}, {limit_told(organisation, watch.within, side.language)}"
        counted = (watch.count, watch.by, watch.reaches, watch.within, watch.raises)
        yield ("watch", watch.name), Item("watch", humanised(watch.name), aspects={"counts": (counted, told)})
    for term, meaning in organisation.glossary.items():
        yield ("term", term), Item("term", clean(term), aspects={"text": text(meaning)})
    for language, messages in side.policies.messages.items():
        for name, message in messages.items():
            title = f"{clean(message.subject) or humanised(name)} ({language})"
            apologises = (message.apologises, labels_of(side.language).yes if message.apologises else "")
            aspects = {"subject": text(message.subject), "text": text(message.text), "apologises": apologises}
            yield ("message", language, name), Item("message", title, aspects=aspects)


def _organisation(side: Side, organisation: Organisation) -> dict[str, Aspect]:
    return {
        "title": text(organisation.name),
        "timezone": text(organisation.timezone),
        "languages": texts(organisation.languages),
        "calendar": _calendar_name(organisation, organisation.calendar),
        "keep": (organisation.keep, limit_told(organisation, organisation.keep or "", side.language)),
        "retention": _retention(organisation, side),
        "palette": texts(organisation.palette),
        "paper": text(organisation.paper),
        "card": _no_card(side, organisation.card_never),
    }


def _no_card(side: Side, never: bool) -> Aspect:
    """Whether what looks like a card number is masked."""
    labels = labels_of(side.language)
    return never, labels.no if never else labels.yes


def _retention(organisation: Organisation, side: Side) -> Aspect:
    """What else is kept how long."""
    said = {name: limit_told(organisation, limit, side.language) for name, limit in organisation.retention.items()}
    return tuple(said.items()), ", ".join(f"{humanised(name)}: {limit}" for name, limit in said.items())


def _role(organisation: Organisation, role: Role) -> dict[str, Aspect]:
    deputy = organisation.roles.get(role.deputy or "")
    return {
        "title": text(role.title),
        "people": texts(role.people),
        "deputy": (role.deputy, _titled(deputy.title, deputy.name) if deputy else humanised(role.deputy or "")),
        "calendar": _calendar_name(organisation, role.calendar),
        "authority": (role.authority, "" if role.authority is None else str(role.authority)),
        "may_see": (role.may_see, ", ".join(fact_title(organisation, name) for name in role.may_see)),
        "colour": text(role.colour),
    }


def _calendar(side: Side, spec: CalendarSpec) -> dict[str, Aspect]:
    days = spec.holidays
    public = "" if days is None else " ".join([days.country, days.subdivision or ""]).strip()
    own = () if days is None else (days.except_, days.also)
    closed = [str(first) if first == last else f"{first} – {last}" for first, last in spec.closed]
    closed += [str(day) for day in (days.also if days is not None else ())]
    return {
        "title": text(spec.title),
        "hours": (spec.hours, hours_in_words(spec.hours, side.language)),
        "timezone": text(spec.timezone),
        "holidays": ((public, own), public),
        "closed": (spec.closed, ", ".join(closed)),
        "open_days": (tuple(spec.open.items()), ", ".join(str(day) for day in spec.open)),
        "imports": (tuple((each.path, each.text) for each in spec.imports), ", ".join(e.path for e in spec.imports)),
    }


def _calendar_name(organisation: Organisation, name: str | None) -> Aspect:
    spec = organisation.calendars.get(name or "")
    return name, _titled(spec.title, spec.name) if spec is not None else humanised(name or "")


def _titled(title: str, name: str) -> str:
    return clean(title) or humanised(name)
