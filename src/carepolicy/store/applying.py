"""A changed policy set and the open cases: what it would do to them (``plan``), and doing it (``apply``).

Both do the same in one transaction, as of the same instant: what is due by then happens by the installed set, the new
one is installed, and every open case is moved to it. A plan undoes all of it; an apply undoes it where a case cannot be
moved, so that it has done what the plan says or nothing. A case whose flow is gone lives on by the version that it
lives by. Cases are worked on some at a time, so that memory does not grow with them.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import NEVER, text_of
from carepolicy.machine.bundle import load_bundle
from carepolicy.store.desks import Desks
from carepolicy.store.faults import ReadOnly
from carepolicy.store.live.operation import AT_A_TIME, Operation
from carepolicy.store.live.run import LATE
from carepolicy.store.moving import moved, target_of
from carepolicy.store.open import open_store, remove_store
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.recording import Recording
from carepolicy.store.restored import epoch_of
from carepolicy.store.shadow.journal import end_shadow
from carepolicy.store.shelf import name_of
from carepolicy.store.sql.statements import NOTE_CLOSING
from carepolicy.store.url import SHADOW_FILE, SQLITE, shadow_url
from carepolicy.store.versions import Installed, files_of, load_version, present

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveProgram
    from carepolicy.engine.subject import Subject
    from carepolicy.engine.telling import Telling
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Store, Transaction
    from carepolicy.store.shelf import Name

FATES = ("gone", "rekeyed", "stuck", "late", "moved", "closed", "due", "kept")
"""What may become of a case: its state is gone; its flow is keyed otherwise; it has no way on; a clock is late at once;
its state has another name; it is closed; a due time moves; its flow is gone and it lives on by its version."""

REFUSES = ("gone", "rekeyed")

LAST = "SELECT coalesce(max(no), 0) FROM records"
ADDRESSES = """SELECT DISTINCT key, subject FROM cases WHERE (key, subject) > (?, ?)
    ORDER BY key, subject LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Example:
    """What becomes of one case; ``before`` and ``after`` are states, or due times of ``clock``."""

    subject: str
    flow: str
    state: str
    clock: str | None = None
    before: str | None = None
    after: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        told = {name: getattr(self, name) for name in ("subject", "flow", "state", "clock", "before", "after")}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(slots=True)
class Plan:
    """What becomes of the open cases: how many there are, and by fate how many, with some examples of each.

    ``fired`` counts the records of what was due first, ``late`` the clocks that fell late by it, and ``last`` is the
    number of the last record then. ``ended_shadow`` says that another set was tried, which was ended by this.
    """

    digest: str
    now: int
    most: int
    cases: int = 0
    same: bool = False
    fired: int = 0
    late: int = 0
    last: int = 0
    ended_shadow: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether a case could not be moved."""
        return any(fate in self.counts for fate in REFUSES)

    def note(self, fate: str, example: Example) -> None:
        """Count a case, or a clock of one, and keep it as an example while there are few."""
        self.counts[fate] = self.counts.get(fate, 0) + 1
        kept = self.examples.setdefault(fate, [])
        if len(kept) < self.most:
            kept.append(example)

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {
            "now": text_of(self.now),
            "installed_already": self.same,
            "due_first": {"records": self.fired, "late": self.late},
            "open_cases": self.cases,
            "refused": self.refused,
            "fates": {
                fate: {
                    "count": self.counts[fate],
                    "examples": [each.as_dict() for each in self.examples[fate]],
                }
                for fate in FATES
                if fate in self.counts
            },
        }


class Undone(Exception):
    """Ends the transaction of a plan, of which nothing is to be kept."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("a plan changes nothing")
        self.plan = plan


class RefusedPlan(Exception):
    """A set cannot be applied; ``plan`` says why."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("open cases cannot be moved")
        self.plan = plan


def make_plan(store: Store, root: str, sealer: DataKeys, now: int, most: int) -> Plan:
    """What to apply the set in the folder ``root`` would do at ``now``; nothing is changed, so a store that may only be
    read is copied for it. It raises ``PolicyErrors``."""
    bundle, files = load_bundle(root), files_of(root)
    try:
        return plan_bundle(store, bundle, files, sealer, now, most)
    except ReadOnly:
        with copied(store) as copy:
            return plan_bundle(copy, bundle, files, DataKeys(copy, now), now, most)


@contextmanager
def copied(store: Store) -> Iterator[Store]:
    """A copy of a store in a file that is gone at the end of the block."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="carepolicy-") as folder:
        path = f"{folder}/plan{SHADOW_FILE}"  # by this end keys know that it needs none for long
        store.copy_to(path)
        copy = open_store(f"{SQLITE}{path}")
        try:
            yield copy
        finally:
            copy.close()


def plan_bundle(
    store: Store, bundle: Bundle, files: Mapping[str, bytes], sealer: DataKeys, now: int, most: int
) -> Plan:
    """The same for a set that is compiled, with its files."""

    def work(transaction: Transaction) -> Plan:
        raise Undone(_carry_out(transaction, store, bundle, files, sealer, Plan(bundle.digest, now, most)))

    try:
        return store.attempt(work)
    except Undone as undone:
        return undone.plan


def apply_set(store: Store, root: str, sealer: DataKeys, now: int, most: int) -> Plan:
    """Let what is due by ``now`` happen, install the set in the folder ``root`` and move the open cases to it, all in
    one transaction. It raises ``PolicyErrors``, and ``RefusedPlan`` where a case cannot be moved; then nothing is
    changed."""
    plan = apply_bundle(store, load_bundle(root), files_of(root), sealer, now, most)
    if plan.ended_shadow:
        remove_store(shadow_url(store.url))
    return plan


