"""What the parts of a flow are called on a chart: triggers, limits, guards and effects in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean, humanised

if TYPE_CHECKING:
    from carepolicy.charts.labels import Labels
    from carepolicy.policy.model import Clock, Effects, Flow, Policies, Transition

_SETTING = re.compile(r"\bsettings\.(\w+)")
_LIMIT = re.compile(r"(\d+)\s+(.+)\Z")


@dataclass(frozen=True, slots=True)
class Words:
    """Words for one flow of a set in one language."""

    policies: Policies
    flow: Flow
    labels: Labels
    language: str

    def role(self, name: str | None) -> str:
        """The title of a role, or "No owner"."""
        if name is None:
            return self.labels.nobody
        role = self.policies.organisation.roles.get(name)
        return clean(role.title) if role is not None and role.title else humanised(name)

    def state(self, name: str) -> str:
        """The title of a state."""
        state = self.flow.states.get(name)
        return clean(state.title) if state is not None and state.title else humanised(name)

    def event(self, name: str) -> str:
        """The title of an event of this flow, or of the first flow that declares it."""
        for flow in (self.flow, *self.policies.flows.values()):
            event = flow.events.get(name)
            if event is not None and event.title:
                return clean(event.title)
        return humanised(name)

    def clock(self, name: str) -> str:
        """The title of a clock."""
        clock = self.flow.clocks.get(name)
        return clean(clock.title) if clock is not None and clock.title else humanised(name)

    def limit(self, text: str) -> str:
        """A limit with its settings filled in, in the words of the language."""

        def value(match: re.Match[str]) -> str:
            setting = self.policies.organisation.settings.get(match[1])
            return humanised(match[1]) if setting is None else str(setting.value)

        said = clean(_SETTING.sub(value, text))
        return said if self.language.split("-")[0] == "en" else _in_language(said, self.language)

    def limit_of(self, clock: Clock) -> str:
        """All limits of a clock in few words: "3 business hours", "1-3 business hours", "a or b"."""
        texts = list(dict.fromkeys(self.limit(choice.limit) for choice in clock.limits))
        if len(texts) < 2:
            return "".join(texts)
        parts = [_LIMIT.match(text) for text in texts]
        units = {match[2].rstrip("s") for match in parts if match}
        if all(parts) and len(units) == 1:
            amounts = sorted(int(match[1]) for match in parts if match)
            longest = max((match for match in parts if match), key=lambda match: int(match[1]))
            return f"{amounts[0]}–{amounts[-1]} {longest[2]}"
        return f" {self.labels.or_} ".join(texts)

    def trigger(self, trigger: str) -> str:
        """What has to happen: the title of an event, or a clock's event as a sentence."""
        name, _, what = trigger.partition(".")
        clock = self.flow.clocks.get(name)
        if clock is None or trigger in self.flow.events:
            return self.event(trigger)
        title = self.clock(name)
        if what == "late":
            limit = self.limit_of(clock).removeprefix("less than ")
            return self.labels.late.format(title, limit) if limit else self.labels.late_plain.format(title)
        if what == "warned":
            shares = ", ".join(self.limit(share).replace("%", " %").replace("  ", " ") for share in clock.warn_at)
            return self.labels.warned.format(shares, title)
        return self.labels.met.format(title)

    def guard(self, transition: Transition, trigger: str) -> str:
        """The guard of a transition in words; never code."""
        from carepolicy.guards import in_words
        from carepolicy.guards.scopes import scope_of

        if transition.when is None:
            return self.labels.otherwise
        return clean(in_words(transition.when, scope_of(self.policies.organisation, self.flow, trigger)))

    def effects(self, effects: Effects, *, sends: bool = False) -> str:
        """What else happens, in words: who is told, which flow starts, what is reported."""
        said = [self.labels.tell.format(self.role(tell.role)) for tell in effects.tell]
        said += [self.labels.opens.format(self.flow_title(opened.flow)) for opened in effects.open]
        said += [self.labels.raises.format(self.event(raised.event)) for raised in effects.raises]
        if effects.assign is not None:
            said.append(self.labels.assigns.format(self._person(effects.assign)))
        said += [self.labels.extends.format(self.clock(more.clock)) for more in effects.extend]
        if sends:
            said += [self.labels.sends.format(self.message(template)) for template in effects.send]
            said += [self.labels.asks_for.format(humanised(request.action)) for request in effects.request]
        return ", ".join(dict.fromkeys(said))

    def flow_title(self, name: str) -> str:
        """The title of a flow of the set."""
        flow = self.policies.flows.get(name)
        return clean(flow.title) if flow is not None and flow.title else humanised(name)

    def message(self, template: str) -> str:
        """The subject line of a message in this language, or its name as words."""
        languages = (self.language, *self.policies.organisation.languages)
        for language in languages:
            message = self.policies.messages.get(language, {}).get(template)
            if message is not None and message.subject:
                return clean(message.subject)
        return humanised(template)

    def _person(self, name: str) -> str:
        if name in self.policies.organisation.roles:
            return self.role(name)
        fact = self.policies.organisation.facts.get(name)
        return clean(fact.title) if fact is not None and fact.title else humanised(name)


def _in_language(limit: str, language: str) -> str:
    """A limit in the words of a language; a text that is no limit ("50%") stays."""
    from carepolicy.businesstime import LimitError
    from carepolicy.businesstime.wording import limit_in_words

    try:
        return limit_in_words(limit, language)
    except LimitError:
        return limit
