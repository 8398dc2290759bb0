"""A draft of a mapping: which columns of a log are probably which events and facts of a flow, and how sure that is.

Three things speak for a match: names are alike, values are alike, and events come in the order that the flow has.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from math import inf
from statistics import mean
from typing import TYPE_CHECKING

from carepolicy.audit import timeforms

if TYPE_CHECKING:
    from carepolicy.policy.model import Fact, Flow, Policies

LOOKED_AT = 20_000
"""Rows of a log that are looked at."""

SURE, POSSIBLE = 0.6, 0.35
"""Above the first a match is drafted, above the second it stands in a comment, for a person to judge."""

MOST_ACTIVITIES = 100
"""A column with more values than these does not say what happened."""

_WHEN = frozenset(
    ("time", "timestamp", "date", "datetime", "when", "at", "on", "created", "updated", "day", "moment", "ts")
)
"""Words in the name of a column whose numbers may be times."""

_SUBJECTS = ("case", "order", "ticket", "incident", "request", "complaint", "parcel", "return", "customer", "id")

Rows = Sequence[Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Guess:
    """What something probably is, and how probable that is, from 0 to 1."""

    name: str
    certainty: float


@dataclass(slots=True)
class MappingDraft:
    """A drafted mapping; ``left`` are the events of the flow that nothing in the log is surely."""

    name: str
    flow: str
    form: str
    subject: Guess
    time: Guess | None = None
    time_format: str | None = None
    activity: Guess | None = None
    events: dict[str, Guess] = field(default_factory=dict)
    facts: dict[str, tuple[Guess, dict[str, str]]] = field(default_factory=dict)
    left: Sequence[str] = ()

    def text(self) -> Iterator[str]:
        """The lines of the mapping; what is not sure stands in comments."""
        yield f"mapping: {self.name}"
        yield f"flow: {self.flow}"
        written = f", time_format: {_quoted(self.time_format)}" if self.time_format else ""
        yield f"reads: {{format: {self.form}{written}}}"
        yield f"subject: {_quoted(self.subject.name)}  # {_percent(self.subject)}"
        if self.time is not None:
            yield f"time: {_quoted(self.time.name)}  # {_percent(self.time)}"
        if self.activity is not None:
            yield "event:"
            yield f"  column: {_quoted(self.activity.name)}  # {_percent(self.activity)}"
            sure = any(guess.certainty >= SURE for guess in self.events.values())
            yield "  values:" if sure else "  values:  # none is sure: take the # away where one is right"
            yield from self._lines(self.events, "    ")
            unsure = [value for value, guess in self.events.items() if guess.certainty < SURE]
            if unsure:
                yield "  others: ignore"
        elif self.events:
            yield "events_from_columns:"
            yield from self._lines(self.events, "  ")
        if self.left:
            yield f"# no value was found for: {', '.join(self.left)}"
        if self.facts:
            sure = any(guess.certainty >= SURE for guess, _ in self.facts.values())
            yield "facts:" if sure else "# facts:"
            for fact, (guess, values) in self.facts.items():
                said = ", ".join(f"{_quoted(value)}: {_quoted(is_)}" for value, is_ in values.items())
                more = f", values: {{{said}}}" if values else ""
                mark = "" if guess.certainty >= SURE else "# "
                yield f"  {mark}{fact}: {{column: {_quoted(guess.name)}{more}}}  # {_percent(guess)}"

    @staticmethod
    def _lines(events: Mapping[str, Guess], indent: str) -> Iterator[str]:
        for value, guess in events.items():
            if guess.certainty >= SURE:
                yield f"{indent}{_quoted(value)}: {guess.name}  # {_percent(guess)}"
            else:
                said = f"{guess.name}? {_percent(guess)}" if guess.certainty >= POSSIBLE else "no event is like it"
                yield f"{indent}# {_quoted(value)}: {said}"


def drafted(rows: Rows, policies: Policies, flow: Flow, name: str, form: str) -> MappingDraft | None:
    """The draft for a log's rows; None where they have no column of times."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    values = {column: [row[column] for row in rows if row.get(column)] for column in columns}
    times = {column: fit for column in columns if (fit := _time_format(column, values[column])) is not None}
    if not times:
        return None
    subject = _subject(columns, values, times, flow)
    activity, matched = _activity(rows, columns, values, times, subject.name, flow)
    draft = MappingDraft(name, flow.name, form, subject)
    if activity is not None and len(times) - len(_facts_of_time(times, flow, policies)) < 3:
        best = max(times, key=lambda each: (_alike(each, "time timestamp when"), -columns.index(each)))
        draft.time, draft.time_format = Guess(best, 0.9 if len(times) == 1 else 0.7), times[best] or None
        draft.activity, draft.events = activity, matched
    else:
        draft.events, fits = _from_columns(rows, values, times, flow)
        draft.time_format = next((each for each in fits if each), None)
    used = {subject.name, *(each.name for each in (draft.time, draft.activity) if each is not None)}
    sure = {each for each, guess in draft.events.items() if guess.certainty >= SURE}
    draft.left = sorted({*flow.events} - {draft.events[each].name for each in sure})
    if draft.activity is None:
        used = sure | {subject.name}
    free = [each for each in columns if each not in used]
    draft.facts = _facts(free, values, times, policies, flow)
    if draft.activity is None:
        facts = {guess.name for guess, _ in draft.facts.values() if guess.certainty >= SURE}
        draft.events = {each: guess for each, guess in draft.events.items() if each in sure or each not in facts}
    if form == "ocel":
        draft.subject = Guess(Counter(row.get("ocel:type") for row in rows).most_common(1)[0][0] or "", 0.5)
    return draft


