"""What is compared: the parts of a policy set, each as named aspects with a value and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from carepolicy.charts.labels import labels_of
from carepolicy.charts.text import clean, humanised
from carepolicy.charts.words import Words, fact_title, limit_told, titled
from carepolicy.machine.locales import closing_in_words, hours_in_words, season_in_words
from carepolicy.policy.language.keys import Mapped, form_of, in_order
from carepolicy.policy.language.shapes import Array, Several
from carepolicy.policy.language.shapes import Key as LanguageKey
from carepolicy.policy.phrases import outcome_of
from carepolicy.policy.placeholders import filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.charts.labels import Labels
    from carepolicy.policy.model import (
        CalendarSpec,
        Clock,
        Effects,
        Event,
        Flow,
        Organisation,
        Phase,
        Policies,
        Role,
        State,
        Transition,
    )


Key = tuple[str, ...]
"""Names a part in both sets: its kind first, then whatever it stands in."""


class Aspect:
    """A value that is compared, and the words in which it is told ("" for nothing). Most aspects of two sets are alike:
    words that cost something are given as a function, which is asked only of those that differ."""

    __slots__ = ("_words", "value")

    def __init__(self, value: Any, words: str | Callable[[], str]) -> None:
        self.value = value
        self._words = words

    @property
    def words(self) -> str:
        """The words in which the value is told."""
        return self._words if isinstance(self._words, str) else self._words()


NOTHING = Aspect(None, "")


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a set. ``flow`` and ``state`` say where it stands ("" for nowhere of that kind); ``common``: it is said
    once for all flows, and this is how one takes it up."""

    kind: str
    title: str
    flow: str = ""
    state: str = ""
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    runs_in: tuple[str, ...] = ()
    common: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sets, and how its parts are called in the language of the comparison.

    ``renamed`` maps names of its states, by flow, to what the other set calls them.
    """

    policies: Policies
    language: str
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def labels(self) -> Labels:
        """The charts' words."""
        return labels_of(self.language, self.policies.own_words)

    def words(self, flow: Flow) -> Words:
        """The charts' words for one flow of this side."""
        return Words(self.policies, flow, self.language)

    def state(self, flow: str, name: str) -> str:
        """The name of a state as the newer set has it."""
        return self.renamed.get(flow, {}).get(name, name)


@dataclass(frozen=True, slots=True)
class Called:
    """How the things that keys name are called, by what they are ("role", "fact" …), and how a limit is told."""

    titles: Mapping[str, Callable[[str], str]]
    limit: Callable[[str], str]
    state: Callable[[str], str] = str
    """The name under which a state is compared."""

    def aspect(self, key: LanguageKey, value: Any) -> Aspect:
        """What a key says: what is compared, and its words."""
        shape = key.shape
        what = shape.entry.what if isinstance(shape, (Several, Array)) else shape.what
        if what == "limit":
            said = self.limit(value) if value else ""
            return Aspect(said, said)
        title = self.titles.get(what)
        if title is None:
            return texts(value) if isinstance(value, tuple) else text(None if value is None else str(value))
        if isinstance(value, tuple):
            compared = tuple(map(self.state, value)) if what == "state" else value
            return Aspect(compared, lambda: ", ".join(map(title, value)))
        return Aspect(value, (lambda: title(value)) if value else "")


def aspects_of(thing: Mapped, called: Called) -> dict[str, Aspect]:
    """What the keys of a part say, in the order of a file, as far as that is no more than texts, names and limits;
    whoever knows more of the other keys puts that in their place."""
    values = ((key, getattr(thing, key.attribute)) for key in _keys_told(type(thing)))
    return {key.aspect: called.aspect(key, value) for key, value in values if _is_plain(value)}


_KEYS_TOLD: dict[type[Mapped], tuple[LanguageKey, ...]] = {}


def _keys_told(kind: type[Mapped]) -> tuple[LanguageKey, ...]:
    """The keys of a mapping of which a comparison tells, in the order of a file: worked out once."""
    if kind not in _KEYS_TOLD:
        form = form_of(kind)
        keys = {key.name: key for key in form.keys if key.attribute in form.readers}
        _KEYS_TOLD[kind] = tuple(key for name in in_order(keys, keys) if (key := keys[name]).told)
    return _KEYS_TOLD[kind]


def _is_plain(value: Any) -> bool:
    """Whether a value is a text, a name, a number or nothing, or a list of names or texts."""
    if isinstance(value, tuple):
        return all(isinstance(each, str) for each in value)
    return not isinstance(value, (Mapping, Mapped))


