"""A subject with all that it must remember, as bytes that go from one process to another, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import msgpack

from carepolicy.engine.case import Notices, Opening, Subject
from carepolicy.store.cases.notices import frozen_notices, thawed_notices
from carepolicy.store.cases.snapshot import Freezers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.engine.case import LiveProgram
    from carepolicy.engine.stratum import Stratum
    from carepolicy.machine.program import Bundle


class Subjects:
    """Subjects of one set as bytes. They bear names of flows, states and clocks, so that they can be read when the set
    has changed. What is private stands in them as it is."""

    def __init__(self, bundle: Bundle, programs: Iterable[LiveProgram]) -> None:
        self._programs = {each.flow: each for each in programs}
        self._flows = {each.place: each.flow for each in self._programs.values()}
        self._freezers = Freezers(bundle)
        self._freezers.programs.update({(0, flow): program for flow, program in self._programs.items()})

    def freeze(self, subject: Subject) -> bytes:
        """The subject as bytes."""
        freezers = self._freezers
        frozen = [(each.program.flow, freezers[0, each.program.flow].freeze(each)) for each in subject.cases.values()]
        cases = [(flow, each.body, each.private) for flow, each in frozen]
        timers = (subject.timers or {}).values()
        openings = {each.program.flow: (each.number, each.due) for each in timers if isinstance(each, Opening)}
        notices = [frozen_notices(each, subject, _as_it_is) for each in timers if isinstance(each, Notices)]
        sequences = {self._flows[place]: number for place, number in subject.sequences.items()}
        kept = {"name": subject.name, "last": subject.last, "sequences": sequences, "cases": cases}
        if openings:
            kept["openings"] = openings
        if notices:
            kept["notices"] = orjson.dumps(notices)
        return msgpack.encode(kept)

    def thaw(self, body: bytes, stratum: Stratum, key: str | None = None) -> Subject:
        """The subject that was frozen as these bytes, at its place in a stratum (where the fact ``key`` names it), with
        when it is due next. Raises ``LookupError`` where a flow that it has a case of has no such state or clock, or is
        gone."""
        kept: Mapping[str, Any] = msgpack.decode(body)
        subject = Subject(kept["name"], kept["last"])
        for flow, case, private in kept["cases"]:
            thawed = self._freezers[0, flow].thaw(subject.name, case, private)
            subject.put(thawed.program.place, thawed)
        if kept["sequences"]:
            known = self._programs
            subject.sequences = {
                known[flow].place: number for flow, number in kept["sequences"].items() if flow in known
            }
        for flow, (number, due) in kept.get("openings", {}).items():
            program = self._programs[flow]
            subject.timers = {**(subject.timers or {}), program.place: Opening(program, number, due)}
        for each in orjson.loads(kept.get("notices", b"[]")):
            place = self._programs[each["flow"]].place
            subject.sequences = {place: each["sequence"], **subject.sequences}
            subject.wait(thawed_notices(each, place, _as_it_is))
        stratum.stepper.plan(subject)
        stratum.subjects[subject.name if key is None else (key, subject.name)] = subject
        return subject


def _as_it_is(body: bytes) -> bytes:
    return body
