"""What a flow compiles to: plain tables of names, numbers and functions, and nothing that runs by itself.

States, clocks and programs refer to each other by index. Functions are compiled guards and
expressions with the signature ``function(facts, event, case)``; ``bundle.py`` pickles them by their code, so that a
bundle can be cached on disk and sent to worker processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from decimal import Decimal

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.businesstime.zones import ZoneLine
    from carepolicy.machine.template import Template
    from carepolicy.policy.limit import Limit, WarnMark

Function = Callable[[Mapping[str, Any], Mapping[str, Any], Any], Any]


class Phase(IntEnum):
    """What a clock does while a case is in a state."""

    STOPPED = 0
    RUNNING = 1
    PAUSED = 2


class LimitTable(Struct, frozen=True, gc=False):
    """One limit that a clock may have; the first whose ``when`` holds is the clock's limit. ``calendars`` (names) are
    by the index of the state, None where it counts in the clock's."""

    when: Function | None
    limit: Limit
    rolls: bool
    reads: frozenset[str]
    calendars: tuple[str, ...] | None = None


class WarnTable(Struct, frozen=True, gc=False):
    """When a clock warns: after a share of its limit, given in parts per million; where there is a ``mark``, then."""

    share: int
    mark: WarnMark | None = None


class ClockTable(Struct, frozen=True, gc=False):
    """A clock. ``phases`` and ``calendars`` (names) are by the index of the state."""

    name: str
    title: str
    limits: tuple[LimitTable, ...]
    phases: tuple[Phase, ...]
    calendars: tuple[str, ...]
    goes_on: bool
    restarts_on: frozenset[str]
    warns: tuple[WarnTable, ...]
    counts_from: str | None
    target: float | None
    place: int


class ExtendTable(Struct, frozen=True, gc=False):
    """More time on a clock, so often at most in the life of a case."""

    clock: int
    by: Limit
    at_most: int | None


class OpenTable(Struct, frozen=True, gc=False):
    """A case of another flow for the same subject."""

    flow: str
    on: str | None
    keep_time: bool


class ArgumentTable(Struct, frozen=True, gc=False):
    """A value handed to a service: its type's name, and the private facts that went into it."""

    name: str
    function: Function
    type: str
    private: tuple[str, ...]


class RaiseTable(Struct, frozen=True, gc=False):
    """An event for another key; a ``subject`` that has no value raises nothing."""

    event: str
    subject: Function
    data: tuple[tuple[str, Function], ...]


class NoticeTable(Struct, frozen=True, gc=False):
    """A notice for a role, its text by language; ``calendar`` is the one whose hours it waits for, None where it does
    not wait."""

    role: str
    texts: Mapping[str, Template]
    calendar: str | None


class EffectsTable(Struct, frozen=True, gc=False):
    """Effects, in the order in which they happen: the order of the fields."""

    set: tuple[tuple[str, Function], ...]
    assign: tuple[str | None, str | None] | None
    send: tuple[str, ...]
    tell: tuple[NoticeTable, ...]
    request: tuple[tuple[str, tuple[ArgumentTable, ...]], ...]
    open: tuple[OpenTable, ...]
    raises: tuple[RaiseTable, ...]
    extend: tuple[ExtendTable, ...]


class SpendTable(Struct, frozen=True, gc=False):
    """What a transition gives away, and how much the role that acts may give away at ``most``."""

    amount: Function
    most: Decimal
    role: str


class RuleTable(Struct, frozen=True, gc=False):
    """One way out of a state, or inside it (``to`` is -1)."""

    when: Function | None
    to: int
    effects: EffectsTable | None
    spends: SpendTable | None = None


class AfterTable(Struct, frozen=True, gc=False):
    """A timer of a state: ``trigger`` is its name on the machine."""

    trigger: str
    limit: Limit
    calendar: str
    rules: tuple[RuleTable, ...]
    place: int


class StateTable(Struct, frozen=True, gc=False):
    """A state. ``ways`` holds the transitions by trigger, resolved over phases and ``anywhere``."""

    name: str
    title: str
    final: str | None
    owner: str | None
    channel: str | None
    ways: Mapping[str, tuple[RuleTable, ...]]
    afters: tuple[AfterTable, ...]
    enter: EffectsTable | None
    leave: EffectsTable | None


