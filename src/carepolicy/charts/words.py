"""What the parts of a flow are called on a chart: triggers, limits, guards and effects in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carepolicy.businesstime import LimitError
from carepolicy.businesstime.words import Inflected, earliest_in_words, inflected, limit_in_words
from carepolicy.charts.labels import labels_of
from carepolicy.charts.text import clean, humanised, width
from carepolicy.guards.scope import scope_of
from carepolicy.guards.words import in_words, settings_in_words
from carepolicy.policy.language.flow import EVERY
from carepolicy.policy.limit import BEFORE, LimitText, length_written, share_written
from carepolicy.policy.phrases import in_language
from carepolicy.policy.placeholders import filled
from carepolicy.translations import primary_language, translation_of

if TYPE_CHECKING:
    from carepolicy.charts.labels import Labels
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Clock, Effects, Flow, Organisation, Policies, Tell, Transition


_LATE = 44
"""Columns of all limits of a clock above which the sentence that it is late leaves them to the card."""

_LIMIT = re.compile(r"(\d+)\s+(.+)\Z")


def titled(title: str, name: str) -> str:
    """A title for people, else the name as words."""
    return clean(title) or humanised(name)


class UnknownFlow(KeyError):
    """There is no flow of that name in the set."""


def language_of(policies: Policies, language: str | None) -> str:
    """The language that was asked for, else the first of the set."""
    return language or next(iter(policies.organisation.languages), "en")


def words_of(policies: Policies, flow: str, language: str | None) -> Words:
    """The words for a flow of that name, with the texts of the policy in that language. Raises UnknownFlow."""
    if flow not in policies.flows:
        raise UnknownFlow(flow)
    policies, language = in_language(policies, language), language_of(policies, language)
    return Words(policies, policies.flows[flow], language)


@dataclass(frozen=True, slots=True)
class Words:
    """Words for one flow of a set in one language; what was said once is kept."""

    policies: Policies
    flow: Flow
    language: str
    _said: dict[tuple[str, str | None], str] = field(init=False, default_factory=dict, compare=False, repr=False)
    _triggers: dict[str, str] = field(init=False, default_factory=dict, compare=False, repr=False)
    _effects: dict[tuple[int, str | None, bool], tuple[Effects, str]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    """By the identity of effects, which are kept beside their words so that nothing else can have it."""

    @property
    def labels(self) -> Labels:
        """The charts' own words in that language."""
        return labels_of(self.language, self.policies.own_words)

    def role(self, name: str | None) -> str:
        """The title of a role, or "No owner"."""
        if name is None:
            return self.labels.nobody
        role = self.policies.organisation.roles.get(name)
        return titled(role.title if role is not None else "", name)

    def state(self, name: str) -> str:
        """The title of a state."""
        state = self.flow.states.get(name)
        return titled(state.title if state is not None else "", name)

    def event(self, name: str) -> str:
        """The title of an event of this flow, or of the first flow that declares it; of time, how often it comes."""
        for flow in (self.flow, *self.policies.flows.values()):
            event = flow.events.get(name)
            if event is not None and clean(event.title):
                return clean(event.title)
        if name == EVERY and self.flow.every is not None:
            return self._every(self.flow.every)
        return humanised(name)

    def _every(self, period: str) -> str:
        """How often time opens a case: "Every 6 months", "Every month"."""
        labels = self.labels
        once = {
            "1 hour": labels.every_hour,
            "1 day": labels.every_day,
            "1 business day": labels.every_business_day,
            "1 week": labels.every_week,
            "1 month": labels.every_month,
            "1 year": labels.every_year,
        }
        try:
            written = str(self.policies.organisation.limit(period))
        except LimitError:
            written = period
        return once.get(written) or labels.every.format(self.limit(period))

    def command(self, name: str) -> str:
        """What staff read of a command to a service."""
        command = self.policies.organisation.commands.get(name)
        return titled(command.title if command is not None else "", name)

    def clock(self, name: str) -> str:
        """The title of a clock."""
        clock = self.flow.clocks.get(name)
        return titled(clock.title if clock is not None else "", name)

    def limit(self, text: str) -> Inflected:
        """A limit with its settings filled in, in the words of the language."""
        return limit_told(self.policies, text, self.language)

    def fact(self, name: str) -> str:
        """The title of a fact."""
        return fact_title(self.policies.organisation, name)

    def calendar(self, name: str) -> str:
        """The title of a calendar; "owner" is a word of the language."""
        spec = self.policies.organisation.calendars.get(name)
        return titled(spec.title if spec is not None else "", name)

    def filled(self, text: str) -> str:
        """A text in which placeholders of messages are called by what they stand for; a case's number that stands in
        brackets is left out."""
        return clean(self.spoken(text.replace(" ({case})", "")))

    def spoken(self, text: str) -> str:
        """What staff say, line by line, with placeholders called by what they stand for."""
        return filled(text.strip(), self._stands_for)

    def _stands_for(self, name: str) -> str:
        """What stands in the place of a placeholder: the value of a setting, the limit of a clock, else its name."""
        organisation, labels = self.policies.organisation, self.labels
        first, _, rest = name.partition(".")
        clock, _, what = rest.partition(".")
        if name in organisation.facts:
            return f"‹{self.fact(name)}›"
        if first == "settings" and rest in organisation.settings:
            return str(organisation.settings[rest].told)
        if first == "clock" and clock in self.flow.clocks:
            limit = self.limit_of(self.flow.clocks[clock]) if what == "limit" else ""
            return limit or f"‹{labels.due_of.format(self.clock(clock))}›"
        whole = {"case": f"‹{labels.case_number}›", "organisation": organisation.name, "flow.title": self.flow.title}
        return whole.get(name) or f"‹{humanised(name)}›"

    def limit_of(self, clock: Clock) -> str:
        """All limits of a clock in few words: "3 business hours", "1-3 business hours", "a or b"."""
        texts = list(dict.fromkeys(self.limit(choice.limit) for choice in clock.limits))
        if len(texts) < 2:
            return "".join(texts)
        parts = [_LIMIT.match(text) for text in texts]
        units = {match[2].rstrip("s") for match in parts if match}
        if all(parts) and len(units) == 1 and not any(choice.limit.parts for choice in clock.limits):
            amounts = sorted(int(match[1]) for match in parts if match)
            longest = max((match for match in parts if match), key=lambda match: int(match[1]))
            return f"{amounts[0]}–{amounts[-1]} {longest[2]}"
        return f" {self.labels.or_} ".join(texts)

    def trigger(self, trigger: str) -> str:
        """What has to happen: the title of an event, or a clock's event as a sentence."""
        if trigger not in self._triggers:
            self._triggers[trigger] = self._happens(trigger)
        return self._triggers[trigger]

    def _happens(self, trigger: str) -> str:
        name, _, what = trigger.partition(".")
        clock = self.flow.clocks.get(name)
        if clock is None or trigger in self.flow.events:
            return self.event(trigger)
        title = self.clock(name)
        if what == "late":
            limit = self.limit_of(clock).removeprefix(self.labels.less_than.format(""))
            if not limit or width(limit) > _LATE:
                return self.labels.late_plain.format(title)
            return self.labels.late.format(title, limit)
        if what == "warned":
            shares = ", ".join(self.warning(each) for each in clock.warn_at if share_written(each) is not None)
            told = [self.labels.warned.format(shares, title)] if shares else []
            for each in clock.warn_at:
                if share_written(each) is None:
                    said = self.labels.warned_before if each.strip().endswith(BEFORE) else self.labels.warned_after
                    told.append(said.format(self.limit(length_written(each)), title))
            return ", ".join(told)
        return self.labels.met.format(title)

    def warning(self, text: str) -> str:
        """When a clock warns, in words: "80 %", "30 business minutes before it is due", "2 hours after the start"."""
        if share_written(text) is not None:
            return text.strip().replace("%", " %").replace("  ", " ")
        said = self.labels.before_due if text.strip().endswith(BEFORE) else self.labels.after_start
        return said.format(self.limit(length_written(text)))

    def guard(self, transition: Transition, trigger: str) -> str:
        """The guard of a transition in words; never code."""
        if transition.when is None:
            return self.labels.otherwise
        return self.worked_out(transition.when, trigger)

    def worked_out(self, expression: str, trigger: str | None = None) -> str:
        """An expression, of what follows ``trigger``, in words; never code."""
        key = expression, trigger
        if key not in self._said:
            self._said[key] = clean(self.said(expression, self.scope(trigger)))
        return self._said[key]

    def scope(self, trigger: str | None = None) -> Scope:
        """What an expression that follows ``trigger`` may name, with the titles of the language."""
        titled = self.policies.written is not None
        return scope_of(self.policies.organisation, self.flow, trigger, titled)

    def said(self, expression: str, scope: Scope) -> str:
        """An expression that stands in a scope, in words."""
        return in_words(expression, scope, translation_of(self.language, self.policies.own_words))

    def settings_in(self, expression: str, trigger: str | None = None) -> tuple[str, ...]:
        """The settings that an expression names, each with its value."""
        if "settings" not in expression:
            return ()
        said = settings_in_words(
            expression, self.scope(trigger), translation_of(self.language, self.policies.own_words)
        )
        return tuple(map(clean, said))

    def effects(self, effects: Effects, trigger: str | None = None, *, sends: bool = True) -> str:
        """All that happens besides a change of state, in words; without ``sends``, but for the messages."""
        key = id(effects), trigger, sends
        if key not in self._effects:
            kinds = (tell for name, tell in _EFFECTS.items() if sends or name != "send")
            said = dict.fromkeys(line for tell in kinds for line in tell(self, effects, trigger))
            self._effects[key] = effects, ", ".join(said)
        return self._effects[key][1]

    def _sent(self, effects: Effects, trigger: str | None) -> list[str]:
        return [self.labels.sends.format(self.message(template)) for template in effects.send]

    def _told(self, effects: Effects, trigger: str | None) -> list[str]:
        return [self.labels.tell.format(self.told(tell)) for tell in effects.tell]

    def _requested(self, effects: Effects, trigger: str | None) -> list[str]:
        return [self.labels.asks_for.format(self.command(request.action)) for request in effects.request]

    def _spent(self, effects: Effects, trigger: str | None) -> list[str]:
        worth = effects.spends
        return [] if worth is None else [self.labels.spends.format(self.worked_out(worth, trigger))]

    def _opened(self, effects: Effects, trigger: str | None) -> list[str]:
        return [self.labels.opens.format(self.flow_title(opened.flow)) for opened in effects.open]

    def _raised(self, effects: Effects, trigger: str | None) -> list[str]:
        return [self.labels.raises.format(self.event(raised.event)) for raised in effects.raises]

    def _assigned(self, effects: Effects, trigger: str | None) -> list[str]:
        return [] if effects.assign is None else [self.labels.assigns.format(self._person(effects.assign))]

    def _extended(self, effects: Effects, trigger: str | None) -> list[str]:
        by = [(self.clock(more.clock), self.limit(more.by)) for more in effects.extend]
        return [self.labels.extends.format(self.labels.more_on.format(limit, clock)) for clock, limit in by]

    def _set(self, effects: Effects, trigger: str | None) -> list[str]:
        plain = {"true": self.labels.yes.lower(), "false": self.labels.no.lower()}
        worth = {fact: plain.get(text.strip()) or self.worked_out(text, trigger) for fact, text in effects.set.items()}
        return [self.labels.notes.format(self.fact(fact), value) for fact, value in worth.items()]

    def told(self, tell: Tell) -> str:
        """Who is told, and whether it waits for their hours."""
        role = self.role(tell.role)
        return self.labels.in_hours.format(role) if tell.in_hours else role

    def flow_title(self, name: str) -> str:
        """The title of a flow of the set."""
        flow = self.policies.flows.get(name)
        return titled(flow.title if flow is not None else "", name)

    def message(self, template: str) -> str:
        """The subject line of a message in this language, else what staff call it, else its name as words."""
        languages = (self.language, *self.policies.organisation.languages)
        for language in languages:
            message = self.policies.messages.get(language, {}).get(template)
            if message is not None and (message.subject or message.title):
                return self.filled(message.subject or message.title)
        return humanised(template)

    def assigned(self, name: str | None) -> str:
        """To whom a case is given: a role, or the fact that names a person; "" for None."""
        return "" if name is None else self._person(name)

    def _person(self, name: str) -> str:
        if name in self.policies.organisation.roles:
            return self.role(name)
        return self.fact(name)


