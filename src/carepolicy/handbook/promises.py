"""The promises of a set: every clock in one row, and each clock of a flow with its examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean
from carepolicy.handbook.examples import COUNTED, examples_of
from carepolicy.handbook.steps import anchor_of, limit_choices, limits_in_words

if TYPE_CHECKING:
    from carepolicy.charts.words import Words
    from carepolicy.handbook.phrases import Book
    from carepolicy.policy.model import Clock, Flow


@dataclass(frozen=True, slots=True)
class Promise:
    """One clock as a row: what is promised, in what time, counted in which calendar, and in how many cases."""

    flow: str
    flow_title: str
    anchor: str
    title: str
    promise: str
    limit: str
    target: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One limit of a clock: its words, its condition, worked examples, and what it hangs on ("" for nothing)."""

    limit: str
    condition: str
    examples: tuple[str, ...]
    hangs_on: str
    rolls: bool


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A clock with all that a flow's page tells of it. States are pairs of anchor and title."""

    promise: Promise
    choices: tuple[Choice, ...]
    runs_in: tuple[tuple[str, str], ...]
    pauses_in: tuple[tuple[str, str], ...]
    never_pauses: str
    restarts_on: str
    warns_at: str
    counts_from: str


def promises_of(book: Book) -> list[Promise]:
    """Every clock of every flow, by the order of the files."""
    return [promise_of(book, flow, clock) for flow in book.policies.flows.values() for clock in flow.clocks.values()]


def promise_of(book: Book, flow: Flow, clock: Clock) -> Promise:
    """One clock as a row."""
    words = book.words(flow)
    limits = limits_in_words(book, words, clock)
    plain = " / ".join(dict.fromkeys(book.limit(choice.limit, book.spoken) for choice in clock.limits))
    calendar = book.calendar_of(flow, clock)
    return Promise(
        flow=flow.name,
        flow_title=words.flow_title(flow.name),
        anchor=clock_anchor(clock.name),
        title=words.clock(clock.name),
        promise=clean(clock.promise.replace("{limit}", plain)),
        limit=limits,
        target="" if clock.target is None else _share(clock.target),
        calendar=book.calendar_title(calendar) if calendar and _is_counted(book, clock) else book.ui.elapsed,
    )


def clocks_of(book: Book, flow: Flow) -> list[ClockRow]:
    """The clocks of a flow, by the order of its file."""
    return [_row(book, flow, clock) for clock in flow.clocks.values()]


def clock_anchor(name: str) -> str:
    """The id of a clock in its flow's page."""
    from carepolicy.charts.text import identifier

    return f"clock-{identifier(name)}"


def _row(book: Book, flow: Flow, clock: Clock) -> ClockRow:
    words = book.words(flow)
    return ClockRow(
        promise=promise_of(book, flow, clock),
        choices=tuple(_choices(book, words, clock)),
        runs_in=tuple((anchor_of(name), words.state(name)) for name in clock.runs_in),
        pauses_in=tuple((anchor_of(name), words.state(name)) for name in clock.pauses_in),
        never_pauses=clean(clock.never_pauses or ""),
        restarts_on=", ".join(words.event(name) for name in clock.restarts_on),
        warns_at=", ".join(clean(share) for share in clock.warn_at),
        counts_from=book.fact(clock.counts_from) if clock.counts_from is not None else "",
    )


def _choices(book: Book, words: Words, clock: Clock) -> list[Choice]:
    calendar = book.calendar_of(words.flow, clock)
    found: list[Choice] = []
    for choice, (said, condition) in zip(clock.limits, limit_choices(book, words, clock), strict=True):
        limit = book.parsed(choice.limit)
        examples = [] if limit is None else examples_of(book, limit, calendar, choice.rolls is not None)
        hangs_on = book.fact(limit.fact) if limit is not None and limit.fact is not None else ""
        found.append(Choice(said, condition, tuple(examples), hangs_on, choice.rolls is not None))
    return found


def _is_counted(book: Book, clock: Clock) -> bool:
    limits = [book.parsed(choice.limit) for choice in clock.limits]
    kinds = {(limit.offset.kind if limit.offset is not None else limit.kind) for limit in limits if limit is not None}
    return bool(kinds & set(COUNTED))


def _share(share: float) -> str:
    return f"{share * 100:g} %"
