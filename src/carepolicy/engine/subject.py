"""A subject: all open cases about one thing, with what flows raise to it and open for it by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import NEVER

if TYPE_CHECKING:
    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveProgram


Origin = tuple[int, str, str, int]
"""The time, and the subject, flow and sequence of the case, at which an event was raised."""


class Raised:
    """An event that a transition raised for another key; ``data`` holds values as facts hold them.

    ``origin`` and ``number`` (where several were raised at one origin) put raised events in an order that does
    not depend on who works on which subject.
    """

    __slots__ = ("data", "event", "id", "number", "origin", "subject", "time")

    def __init__(self, origin: Origin, number: int, event: str, subject: str, data: dict[str, Any]) -> None:
        time, about, flow, sequence = origin
        self.origin = origin
        self.number = number
        self.id = f"{flow}/{about}/{sequence}/{time}/{number}"
        self.event = event
        self.subject = subject
        self.time = time
        self.data = data


class Opening:
    """The next time at which a flow opens a case by itself: ``number`` periods after its start."""

    __slots__ = ("due", "number", "program")

    def __init__(self, program: LiveProgram, number: int, due: int) -> None:
        self.program = program
        self.number = number
        self.due = due


NONE_YET: dict[int, int] = {}
"""What a subject of which no case was ever closed has of sequences; it stays empty."""


class Subject:
    """All open cases about one thing, and what must be remembered when they are closed.

    ``cases`` are by the place of their program; ``only`` is the one case where there is just one.
    """

    __slots__ = ("cases", "last", "name", "next", "only", "openings", "sequences")

    def __init__(self, name: str, last: int = -NEVER) -> None:
        self.name = name
        self.cases: dict[int, Case] = {}
        self.only: Case | None = None
        self.sequences: dict[int, int] = NONE_YET
        self.openings: dict[int, Opening] | None = None
        self.last = last
        self.next = NEVER

    def put(self, place: int, case: Case) -> None:
        """Note an open case."""
        self.cases[place] = case
        self.only = case if len(self.cases) == 1 else None

    def drop(self, place: int) -> None:
        """Let go of a case."""
        del self.cases[place]
        self.only = next(iter(self.cases.values())) if len(self.cases) == 1 else None
