"""The frozen model of a policy set: what the YAML says, with every name still a name.

Nothing here is compiled. Guards and expressions are the texts that the manager wrote, with their addresses; limits are
read as well. Every object knows its address (``at``), so that any of them can
report a fault at the very token that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from carepolicy.policy.limit import LimitText
from carepolicy.policy.organisation import (
    CalendarSpec,
    Channel,
    Fact,
    Holidays,
    ImportedFile,
    Interval,
    Organisation,
    Role,
    Setting,
    Value,
    Watch,
)
from carepolicy.policy.part import CelText
from carepolicy.policy.places import At, Place, Source

__all__ = [
    "After", "CalendarSpec", "CelText", "Channel", "Clock", "Effects", "Event", "Extend", "Fact", "Flow", "Holidays",
    "ImportedFile", "Interval", "LimitChoice", "LimitText", "Message", "Open", "Organisation", "Phase", "Policies",
    "Raise", "Request", "Role", "Setting", "State", "Tell", "Transition", "Value", "Watch",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """What may happen in a flow. ``by``: customer, staff, system, carrier, partner or other."""

    name: str
    title: str
    by: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    at: At


@dataclass(frozen=True, slots=True)
class LimitChoice:
    """One entry of a clock's limits: ``limit`` (its text) holds where the guard ``when`` does."""

    when: CelText | None
    limit: LimitText
    rolls: str | None
    at: At


@dataclass(frozen=True, slots=True)
class Clock:
    """A promise in time. ``target`` is a share from 0 to 1; ``calendar`` a name, "owner" or None."""

    name: str
    title: str
    promise: str
    limits: tuple[LimitChoice, ...]
    runs_in: tuple[str, ...]
    pauses_in: tuple[str, ...]
    again: str
    restarts_on: tuple[str, ...]
    warn_at: tuple[str, ...]
    target: float | None
    calendar: str | None
    counts_from: str | None
    never_pauses: str | None
    at: At


@dataclass(frozen=True, slots=True)
class Tell:
    """An internal notice to a role."""

    role: str
    say: str
    at: At


@dataclass(frozen=True, slots=True)
class Request:
    """A command to a service; ``arguments`` are expressions."""

    action: str
    arguments: Mapping[str, CelText]
    at: At


@dataclass(frozen=True, slots=True)
class Open:
    """A case of another flow for the same subject, started by ``on`` where it has several starts."""

    flow: str
    on: str | None
    keep_time: bool
    at: At


@dataclass(frozen=True, slots=True)
class Raise:
    """An event for another key: ``subject`` and the values of ``data`` are expressions."""

    event: str
    subject: CelText
    data: Mapping[str, CelText]
    at: At


@dataclass(frozen=True, slots=True)
class Extend:
    """More time on a running clock, ``at_most`` so many times a case (None: no bound)."""

    clock: str
    by: LimitText
    at_most: int | None
    at: At


@dataclass(frozen=True, slots=True)
class Effects:
    """What happens besides a change of state; ``set`` maps facts to expressions.

    ``spends`` is what a transition gives away, as an expression; effects of entering and leaving give nothing away.
    """

    set: Mapping[str, CelText]
    send: tuple[str, ...]
    tell: tuple[Tell, ...]
    request: tuple[Request, ...]
    open: tuple[Open, ...]
    assign: str | None
    raises: tuple[Raise, ...]
    extend: tuple[Extend, ...]
    at: At
    spends: CelText | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One arrow. ``on`` is its trigger: an event, ``CLOCK.late`` (…), or the limit of an ``after``.

    ``to`` None means that the case stays, without leaving and entering again. ``except_`` is used
    under ``anywhere`` only: the states in which it does not hold.
    """

    on: str
    when: CelText | None
    to: str | None
    effects: Effects
    note: str
    answer: str
    title: str
    draw: str | None
    except_: tuple[str, ...]
    at: At
    steps: tuple[str, ...] = ()
    say: str = ""
    never: str = ""


@dataclass(frozen=True, slots=True)
class After:
    """Transitions that are tried when ``limit`` has passed since the state was entered."""

    limit: LimitText
    transitions: tuple[Transition, ...]
    at: At


@dataclass(frozen=True, slots=True)
class State:
    """Where a case can be. ``final`` is the outcome of a final state, None in every other."""

    name: str
    title: str
    start_on: tuple[str, ...]
    owner: str | None
    channel: str | None
    steps: tuple[str, ...]
    say: str
    never: str
    ask: str
    note: str
    waits: str | None
    enter: Effects | None
    leave: Effects | None
    on: Mapping[str, tuple[Transition, ...]]
    after: tuple[After, ...]
    final: str | None
    renamed_from: str | None
    synonyms: tuple[str, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Phase:
    """A box on the chart, and the transitions that its states share."""

    name: str
    title: str
    states: tuple[str, ...]
    on: Mapping[str, tuple[Transition, ...]]
    at: At


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow chart. ``subject`` is the fact that keys its cases, or None for the event's subject;
    with ``every`` it is the subject itself for which cases are opened by time."""

    name: str
    version: int
    title: str
    purpose: str
    owner: str
    steward: str | None
    covers: tuple[str, ...]
    based_on: str
    valid_from: date | None
    calendar: str | None
    subject: str | None
    keep: LimitText | None
    every: LimitText | None
    starting: str | None
    promise: LimitText | None
    events: Mapping[str, Event]
    clocks: Mapping[str, Clock]
    states: Mapping[str, State]
    anywhere: Mapping[str, tuple[Transition, ...]]
    phases: Mapping[str, Phase]
    moves_to: Mapping[str, str]
    synonyms: tuple[str, ...]
    order: tuple[str, ...]
    at: At

    def triggers(self) -> tuple[str, ...]:
        """Every name that may stand as a key of ``on:``: events, then each clock's three events."""
        clock_events = (f"{clock}.{what}" for clock in self.clocks for what in ("warned", "late", "met"))
        return (*self.events, *clock_events)


@dataclass(frozen=True, slots=True)
class Message:
    """A template in one language; ``{placeholders}`` are still in ``subject`` and ``text``.

    ``apologises`` says that its text begs pardon for lateness.
    """

    name: str
    subject: str
    text: str
    at: At
    apologises: bool = False


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole set, read and shaped but not yet checked for meaning.

    ``messages`` is by language, then by template. ``digest`` is a hash of every file's bytes.
    """

    root: str
    organisation: Organisation
    flows: Mapping[str, Flow]
    messages: Mapping[str, Mapping[str, Message]]
    digest: str
    sources: Mapping[str, Source] = field(repr=False, compare=False)

    def place(self, at: At) -> Place:
        """Where the value at an address stands in its file."""
        return self.sources[at.file].value(at.path)

    def key_place(self, at: At) -> Place:
        """Where the key at an address stands in its file."""
        return self.sources[at.file].key(at.path)