def apply_bundle(
    store: Store, bundle: Bundle, files: Mapping[str, bytes], sealer: DataKeys, now: int, most: int
) -> Plan:
    """The same for a set that is compiled."""

    def work(transaction: Transaction) -> Plan:
        plan = _carry_out(transaction, store, bundle, files, sealer, Plan(bundle.digest, now, most))
        if plan.refused:
            raise RefusedPlan(plan)
        return plan

    return store.attempt(work)


def _carry_out(
    transaction: Transaction, store: Store, bundle: Bundle, files: Mapping[str, bytes], sealer: DataKeys, plan: Plan
) -> Plan:
    """What a plan and an apply do; the plan that is filled in."""
    transaction.keep_others_out()
    plan.same = is_present(transaction, bundle)
    if plan.same:
        return plan
    for done in Operation(store, None, plan.now).catch_up(transaction, plan.now):
        plan.fired += done.records.count("\n")
        plan.late += done.records.count(LATE)
    plan.last = transaction.rows(LAST)[0][0]
    plan.ended_shadow = end_shadow(transaction)
    number = transaction.install(_name(transaction, bundle), plan.now, files)
    desks = _move_cases(transaction, Installed(number, bundle), sealer, plan)
    desks.begin(transaction)
    desks.open_by_time()
    desks.keep()
    return plan


def is_present(transaction: Transaction, bundle: Bundle) -> bool:
    """Whether a set is the one that is installed."""
    return present(transaction).digest.partition("#")[0] == bundle.digest


def _name(transaction: Transaction, bundle: Bundle) -> str:
    """The digest of a set, numbered where the same one was installed before, as when a change is taken back."""
    before = sum(each.digest.partition("#")[0] == bundle.digest for each in transaction.versions())
    return f"{bundle.digest}#{before + 1}" if before else bundle.digest


def _move_cases(transaction: Transaction, installed: Installed, sealer: DataKeys, plan: Plan) -> Desks:
    """Move all open cases, some at a time; the new set at work."""
    in_use = set(transaction.versions_in_use()) - {installed.number}
    older = [load_version(transaction, each) for each in transaction.versions() if each.id in in_use]
    desks = Desks(installed, older, sealer)
    desks.epoch = epoch_of(present(transaction).restored)
    current = desks.present
    desks.begin(transaction)
    at: Address = ("", "")
    while addresses := [(key, subject) for key, subject in transaction.rows(ADDRESSES, (*at, AT_A_TIME))]:
        desks.fetch([name_of(each) for each in addresses])
        told: list[str] = []
        for address in addresses:
            told += _move_all(desks, name_of(address), address[0], current, installed.bundle, plan)
        _keep(transaction, desks, told)
        desks.forget()
        at = addresses[-1]
    return desks


def _move_all(
    desks: Desks, name: Name, key: str, current: dict[str, LiveProgram], bundle: Bundle, plan: Plan
) -> list[str]:
    """Move the cases of one subject; the records of it."""
    told: list[str] = []
    for desk in desks.desks:
        subject = desk.subjects.get(name)
        if subject is None or not subject.cases:
            continue
        for place, case in sorted(subject.cases.items()):
            plan.cases += 1
            new = _move_one(case, subject, key, current.get(case.program.flow), bundle, plan, desk.stepper)
            if new is None:
                continue
            if new.closed:
                subject.drop(place)
                subject.sequences = {**subject.sequences, place: new.sequence}
            else:
                subject.put(place, new)
        desk.stepper.plan(subject)
        told += desk.out
        desk.out.clear()
    return told


def _move_one(
    case: Case, subject: Subject, key: str, program: LiveProgram | None, bundle: Bundle, plan: Plan, telling: Telling
) -> Case | None:
    """The case as moved; None where it stays as it is."""
    where = (case.subject, case.program.flow, case.state.name)
    if program is None:
        plan.note("kept", Example(*where))
        return None
    if key != (program.key or ""):
        plan.note("rekeyed", Example(*where))
        return None
    state = target_of(case, program)
    if state is None:
        plan.note("gone", Example(*where))
        return None
    now = max(plan.now, subject.last, case.now)
    new = moved(case, program, state, bundle.facts, now, telling)
    subject.last = max(subject.last, now)
    _tell(case, new, where, plan)
    return new


def _tell(case: Case, new: Case, where: tuple[str, str, str], plan: Plan) -> None:
    if new.closed:
        plan.note("closed", Example(*where, None, case.state.name, new.state.name))
        return
    if new.state.name != case.state.name:
        plan.note("moved", Example(*where, None, case.state.name, new.state.name))
    if not new.state.ways and not new.afters:
        plan.note("stuck", Example(*where))
    before = {held.clock.name: held for held in case.rounds if held is not None}
    for held in new.rounds:
        if held is None or held.late or held.due == NEVER or not (held.running or held.next != NEVER):
            continue
        old = before.get(held.clock.name)
        was = None if old is None or old.due == NEVER or not old.running else text_of(old.due)
        example = Example(*where, held.clock.name, was, text_of(held.due if held.running else new.now))
        if held.due <= new.now and (old is None or old.due > new.now or not old.running):
            plan.note("late", example)
        elif was != example.after:
            plan.note("due", example)


def _keep(transaction: Transaction, desks: Desks, told: list[str]) -> None:
    recording = Recording(desks, 0)
    recording.take([0] * len(told), told, {}, {})
    desks.keep()
    if recording.records:
        transaction.append(recording.records, recording.requests)
    if recording.closings:
        transaction.many(NOTE_CLOSING, recording.closings)
