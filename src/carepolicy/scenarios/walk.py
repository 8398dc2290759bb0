"""A walk through a flow by hand: what may happen next, what became of it, one step back, and the walk as a scenario.

A walk is a list of moves. Whatever is shown of it comes of playing them all, written as a scenario, from the start: so
what is saved is what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carepolicy.engine.history.words import NAMES, Titles
from carepolicy.engine.instants import NEVER
from carepolicy.scenarios.play import START, SUBJECT, Play
from carepolicy.scenarios.scenario import Scenario, read_text
from carepolicy.scenarios.stage import CannotPlay
from carepolicy.scenarios.updates import so_written, written
from carepolicy.scenarios.verdict import judge, timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Event, Flow, State
    from carepolicy.scenarios.stage import Stage

_TOLD = ("sent", "told", "requested", "opened", "raised", "warned", "late", "met", "cancelled")


@dataclass(frozen=True, slots=True)
class WalkMove:
    """An event with its data as texts, or time that passes: ``wait`` a limit, or ``until`` a time."""

    event: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    wait: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class ClockStanding:
    """One clock now. ``status``: running, paused, late; ``due`` is a local time, ``left`` seconds (negative: over)."""

    clock: str
    title: str
    status: str
    due: str | None
    left: float | None


class Walk:
    """A walk through ``flow``, which begins at ``start`` (a time as a scenario writes it); what happened is told with
    ``titles``. Raises ``CannotPlay``."""

    def __init__(self, stage: Stage, flow: Flow, start: str = START, titles: Titles = NAMES) -> None:
        self.stage = stage
        self.flow = flow
        self.titles = titles
        self.start = stage.local(stage.instant(start))
        self.moves: list[WalkMove] = []
        self.play: Play | None = None
        self.news: list[str] = []
        self._expected: list[str] = []

    @property
    def now(self) -> str:
        """The local time at which the walk stands."""
        return self.start if self.play is None or self.play.now is None else self.stage.local(self.play.now)

    @property
    def state(self) -> State | None:
        """The state that the case is in, also a final one; None before it is opened."""
        view = None if self.play is None else self.play.view(self._whose())
        return None if view is None else self.flow.states.get(view.state)

    def take(self, move: WalkMove) -> None:
        """Make a move. Raises ``CannotPlay`` with the reason where it cannot be made; then nothing has changed."""
        if (
            move.until is not None
            and not self.moves
            and self.stage.instant(move.until) < self.stage.instant(self.start)
        ):
            raise CannotPlay(f"{move.until} is before {self.start}, where the walk begins")
        known = len(timeline(self.play, self.titles)) if self.play is not None else 0
        before = (self.play, self._expected)
        try:
            self._replay([*self.moves, move])
        except CannotPlay:
            self.play, self._expected = before
            raise
        self.moves.append(move)
        self.news = list(timeline(self.play, self.titles)[known:]) if self.play is not None else []

    def undo(self) -> bool:
        """Take the last move back; False where there is none."""
        if not self.moves:
            return False
        self.moves.pop()
        self._replay(self.moves)
        self.news = []
        return True

    def events(self) -> list[Event]:
        """The events that may happen next: those that open a case, or those that its state listens to."""
        state = self.state
        if state is None:
            starts = (name for each in self.flow.states.values() for name in each.start_on)
            names = list(dict.fromkeys(starts))
        else:
            program = self.play.program(self.flow.name) if self.play is not None else None
            ways = next((each.ways for each in program.states if each.name == state.name), {}) if program else {}
            names = [] if state.final is not None else [name for name in self.flow.events if name in ways]
        return [self.flow.events[name] for name in names if name in self.flow.events]

    def clocks(self) -> list[ClockStanding]:
        """The clocks that run or stand still, in the order of the flow."""
        case = None if self.play is None else self.play.cases.get(self._whose())
        if case is None or case.closed or self.play is None or self.play.now is None:
            return []
        found = []
        for clock in self.flow.clocks.values():
            held = case.round_of(clock.name)
            if held is not None:
                due = None if held.due == NEVER or not held.running else held.due
                status = "late" if held.late else "running" if held.running else "paused"
                left = None if due is None else (due - self.play.now) / 1_000_000
                local = None if due is None else self.stage.local(due)
                found.append(ClockStanding(clock.name, clock.title or clock.name, status, local, left))
        return found

    def next_timer(self) -> str | None:
        """The local time at which something happens by itself; None where nothing does."""
        case = None if self.play is None else self.play.cases.get(self._whose())
        return None if case is None or case.closed or case.next == NEVER else self.stage.local(case.next)

    def history(self) -> tuple[str, ...]:
        """What happened so far, one record a line."""
        return () if self.play is None else timeline(self.play, self.titles)

    def scenario(self, title: str) -> str:
        """The walk as the text of a scenario that passes. Raises ``CannotPlay`` for a walk without an event."""
        if self.play is None or self.play.view(self._whose()) is None:
            raise CannotPlay("no case has been opened yet: there is nothing to save")
        text = self._text(self.moves, self._expected, title)
        verdict = judge(self.stage, self._read(text))
        if not verdict.passed:
            raise CannotPlay(f"the walk does not come out the same again: step {verdict.failures[0].step}")
        return text

    def _whose(self) -> tuple[str, str]:
        if self.play is None:
            return self.flow.name, SUBJECT
        return self.play.whose(self.play.scenario.steps[-1])

    def _replay(self, moves: list[WalkMove]) -> None:
        """Play some moves from the start, and keep what was so after each of them."""
        if not moves:
            self.play, self._expected = None, []
            return
        scenario = self._read(self._text(moves, ["expect: {}"] * len(moves), "A walk"))
        self.play = Play(self.stage, scenario)
        expected = []
        for step, following in scenario.in_pairs():
            self.play.act(step, following)
            if step.expect is not None:
                self._demand_taken(self.play)
                expected.append(f"expect: {{{', '.join(so_written(self.play, self.play.whose(step), _TOLD))}}}")
        self._expected = expected

    def _demand_taken(self, play: Play) -> None:
        for each in play.caused:
            if each.kind == "event.rejected":
                raise CannotPlay(f"{each.data['reason']} ({each.data['code']})")

    def _text(self, moves: list[WalkMove], expected: list[str], title: str) -> str:
        lines = [f"scenario: {written(title)}", f"flow: {self.flow.name}", "steps:"]
        begun = False
        for move, said in zip(moves, expected, strict=True):
            at = "" if begun else f"at: {written(self.start)}, "
            if move.event is not None:
                data = ", ".join(f"{name}: {written(value)}" for name, value in move.data.items())
                lines.append(f"  - {{{at}event: {move.event}{f', data: {{{data}}}' if data else ''}}}")
            elif move.wait is not None:
                lines += [] if begun else [f"  - {{until: {written(self.start)}}}"]
                lines.append(f"  - {{wait: {written(move.wait)}}}")
            else:
                lines.append(f"  - {{until: {written(move.until)}}}")
            begun = True
            lines.append(f"  - {said}")
        return "\n".join(lines) + "\n"

    def _read(self, text: str) -> Scenario:
        scenarios, findings = read_text(text, "walk")
        if findings:
            raise CannotPlay(f"{findings[0].message}" + (f"; {findings[0].hint}" if findings[0].hint else ""))
        return scenarios[0]
