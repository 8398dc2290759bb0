"""What people call the things that records name: titles of flows, states, clocks, events and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.machine.program import Bundle

HAPPENS = {"late": "is late", "warned": "warns", "met": "is met"}


class Titles:
    """The titles of a set; where it is not known, or has not what is asked about, names stand for themselves."""

    def __init__(self, bundle: Bundle | None = None) -> None:
        programs = () if bundle is None else bundle.programs
        self._flows = {each.flow: each.title for each in programs}
        self._states = {(each.flow, state.name): state.title for each in programs for state in each.states}
        self._clocks = {(each.flow, clock.name): clock.title for each in programs for clock in each.clocks}
        self._events = {(each.flow, name): told.title for each in programs for name, told in each.happenings.items()}
        self._roles: Mapping[str, str] = {} if bundle is None else bundle.role_titles

    def flow(self, name: str) -> str:
        """``Answer an e-mail (email_inquiry)``."""
        return _both(self._flows.get(name), name)

    def state(self, flow: str, name: str) -> str:
        """``Late - apologise first (overdue)``."""
        return _both(self._states.get((flow, name)), name)

    def state_said(self, flow: str, name: str) -> str:
        """A state amid other words: its title in quotes."""
        return _quoted(self._states.get((flow, name)), name)

    def clock(self, flow: str, name: str) -> str:
        """``First answer``."""
        return self._clocks.get((flow, name)) or name

    def clock_said(self, flow: str, name: str) -> str:
        """A clock amid other words: its title in quotes."""
        return _quoted(self._clocks.get((flow, name)), name)

    def role(self, name: str) -> str:
        """``Care team lead``."""
        return self._roles.get(name) or name

    def cause(self, flow: str, trigger: str) -> str:
        """Why a case moved: ``on "The customer writes again"``, ``as "First answer" is late``."""
        if trigger == "after":
            return "as its time was up"
        clock, _, what = trigger.rpartition(".")
        if (flow, clock) in self._clocks and what in HAPPENS:
            return f"as {self.clock_said(flow, clock)} {HAPPENS[what]}"
        return f"on {_quoted(self._events.get((flow, trigger)), trigger)}"


def _both(title: str | None, name: str) -> str:
    if title and title.lower() == name.replace("_", " "):
        return title
    return f"{title} ({name})" if title else name


def _quoted(title: str | None, name: str) -> str:
    return name if not title or title == name else f'"{title}"'


NAMES = Titles()
"""No titles at all: what is named is told by its name."""
