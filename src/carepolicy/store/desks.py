"""The engine's desks with subjects that come out of a store when they are asked for, and go back into it.

All strata work at once: what a transition raises is handed on within the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.desk import Desk
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import MERGE, Intake, make_tuple
from carepolicy.engine.letters import DeadLetters
from carepolicy.engine.live import UnlinkedProgram
from carepolicy.engine.subject import Opening, Subject
from carepolicy.store.cases.snapshot import Freezers
from carepolicy.store.contract import CaseRow, SubjectRow, storable
from carepolicy.store.faults import Again
from carepolicy.store.privacy.contacts import Notes
from carepolicy.store.remembered import Remembered
from carepolicy.store.shadow.journal import Ticks
from carepolicy.store.shelf import Name, Shelf, StoreRecords, address_of
from carepolicy.store.versions.install import Installed, older_programs, with_older

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveProgram
    from carepolicy.store.contract import Address, Held, Transaction, VersionRow
    from carepolicy.store.privacy.seal import DataKeys

NOBODY = (None, None)
"""The role and person of a case that nobody owns."""

KEPT = 50_000
"""Subjects that are kept in memory between two transactions, at most."""


class Desks:
    """A policy set at work on a store. ``older`` are the sets by which open cases still live; ``shadowed`` says that
    another set is tried beside it, ``holds`` that single events are held back. ``epoch`` ends the ids of records in a
    store that was put back from a backup, in which the same numbers may have gone out with others."""

    def __init__(self, present: Installed, older: list[Installed], sealer: DataKeys) -> None:
        bundle = with_older(present.bundle, older)
        self.bundle = bundle
        self.number = present.number
        self.sealer = sealer
        self.shadowed = self.holds = False
        self.epoch = ""
        self.ticks = Ticks()
        self.intake = Intake(bundle)
        self.letters, self.whole_letters = DeadLetters(bundle), DeadLetters(bundle, reveal=True)
        self.records = StoreRecords(bundle)
        self.touched: dict[Name, None] = {}
        self.known: dict[Name, Remembered] = {}
        self.notes = Notes(bundle, sealer)
        self._direct: dict[str, bool] = {}
        self._to_seal: list[tuple[int, Remembered, str, bytes]] = []
        self._transaction: Transaction | None = None
        programs: list[LiveProgram] = [
            UnlinkedProgram(place, program, bundle) for place, program in enumerate(bundle.programs)
        ]
        strata = [each.stratum for each in bundle.programs] + [each.stratum for each in bundle.watches]
        levels = 1 + max(strata, default=0)
        self.desks = [
            Desk(bundle, [each for each in programs if each.stratum == level], self.records, owns=_nobody)
            for level in range(levels)
        ]
        self._freezers = Freezers(bundle)
        self._level = {program.flow: program.stratum for program in programs}
        self.keys = {program.flow: program.key for program in programs}
        self._add(present.number, programs)
        self.present = self._programs = {program.flow: program for program in programs}
        self._add_older(older, programs, levels)
        self._levels = [(str(level), desk) for level, desk in enumerate(self.desks)]
        self._flow_of_place = {program.place: program.flow for program in programs}
        for desk in self.desks:
            desk.subjects = Shelf(self._fetch_one, self.touched)
            desk.stepper.unmasked = {}

    def _add(self, number: int, programs: Iterable[LiveProgram]) -> None:
        for program in programs:
            self._freezers.programs[number, program.flow] = program

    def _add_older(self, older: list[Installed], programs: list[LiveProgram], levels: int) -> None:
        places = {program.flow: program.place for program in programs}
        for installed in reversed(older):
            found = older_programs(installed, programs, places)
            self._add(installed.number, found)
            for program in found:
                level = min(program.stratum, levels - 1)
                self._level.setdefault(program.flow, level)
                self.keys.setdefault(program.flow, program.key)
                self.desks[level].programs += (program,)

    def follow(self, now: VersionRow) -> None:
        """Take over what is said of the store beside its policy set."""
        self.shadowed, self.holds = now.shadowed > 0, now.waiting > 0
        self.epoch = now.epoch

    # -- within a transaction --------------------------------------------------------------------------

    def begin(self, transaction: Transaction) -> None:
        """Work within a transaction from now on."""
        if not transaction.unchanged or len(self.known) > KEPT:
            self.forget()
        self._transaction = self.records.transaction = transaction
        self.intake.forget_ids()

    def forget(self) -> None:
        """Forget all subjects, as after a transaction that was undone."""
        self.known.clear()
        self.sealer.forget_subjects()
        if self._transaction is not None:
            self._transaction.forget()
        self.touched.clear()
        self._to_seal.clear()
        self.notes.forget()
        for desk in self.desks:
            dict.clear(desk.subjects)
            desk.merged.clear()
            desk.out.clear()
            desk.refusals.clear()
            desk.counted.clear()
            desk.stepper.raised.clear()
            desk.stepper.to_open.clear()
            if desk.stepper.unmasked:
                desk.stepper.unmasked.clear()

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
            keys = {key for desk in self.desks for key, _ in desk.routes(event)}
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

    def _take_up(self, name: Name, held: Held) -> Remembered:
        known = self.known[name] = Remembered(address_of(name), held.row)
        if held.row is None:
            return known
        plain = name if isinstance(name, str) else name[1]
        if known.merged_into is not None:
            self.desks[0].merged[plain] = known.merged_into
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
            if level < len(self.desks) and not (level == 0 and known.merged_into is not None):
                self.desks[level].stepper.plan(subject)
                self.desks[level].subjects[name] = subject
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
                    subject.openings = {**(subject.openings or {}), program.place: Opening(program, number, due)}

    def open_by_time(self) -> None:
        """Note when each flow that opens cases by time does so next, where that is not noted yet."""
        for desk in self.desks:
            for program in desk.programs:
                if program.every is not None:
                    subject = desk.subject(None, program.every.subject)
                    if program.place not in (subject.openings or {}):
                        desk.stepper.open_by_time(subject, program)

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
        for level, desk in self._levels:
            subject = dict.get(desk.subjects, name)
            if subject is None:
                continue
            if subject.next < due:
                due = subject.next
            levels[level] = self._level_state(subject)
            for case in subject.cases.values():
                cases.append(self._case_row(key, stored, case, known, len(cases)))
                open_now.add(case.program.flow)
        if known.flows != open_now:
            gone += [(key, stored, flow) for flow in known.flows - open_now]
            known.flows = open_now
        if self.desks[0].merged and isinstance(name, str):
            known.merged_into = self.desks[0].merged.get(name)
        into = None if known.merged_into is None else storable(known.merged_into)
        row = (key, stored, None if due == NEVER else due, into, known.state(levels))
        subjects.append(make_tuple(SubjectRow, row))

    def _level_state(self, subject: Subject) -> dict[str, Any]:
        kept: dict[str, Any] = {"last": subject.last}
        if subject.sequences:
            flows = self._flow_of_place
            kept["sequences"] = {flows[place]: number for place, number in subject.sequences.items() if place in flows}
        if subject.openings:
            kept["openings"] = {each.program.flow: (each.number, each.due) for each in subject.openings.values()}
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
        body, private = self._freezers[version, flow].freeze(case)
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


def _nobody(_: str) -> bool:
    """What a desk opens by time is noted when a set is installed, not whenever a process starts."""
    return False
