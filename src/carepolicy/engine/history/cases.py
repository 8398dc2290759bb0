"""Cases as their records tell of them: what is open, in which state, with which clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from carepolicy.engine.instants import parse
from carepolicy.engine.record import Record

RUNNING, PAUSED, LATE, MET, ENDED, CANCELLED = "running", "paused", "late", "met", "ended late", "cancelled"
_STATUS = {
    "started": RUNNING, "resumed": RUNNING, "restarted": RUNNING, "paused": PAUSED, "late": LATE, "met": MET,
    "ended": ENDED, "cancelled": CANCELLED,
}  # fmt: skip


@dataclass(slots=True)
class ClockView:
    """The last round of one clock of a case, as its last record (of the time ``at``) has it.

    ``used``, ``limit`` and ``over`` are seconds; where ``basis`` is ``business_days``, 86,400 of them are one
    business day. ``rounds`` counts how often the clock was started, ``times_late`` how often it was late.
    """

    name: str
    status: str = RUNNING
    late: bool = False
    due: str | None = None
    used: float = 0
    limit: float | None = None
    basis: str = ""
    over: float | None = None
    at: str = ""
    rounds: int = 0
    times_late: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the round goes on: it runs, is paused, or is late and not yet ended."""
        return self.status in (RUNNING, PAUSED, LATE)

    def take(self, what: str, record: Record) -> None:
        """Let the clock be what a record of the type ``clock.WHAT`` says."""
        data = record.data
        if what in ("started", "restarted"):
            self.rounds += 1
            self.late = False
        if what == "late":
            self.late = True
            self.times_late += 1
        status = _STATUS.get(what)
        if status is not None and (what != "late" or self.status != PAUSED):
            self.status = LATE if status == RUNNING and self.late else status
        self.due = data.get("due")
        self.used, self.limit, self.basis = data["used"], data.get("limit"), data["basis"]
        self.over, self.at = data.get("over"), record.when

    def as_dict(self) -> dict[str, Any]:
        """The clock as ``case show --format json`` prints it."""
        return {
            "clock": self.name, "status": self.status, "late": self.late, "due": self.due, "used": self.used,
            "limit": self.limit, "basis": self.basis, "over": self.over, "at": self.at, "rounds": self.rounds,
            "times_late": self.times_late,
        }  # fmt: skip


@dataclass(slots=True)
class CaseView:
    """One case. ``number`` counts the cases of one subject in one flow; times are texts of records, in UTC."""

    flow: str
    version: int
    subject: str
    number: int
    state: str
    opened: str
    since: str
    closed: str | None = None
    outcome: str | None = None
    role: str | None = None
    person: str | None = None
    clocks: dict[str, ClockView] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    @property
    def late(self) -> bool:
        """Whether a clock of the case is late and has not ended."""
        return any(each.late and each.is_open for each in self.clocks.values())

    @property
    def next_due(self) -> ClockView | None:
        """The clock that falls due first; None where none runs towards a due time."""
        dated = [each for each in self.clocks.values() if each.status == RUNNING and each.due]
        return min(dated, key=lambda each: parse(each.due or ""), default=None)

    def take(self, record: Record) -> None:
        """Let the case be what a record says."""
        data = record.data
        if record.kind == "case.moved":
            self.state, self.since = data["to"], record.when
            self.role = self.person = None
        elif record.kind == "case.closed":
            self.state, self.closed, self.outcome = data["state"], record.when, data["outcome"]
            self.role = self.person = None
        elif record.kind == "task.assigned":
            self.role, self.person = data["role"], data.get("person")
        elif record.kind.startswith("clock."):
            name = data["clock"]
            self.clocks.setdefault(name, ClockView(name)).take(record.kind.removeprefix("clock."), record)

    def as_dict(self) -> dict[str, Any]:
        """The case as ``case list`` and ``case show`` print it in JSON, without its timeline."""
        return {
            "flow": self.flow, "version": self.version, "subject": self.subject, "number": self.number,
            "state": self.state, "since": self.since, "opened": self.opened, "closed": self.closed,
            "outcome": self.outcome, "owner": self.role, "person": self.person, "late": self.late,
            "clocks": [each.as_dict() for each in self.clocks.values()],
        }  # fmt: skip


class Cases:
    """The cases that a stream of records tells of. With ``keep`` closed cases and all records are kept as well.

    Records of one subject in one flow must come in the order of their sequence, as `carepolicy run` writes them.
    """

    def __init__(self, keep: bool = False) -> None:
        self._keep = keep
        self._present: dict[tuple[str, str], CaseView] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._done: list[CaseView] = []

    def take(self, record: Record) -> None:
        """Take one record. What comes before its case was opened, in a log that was cut, is left out."""
        key = (record.flow, record.subject)
        case = self._present.get(key)
        if record.kind == "case.opened":
            number = self._numbers[key] = self._numbers.get(key, 0) + 1
            if case is not None and self._keep:
                self._done.append(case)
            case = self._present[key] = CaseView(
                record.flow, record.version, record.subject, number, record.data["state"], record.when, record.when
            )
        elif case is None:
            return
        else:
            case.take(record)
        if self._keep:
            case.records.append(record)
        elif case.closed is not None:
            del self._present[key]

    def open(self) -> Iterator[CaseView]:
        """The cases that are open."""
        return (each for each in self._present.values() if each.closed is None)

    def all(self) -> list[CaseView]:
        """All cases, by the time at which they were opened, then by flow."""
        return sorted((*self._done, *self._present.values()), key=lambda case: (parse(case.opened), case.flow))


def cases_of(records: Iterable[Record]) -> list[CaseView]:
    """The cases of one subject, from its records in any order; a record that comes twice counts once."""
    held = Cases(keep=True)
    once = {(each.flow, each.sequence): each for each in records}
    for key in sorted(once):
        held.take(once[key])
    return held.all()
