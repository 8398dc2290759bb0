"""Where an installed set and its shadow differ: in what became of cases, and in what they did since the shadow began.

Both stores are read in the order of subjects and laid side by side, so that memory does not grow with them. A case is
compared by its state, by when its clocks fall due, and by what happened to it and when: clocks fell late, messages,
notices and actions were asked for, tasks given, events not taken. States that the new set has renamed are the same.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine import codes
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.store.cases.snapshot import dues
from carepolicy.store.contract import named
from carepolicy.store.sql import statements
from carepolicy.store.versions.apply import Examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Transaction
    from carepolicy.store.shadow.journal import ShadowRow

KINDS = (
    "only_installed", "only_shadow", "state", "moves", "due", "late", "messages", "notices", "actions", "tasks",
    "refused",
)  # fmt: skip
"""What may differ: one set alone has the case; it is in another state; it came there otherwise; a clock falls due at
another time; a clock fell late, something was asked for, or a task was given, by one set alone, or otherwise, or at
another time; an event was taken by one set alone."""

COUNTED = ("late", "messages", "notices", "actions", "tasks", "refused")
"""What is counted over all cases."""

FOR_ANY_SET = frozenset(
    (
        codes.UNREADABLE, codes.INCOMPLETE, codes.NO_INSTANT, codes.TOO_LONG, codes.DUPLICATE, codes.NAMES_CARD,
        codes.NUMBER_IS_CARD,
    )
)  # fmt: skip
"""Why events are refused whatever the set is, and those with a card number, which is not kept for one that might take
it. The shadow does not get them."""

INSTALLED, SHADOW = 0, 1
STEP = 1_000


class Deed(NamedTuple):
    """What happened to a case: its kind, what in few words, when, and whatever else makes it the same as another."""

    kind: str
    what: str
    time: str
    detail: str = ""

    def as_dict(self) -> dict[str, str]:
        """What is told of it."""
        return {"what": self.what, "time": self.time}


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """Where one case differs. ``sides`` are those of the installed set and of the shadow: a state, a due time of
    ``clock`` or None, or what only that side did."""

    subject: str
    flow: str
    sides: tuple[str | None, str | None] | tuple[tuple[Deed, ...], tuple[Deed, ...]]
    clock: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The difference as JSON can hold it."""
        told: dict[str, Any] = {"subject": self.subject, "flow": self.flow or None}
        if self.clock is not None:
            told["clock"] = self.clock
        for name, side in zip(("installed", "shadow"), self.sides, strict=True):
            told[name] = [each.as_dict() for each in side] if isinstance(side, tuple) else side
        return told


