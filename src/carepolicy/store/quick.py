"""The shortest way of an event, which most events of a set of one stratum go.

It opens the first case of its subject, or the one open case of the subject takes it by a move that is written out, and
no timer is due before. What comes of it is what ``Desk.take`` does; the engine's own run has the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.plainlines import opened

if TYPE_CHECKING:
    from carepolicy.engine.intake import Incoming
    from carepolicy.engine.record import Record
    from carepolicy.store.desks import Desks


class Quick:
    """Takes events for desks of one stratum, within one transaction."""

    def __init__(self, desks: Desks) -> None:
        self._desk = desk = desks.desks[0]
        self._subjects = desk.subjects
        self._stepper = desk.stepper
        self._touched = desks.touched
        self._note = desks.notes.take
        self._known = desks.known

    def take(self, event: Incoming) -> list[Record] | None:
        """The records of an event, in the list in which the desk collects them; None where the event must go the long
        way, and nothing has happened yet."""
        _, name, kind, now, when, _, _, data, masked, _ = event[:]
        if masked or None in data.values():
            return None
        desk = self._desk
        subject = dict.get(self._subjects, name)  # the shelf's own way would ask the store
        if subject is None:
            if name not in self._known or name in desk.merged:
                return None
            subject = opened(desk, name, kind, now, when, data)
            if subject is None:
                return None
        elif subject.last <= now < subject.next:
            case = subject.only
            if case is None:
                return None
            move = case.state.alone.get(kind)
            if move is None or not move(self._stepper, subject, case, now, when, data):
                return None
            subject.last = now
        else:
            return None
        if subject.next <= now:
            self._stepper.fire(subject, now, False)
        self._touched[name] = None
        self._note(desk, event, True)
        return desk.out