class Every(Struct, frozen=True, gc=False):
    """A case is opened each ``period`` from ``starting`` (microseconds since 1970, UTC) for ``subject``."""

    period: Limit
    calendar: str
    starting: int
    subject: str
    state: int


class EventTable(Struct, frozen=True, gc=False):
    """What an event is called, and who makes it happen: customer, staff, system, carrier, partner or other."""

    title: str
    by: str


class Program(Struct, frozen=True, gc=False):
    """A compiled flow. ``calendar`` is the one of its clocks and timers that name none; ``key`` is the fact that
    keys its cases, None where the event's subject does; ``counts_visits`` says that an expression may ask how
    often a state was entered; ``moves`` says to which states cases go whose states are gone; ``keep`` is how long
    the facts of closed cases are kept."""

    flow: str
    version: int
    title: str
    calendar: str
    states: Sequence[StateTable]
    clocks: Sequence[ClockTable]
    starts: Mapping[str, int]
    events: frozenset[str]
    required: Mapping[str, tuple[str, ...]]
    key: str | None
    every: Every | None
    stratum: int
    counts_visits: bool
    templates: Mapping[str, Mapping[str, Template]]
    happenings: Mapping[str, EventTable]
    moves: Mapping[str, str]
    keep: Limit | None


class FactTable(Struct, frozen=True, gc=False):
    """A typed fact, as events bring it. ``card_never``: its digits are no card number; ``names_case``: its value, or
    what is made of it, names cases; ``region`` is that of telephone numbers which name none."""

    name: str
    type: str
    item: str | None
    of: tuple[str, ...]
    private: bool
    currency: str | None
    default: str | int | float | bool | Decimal | None
    card_never: bool = False
    names_case: bool = False
    least: int | float | Decimal | None = None
    most: int | float | Decimal | None = None
    pattern: str | None = None
    region: str | None = None


class WatchTable(Struct, frozen=True, gc=False):
    """A watch: raises ``raises`` about a value of ``by`` that ``counts`` bring ``reaches`` times ``within`` a limit."""

    name: str
    counts: str
    by: str
    reaches: int
    within: Limit
    calendar: str
    raises: str
    stratum: int


class TeamTable(Struct, frozen=True, gc=False):
    """The people of a role, as their names are compared, and the role that stands in."""

    people: tuple[str, ...]
    deputy: str | None


class Bundle(Struct, frozen=True, gc=False):
    """A whole policy set, compiled. ``digest`` names the files that it was compiled from; ``zone`` is ``timezone`` over
    the years of which people mostly type times.

    - ``carries``: the facts that an event of each type may bring to any flow.
    - ``addresses``: the fact with the customer's address on each channel; ``channels``: our own addresses.
    - ``may_see``: the private facts that each role may see.
    - ``keep``: how long the facts of closed cases are kept where their flow does not say it; ``retention``: how long
      events, outbox, records and dead_letters are.
    - ``card_never``: subjects, ids and sources of events are no card numbers.
    - ``region``: that of telephone numbers that name none, where customers are reached by telephone.
    - ``absences``: when people are away, by their names as these are compared: from the first instant (microseconds
      since 1970) to before the second; ``teams``: the roles, where anybody is.
    """

    organisation: str
    timezone: str
    zone: ZoneLine
    languages: tuple[str, ...]
    facts: Mapping[str, FactTable]
    carries: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, str]
    channels: Mapping[str, str]
    role_titles: Mapping[str, str]
    may_see: Mapping[str, frozenset[str]]
    keep: Limit | None
    retention: Mapping[str, Limit]
    programs: tuple[Program, ...]
    watches: tuple[WatchTable, ...]
    calendars: Mapping[str, Calendar]
    digest: str
    card_never: bool = False
    region: str | None = None
    absences: Mapping[str, tuple[tuple[int, int], ...]] = {}
    teams: Mapping[str, TeamTable] = {}
