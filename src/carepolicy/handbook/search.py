"""What the search of the handbook finds: the index of a language, as a script that its pages load."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.messages import message_anchor
from carepolicy.handbook.steps import anchor_of
from carepolicy.policy.language.flow import transitions_of
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Flow, State

IndexEntry = dict[str, str]
"""``t`` title, ``k`` kind, ``u`` address below the language's folder, ``f`` flow, ``o`` owner, ``s`` synonyms,
``e`` what may happen, ``w`` other words. Only titles, kinds, flows and owners are shown."""


def index_of(book: Book) -> list[IndexEntry]:
    """Everything that the search finds, in order: flows, their steps and ends, messages, and the glossary."""
    found: list[IndexEntry] = []
    for flow in book.policies.flows.values():
        page = f"flows/{identifier(flow.name)}.html"
        found.append(_flow_entry(book, flow, page))
        found += [_state_entry(book, flow, state, page) for state in flow.states.values()]
        found += _message_entries(book, flow, page)
    for term, text in book.policies.organisation.glossary.items():
        address = f"index.html#{term_anchor(term)}"
        found.append({"t": clean(term), "k": book.ui.kind_term, "u": address, "w": clean(text)})
    return [{key: value for key, value in entry.items() if value} for entry in found]


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


def _flow_entry(book: Book, flow: Flow, page: str) -> IndexEntry:
    return {
        "t": book.words(flow).flow_title(flow.name),
        "k": book.ui.kind_flow,
        "u": page,
        "o": book.role(flow.owner),
        "s": " ".join(clean(each) for each in flow.synonyms),
        "w": clean(flow.purpose),
    }


def _state_entry(book: Book, flow: Flow, state: State, page: str) -> IndexEntry:
    words = book.words(flow)
    triggers = [*state.start_on, *transitions_of(flow, state.name)]
    answers = [text for ways in state.on.values() for way in ways for text in (way.title, way.answer) if text]
    return {
        "t": words.state(state.name),
        "k": book.ui.kind_end if state.final is not None else book.ui.kind_state,
        "u": f"{page}#{anchor_of(state.name)}",
        "f": words.flow_title(flow.name),
        "o": book.role(state.owner),
        "s": " ".join(clean(each) for each in state.synonyms),
        "e": " ".join(dict.fromkeys([*(words.trigger(each) for each in triggers), *(clean(each) for each in answers)])),
        "w": " ".join(clean(each) for each in (state.say, *state.steps, state.ask, state.note) if each),
    }


def _message_entries(book: Book, flow: Flow, page: str) -> list[IndexEntry]:
    words = book.words(flow)
    names = sorted({name for effects in effects_of(flow) for name in effects.send})
    return [
        {
            "t": book.message(flow, name),
            "k": book.ui.kind_message,
            "u": f"{page}#{message_anchor(name)}",
            "f": words.flow_title(flow.name),
        }
        for name in names
    ]