def text(value: str | None) -> Aspect:
    """An aspect that is a text for people."""
    said = clean(value or "")
    return Aspect(said, said)


def texts(values: tuple[str, ...]) -> Aspect:
    """An aspect that is a list of texts for people."""
    said = " / ".join(clean(value) for value in values)
    return Aspect(said, said)


LIMIT = "limit:"
"""Begins the aspect of a limit; the condition under which it holds follows, in words."""


def called_in(side: Side, words: Words) -> Called:
    """What the things are called that a flow names."""

    def quoted(title: Callable[[str], str]) -> Callable[[str], str]:
        return lambda name: words.labels.quoted.format(title(name))

    channels = side.policies.organisation.channels
    titles: dict[str, Callable[[str], str]] = {
        "role": words.role,
        "fact": words.fact,
        "event": words.event,
        "calendar": humanised,
        "channel": lambda name: clean(channels[name].title) if name in channels else humanised(name),
        "waiter": humanised,
        "state": quoted(words.state),
        "message": quoted(words.message),
        "assignee": words.assigned,
        "expression": words.worked_out,
    }
    return Called(titles, words.limit, lambda name: side.state(words.flow.name, name))


def flow_item(side: Side, flow: Flow) -> Item:
    """The flow itself."""
    words = side.words(flow)
    valid = flow.valid_from.isoformat() if flow.valid_from is not None else ""
    aspects = {
        **aspects_of(flow, called_in(side, words)),
        "valid_from": Aspect(valid, valid),
        "promise": text(flow.promise),
        "order": Aspect(flow.order, ", ".join(flow.order)),
        "common": Aspect(flow.takes_common, words.labels.yes if flow.takes_common else words.labels.no),
        "moves_to": Aspect(
            tuple(flow.moves_to.items()),
            ", ".join(f"{humanised(gone)} → {words.state(to)}" for gone, to in flow.moves_to.items()),
        ),
        **{f"phases:{phase.name}": _phase(side, words, phase) for phase in flow.phases.values()},
    }
    return Item("flow", words.flow_title(flow.name), flow.name, "", aspects)


def _phase(side: Side, words: Words, phase: Phase) -> Aspect:
    """A phase, by its title and its steps."""
    states = tuple(side.state(words.flow.name, name) for name in phase.states)
    title = words.labels.quoted.format(clean(phase.title) or humanised(phase.name))
    return Aspect((clean(phase.title), states), lambda: f"{title} ({', '.join(map(words.state, phase.states))})")


def event_item(side: Side, flow: Flow, event: Event) -> Item:
    """What may happen in a flow."""
    words = side.words(flow)
    carried = (*event.required, *event.optional)
    aspects = {
        **aspects_of(event, called_in(side, words)),
        "carries": Aspect((event.required, event.optional), lambda: ", ".join(map(words.fact, carried))),
    }
    common = event.at.file != flow.at.file
    return Item("event", words.event(event.name), flow.name, "", aspects, common=common)


def clock_item(side: Side, flow: Flow, clock: Clock) -> Item:
    """A promise in time."""
    words = side.words(flow)
    share = "" if clock.target is None else f"{clock.target * 100:g} %"
    rolls = tuple(humanised(choice.rolls or "") for choice in clock.limits)
    again = words.labels.again_continue if clock.again == "continue" else words.labels.again_restart
    aspects = {
        **_limits(words, clock),
        **aspects_of(clock, called_in(side, words)),
        "target": Aspect(clock.target, share),
        "again": Aspect(clock.again, again),
        "warn_at": texts(tuple(words.warning(each) for each in clock.warn_at)),
        "rolls": texts(rolls if any(rolls) else ()),
    }
    runs_in = tuple(side.state(flow.name, name) for name in clock.runs_in)
    return Item("clock", words.clock(clock.name), flow.name, "", aspects, runs_in)


def state_item(side: Side, flow: Flow, state: State) -> Item:
    """A step or an end."""
    words = side.words(flow)
    called = called_in(side, words)
    aspects = {
        **aspects_of(state, called),
        "outcome": text(state.final and outcome_of(words.policies, words.flow.name, state.name, state.final)),
        **{f"enter_{name}": value for name, value in effect_aspects(words, state.enter, called).items()},
        **{f"leave_{name}": value for name, value in effect_aspects(words, state.leave, called).items()},
    }
    kind = "step" if state.final is None else "end"
    return Item(kind, words.state(state.name), flow.name, side.state(flow.name, state.name), aspects)


