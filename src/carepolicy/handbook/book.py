"""How the handbook says things of a policy in one language: limits, dates, roles, and from which calendar they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.businesstime import Calendar, LimitError
from carepolicy.businesstime.words import Inflected, inflected, limit_in_words
from carepolicy.charts.text import clean
from carepolicy.charts.words import Words, fact_title, language_of, limit_told, titled
from carepolicy.checks import CheckedSet
from carepolicy.checks.holes import unsure_in
from carepolicy.handbook.ui import Ui, ui_of
from carepolicy.machine.compiler import calendar_of
from carepolicy.machine.messages import compile_templates
from carepolicy.policy.phrases import scenario_phrases
from carepolicy.policy.placeholders import filled
from carepolicy.translations import ENGLISH, locale_of, translation_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime import Limit
    from carepolicy.machine.template import Template
    from carepolicy.policy.model import Clock, Flow, LimitChoice, Policies

SUBJECT = "A-1001"
"""What the sample case is called."""


@dataclass(frozen=True)
class Sent:
    """What the flows of a set send: the same for the books of all its languages, and worked out once for them."""

    policies: Policies
    year: int
    _templates: dict[str, dict[str, dict[str, Template]]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def unsure(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """The names that may have no value where a flow sends a message, by flow and message."""
        return unsure_in(CheckedSet(self.policies, date(self.year, 1, 1)))

    def work_out(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Work out now what is else worked out when it is first asked for; the names that may have no value."""
        for flow in self.policies.flows.values():
            self.templates(flow)
        return self.unsure

    def templates(self, flow: Flow) -> Mapping[str, Mapping[str, Template]]:
        """The templates that a flow sends, by name and then by language."""
        if flow.name not in self._templates:
            self._templates[flow.name] = compile_templates(self.policies, self.policies.flows.get(flow.name, flow))
        return self._templates[flow.name]


@dataclass(frozen=True)
class Book:
    """The handbook in one language: the policies, the words, the calendars, and the year that its dates are of.

    ``arrivals`` keeps the typical arrivals by calendar, and whether the limit counts open time, once they are known;
    ``shared`` is what books of several languages have in common.
    """

    policies: Policies
    language: str
    year: int
    calendars: Mapping[str, Calendar]
    arrivals: dict[tuple[str, bool], tuple[datetime, ...]] = field(default_factory=dict, compare=False, repr=False)
    shared: Sent | None = field(default=None, compare=False, repr=False)
    _words: dict[str, Words] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def sent(self) -> Sent:
        """What the flows send."""
        return self.shared or Sent(self.policies, self.year)

    @property
    def ui(self) -> Ui:
        """The pages' own words."""
        return ui_of(self.language, self.policies.own_words)

    @cached_property
    def ui_language(self) -> str:
        """The language of the pages' own words: English where the book's has none of them."""
        words = translation_of(self.language, self.policies.own_words)
        return self.language if words.catalogues and words.has("", Ui().handbook) else ENGLISH

    def words(self, flow: Flow) -> Words:
        """The charts' words for one flow, made once."""
        known = self._words.get(flow.name)
        if known is None or known.flow is not flow:
            known = self._words[flow.name] = Words(self.policies, flow, self.language)
        return known

    def limit(self, text: str, language: str | None = None) -> Inflected:
        """A limit in words of a language (the book's), with settings filled in and a fact called by its title."""
        parsed, language = self.parsed(text), language or self.language
        if parsed is not None and not parsed.reads:
            return inflected(lambda case: limit_in_words(parsed, language, case, self.policies.own_words))
        return limit_told(self.policies, text, language)

    def parsed(self, text: str) -> Limit | None:
        """A limit as a value; None where the text is no limit."""
        try:
            return self.policies.organisation.limit(text)
        except LimitError:
            return None

    def fact(self, name: str) -> str:
        """The title of a fact."""
        return fact_title(self.policies.organisation, name)

    def role(self, name: str | None) -> str:
        """The title of a role, "" where there is none."""
        if name is None:
            return ""
        role = self.policies.organisation.roles.get(name)
        return titled(role.title if role is not None else "", name)

    def message(self, flow: Flow, template: str) -> str:
        """The subject line of a message, with the titles of facts in place of their values."""
        return self.filled(self.words(flow).message(template))

    def filled(self, text: str) -> str:
        """A text in which placeholders of messages are called by what they stand for."""
        return filled(text, lambda name: SUBJECT if name == "case" else f"‹{self.fact(name)}›")

    @property
    def spoken(self) -> str:
        """The language in which the policy itself is written: the first of the set."""
        return language_of(self.policies, None)

    def spoken_of(self, text: str) -> str:
        """The language in which a text of the policy is written that stands in the book: the book's own, where the
        set has a translation."""
        return self.language if self.policies.language and text not in self._unsaid else self.spoken

    @cached_property
    def _unsaid(self) -> frozenset[str]:
        titles = (each for each in scenario_phrases(self.policies) if (each.path, each.text) not in self._translations)
        return frozenset(map(clean, (*self.policies.unsaid, *(each.text for each in titles))))

    @property
    def _translations(self) -> Mapping[tuple[str, str], str]:
        return self.policies.translations

    def calendar_title(self, name: str) -> str:
        """The title of a calendar."""
        spec = self.policies.organisation.calendars.get(name)
        return titled(spec.title or "" if spec is not None else "", name)

    def calendar_of(self, flow: Flow, clock: Clock, choice: LimitChoice | None = None) -> str | None:
        """The name of the calendar in which a clock counts; of ``owner`` that of the first state's owner."""
        state = flow.states.get(next(iter(clock.runs_in), ""))
        owner = state.owner if state is not None else None
        return calendar_of(self.policies.organisation, flow, clock, owner, choice)

    def moment(self, at: datetime) -> str:
        """A day and time of the clock, in words: "Friday 6 March 2026, 16:30"."""
        from babel.dates import format_datetime

        return format_datetime(at.replace(tzinfo=None), self.ui.day_time, locale=locale_of(self.ui_language))

    def day(self, on: date) -> str:
        """A date in words: "Friday 6 March 2026"."""
        from babel.dates import format_date

        return format_date(on, self.ui.day_pattern, locale=locale_of(self.ui_language))

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.policies.organisation.timezone)


def calendars_of(policies: Policies) -> dict[str, Calendar]:
    """Every calendar of a set, compiled. Raises CalendarError."""
    return {name: Calendar.from_spec(spec) for name, spec in policies.organisation.calendars.items()}


FIRST_YEAR = 2026
"""The year of examples in a set that bears no date at all, so that its pages are the same on every day."""


def year_of(policies: Policies) -> int:
    """The year that a handbook is of: that of the newest ``valid_from``, else of the newest date in a calendar.

    Never the year of the machine's clock: the same policies give the same pages.
    """
    valid = [flow.valid_from.year for flow in policies.flows.values() if flow.valid_from is not None]
    if valid:
        return max(valid)
    dates: list[date] = []
    for spec in policies.organisation.calendars.values():
        dates += [each.last for each in spec.closed if isinstance(each.last, date)]
        dates += spec.open
        if spec.holidays is not None:
            dates += [*spec.holidays.also, *spec.holidays.except_]
    dates += [each.last for found in policies.organisation.away.values() for each in found]
    return max((on.year for on in dates), default=FIRST_YEAR)
