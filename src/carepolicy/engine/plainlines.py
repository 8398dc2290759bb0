"""Lines in the order in which they come: the shortest way from lines to records of the lowest stratum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.columns import Columns
from carepolicy.engine.intake import Incoming, Refused, make_tuple
from carepolicy.engine.lines import Lines
from carepolicy.engine.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from carepolicy.engine.columns import Row
    from carepolicy.engine.desk import Desk
    from carepolicy.engine.live import LiveState
    from carepolicy.engine.record import Record
    from carepolicy.engine.stream import Run
    from carepolicy.machine.program import Bundle

FEW = 8
"""So few lines are read one by one."""


NO_OPENER: tuple[frozenset[str], LiveState | None] = (frozenset(), None)
"""What an event that opens no case must carry, and where it leads."""


def nothing(line: int) -> None:
    """What a set of one stratum does about what a line raised: there is nobody to take it."""


class PlainLines:
    """Takes lines for a ``run`` without lateness."""

    def __init__(self, run: Run, bundle: Bundle) -> None:
        self._run = run
        self.columns = Columns(run.intake, bundle)
        self._begin = 0
        self._found: list[tuple[int, list[Record]]] = []

    def take(self, lines: Sequence[tuple[int, bytes | str]]) -> None:
        """Take numbered lines of a set of one stratum; their records are appended to what its desk writes."""
        self._take(lines, self._run.take_fully, nothing)

    def take_apart(self, lines: Sequence[tuple[int, bytes | str]]) -> list[tuple[int, list[Record]]]:
        """Take numbered lines: the records of the lowest stratum, in stretches, each with the number of its first line.

        A stretch ends with a line that may cause something in a higher stratum.
        """
        found: list[tuple[int, list[Record]]] = []
        self._found = found
        if lines:
            self._begin = lines[0][0]
            self._take(lines, self._give, self._end_stretch)
            self._write_stretch()
        return found

    def _take(
        self, lines: Sequence[tuple[int, bytes | str]], fully: Callable[[Incoming], None], raised: Callable[[int], None]
    ) -> None:
        """Take lines together if they are plain, else in halves, and one by one where only a few are left."""
        run = self._run
        if len(lines) > FEW:
            found = self.columns.read(*numbers_and_texts(lines))
            if found is not None:
                latest, rows = found
                run.latest = max(run.latest, latest)
                run.read_events += len(lines)
                take_rows(run.desks[0], rows, fully, raised)
                return
            half = len(lines) // 2
            self._take(lines[:half], fully, raised)
            self._take(lines[half:], fully, raised)
            return
        for number, line in lines:
            try:
                event = run.intake.read(number, line)
            except Refused as refused:
                run.desks[0].out.append(run.refuse(number, refused, line))
                continue
            run.note(event)
            fully(event)

    def _give(self, event: Incoming) -> None:
        """Take an event, and see what comes of it in higher strata."""
        run = self._run
        run.take_fully(event)
        desk = run.desks[0]
        if event.type in desk.shared:
            run.pass_on(event)
            self._end_stretch(event.line)
        elif desk.stepper.raised or desk.counted:
            self._end_stretch(event.line)

    def _end_stretch(self, line: int) -> None:
        self._run.collect(0, line)
        self._write_stretch()
        self._begin = line + 1

    def _write_stretch(self) -> None:
        records = self._run.desks[0].written()
        if records:
            self._found.append((self._begin, records))


def numbers_and_texts(lines: Sequence[tuple[int, bytes | str]]) -> tuple[Sequence[int], Sequence[bytes | str]]:
    """The numbers of some lines, and their texts."""
    if isinstance(lines, Lines):
        return range(lines.first, lines.first + len(lines)), lines.texts
    numbers, texts = zip(*lines, strict=True)
    return numbers, texts


def take_rows(
    desk: Desk, rows: Iterable[Row], fully: Callable[[Incoming], None], raised: Callable[[int], None] = nothing
) -> None:
    """Take events. The common cases go the shortest way: an event opens the first case of its subject, or the only
    open case of the subject takes it, by a move that is written out, and no timer is due before. The others go
    ``fully``. Of a line that went that way and raised events, ``raised`` is told.
    """
    subjects, closed, merged = desk.subjects, desk.closed, desk.merged
    stepper = desk.stepper
    raises = stepper.raised
    for number, name, kind, when, now, data, source, key in rows:
        subject = subjects.get(name)
        if subject is None:
            if name not in closed and name not in merged:
                subject = opened(desk, name, kind, now, when, data)
                if subject is not None:
                    if subject.next <= now:
                        stepper.fire(subject, now, False)
                    if raises:
                        raised(number)
                    continue
        elif subject.last <= now < subject.next:
            case = subject.only
            if case is not None:
                move = case.state.alone.get(kind)
                if move is not None and move(stepper, subject, case, now, when, data):
                    subject.last = now
                    if subject.next <= now:
                        stepper.fire(subject, now, False)
                    if not subject.cases and not subject.openings:  # as Desk.let_go
                        closed[name] = subject.last, tuple(subject.sequences.items())
                        del subjects[name]
                    if raises:
                        raised(number)
                    continue
        fully(make_tuple(Incoming, (number, name, kind, now, when, source, key, data, False, False)))


def opened(desk: Desk, name: str, kind: str, now: int, when: str, data: dict[str, Any]) -> Subject | None:
    """The new subject of an event that opens its first case, by an opening that is written out; None where it does
    not, and nothing has happened."""
    required, start = desk.openers.get(kind, NO_OPENER)
    if start is None or start.opening is None or (required and not required <= data.keys()):
        return None
    subject = desk.subjects[name] = Subject(name, now)
    start.opening(desk.stepper, subject, now, when, data or {}, now)
    return subject
