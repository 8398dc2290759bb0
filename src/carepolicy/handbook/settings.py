"""What the house has decided once, as a page: each setting in words, its value with its unit, and where it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.messages import message_anchor
from carepolicy.handbook.promises import clock_anchor
from carepolicy.handbook.steps import anchor_of
from carepolicy.machine.locales import value_in_words
from carepolicy.policy.language.flow import EVERY
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Fact, Flow, Setting

_NAMED = re.compile(r"\bsettings\.([a-z][a-z0-9_]*)")
_PARTS = re.compile(r"&&|\|\||[?:]")
"""What stands between these is a comparison of its own."""

_FACT = re.compile(r"[a-z][\w]*(?:\.[a-z]\w*)+")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """Where a setting counts in a flow: a step, clock or message, by title and address below the language's folder."""

    flow: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting as a row of the page, with where it counts by the title of each flow."""

    anchor: str
    title: str
    value: str
    uses: tuple[tuple[str, tuple[Use, ...]], ...]


def settings_of(book: Book) -> list[SettingRow]:
    """Every setting of the set, by the order of the file."""
    found: dict[str, list[_SettingMention]] = {}
    for each in _mentions(book):
        found.setdefault(each.setting, []).append(each)
    return [
        _row(book, setting, found.get(setting.name, [])) for setting in book.policies.organisation.settings.values()
    ]


def _row(book: Book, setting: Setting, mentions: list[_SettingMention]) -> SettingRow:
    uses: dict[str, dict[Use, None]] = {}
    for each in mentions:
        if each.use is not None:
            uses.setdefault(each.use.flow, {})[each.use] = None
    by_flow = tuple((flow, tuple(there)) for flow, there in uses.items())
    return SettingRow(
        f"setting-{identifier(setting.name)}", clean(setting.title), _value(book, setting, mentions), by_flow
    )


@dataclass(frozen=True, slots=True)
class _SettingMention:
    """A text that names a setting: what it stands in, the comparison that it is part of, and whose value it gives."""

    setting: str
    use: Use | None
    part: str
    given: str


def _mentions(book: Book) -> Iterator[_SettingMention]:
    for flow in book.policies.flows.values():
        for path, text in _texts(flow, ()):
            yield from _named(text, _use(book, flow, path), path[-1])
        for name in dict.fromkeys(name for effects in effects_of(flow) for name in effects.send):
            template = book.policies.messages.get(book.spoken, {}).get(name)
            if template is not None:
                there = _page(book, flow, book.message(flow, name), message_anchor(name))
                for path, text in _texts(template, (name,)):
                    yield from _named(text, there, path[-1])
    for path, text in _texts(replace(book.policies.organisation, settings={}), ()):
        yield from _named(text, None, path[-1])


def _named(text: str, use: Use | None, given: str) -> Iterator[_SettingMention]:
    for part in _PARTS.split(text):
        for match in _NAMED.finditer(part):
            yield _SettingMention(match[1], use, part, given)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text of a part of the policy that may name a setting, and the names under which it stands."""
    if isinstance(value, str):
        if "settings." in value:
            yield path, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(each, (*path, str(name)))
    elif is_dataclass(value):
        for name in _names_of(type(value)):
            yield from _texts(getattr(value, name), (*path, name))
    elif isinstance(value, (tuple, list, frozenset)):
        for number, each in enumerate(value):
            yield from _texts(each, (*path, str(number)))


_NAMES: dict[type, tuple[str, ...]] = {}


def _names_of(kind: type) -> tuple[str, ...]:
    """The names of a class's fields, but for that of its place in a file: asked for once."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(each.name for each in fields(kind) if each.name != "at")
    return _NAMES[kind]


def _use(book: Book, flow: Flow, path: Path) -> Use:
    words = book.words(flow)
    kind, *names = path
    if kind == "states" and names:
        return _page(book, flow, words.state(names[0]), anchor_of(names[0]))
    if kind == "clocks" and names:
        return _page(book, flow, words.clock(names[0]), clock_anchor(names[0]))
    if kind == "phases" and len(names) > 2 and names[1] == "on":
        return _page(book, flow, words.trigger(names[2]))
    if kind == "anywhere" and names:
        return _page(book, flow, words.trigger(names[0]))
    return _page(book, flow, words.event(EVERY) if kind == "every" else "")


def _page(book: Book, flow: Flow, title: str, anchor: str = "") -> Use:
    page = f"flows/{identifier(flow.name)}.html"
    return Use(book.words(flow).flow_title(flow.name), title, f"{page}#{anchor}" if anchor else page)


def _value(book: Book, setting: Setting, mentions: list[_SettingMention]) -> str:
    """The value in words: time and money with their unit, what is said of it in the language, yes and no, numbers."""
    if setting.words:
        return clean(setting.words)
    value = setting.value
    if isinstance(value, str):
        return clean(value) if book.parsed(value) is None else str(book.limit(value))
    if isinstance(value, bool):
        return book.ui.yes if value else book.ui.no
    if isinstance(value, (date, datetime)):
        return clean(str(value))
    money = next((fact for each in mentions if (fact := _measured(book, each)) and fact.type == "money"), None)
    zone = book.policies.organisation.timezone
    if money is not None:
        return value_in_words(Decimal(str(value)), "money", money.currency, book.language, zone)
    return value_in_words(value, "number", None, book.language, zone)


def _measured(book: Book, mention: _SettingMention) -> Fact | None:
    """The fact that a setting is compared with, or whose value it gives."""
    facts = book.policies.organisation.facts
    compared = [name for name in _FACT.findall(mention.part) if name in facts]
    return facts.get(next(iter(compared), mention.given))