@dataclass(slots=True)
class Comparison:
    """Two sets over the same events. ``cases`` counts those that were open or in which something happened, and
    ``differ`` those of them that are not the same under both; by kind of difference it has how many there are, with up
    to ``most`` examples; ``totals`` are those of both sets."""

    begun: int
    events: int
    most: int
    digest: str
    cases: int = 0
    differ: int = 0
    totals: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))

    differences: Examples[CaseDifference] = field(init=False)

    def __post_init__(self) -> None:
        self.differences = Examples(KINDS, self.most)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON can hold it."""
        return {
            "begun": text_of(self.begun),
            "events": self.events,
            "cases": self.cases,
            "differ": self.differ,
            "totals": {
                kind: {"installed": self.totals[INSTALLED][kind], "shadow": self.totals[SHADOW][kind]}
                for kind in COUNTED
            },
            "differences": self.differences.as_dict(),
        }


class Pair:
    """Two stores side by side. ``bundle`` is the set of the shadow, whose names of renamed states are used for both."""

    def __init__(self, live: Transaction, shadow: Transaction, row: ShadowRow, bundle: Bundle) -> None:
        self._live = live
        self._shadow = shadow
        self._row = row
        self._names = {
            program.flow: ({state.name for state in program.states}, program.moves) for program in bundle.programs
        }

    def compare(self, into: Comparison, told: Callable[[int], None]) -> None:
        """Add to ``into`` where they differ; ``told`` is called with numbers of cases that were compared."""
        for key in self._keys():
            rows = heapq.merge(*self._streams(key), key=itemgetter(0, 1))
            for (subject, flow), group in groupby(rows, key=itemgetter(0, 1)):
                self._compare_one(named(subject), flow, list(group), into)
                if into.cases % STEP == 0:
                    told(STEP)

    def _keys(self) -> list[str]:
        found: set[str] = set()
        for transaction in (self._live, self._shadow):
            key = transaction.rows(statements.FIRST_KEY)[0][0]
            while key is not None:
                found.add(key)
                key = transaction.rows(statements.NEXT_KEY, (key,))[0][0]
        return sorted(found)

    def _streams(self, key: str) -> Iterator[Iterator[tuple[Any, ...]]]:
        base, fired, moved = self._row.base, self._row.fired, self._row.moved
        yield ((*row[:2], INSTALLED, row[2:]) for row in self._live.stream(statements.CASES_OF_KEY, (key,)))
        yield ((*row[:2], SHADOW, row[2:]) for row in self._shadow.stream(statements.CASES_OF_KEY, (key,)))
        yield ((*row[:2], INSTALLED, row[2]) for row in self._live.stream(statements.RECORDS_OF_LIVE, (key, base)))
        yield (
            (*row[:2], SHADOW, row[2]) for row in self._shadow.stream(statements.RECORDS_OF_SHADOW, (key, fired, moved))
        )

    def _compare_one(self, subject: str, flow: str, rows: list[tuple[Any, ...]], into: Comparison) -> None:
        cases: list[tuple[str, bytes] | None] = [None, None]
        deeds: tuple[list[Deed], list[Deed]] = ([], [])
        for _, _, side, given in rows:
            if isinstance(given, tuple):
                cases[side] = given
            else:
                deed = self._deed(flow, orjson.loads(given))
                if deed is not None:
                    deeds[side].append(deed)
                    into.totals[side][deed.kind] += 1
        into.cases += bool(flow)
        before = into.differences.counts.total()
        same = self._compare_states(subject, flow, cases, deeds, into)
        live, shadow = cases
        if same and live is not None and shadow is not None:
            _compare_clocks(subject, flow, live[1], shadow[1], into)
        if deeds[INSTALLED] or deeds[SHADOW]:
            for kind in KINDS[3:] if same else KINDS[5:]:
                _compare_deeds(subject, flow, kind, deeds, into)
        into.differ += into.differences.counts.total() > before

    def _compare_states(
        self, subject: str, flow: str, cases: list[tuple[str, bytes] | None], deeds: tuple[list[Deed], list[Deed]],
        into: Comparison,
    ) -> bool:  # fmt: skip
        """Whether a case stands in the same state on both sides."""
        if not flow:
            return True
        sides = tuple(
            _ended(done) if case is None else self._state(flow, case[0])
            for case, done in zip(cases, deeds, strict=True)
        )
        if sides[0] == sides[1]:
            return True
        kind = "only_shadow" if sides[0] is None else "only_installed" if sides[1] is None else "state"
        into.differences.note(kind, CaseDifference(subject, flow, (sides[0], sides[1])))
        return False

    def _state(self, flow: str, name: str) -> str:
        """The name of a state in the set of the shadow."""
        names: tuple[set[str], Mapping[str, str]] = self._names.get(flow, (set(), {}))
        return name if name in names[0] else names[1].get(name, name)

    def _deed(self, flow: str, record: dict[str, Any]) -> Deed | None:
        """What a record tells of; None where it need not be the same."""
        data, time = record["data"], record.get("time", "")
        match record["type"].removeprefix("carepolicy."):
            case "case.opened":
                return Deed("moves", f"opened in {self._state(flow, data['state'])}", time)
            case "case.moved":
                way = f"{self._state(flow, data['from'])} -> {self._state(flow, data['to'])}"
                return Deed("moves", f"{way} on {data['on']}", time)
            case "case.closed":
                return Deed("moves", f"closed: {data['outcome']}", time, "closed")
            case "clock.late":
                return Deed("late", data["clock"], time)
            case "message.requested":
                words = [data.get(name) for name in ("channel", "language", "subject", "text")]
                return Deed("messages", data["template"], time, orjson.dumps(words).decode())
            case "notice.requested":
                return Deed("notices", data["role"], time, str(data.get("text")))
            case "action.requested":
                return Deed("actions", data["action"], time, orjson.dumps(data.get("with")).decode())
            case "task.assigned":
                return Deed("tasks", data["role"], time, str(data.get("person")))
            case "event.unexpected" | "event.rejected" if data["code"] not in FOR_ANY_SET:
                return Deed("refused", f"{data['event'].get('type', 'an event')} ({data['code']})", time)
        return None


def _ended(deeds: list[Deed]) -> str | None:
    """How a case that is not open ended, where it did since the shadow began."""
    return next((each.what for each in reversed(deeds) if each.detail == "closed"), None)


def _compare_clocks(subject: str, flow: str, live: bytes, shadow: bytes, into: Comparison) -> None:
    if live == shadow:
        return
    before, after = dues(live), dues(shadow)
    for clock in sorted({*before, *after}):
        sides = tuple(None if (due := each.get(clock, NEVER)) == NEVER else text_of(due) for each in (before, after))
        if sides[0] != sides[1]:
            into.differences.note("due", CaseDifference(subject, flow, (sides[0], sides[1]), clock))


def _compare_deeds(subject: str, flow: str, kind: str, deeds: tuple[list[Deed], list[Deed]], into: Comparison) -> None:
    counts = [Counter(each for each in side if each.kind == kind) for side in deeds]
    only = [tuple((counts[side] - counts[1 - side]).elements()) for side in (INSTALLED, SHADOW)]
    if only[0] or only[1]:
        into.differences.note(kind, CaseDifference(subject, flow, (only[0], only[1])))