def way_item(side: Side, flow: Flow, way: Placed) -> Item:
    """A transition of a state, a phase or the whole flow; it is called by where it stands and what happens."""
    words = side.words(flow)
    transition = way.transition
    own = {there: here for here, there in side.renamed.get(flow.name, {}).items()}
    state = "" if own.get(way.place, way.place) not in flow.states else way.place
    there = words.labels.stays if transition.to is None else words.state(transition.to)
    happens = _happens(words, way)
    waits = words.limit(way.limit) if way.limit else happens
    called = words.labels.timed.format(there) if way.trigger == AFTER and transition.to is not None else happens
    leads = {"to": Aspect(way.to, there)}
    called_here = called_in(side, words)
    aspects = {
        **leads,
        "happens": Aspect((way.trigger, waits if way.limit else ""), waits),
        **aspects_of(transition, called_here),
        **leads,
        "when": Aspect(transition.when, lambda: _condition(words, way)),
        **effect_aspects(words, transition.effects, called_here),
    }
    title = words.labels.told_of.format(_place(words, way, state, own), called)
    return Item("way", title, flow.name, state, aspects, common=transition.at.file != flow.at.file)


def _condition(words: Words, way: Placed) -> str:
    """On what a transition hangs: its answer, else its guard in words; "" where on nothing."""
    transition = way.transition
    return "" if transition.when is None else clean(transition.answer) or words.guard(transition, way.trigger)


def effect_aspects(words: Words, effects: Effects | None, called: Called) -> dict[str, Aspect]:
    """What effects do, each kind in words."""
    if effects is None:
        return {}
    opens = tuple((each.flow, each.on, each.keep_time) for each in effects.open)
    raised = tuple((each.event, each.subject, tuple(each.data.items())) for each in effects.raises)
    told, quoted = words.labels.told_of, words.labels.quoted
    asked = tuple((each.action, tuple(each.arguments.items())) for each in effects.request)
    extended = tuple((each.clock, each.by, each.at_most) for each in effects.extend)

    def tells() -> Iterator[str]:
        for tell in effects.tell:
            said = quoted.format(words.filled(tell.say)) if tell.say else ""
            yield f"{words.told(tell)} ({said})" if said else words.told(tell)

    def sets() -> Iterator[str]:
        scope = words.scope()
        for name, value in effects.set.items():
            yield told.format(words.fact(name), words.said(value, scope))

    def extends() -> Iterator[str]:
        for each in effects.extend:
            yield told.format(words.clock(each.clock), words.limit(each.by))

    def listed(parts: Callable[[], Iterator[str]]) -> Callable[[], str]:
        return lambda: ", ".join(parts())

    return {
        **aspects_of(effects, called),
        "tell": Aspect(tuple((tell.role, clean(tell.say), tell.in_hours) for tell in effects.tell), listed(tells)),
        "request": Aspect(asked, ", ".join(words.command(each.action) for each in effects.request)),
        "open": Aspect(opens, ", ".join(quoted.format(words.flow_title(each.flow)) for each in effects.open)),
        "raise": Aspect(raised, ", ".join(quoted.format(words.event(each.event)) for each in effects.raises)),
        "extend": Aspect(extended, listed(extends)),
        "set": Aspect(tuple(effects.set.items()), listed(sets)),
    }


def key_of(kind: str, flow: str, *names: str) -> Key:
    """The key of a part of a flow."""
    return (kind, flow, *names)


def _happens(words: Words, way: Placed) -> str:
    """The trigger without its limit, which a change of the clock tells by itself."""
    if way.trigger == AFTER:
        return words.labels.timer[:1].upper() + words.labels.timer[1:]
    clock, _, what = way.trigger.partition(".")
    if way.trigger not in words.flow.events and clock in words.flow.clocks and what == "late":
        return words.labels.late_plain.format(words.clock(clock))
    return words.trigger(way.trigger)


def _place(words: Words, way: Placed, state: str, own: dict[str, str]) -> str:
    if state:
        return words.state(own.get(state, state))
    phase = words.flow.phases.get(way.place.removeprefix("phase "))
    title = clean(phase.title) if phase is not None and phase.title else ""
    return words.labels.phase.format(title) if title else words.labels.anywhere


