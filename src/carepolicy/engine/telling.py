"""What effects need: facts set and read, records that may hold private facts, events raised for other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.subject import Raised
from carepolicy.engine.values import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.engine.case import Case
    from carepolicy.engine.record import Record, Told
    from carepolicy.engine.wording import Private, Said
    from carepolicy.machine.messages import Template
    from carepolicy.machine.program import Bundle, OpenTable, RaiseTable


class Telling:
    """The part of a ``Stepper`` that effects work with. ``to_open`` are cases that effects want opened."""

    def __init__(self, bundle: Bundle, reveal: bool) -> None:
        self.out: list[Record] = []
        self.raised: list[Raised] = []
        self.to_open: list[tuple[OpenTable, Case]] = []
        self.reveal = reveal
        self.unmasked: dict[tuple[str, str, int], tuple[Told, Private]] | None = None
        """Where it is a dictionary, the data of records without the masks in them, by (flow, subject, sequence), each
        with the private facts that went into each of its fields."""
        self.facts = bundle.facts
        self._languages = bundle.languages
        self._defaults = {name: fact.default for name, fact in bundle.facts.items() if fact.default is not None}

    def set_fact(self, case: Case, fact: str, value: Any) -> None:
        """Set a fact of a case, or take its value away (None)."""
        facts = dict(case.facts)
        if value is None:
            facts.pop(fact, None)
        else:
            facts[fact] = value
        case.facts = facts

    def value(self, case: Case, fact: str) -> Any:
        """The value of a fact for a case, or else its declared default; None where there is neither."""
        return case.facts.get(fact, self._defaults.get(fact))

    def language(self, case: Case, templates: Mapping[str, Template]) -> str:
        """The language for a customer: theirs where the template has it, or that of another region, else the first of
        the set that it has."""
        wanted = case.facts.get("customer.language", self._defaults.get("customer.language"))
        if isinstance(wanted, str):
            if wanted in templates:
                return wanted
            from carepolicy.machine.locales import nearest_language

            if (near := nearest_language(wanted, templates)) is not None:
                return near
        return next((each for each in self._languages if each in templates), next(iter(templates)))

    def write(self, case: Case, said: Said, when: str, event: Mapping[str, Any]) -> None:
        """Write the record of what an effect says; the private facts in it are masked, and kept beside it where they
        are asked for."""
        told = said.data(self, case, event, self.reveal)
        self.out.append(case.record(said.kind, when, told))
        if self.unmasked is not None and not self.reveal:
            private = said.private(case)
            if any(private.values()):
                whole = said.data(self, case, event, True)
                if whole != told:
                    self.unmasked[case.program.flow, case.subject, case.sequence] = whole, private

    def shown_person(self, case: Case, person: Any) -> str:
        """A person's name as a record may bear it."""
        hidden = any(fact.private and case.facts.get(name) == person for name, fact in self.facts.items())
        return MASK if hidden and not self.reveal else str(person)

    def raise_event(self, case: Case, raised: RaiseTable, now: int, event: Mapping[str, Any]) -> None:
        """Note an event for another key; without a subject there is nobody to tell."""
        subject = raised.subject(case.facts, event, case)
        if subject is None:
            return
        values = ((name, function(case.facts, event, case)) for name, function in raised.data)
        data = {name: value for name, value in values if value is not None}
        origin = (now, case.subject, case.program.flow, case.sequence)
        number = self.raised[-1].number + 1 if self.raised and self.raised[-1].origin == origin else 0
        self.raised.append(Raised(origin, number, raised.event, str(subject), data))