_EFFECTS: Mapping[str, Callable[[Words, Effects, str | None], list[str]]] = {
    "send": Words._sent,
    "tell": Words._told,
    "request": Words._requested,
    "spends": Words._spent,
    "open": Words._opened,
    "raises": Words._raised,
    "assign": Words._assigned,
    "extend": Words._extended,
    "set": Words._set,
}
"""How each kind of effect is told, in reading order; a test holds that none is missing."""


_SETTING = re.compile(r"\bsettings\.(\w+)")


def fact_title(organisation: Organisation, name: str) -> str:
    """The title of a fact, else its name as words."""
    fact = organisation.facts.get(name)
    return clean(fact.title) if fact is not None and fact.title else humanised(name)


def settled(organisation: Organisation, text: str) -> str:
    """A text of the policy with the values of its settings filled in."""

    def value(match: re.Match[str]) -> str:
        setting = organisation.settings.get(match[1])
        return humanised(match[1]) if setting is None else str(setting.told)

    return clean(_SETTING.sub(value, text) if "settings." in text else text)


def limit_told(policies: Policies, text: str, language: str) -> Inflected:
    """A limit in words: "3 business hours", "until “Day of shipping”"; what is no limit ("50%") stays as it is. A
    phrase may have it in a grammatical case."""
    return inflected(lambda case: _limit_in(policies, text, language, case))


def _limit_in(policies: Policies, text: str, language: str, case: str) -> str:
    organisation = policies.organisation
    said = settled(organisation, text)
    try:
        parsed = organisation.limit(text)
    except LimitError:
        return said
    if parsed.parts:
        parts = text.parts if isinstance(text, LimitText) else tuple(map(str, parsed.parts))
        each_told = [_limit_in(policies, each, language, case) for each in parts]
        return earliest_in_words(each_told, translation_of(language, policies.own_words))
    if parsed.fact is None:
        return _plain(policies, said, language, case)
    labels = labels_of(language, policies.own_words)
    fact = labels.quoted.format(fact_title(organisation, parsed.fact))
    if parsed.offset is None:
        told = labels.until.format(fact)
    else:
        beside = labels.before if parsed.direction < 0 else labels.past
        told = beside.format(_plain(policies, str(parsed.offset), language, case), fact)
    return labels.less_than.format(told) if parsed.strict else told


def _plain(policies: Policies, limit: str, language: str, case: str) -> str:
    """A limit that hangs on no fact. English is as the policy has it, which is English."""
    if primary_language(language) == "en":
        return limit
    return limit_in_words(limit, language, case, policies.own_words)