def _limits(words: Words, clock: Clock) -> dict[str, Aspect]:
    """An aspect for each condition under which a limit holds: "limit:otherwise"."""
    found: dict[str, Aspect] = {}
    for choice in clock.limits:
        condition = words.labels.otherwise.lower() if len(clock.limits) > 1 else ""
        if choice.when is not None:
            condition = words.labels.condition.format(words.worked_out(choice.when))
        limit = words.limit(choice.limit)
        own = "" if choice.calendar is None else f" ({words.calendar(choice.calendar)})"
        before = found.get(f"{LIMIT}{condition}", NOTHING).words
        found[f"{LIMIT}{condition}"] = text(f"{before} / {limit}{own}" if before else f"{limit}{own}")
    return found


def set_items(side: Side) -> Iterator[tuple[Key, Item]]:
    """Everything of a set but its flows, by the order of the files."""
    organisation = side.policies.organisation
    called = _called(side)
    for key, title, part, own in _parts(side, organisation):
        yield key, Item(key[0], title, aspects={**aspects_of(part, called), **own})
    for watch in organisation.watches.values():
        told = f"{watch.reaches} × {humanised(watch.count)}, {called.limit(watch.within)}"
        counted = (watch.count, watch.by, watch.reaches, watch.within, watch.raises)
        yield ("watch", watch.name), Item("watch", humanised(watch.name), aspects={"counts": Aspect(counted, told)})
    for term, meaning in organisation.glossary.items():
        yield ("term", term), Item("term", clean(term), aspects={"text": text(meaning)})
    for language, messages in side.policies.messages.items():
        for name, message in messages.items():
            title = f"{_without_holes(organisation, message.subject or message.title) or humanised(name)} ({language})"
            apologises = Aspect(message.apologises, side.labels.yes if message.apologises else "")
            parts = (("subject", message.subject), ("text", message.text))
            said = {key: Aspect(clean(part), _without_holes(organisation, part)) for key, part in parts}
            aspects = {**aspects_of(message, called), **said, "apologises": apologises}
            yield ("message", language, name), Item("message", title, aspects=aspects)


def _without_holes(organisation: Organisation, text: str) -> str:
    """A text of a message in which placeholders are called by what they stand for."""
    facts = organisation.facts
    said = filled(text, lambda name: f"‹{fact_title(organisation, name)}›" if name in facts else "…")
    return clean(said.replace(" (…)", ""))


def _called(side: Side) -> Called:
    """What the things are called that are named outside of flows."""
    organisation = side.policies.organisation

    def title(things: Mapping[str, Role] | Mapping[str, CalendarSpec]) -> Callable[[str], str]:
        return lambda name: titled(things[name].title, name) if name in things else humanised(name)

    titles = {
        "role": title(organisation.roles),
        "calendar": title(organisation.calendars),
        "fact": lambda name: fact_title(organisation, name),
    }
    return Called(titles, lambda text: limit_told(side.policies, text, side.language))


def _parts(side: Side, organisation: Organisation) -> Iterator[tuple[Key, str, Mapped, dict[str, Aspect]]]:
    """Each part with its key and title, and what there is more to tell of it than its keys say by themselves."""
    whole: dict[str, Aspect] = {
        "keep": Aspect(organisation.keep, limit_told(side.policies, organisation.keep or "", side.language)),
        "retention": _retention(organisation, side),
        "card": _no_card(side, organisation.card_never),
        "away": _away(organisation),
    }
    yield ("organisation",), clean(organisation.name), organisation, whole
    for role in organisation.roles.values():
        authority = Aspect(role.authority, "" if role.authority is None else str(role.authority))
        yield ("role", role.name), titled(role.title, role.name), role, {"authority": authority}
    for spec in organisation.calendars.values():
        yield ("calendar", spec.name), titled(spec.title, spec.name), spec, _calendar(side, spec)
    for channel in organisation.channels.values():
        yield ("channel", channel.name), titled(channel.title, channel.name), channel, {}
    for command in organisation.commands.values():
        yield ("command", command.name), titled(command.title, command.name), command, {}
    for setting in organisation.settings.values():
        value = Aspect(setting.value, limit_told(side.policies, str(setting.told), side.language))
        title = clean(setting.title) if side.policies.written is not None else humanised(setting.name)
        yield ("setting", setting.name), title, setting, {"value": value}
    for name, fact in organisation.facts.items():
        own: dict[str, Aspect] = {
            "type": Aspect((fact.type, fact.item, fact.of, fact.currency), " ".join([fact.type, *fact.of])),
            "private": Aspect(fact.private, "private" if fact.private else ""),
            "card": _no_card(side, fact.card_never),
            "default": Aspect(str(fact.default), "" if fact.default is None or fact.private else str(fact.default)),
        }
        yield ("fact", name), fact_title(organisation, name), fact, own


