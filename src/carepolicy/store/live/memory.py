"""What live operation remembers: the engine's memory in a store, as it is within one transaction.

Subjects come out of the store when they are asked for, and go back into it. All strata work at once: what a transition
raises is handed on within the same transaction.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.case import LiveProgram, Notices, Opening, Subject
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import MERGE, Incoming, make_tuple
from carepolicy.engine.letters import DeadLetters
from carepolicy.engine.memory import Name
from carepolicy.engine.program import live_program
from carepolicy.engine.run import Run, Schedule
from carepolicy.store.cases.notices import frozen_notices, thawed_notices
from carepolicy.store.cases.snapshot import Freezers
from carepolicy.store.contract import CaseRow, SubjectRow, batched, named, storable
from carepolicy.store.faults import Again
from carepolicy.store.privacy.contacts import Notes
from carepolicy.store.sql import statements
from carepolicy.store.versions.install import Installed, older_programs, with_older

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from carepolicy.engine.case import Case
    from carepolicy.engine.intake import Row
    from carepolicy.store.contract import Address, AddressRows, EventRow, Transaction
    from carepolicy.store.privacy.seal import DataKeys
    from carepolicy.store.versions.install import VersionRow

FORM = 1
"""Of what is remembered of a subject although cases close, as bytes."""

NOBODY = (None, None)
"""The role and person of a case that nobody owns."""

KEPT = 50_000
"""Subjects that are kept in memory between two transactions, at most."""

IDS_AT_A_TIME = 400
"""Ids that are asked about in one question."""

Id = tuple[str, str]
"""(source, id), as columns hold them."""


class Remembered:
    """What is known in memory about one address beside its engine's subjects.

    ``flows`` are those with an open case in the store; ``owners`` the (role, person) of each open case; ``sealed`` the
    private facts of each as they were last sealed; ``chains`` the number and hash of the last record of each chain;
    ``levels`` what each stratum's subject remembers, as it was read.
    """

    __slots__ = ("address", "chains", "flows", "levels", "merged_into", "owners", "sealed")

    def __init__(self, address: Address, row: SubjectRow | None) -> None:
        self.address = address
        self.flows: set[str] = set()
        self.owners: dict[str, tuple[str | None, str | None]] = {}
        self.sealed: dict[str, tuple[bytes, bytes]] = {}
        self.chains: dict[str, tuple[int, bytes]] = {}
        self.levels: dict[str, dict[str, Any]] = {}
        self.merged_into: str | None = None
        if row is not None:
            kept = orjson.loads(row.state)
            self.merged_into = None if row.merged_into is None else named(row.merged_into)
            self.levels = kept["levels"]
            self.chains = {flow: (number, bytes.fromhex(said)) for flow, (number, said) in kept["chains"].items()}

    def state(self, levels: dict[str, dict[str, Any]]) -> bytearray:
        """What must be remembered although cases close, as bytes."""
        chains = {flow: (number, said.hex()) for flow, (number, said) in self.chains.items()}
        return bytearray(orjson.dumps({"form": FORM, "levels": levels, "chains": chains}))


class Shelf(dict[Name, Subject]):
    """The subjects of a stratum. One that is not there is fetched; which were asked for is noted in ``touched``."""

    def __init__(self, fetch: Callable[[Name], None], touched: dict[Name, None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._touched = touched

    def get(self, name: Name, default: Any = None) -> Any:
        """The subject of that name, from the store where it is not here; None where nobody knows it."""
        found = super().get(name)
        if found is None:
            self._fetch(name)
            found = super().get(name, default)
        self._touched[name] = None
        return found


def address_of(name: Name) -> Address:
    """The address in a store of a subject that a stratum names so."""
    return ("", storable(name)) if isinstance(name, str) else (name[0], storable(name[1]))


def name_of(address: Address) -> Name:
    """How a stratum names the subject of an address."""
    key, subject = address
    return named(subject) if key == "" else (key, named(subject))


class Ids:
    """The ids of the events of one transaction. An id is used up once a case has taken its event.

    An event that no case took (it was out of order, came before the case was opened, lacked a fact) has had no effect,
    so its id may come again. Only within one log does the second line of an id stay a duplicate, whatever became of the
    first: what a log says must not hang on how it was cut into transactions, and a run without a store says the same.

    ``input`` is the number of the log, 0 for none; ``untaken`` has the ids of events that no case took; ``times`` says
    of events that come again, by source and id, how often they were not taken before.
    """

    def __init__(self, transaction: Transaction, input: int) -> None:
        self._transaction = transaction
        self._input = input
        self.times: dict[tuple[str, str], int] = {}
        self._again: dict[Id, None] = {}
        self.untaken: dict[Id, None] = {}

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note the ids of events as taken; the places of those that were taken before."""
        fresh: dict[Id, EventRow] = {}
        again: set[int] = set()
        ids: list[Id] = []
        for place, row in enumerate(rows):
            source, id = storable(row[5]), storable(row[6])
            ids.append((source, id))
            if fresh.setdefault((source, id), claimed := (source, id, storable(row[1]))) is not claimed:
                again.add(place)
        known = self._transaction.claim(list(fresh.values())) if fresh else set()
        if not known:
            return again
        for source, id, times in self._untaken_before(known):
            self.times[named(source), named(id)] = times
            self._again[source, id] = None
        taken = known - self._again.keys()
        return again | {place for place, each in enumerate(ids) if each in taken}

    def _untaken_before(self, known: Iterable[Id]) -> Iterable[tuple[str, str, int]]:
        for some in batched(sorted(known), IDS_AT_A_TIME):
            sql = statements.untaken(len(some)) + self._transaction.locked
            yield from self._transaction.rows(sql, (*(part for each in some for part in each), self._input))

    def note_untaken(self, event: Incoming) -> None:
        """No case took an event."""
        self.untaken[storable(event.source), storable(event.id)] = None

    def keep(self) -> None:
        """Keep what became of the ids."""
        taken = [each for each in self._again if each not in self.untaken]
        if taken:
            self._transaction.many(statements.FORGET_UNTAKEN, taken)
        if self.untaken:
            self._transaction.many(statements.KEEP_UNTAKEN, [(*each, self._input) for each in self.untaken])