# -- what columns are ----------------------------------------------------------------------------------------------


def _time_format(column: str, values: Sequence[str | None]) -> str | None:
    """How the times of a column are written: "" for ISO 8601, a format, None where it holds none. Numbers are times
    only where the name of the column says so."""
    some = [each for each in values[: timeforms.LOOKED_AT] if each]
    named = not _WHEN.isdisjoint(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column).lower()))
    if not some or not (named or all(any(sign in each for sign in "-/.:") for each in some[:20])):
        return None
    return timeforms.form_of(some, counts=named)


def _subject(
    columns: Sequence[str], values: Mapping[str, Sequence[str | None]], times: Mapping[str, str], flow: Flow
) -> Guess:
    """The column that names the case: by what it is called, and by how many values it has."""
    rows = max(map(len, values.values()))
    best = Guess(columns[0], 0.1)
    for column in columns:
        if column in times or not values[column]:
            continue
        words = _words(column)
        named = 0.5 if column in ("case:concept:name", "ocel:oid") else 0.0
        named += 0.3 * any(word in _SUBJECTS or word in _words(flow.name) for word in words) + 0.2 * ("id" in words)
        distinct = len(set(values[column])) / rows
        shape = 0.4 if 0.01 < distinct <= 1 and len(values[column]) > 0.95 * rows else 0.0
        certainty = min(named + shape, 0.95)
        if certainty > best.certainty:
            best = Guess(column, certainty)
    return best


def _activity(
    rows: Rows, columns: Sequence[str], values: Mapping[str, Sequence[str | None]], times: Mapping[str, str],
    subject: str, flow: Flow,
) -> tuple[Guess | None, dict[str, Guess]]:  # fmt: skip
    """The column that says what happened, and which event each of its values is."""
    found: tuple[float, str, dict[str, Guess]] = (0.0, "", {})
    for column in columns:
        distinct = list(dict.fromkeys(values[column]))
        if column in times or column == subject or not 2 <= len(distinct) <= MOST_ACTIVITIES:
            continue
        matched = matched_events(_by_case(rows, subject, column), flow)
        if not matched:
            continue
        named = 0.3 * (_alike(column, "activity event action status concept name") > 0.5)
        score = named + mean(each.certainty for each in matched.values())
        if score > found[0]:
            found = (score, column, matched)
    if not found[1]:
        return None, {}
    return Guess(found[1], min(found[0], 0.95)), found[2]


def _by_case(rows: Rows, subject: str, column: str) -> list[list[str]]:
    cases: dict[str, list[str]] = {}
    for row in rows:
        said, case = row.get(column), row.get(subject)
        if said and case:
            cases.setdefault(case, []).append(said)
    return [*cases.values()]


