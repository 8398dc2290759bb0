"""What the search of the handbook finds: the index of a language, as a script that its pages load.

The search itself is assets/search.js. An entry bears its phrases whole, since a query that says one of them in full is
worth more than words here and there; what is done and said at a step is a bag of words.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts import chart_of
from carepolicy.charts.text import clean, identifier
from carepolicy.charts.words import Words
from carepolicy.handbook.messages import message_anchor
from carepolicy.handbook.roles import role_file
from carepolicy.handbook.steps import anchor_of
from carepolicy.handbook.ui import ui_of
from carepolicy.policy.language.flow import transitions_of
from carepolicy.policy.phrases import in_language
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.charts.plan import Chart
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Flow, Policies, Role, State

IndexEntry = dict[str, str | int | list[str]]
"""``c`` what it is ("flow", "step", "end", "message", "role", "term"), ``k`` the same in words of the language, ``t``
title, ``u`` address below the language's folder, ``f`` flow, ``n`` number of a step, ``o`` owner, ``p`` people,
``s`` synonyms, ``x`` title and synonyms in other languages, ``e`` what may happen, ``w`` other words."""

_BETWEEN = re.compile("[;\uff1b\u061b]")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class _SearchIndex:
    """What the entries of one language are made of: its book, and the set in each of its other languages."""

    book: Book
    others: tuple[tuple[str, Policies], ...]
    numbers: Mapping[str, Mapping[str, int]]

    def entries(self) -> Iterator[IndexEntry]:
        """Everything that the search finds, in order: flows with their steps and ends, messages, roles, glossary."""
        policies, ui = self.book.policies, self.book.ui
        for flow in policies.flows.values():
            page = f"flows/{identifier(flow.name)}.html"
            yield self._flow(flow, page)
            yield from (self._state(flow, state, page) for state in flow.states.values())
            yield from self._messages(flow, page)
        for role in policies.organisation.roles.values():
            if role.people:
                address = f"roles/{role_file(role.name)}"
                title = self.book.role(role.name)
                yield {"c": "role", "k": ui.role, "t": title, "u": address, "p": _people(role)}
        for term, text in policies.organisation.glossary.items():
            address = f"index.html#{term_anchor(term)}"
            yield {"c": "term", "k": ui.kind_term, "t": clean(term), "u": address, "w": bag([text])}

    def _flow(self, flow: Flow, page: str) -> IndexEntry:
        title = self.book.words(flow).flow_title(flow.name)
        facts = self.book.policies.organisation.facts
        carried = dict.fromkeys(name for event in flow.events.values() for name in (*event.required, *event.optional))
        choices = [facts[name].told(value) for name in carried if name in facts for value in facts[name].of]
        return {
            "c": "flow",
            "k": self.book.ui.kind_flow,
            "t": title,
            "u": page,
            "o": self.book.role(flow.owner),
            "p": self._people_of(flow.owner),
            "s": spoken(flow.synonyms),
            "x": self._elsewhere(flow, None, title),
            "e": [*dict.fromkeys(clean(each) for each in choices)],
            "w": bag([flow.purpose]),
        }

    def _state(self, flow: Flow, state: State, page: str) -> IndexEntry:
        words = self.book.words(flow)
        triggers = [*state.start_on, *transitions_of(flow, state.name)]
        answers = [text for ways in state.on.values() for way in ways for text in (way.title, way.answer) if text]
        ends, title = state.final is not None, words.state(state.name)
        return {
            "c": "end" if ends else "step",
            "k": self.book.ui.kind_end if ends else self.book.ui.kind_state,
            "t": title,
            "u": f"{page}#{anchor_of(state.name)}",
            "f": words.flow_title(flow.name),
            "n": self.numbers.get(flow.name, {}).get(state.name, 0),
            "o": self.book.role(state.owner),
            "p": self._people_of(state.owner),
            "s": spoken(state.synonyms),
            "x": self._elsewhere(flow, state, title),
            "e": [*dict.fromkeys([*(words.trigger(each) for each in triggers), *(clean(each) for each in answers)])],
            "w": bag([state.say, *state.steps, state.ask, state.note]),
        }

    def _messages(self, flow: Flow, page: str) -> Iterator[IndexEntry]:
        words = self.book.words(flow)
        for name in sorted({name for effects in effects_of(flow) for name in effects.send}):
            yield {
                "c": "message",
                "k": self.book.ui.kind_message,
                "t": self.book.message(flow, name),
                "u": f"{page}#{message_anchor(name)}",
                "f": words.flow_title(flow.name),
            }

    def _people_of(self, name: str | None) -> list[str]:
        role = self.book.policies.organisation.roles.get(name or "")
        return _people(role) if role is not None else []

    def _elsewhere(self, flow: Flow, state: State | None, title: str) -> list[str]:
        """What a flow, or a step of it, is called in the set's other languages."""
        found: dict[str, None] = {}
        for language, policies in self.others:
            there = policies.flows[flow.name]
            words = Words(policies, there, language)
            called = words.flow_title(flow.name) if state is None else words.state(state.name)
            synonyms = there.synonyms if state is None else there.states[state.name].synonyms
            found |= dict.fromkeys((called, *spoken(synonyms)))
        own = {title, *spoken(flow.synonyms if state is None else state.synonyms)}
        return [each for each in found if each not in own]


