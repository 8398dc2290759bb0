"""Scenarios told as stories: the tests of the set in words that everybody can check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from carepolicy.charts.text import clean
from carepolicy.policy.characters import MASK
from carepolicy.policy.files import layers_of
from carepolicy.policy.phrases import outcome_of, said_at, scenario_keys
from carepolicy.policy.text import read_source
from carepolicy.scenarios.scenario import files_of_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.charts.words import Words
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Flow, Policies

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario: its sentence, and what happens in it. ``expected`` lines say what must be so then."""

    title: str
    lines: tuple[tuple[str, bool], ...]


def scenarios_of(policies: Policies) -> list[Mapping[str, Any]]:
    """The scenarios of a set as plain data, by the order of their files. Files that are no scenario are left out."""
    layers = layers_of(policies.root)
    paths = map(Path, files_of_layers(layers)) if len(layers) > 1 else Path(policies.root, "scenarios").glob("*.yaml")
    found: list[Mapping[str, Any]] = []
    for path in sorted(paths):
        source, _ = read_source(path, path.parent)
        data = source.data if source is not None else None
        found += [each for each in (data if isinstance(data, list) else [data]) if _is_scenario(each)]
    return found


def _is_scenario(data: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(data, dict) and isinstance(data.get("steps"), list) and "scenario" in data


def stories_of(book: Book, flow: Flow, scenarios: list[Mapping[str, Any]]) -> list[Story]:
    """The scenarios of one flow, told in the language of the book."""
    teller = _Teller(book, book.words(flow))
    own = [each for each in scenarios if each.get("flow") == flow.name]
    titles = [str(each["scenario"]) for each in own]
    told = [clean(said_at(book.policies, scenario_keys(flow.name, title), title)) for title in titles]
    return [Story(title, tuple(teller.lines(each["steps"]))) for title, each in zip(told, own, strict=True)]


class _Teller:
    """Tells the steps of scenarios of one flow."""

    def __init__(self, book: Book, words: Words) -> None:
        self._book = book
        self._words = words
        ui = book.ui
        lists: dict[str, tuple[str, Callable[[str], str]]] = {
            "sent": (ui.story_sent, self._message),
            "not_sent": (ui.story_not_sent, self._message),
            "told": (ui.story_told, book.role),
            "not_told": (ui.story_not_told, book.role),
            "requested": (ui.story_requested, words.command),
            "opened": (ui.story_opened, words.flow_title),
            "raised": (ui.story_raised, words.event),
            "assigned": (ui.story_assigned, book.role),
            "warned": (ui.story_warned, words.clock),
            "late": (ui.story_late, words.clock),
            "met": (ui.story_met, words.clock),
            "running": (ui.story_running, words.clock),
            "paused": (ui.story_paused, words.clock),
            "stopped": (ui.story_stopped, words.clock),
            "cancelled": (ui.story_cancelled, words.clock),
        }
        self._lists = lists

    def lines(self, steps: list[Any]) -> list[tuple[str, bool]]:
        """Lines in order; the second value of each says whether it is an expectation."""
        found: list[tuple[str, bool]] = []
        for step in steps:
            if not isinstance(step, dict):
                continue
            ui = self._book.ui
            if "wait" in step:
                found.append((ui.story_wait.format(self._book.limit(str(step["wait"]))), False))
            if "until" in step:
                found.append((ui.story_until.format(self._when(step["until"])), False))
            if "event" in step:
                found.append((self._event(step), False))
            if isinstance(step.get("expect"), dict):
                found += [(line, True) for line in self._expected(step["expect"])]
        return found

    def _event(self, step: Mapping[str, Any]) -> str:
        said = self._words.trigger(str(step["event"]))
        data = step.get("data")
        if isinstance(data, dict) and data:
            said += " (" + ", ".join(f"{self._book.fact(name)}: {self._value(name, data[name])}" for name in data) + ")"
        return self._book.ui.story_at.format(self._when(step["at"]), said) if "at" in step else said

    def _expected(self, expect: Mapping[str, Any]) -> list[str]:
        ui, words = self._book.ui, self._words
        found: list[str] = []
        if "state" in expect:
            found.append(ui.story_state.format(words.state(str(expect["state"]))))
        if "outcome" in expect:
            found.append(ui.story_outcome.format(self._outcome(str(expect["outcome"]))))
        for key, (sentence, named) in self._lists.items():
            names = expect.get(key)
            if names:
                listed = names if isinstance(names, list) else [names]
                found.append(sentence.format(", ".join(named(str(name)) for name in listed)))
        if isinstance(expect.get("due"), dict):
            due = expect["due"].items()
            found += [ui.story_due.format(words.clock(str(name)), self._when(when)) for name, when in due]
        if isinstance(expect.get("facts"), dict):
            facts = expect["facts"].items()
            told = self._words.labels.told_of
            said = ", ".join(
                told.format(self._book.fact(str(name)), self._value(str(name), value)) for name, value in facts
            )
            found.append(ui.story_facts.format(said))
        refusals = {"unexpected": ui.story_unexpected, "rejected": ui.story_rejected}
        found += [sentence for key, sentence in refusals.items() if expect.get(key) is True]
        return found

    def _outcome(self, name: str) -> str:
        policies, flow = self._words.policies, self._words.flow
        ends = (state.name for state in flow.states.values() if state.final == name)
        return outcome_of(policies, flow.name, next(ends, ""), name)

    def _message(self, name: str) -> str:
        return self._words.labels.quoted.format(self._book.message(self._words.flow, name))

    def _when(self, value: Any) -> str:
        """A moment in words of the organisation's zone; what is no moment stays as it is written."""
        text = value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
        try:
            if _DATE.match(text):
                return self._book.day(date.fromisoformat(text))
            at = datetime.fromisoformat(text)
        except ValueError:
            return clean(text)
        return self._book.moment(at.astimezone(self._book.zone) if at.tzinfo is not None else at)

    def _value(self, name: str, value: Any) -> str:
        fact = self._book.policies.organisation.facts.get(name)
        if fact is not None and fact.private:
            return MASK
        if isinstance(value, bool):
            return self._book.ui.yes if value else self._book.ui.no
        if isinstance(value, (list, tuple)):
            return ", ".join(self._value(name, each) for each in value)
        if fact is not None and fact.type == "choice":
            return clean(fact.told(str(value)))
        return clean(str(value))