def matched_events(cases: Sequence[Sequence[str]], flow: Flow) -> dict[str, Guess]:
    """Which event each value is: by its words, and by where in a case it comes. Each event is taken once."""
    places: dict[str, list[float]] = {}
    for case in cases:
        for place, value in enumerate(case):
            places.setdefault(value, []).append(place / max(len(case) - 1, 1))
    order = _order_of(flow)
    scores = []
    for value, at in places.items():
        for event in flow.events:
            words = max(_alike(value, event), _alike(value, flow.events[event].title))
            near = 1 - abs(mean(at) - order.get(event, 0.5))
            scores.append((0.8 * words + 0.2 * near, value, event))
    return _taken_once(places, scores)


def _order_of(flow: Flow) -> dict[str, float]:
    """Where each event stands between the beginning (0) and the end (1) of the flow, by the states of its file."""
    found: dict[str, float] = {}
    last = max(len(flow.states) - 1, 1)
    for place, state in enumerate(flow.states.values()):
        for event in state.start_on:
            found.setdefault(event, 0.0)
        for event in state.on:
            found.setdefault(event, min(1.0, (place + 1) / last))
    return found


def _taken_once(names: Iterable[str], scores: Iterable[tuple[float, str, str]]) -> dict[str, Guess]:
    """The matches that are the best together, each event taken once; names that are like none that is left have an
    empty one."""
    alike = {(name, event): score for score, name, event in scores}
    wanted = [*names]
    events = [*dict.fromkeys(event for _, event in sorted(alike)), *[""] * len(wanted)]
    costs = [[-alike.get((name, event), 0.0) for event in events] for name in wanted]
    found = {}
    for name, place in zip(wanted, _cheapest(costs), strict=True):
        score = alike.get((name, events[place]), 0.0)
        found[name] = Guess(events[place] if score else "", min(score, 0.95))
    return found


def _cheapest(costs: Sequence[Sequence[float]]) -> list[int]:
    """For each row of costs a column of its own, so that their sum is the least. There are at least as many columns as
    rows. The method is that of Kuhn and Munkres: rows come one after the other, each by the shortest way on which rows
    before it move to other columns."""
    of_rows, of_columns = [0.0] * len(costs), [0.0] * (len(costs[0]) if costs else 0)
    taken: dict[int, int] = {}
    for begin in range(len(costs)):
        lengths = dict.fromkeys(range(len(of_columns)), inf)
        came_from: dict[int, int | None] = {}
        done: list[int] = []
        row: int | None = begin
        here: int | None = None
        while row is not None:
            for column, length in lengths.items():
                rest = costs[row][column] - of_rows[row] - of_columns[column]
                if rest < length:
                    lengths[column], came_from[column] = rest, here
            here = min(lengths, key=lambda each: lengths[each])
            step = lengths.pop(here)
            of_rows[begin] += step
            for column in done:
                of_rows[taken[column]] += step
                of_columns[column] -= step
            for column in lengths:
                lengths[column] -= step
            done.append(here)
            row = taken.get(here)
        while here is not None:
            before = came_from[here]
            taken[here] = begin if before is None else taken[before]
            here = before
    return [column for _, column in sorted((row, column) for column, row in taken.items())]


def _facts_of_time(times: Mapping[str, str], flow: Flow, policies: Policies) -> list[str]:
    facts = _carried(flow, policies)
    moments = [each for each in facts.values() if each.type in ("time", "date")]
    return [column for column in times if any(_alike(column, f"{each.name} {each.title}") > 0.6 for each in moments)]


def _from_columns(
    rows: Rows, values: Mapping[str, Sequence[str | None]], times: Mapping[str, str], flow: Flow
) -> tuple[dict[str, Guess], list[str]]:
    """Which event each column of instants is, in a table of one row a case."""
    moments: dict[str, list[float]] = {column: [] for column in times}
    for row in rows[:500]:
        read = [(_moment(row.get(column), times[column]), column) for column in times]
        there = sorted((moment, column) for moment, column in read if moment is not None)
        for place, (_, column) in enumerate(there):
            moments[column].append(place / max(len(there) - 1, 1))
    order = _order_of(flow)
    scores = []
    dull = _common(times) | _common(flow.events)
    for column in times:
        at = mean(moments[column]) if moments[column] else 0.5
        for event in flow.events:
            words = max(_alike(column, each, dull) for each in (event, flow.events[event].title))
            scores.append((0.6 * words + 0.4 * (1 - abs(at - order.get(event, 0.5))), column, event))
    return _taken_once(times, scores), [times[column] for column in times]