def index_of(book: Book, charts: Mapping[str, Chart | None] | None = None) -> list[IndexEntry]:
    """Everything that the search of a book finds; ``charts`` are those of its flows, as far as they are known."""
    tags = [each for each in book.policies.organisation.languages if each != book.language]
    others = tuple((tag, in_language(book.policies, tag)) for tag in tags)
    numbers: dict[str, dict[str, int]] = {}
    for name in book.policies.flows:
        chart = (charts or {}).get(name) or chart_of(book.policies, name, language=book.language)
        numbers[name] = {card.state: card.number for sheet in chart.sheets for card in sheet.cards}
    entries = _SearchIndex(book, others, numbers).entries()
    return [{key: value for key, value in entry.items() if value} for entry in entries]


def spoken(synonyms: Iterable[str]) -> list[str]:
    """The phrases of synonyms, each once: a text of the policy may hold several, with semicolons between."""
    return [*dict.fromkeys(phrase for text in synonyms for each in _BETWEEN.split(text) if (phrase := clean(each)))]


def bag(texts: Iterable[str]) -> str:
    """The words of some texts, each once."""
    words = (word for text in texts if text for word in _WORD.findall(clean(text)))
    return " ".join({word.casefold(): word for word in words}.values())


def step_words(book: Book) -> str:
    """What a step is called in each language of the set, for queries such as "step 4"."""
    policies = book.policies
    tags = (book.language, *policies.organisation.languages)
    return " ".join(dict.fromkeys(ui_of(tag, policies.own_words).kind_state for tag in tags))


def missing_word(book: Book) -> str:
    """Whom to tell of a word that finds nothing: the role that keeps most flows up to date, else that owns most."""
    flows = book.policies.flows.values()
    kept = [flow.steward for flow in flows if flow.steward is not None] or [flow.owner for flow in flows]
    role = max(dict.fromkeys(kept), key=kept.count, default="")
    people = book.policies.organisation.roles[role].people if role in book.policies.organisation.roles else ()
    named = f" ({', '.join(map(clean, people))})" if people else ""
    return book.ui.found_missing.format(book.role(role) + named) if role else ""


def script_of(entries: list[IndexEntry]) -> str:
    """The index as a script that assigns a variable, since a page from a folder may fetch no file.

    Nothing in it can end a script element or a line of the script.
    """
    lines = [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries]
    text = ",\n".join(lines)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"window.HANDBOOK_INDEX = [\n{text}\n];\n"


def term_anchor(term: str) -> str:
    """The id of a word of the glossary in the home page."""
    return f"term-{identifier(clean(term).replace(' ', '_'))}"


def _people(role: Role) -> list[str]:
    return [clean(each) for each in role.people]