class Ticks:
    """What a process has noted for a shadow (see ``shadow.journal``): until when it has ticked, and whether something
    has ``fired`` since."""

    __slots__ = ("fired", "noted")

    def __init__(self) -> None:
        self.fired = False
        self.noted = -NEVER


class StoreMemory:
    """A policy set at work on a store, and the ``run`` that it works in.

    ``older`` are the sets by which open cases still live; ``shadowed`` says that another set is tried beside it,
    ``holds`` that single events are held back. ``epoch`` ends the ids of records in a store that was put back
    from a backup, in which the same numbers may have gone out with others.

    ``ids`` are those of the events of the transaction, ``firing`` the subjects of which timers are to fall due.
    """

    closed = None

    def __init__(self, present: Installed, older: list[Installed], sealer: DataKeys) -> None:
        bundle = with_older(present.bundle, older)
        self.bundle = bundle
        self.number = present.number
        self.sealer = sealer
        self.shadowed = self.holds = False
        self.epoch = ""
        self.ticks = Ticks()
        self.letters, self.whole_letters = DeadLetters(bundle), DeadLetters(bundle, reveal=True)
        self.ids: Ids | None = None
        self.firing: Sequence[Name] = ()
        self.merged: dict[str, str] = {}
        self.touched: dict[Name, None] = {}
        self.known: dict[Name, Remembered] = {}
        self.notes = Notes(bundle, sealer)
        self._direct: dict[str, bool] = {}
        self._to_seal: list[tuple[int, Remembered, str, bytes]] = []
        self._transaction: Transaction | None = None
        programs: list[LiveProgram] = [
            live_program(place, program, bundle) for place, program in enumerate(bundle.programs)
        ]
        self._places = places = {program.flow: program.place for program in programs}
        olds = [(each.number, older_programs(each, programs, places)) for each in reversed(older)]
        self._shelves: list[Shelf] = []
        self.run = LiveRun(self, programs, [program for _, found in olds for program in found])
        self._freezers = Freezers(bundle)
        self._level: dict[str, int] = {}
        self.keys: dict[str, str | None] = {}
        for number, found in ((present.number, programs), *olds):
            for program in found:
                self._freezers.programs[number, program.flow] = program
                self._level.setdefault(program.flow, min(program.stratum, self.run.levels - 1))
                self.keys.setdefault(program.flow, program.key)
        self.present = self._programs = {program.flow: program for program in programs}
        self._levels = [(str(level), stratum) for level, stratum in enumerate(self.run.strata)]
        self._flow_of_place = {program.place: program.flow for program in programs}
        for stratum in self.run.strata:
            stratum.stepper.unmasked = {}

    def follow(self, now: VersionRow) -> None:
        """Take over what is said of the store beside its policy set."""
        self.shadowed, self.holds = now.shadowed > 0, now.waiting > 0
        self.epoch = now.epoch

    # -- what the run asks for -----------------------------------------------------------------------------

    def subjects(self, stratum: int) -> dict[Name, Subject]:
        """The subjects of a stratum."""
        while len(self._shelves) <= stratum:
            self._shelves.append(Shelf(self._fetch_one, self.touched))
        return self._shelves[stratum]

    def due(self, stratum: int, until: int) -> Iterable[Subject]:
        """Those subjects of which timers are to fall due."""
        for name in self.firing:
            subject = self._shelves[stratum].get(name)
            if subject is not None and subject.next <= until:
                yield subject

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note sources and ids as taken; the places of those that were."""
        assert self.ids is not None, "events are taken within a batch"
        return self.ids.claim(rows)

    def count(self, kind: str, source: str, id: str) -> int:
        """How often an event was refused in this way, this time counted."""
        assert self._transaction is not None, "events are refused within a transaction"
        number: int = self._transaction.rows(statements.COUNT, (kind, storable(source), storable(id)))[0][0]
        return number

    def times(self, source: str, id: str) -> int:
        """How often an event that comes again was not taken before."""
        return 0 if self.ids is None else self.ids.times.get((source, id), 0)

    def watched(self, watch: str, value: str) -> list[int]:
        """What a watch has counted within its window."""
        assert self._transaction is not None, "watches look within a transaction"
        name = storable(value)
        self._transaction.lock(f"{watch}\x1f{name}")  # until it is kept, nobody else may note it
        found = self._transaction.rows(statements.WATCHED, (watch, name))
        return orjson.loads(found[0][0]) if found else []

    def keep_watched(self, watch: str, value: str, instants: list[int]) -> None:
        """Remember what is within a watch's window."""
        assert self._transaction is not None, "watches look within a transaction"
        self._transaction.run(statements.KEEP_WATCHED, (watch, storable(value), orjson.dumps(instants)))

    # -- within a transaction --------------------------------------------------------------------------

    def begin(self, transaction: Transaction) -> None:
        """Work within a transaction from now on."""
        if not transaction.unchanged or len(self.known) > KEPT:
            self.forget()
        self._transaction = transaction

    def forget(self) -> None:
        """Forget all subjects, as after a transaction that was undone."""
        self.known.clear()
        self.sealer.forget_subjects()
        if self._transaction is not None:
            self._transaction.forget()
        self.touched.clear()
        self._to_seal.clear()
        self.notes.forget()
        for shelf in self._shelves:
            dict.clear(shelf)
        self.run.abandon()

    def fetch(self, names: Iterable[Name]) -> None:
        """Take subjects out of the store, in one go, which are not here yet, and those that they were merged into."""
        assert self._transaction is not None, "subjects are fetched within a transaction"
        wanted = {address_of(name): name for name in names if name not in self.known}
        while wanted:
            found = self._transaction.load(sorted(wanted))
            self.sealer.have(case.sealed for held in found.values() for case in held.cases)
            more: dict[Address, Name] = {}
            for address, held in found.items():
                known = self._take_up(wanted[address], held)
                if known.merged_into is not None and known.merged_into not in self.known:
                    more[address_of(known.merged_into)] = known.merged_into
            wanted = more

    def direct(self, event: str) -> bool:
        """Whether events of a type concern nothing but their own subject."""
        found = self._direct.get(event)
        if found is None:
            keys = {key for stratum in self.run.strata for key, _ in stratum.routes(event)}
            found = self._direct[event] = keys == {None} and event != MERGE
        return found

    def _fetch_one(self, name: Name) -> None:
        self.fetch((name,))

    def remembered(self, name: Name) -> Remembered:
        """What is known of an address, from the store where it is not here; it will be kept."""
        known = self.known.get(name)
        if known is None:
            self.fetch((name,))
            known = self.known[name]
        self.touched[name] = None
        return known

    def _take_up(self, name: Name, held: AddressRows) -> Remembered:
        known = self.known[name] = Remembered(address_of(name), held.row)
        if held.row is None:
            return known
        plain = name if isinstance(name, str) else name[1]
        if known.merged_into is not None:
            self.merged[plain] = known.merged_into
        subjects: dict[int, Subject] = {}
        for text, kept in known.levels.items():
            subject = subjects[int(text)] = Subject(plain)
            subject.last = kept["last"]
        for row in held.cases:
            level = self._level[row.flow]
            subject = subjects.setdefault(level, Subject(plain))
            case = self._thaw(plain, row, known)
            subject.put(case.program.place, case)
            subject.last = max(subject.last, case.now)
        self._take_up_rest(known, subjects, plain)
        for level, subject in subjects.items():
            if level < len(self.run.strata) and not (level == 0 and known.merged_into is not None):
                self.run.strata[level].stepper.plan(subject)
                self.run.strata[level].subjects[name] = subject
        return known

    def _thaw(self, subject: str, row: CaseRow, known: Remembered) -> Case:
        private = None
        if row.sealed is not None:
            private = self.sealer.opened(row.sealed)
            if private is not None:
                known.sealed[row.flow] = private, bytes(row.sealed)
        known.flows.add(row.flow)
        known.owners[row.flow] = row.role, row.person
        if (row.version, row.flow) not in self._freezers.programs:
            raise Again("another set was installed meanwhile")
        return self._freezers[row.version, row.flow].thaw(subject, row.body, private)

    def _take_up_rest(self, known: Remembered, subjects: dict[int, Subject], name: str) -> None:
        """Sequences and openings, given to the stratum in which their flows are now."""
        for kept in known.levels.values():
            for flow, number in kept.get("sequences", {}).items():
                if flow in self._programs:
                    subject = subjects.setdefault(self._level[flow], Subject(name))
                    subject.sequences = {**subject.sequences, self._programs[flow].place: number}
            for flow, (number, due) in kept.get("openings", {}).items():
                program = self._programs.get(flow)
                if program is not None and program.every is not None:
                    subject = subjects.setdefault(self._level[flow], Subject(name))
                    subject.timers = {**(subject.timers or {}), program.place: Opening(program, number, due)}
        self._take_up_notices(known, subjects, name)

    def _take_up_notices(self, known: Remembered, subjects: dict[int, Subject], name: str) -> None:
        """Notices that wait, also of flows that are gone."""
        for text, kept in known.levels.items():
            for each in kept.get("notices", ()):
                flow = each["flow"]
                level = self._level.setdefault(flow, min(int(text), self.run.levels - 1))
                self.keys.setdefault(flow, known.address[0] or None)
                place = self._places.setdefault(flow, len(self._places))
                subject = subjects.setdefault(level, Subject(name))
                subject.sequences = {place: each["sequence"], **subject.sequences}
                subject.wait(thawed_notices(each, place, self.sealer.opened))

    def open_by_time(self) -> None:
        """Note when each flow that opens cases by time does so next, where that is not noted yet."""
        for stratum in self.run.strata:
            for program in stratum.programs:
                if program.every is not None:
                    subject = stratum.subject(None, program.every.subject)
                    if program.place not in (subject.timers or {}):
                        stratum.stepper.open_by_time(subject, program)

    # -- back into the store -----------------------------------------------------------------------------

    def keep(self) -> None:
        """Put every subject that was asked for back into the store."""
        assert self._transaction is not None, "subjects are kept within a transaction"
        subjects: list[SubjectRow] = []
        cases: list[CaseRow] = []
        gone: list[tuple[str, ...]] = []
        for name in self.touched:
            self._keep_one(name, subjects, cases, gone)
        self.touched.clear()
        self._seal_cases(cases)
        if subjects:
            self._transaction.save(subjects, cases, gone)

    def _keep_one(
        self, name: Name, subjects: list[SubjectRow], cases: list[CaseRow], gone: list[tuple[str, ...]]
    ) -> None:
        known = self.known.get(name)
        if known is None:
            known = self.known[name] = Remembered(address_of(name), None)
        key, stored = known.address
        due, levels, open_now = NEVER, {}, set()
        for level, stratum in self._levels:
            subject = dict.get(stratum.subjects, name)
            if subject is None:
                continue
            if subject.next < due:
                due = subject.next
            levels[level] = self._level_state(stored, subject)
            for case in subject.cases.values():
                cases.append(self._case_row(key, stored, case, known, len(cases)))
                open_now.add(case.program.flow)
        if known.flows != open_now:
            gone += [(key, stored, flow) for flow in known.flows - open_now]
            known.flows = open_now
        if self.merged and isinstance(name, str):
            known.merged_into = self.merged.get(name)
        into = None if known.merged_into is None else storable(known.merged_into)
        row = (key, stored, None if due == NEVER else due, into, known.state(levels))
        subjects.append(make_tuple(SubjectRow, row))

    def _level_state(self, stored: str, subject: Subject) -> dict[str, Any]:
        kept: dict[str, Any] = {"last": subject.last}
        if subject.sequences:
            flows = self._flow_of_place
            kept["sequences"] = {flows[place]: number for place, number in subject.sequences.items() if place in flows}
        if subject.timers:
            own = subject.timers.values()
            openings = {each.program.flow: (each.number, each.due) for each in own if isinstance(each, Opening)}
            if openings:
                kept["openings"] = openings
            notices = [each for each in own if isinstance(each, Notices)]
            if notices:
                kept["notices"] = [frozen_notices(each, subject, partial(self.seal, stored)) for each in notices]
        return kept

    def seal(self, subject: str, plain: bytes) -> bytes:
        """What is private of a subject (as it is stored), to be kept in this transaction."""
        assert self._transaction is not None, "things are sealed within a transaction"
        return self.sealer.seal(self._transaction, subject, plain)

    def prepare_sealing(self, subjects: Iterable[str]) -> None:
        """Have all that is needed to seal what is private of some subjects."""
        assert self._transaction is not None, "things are sealed within a transaction"
        self.sealer.prepare(self._transaction, subjects)

    def _seal_cases(self, cases: list[CaseRow]) -> None:
        """Seal what is private of cases, of all in one go."""
        if not self._to_seal:
            return
        self.prepare_sealing(cases[number].subject for number, _, _, _ in self._to_seal)
        for number, known, flow, private in self._to_seal:
            sealed = self.seal(cases[number].subject, private)
            known.sealed[flow] = private, sealed
            cases[number] = cases[number]._replace(sealed=sealed)
        self._to_seal.clear()

    def _case_row(self, key: str, subject: str, case: Case, known: Remembered, row_number: int) -> CaseRow:
        flow = case.program.flow
        version = self.number if self._programs.get(flow) is case.program else self._older_number(case)
        frozen = self._freezers[version, flow].freeze(case)
        body, private = frozen.body, frozen.private
        sealed = None
        if private is not None:
            before = known.sealed.get(flow)
            if before is not None and before[0] == private:
                sealed = before[1]
            else:
                self._to_seal.append((row_number, known, flow, private))
        role, person = known.owners.get(flow, NOBODY)
        late, due = 0, NEVER
        for held in case.rounds:
            if held is not None:
                if held.late:
                    late = 1
                elif held.running and held.due < due:
                    due = held.due
        row = (
            key, subject, flow, version, case.state.name, role, person, late, case.opened,
            None if due == NEVER else due, bytearray(body), sealed,
        )  # fmt: skip
        return make_tuple(CaseRow, row)

    def _older_number(self, case: Case) -> int:
        """The number of the set by which a case lives that does not live by the present one."""
        return next(
            number
            for (number, flow), each in self._freezers.programs.items()
            if flow == case.program.flow and each is case.program
        )


class LiveRun(Run):
    """The run of a policy set at work on a store: what else is noted of events is noted as they are taken."""

    def __init__(self, memory: StoreMemory, programs: Sequence[LiveProgram], older: Sequence[LiveProgram]) -> None:
        # What a flow opens by time is noted when a set is installed, not whenever a process starts.
        super().__init__(
            memory.bundle,
            memory=memory,
            schedule=Schedule.AT_ONCE,
            programs=programs,
            older=older,
            owns=lambda subject: False,
        )
        self._live = memory

    def give(self, event: Incoming) -> None:
        """Take an event; note it if no case does."""
        for stratum in self.strata:
            stratum.took = False
        super().give(event)
        if self._live.ids is not None and not any(stratum.took for stratum in self.strata):
            self._live.ids.note_untaken(event)

    def give_to(self, level: int, event: Incoming) -> None:
        """Give an event to one stratum."""
        self._live.notes.take(self.strata[level], event, not level)
        super().give_to(level, event)

    def after(self, row: Row) -> None:
        """An event has gone the shortest way."""
        self._live.notes.take_row(self.strata[0], row)
        self._work_at_once(row[0])