def _no_card(side: Side, never: bool) -> Aspect:
    """Whether what looks like a card number is masked."""
    return Aspect(never, side.labels.no if never else side.labels.yes)


def _retention(organisation: Organisation, side: Side) -> Aspect:
    """What else is kept how long."""
    said = {name: limit_told(side.policies, limit, side.language) for name, limit in organisation.retention.items()}
    return Aspect(tuple(said.items()), ", ".join(f"{humanised(name)}: {limit}" for name, limit in said.items()))


def _away(organisation: Organisation) -> Aspect:
    """Who is away on which days."""
    days = {name: [(each.first, each.last) for each in found] for name, found in organisation.away.items()}
    said = [
        f"{name}: {first}" if first == last else f"{name}: {first} – {last}"
        for name, found in days.items()
        for first, last in found
    ]
    return Aspect(tuple((name, tuple(found)) for name, found in days.items()), ", ".join(said))


def _calendar(side: Side, spec: CalendarSpec) -> dict[str, Aspect]:
    days = spec.holidays
    public = "" if days is None else " ".join([days.country, days.subdivision or ""]).strip()
    own = () if days is None else (days.except_, days.also)
    closed = [clean(closing_in_words(each, side.language)) for each in spec.closed]
    closed += [str(day) for day in (days.also if days is not None else ())]
    return {
        "hours": Aspect(spec.hours, lambda: hours_in_words(spec.hours, side.language)),
        "holidays": Aspect((public, own), public),
        "closed": Aspect(spec.closed, ", ".join(closed)),
        "open_days": Aspect(tuple(spec.open.items()), ", ".join(str(day) for day in spec.open)),
        "seasons": Aspect(
            spec.seasons, lambda: "; ".join(season_in_words(each, side.language) for each in spec.seasons)
        ),
        "imports": Aspect(
            tuple((each.path, each.text) for each in spec.imports), ", ".join(e.path for e in spec.imports)
        ),
    }


AFTER = "after"
ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Placed:
    """A transition and where it stands: at a state, in a phase ("phase NAME") or "anywhere".

    ``limit`` is that of an ``after``, else "". ``to`` is the target by the name that the newer flow has for it.
    """

    place: str
    trigger: str
    limit: str
    to: str | None
    transition: Transition


def placed(flow: Flow, renamed: dict[str, str]) -> dict[tuple[str, str], list[Placed]]:
    """All transitions by place and trigger; those of ``after`` are one group a state."""
    found: dict[tuple[str, str], list[Placed]] = {}

    def add(place: str, trigger: str, limit: str, transitions: tuple[Transition, ...]) -> None:
        for each in transitions:
            to = renamed.get(each.to, each.to) if each.to is not None else None
            found.setdefault((place, trigger), []).append(Placed(place, trigger, limit, to, each))

    for name, state in flow.states.items():
        here = renamed.get(name, name)
        for trigger, transitions in state.on.items():
            add(here, trigger, "", transitions)
        for after in state.after:
            add(here, AFTER, after.limit, after.transitions)
    for phase in flow.phases.values():
        for trigger, transitions in phase.on.items():
            add(f"phase {phase.name}", trigger, "", transitions)
    for trigger, transitions in flow.anywhere.items():
        add(ANYWHERE, trigger, "", transitions)
    return found


def paired(old: list[Placed], new: list[Placed]) -> list[tuple[Placed | None, Placed | None]]:
    """Pairs of one group, the likest first: all the same, the same but for its limit, the same target, the same place.

    What has no partner stands alone: new ones in their place, removed ones at the end.
    """
    partner: dict[int, Placed] = {}
    left = list(old)
    alike: list[Callable[[Placed, Placed], bool]] = [
        lambda a, b: (a.limit, a.transition.when, a.to) == (b.limit, b.transition.when, b.to),
        lambda a, b: (a.transition.when, a.to) == (b.transition.when, b.to),
        lambda a, b: a.to == b.to,
        lambda a, b: (a.limit, a.transition.when) == (b.limit, b.transition.when),
    ]
    for same in alike:
        for index, each in enumerate(new):
            if index not in partner:
                match = next((other for other in left if same(other, each)), None)
                if match is not None:
                    partner[index] = match
                    left.remove(match)
    pairs: list[tuple[Placed | None, Placed | None]] = [(partner.get(n), each) for n, each in enumerate(new)]
    return pairs + [(each, None) for each in left]
