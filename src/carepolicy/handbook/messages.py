"""Messages as the customer reads them, with sample values in place of what is known only of a real case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.instants import microseconds
from carepolicy.charts.text import identifier
from carepolicy.handbook.book import SUBJECT

if TYPE_CHECKING:
    from carepolicy.businesstime import Limit
    from carepolicy.handbook.book import Book
    from carepolicy.machine.template import Template
    from carepolicy.policy.model import Fact, Flow


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """One message in one language; ``without`` are its lines as they are where a value that may be missing is."""

    language: str
    subject: str
    text: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """A message in each language of the set; ``anchor`` is its id in the page."""

    name: str
    anchor: str
    title: str
    messages: tuple[SampleMessage, ...]


def message_anchor(name: str) -> str:
    """The id of a message in its flow's page."""
    return f"message-{identifier(name)}"


def messages_of(book: Book, flow: Flow) -> list[MessageGroup]:
    """The messages that a flow sends, by name; of each the page's own language comes first."""
    sample = _Sample(book, flow)
    words = book.words(flow)
    found: list[MessageGroup] = []
    for name, templates in book.sent.templates(flow).items():
        order = sorted(templates, key=lambda language: (language != book.language, _place(book, language)))
        unsure = book.sent.unsure.get((flow.name, name))
        less = sample if unsure is None else _Sample(book, flow, unsure)
        messages = tuple(_message(templates[language], sample, less) for language in order)
        title = messages[0].subject if messages and messages[0].subject else words.message(name)
        found.append(MessageGroup(name, message_anchor(name), title, messages))
    return found


def _message(template: Template, sample: _Sample, less: _Sample) -> SampleMessage:
    subject, text = template.render(sample, True)
    without = template.render(less, True) if less is not sample else ()
    lines = {*subject.splitlines(), *text.splitlines()}
    told = tuple(line.strip() for part in without for line in part.splitlines() if line not in lines)
    return SampleMessage(template.language, subject, text, told)


def _place(book: Book, language: str) -> int:
    languages = book.policies.organisation.languages
    return languages.index(language) if language in languages else len(languages)


class _Sample:
    """A case that never was: each fact has a value of its kind, each clock its ordinary limit.

    Names ``without`` a value have none.
    """

    subject = SUBJECT

    def __init__(self, book: Book, flow: Flow, without: frozenset[str] = frozenset()) -> None:
        self._without = without
        self._book = book
        self._flow = flow
        self._at = datetime(book.year, 3, 6, 10, 30, tzinfo=book.zone)
        self._facts = book.policies.organisation.facts

    def fact(self, name: str) -> Any:
        """A value of the fact's kind."""
        return None if name in self._without or name not in self._facts else self._value(self._facts[name])

    def clock_limit(self, name: str) -> Limit | None:
        """The limit of a clock that holds where no condition does, else its last."""
        if f"clock.{name}.limit" in self._without:
            return None
        limits = self._flow.clocks[name].limits
        choice = next((each for each in limits if each.when is None), limits[-1] if limits else None)
        return None if choice is None else self._book.parsed(choice.limit)

    def clock_due(self, name: str) -> int | None:
        """When a clock falls due: a sample moment."""
        return None if f"clock.{name}.due" in self._without else microseconds(self._at)

    def _value(self, fact: Fact) -> Any:
        if fact.type == "choice":
            return fact.of[0] if fact.of else ""
        if fact.type == "money":
            return Decimal("25.00")
        if fact.type == "number":
            return 3
        if fact.type == "flag":
            return True
        if fact.type == "date":
            return date(self._book.year, 3, 9)
        if fact.type == "time":
            return microseconds(self._at)
        return f"‹{self._book.fact(fact.name)}›"
