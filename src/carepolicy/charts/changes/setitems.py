"""The parts of a set that its flows share, as items: roles, calendars, settings, messages and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.charts.changes.items import Called, Item, Key, aspects_of, text
from carepolicy.charts.labels import labels_of
from carepolicy.charts.text import clean, humanised
from carepolicy.charts.words import fact_title, limit_told
from carepolicy.machine.locales import hours_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from carepolicy.charts.changes.items import Aspect, Side
    from carepolicy.policy.language.keys import Mapped
    from carepolicy.policy.model import CalendarSpec, Organisation, Role


def set_items(side: Side) -> Iterator[tuple[Key, Item]]:
    """Everything of a set but its flows, by the order of the files."""
    organisation = side.policies.organisation
    called = _called(side)
    for key, title, part, own in _parts(side, organisation):
        yield key, Item(key[0], title, aspects={**aspects_of(part, called), **own})
    for watch in organisation.watches.values():
        told = f"{watch.reaches} × {humanised(watch.count)}, {called.limit(watch.within)}"
        counted = (watch.count, watch.by, watch.reaches, watch.within, watch.raises)
        yield ("watch", watch.name), Item("watch", humanised(watch.name), aspects={"counts": (counted, told)})
    for term, meaning in organisation.glossary.items():
        yield ("term", term), Item("term", clean(term), aspects={"text": text(meaning)})
    for language, messages in side.policies.messages.items():
        for name, message in messages.items():
            title = f"{clean(message.subject) or humanised(name)} ({language})"
            apologises = (message.apologises, labels_of(side.language).yes if message.apologises else "")
            aspects = {**aspects_of(message, called), "apologises": apologises}
            yield ("message", language, name), Item("message", title, aspects=aspects)


def _called(side: Side) -> Called:
    """What the things are called that are named outside of flows."""
    organisation = side.policies.organisation

    def title(things: Mapping[str, Role] | Mapping[str, CalendarSpec]) -> Callable[[str], str]:
        return lambda name: _titled(things[name].title, name) if name in things else humanised(name)

    titles = {
        "role": title(organisation.roles),
        "calendar": title(organisation.calendars),
        "fact": lambda name: fact_title(organisation, name),
    }
    return Called(titles, lambda text: limit_told(organisation, text, side.language))


def _parts(side: Side, organisation: Organisation) -> Iterator[tuple[Key, str, Mapped, dict[str, Aspect]]]:
    """Each part with its key and title, and what there is more to tell of it than its keys say by themselves."""
    whole: dict[str, Aspect] = {
        "keep": (organisation.keep, limit_told(organisation, organisation.keep or "", side.language)),
        "retention": _retention(organisation, side),
        "card": _no_card(side, organisation.card_never),
    }
    yield ("organisation",), clean(organisation.name), organisation, whole
    for role in organisation.roles.values():
        authority = (role.authority, "" if role.authority is None else str(role.authority))
        yield ("role", role.name), _titled(role.title, role.name), role, {"authority": authority}
    for spec in organisation.calendars.values():
        yield ("calendar", spec.name), _titled(spec.title, spec.name), spec, _calendar(side, spec)
    for channel in organisation.channels.values():
        yield ("channel", channel.name), _titled(channel.title, channel.name), channel, {}
    for setting in organisation.settings.values():
        value = (setting.value, limit_told(organisation, str(setting.value), side.language))
        yield ("setting", setting.name), humanised(setting.name), setting, {"value": value}
    for name, fact in organisation.facts.items():
        own: dict[str, Aspect] = {
            "type": ((fact.type, fact.item, fact.of, fact.currency), " ".join([fact.type, *fact.of])),
            "private": (fact.private, "private" if fact.private else ""),
            "card": _no_card(side, fact.card_never),
            "default": (str(fact.default), "" if fact.default is None or fact.private else str(fact.default)),
        }
        yield ("fact", name), fact_title(organisation, name), fact, own


def _no_card(side: Side, never: bool) -> Aspect:
    """Whether what looks like a card number is masked."""
    labels = labels_of(side.language)
    return never, labels.no if never else labels.yes


def _retention(organisation: Organisation, side: Side) -> Aspect:
    """What else is kept how long."""
    said = {name: limit_told(organisation, limit, side.language) for name, limit in organisation.retention.items()}
    return tuple(said.items()), ", ".join(f"{humanised(name)}: {limit}" for name, limit in said.items())


def _calendar(side: Side, spec: CalendarSpec) -> dict[str, Aspect]:
    days = spec.holidays
    public = "" if days is None else " ".join([days.country, days.subdivision or ""]).strip()
    own = () if days is None else (days.except_, days.also)
    closed = [str(first) if first == last else f"{first} – {last}" for first, last in spec.closed]
    closed += [str(day) for day in (days.also if days is not None else ())]
    return {
        "hours": (spec.hours, hours_in_words(spec.hours, side.language)),
        "holidays": ((public, own), public),
        "closed": (spec.closed, ", ".join(closed)),
        "open_days": (tuple(spec.open.items()), ", ".join(str(day) for day in spec.open)),
        "imports": (tuple((each.path, each.text) for each in spec.imports), ", ".join(e.path for e in spec.imports)),
    }


def _titled(title: str, name: str) -> str:
    return clean(title) or humanised(name)