def _moment(text: str | None, form: str) -> datetime | None:
    try:
        made = timeforms.read(text, form) if text else None
    except ValueError:
        return None
    return made.replace(tzinfo=None) if made is not None else None


def _carried(flow: Flow, policies: Policies) -> dict[str, Fact]:
    names = {name for event in flow.events.values() for name in (*event.required, *event.optional)}
    return {name: fact for name, fact in policies.organisation.facts.items() if name in names}


def _facts(
    free: Sequence[str], values: Mapping[str, Sequence[str | None]], times: Mapping[str, str], policies: Policies,
    flow: Flow,
) -> dict[str, tuple[Guess, dict[str, str]]]:  # fmt: skip
    """Which column each fact is that an event of the flow carries, and what its values are where it is a choice."""
    scores = []
    facts = _carried(flow, policies)
    for column in free:
        for name, fact in facts.items():
            fits = (fact.type in ("time", "date")) == (column in times)
            words = max(_alike(column, name.partition(".")[2]), _alike(column, name), _alike(column, fact.title))
            if fits and words > POSSIBLE:
                scores.append((words, column, name))
    found: dict[str, tuple[Guess, dict[str, str]]] = {}
    for column, guess in _taken_once(free, scores).items():
        if guess.certainty > 0:
            found[guess.name] = (Guess(column, guess.certainty), _choices(facts[guess.name], values[column]))
    return dict(sorted(found.items()))


def _choices(fact: Fact, values: Sequence[str | None]) -> dict[str, str]:
    """Which value of a choice each value of a column is."""
    distinct = [each for each, _ in Counter(each for each in values if each).most_common(MOST_ACTIVITIES)]
    if not fact.of or set(distinct) <= set(fact.of):
        return {}
    scores = [(_alike(value, each), value, each) for value in distinct for each in fact.of]
    return {value: guess.name for value, guess in _taken_once(distinct, scores).items() if guess.certainty >= POSSIBLE}


# -- likeness ------------------------------------------------------------------------------------------------------

_SPLIT = re.compile(r"[^a-z0-9]+")
_SMALL = frozenset(("the", "a", "an", "it", "is", "of", "to", "in", "at"))


def _words(text: str) -> list[str]:
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()
    return [each for each in _SPLIT.split(parts) if each and each not in _SMALL]


def _common(names: Iterable[str]) -> frozenset[str]:
    """The words that most of some names have, and that tell them apart no more."""
    several = [*names]
    counts = Counter(word for name in several for word in set(_words(name)))
    return frozenset(word for word, count in counts.items() if count > len(several) / 2 and count > 1)


def _alike(one: str, other: str, dull: frozenset[str] = frozenset()) -> float:
    """How alike two names are, from 0 to 1: the words that they share, in any of their endings, ``dull`` ones aside."""
    mine, theirs = ([each for each in _words(text) if each not in dull] for text in (one, other))
    if not mine or not theirs:
        return 0.0
    best = [max(_word_likeness(word, each) for each in theirs) for word in mine]
    back = [max(_word_likeness(word, each) for each in mine) for word in theirs]
    return (mean(best) + mean(back)) / 2


def _word_likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return ratio if ratio > 0.72 else 0.0


def _percent(guess: Guess) -> str:
    return f"{guess.certainty:.0%} sure"


def _quoted(text: str | None) -> str:
    """A text as YAML has it, on one line."""
    said = text or ""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_ ]*", said) and said.strip() == said and said.lower() != "null"
    return said if plain else '"' + "".join(map(_escaped, said)) + '"'


def _escaped(sign: str) -> str:
    """A sign within quotation marks, as JSON and so YAML has it."""
    return sign if sign.isprintable() and sign not in '"\\' else json.dumps(sign)[1:-1]
