"""A changed policy set and the open cases: what it would do to them (``plan``), and doing it (``apply``).

Both do the same in one transaction, as of the same instant: what is due by then happens by the installed set, the new
one is installed, and every open case is moved to it. A plan undoes all of it; an apply undoes it where a case cannot be
moved, so that it has done what the plan says or nothing. Cases are worked on some at a time, so that memory does not
grow with them.

A case is moved with state, facts and clocks, and with records of what changes by it. The time that a clock has used
stays used; the rest is counted in the new calendars and limits. A clock that is late stays late. A state that was
renamed, or that is gone, has a name in ``moves``; without one a case cannot be moved. A case whose flow is gone lives
on by the version that it lives by.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from carepolicy.engine import clocks
from carepolicy.engine.clocks import write_ended, write_running
from carepolicy.engine.effects import tell_task
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.record import Told, as_values
from carepolicy.engine.round import (
    PartUsed,
    Round,
    end_stretch,
    marked_in,
    place_of,
    settle,
    settle_standing,
    used_as,
    used_before,
    used_of,
)
from carepolicy.machine.bundle import load_bundle
from carepolicy.machine.program import Phase
from carepolicy.store.faults import ReadOnly
from carepolicy.store.live.memory import StoreMemory, name_of
from carepolicy.store.live.operation import AT_A_TIME, Operation
from carepolicy.store.live.rows import RecordRows
from carepolicy.store.open import open_store, remove_store
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.shadow.journal import end_shadow
from carepolicy.store.sql import statements
from carepolicy.store.url import SHADOW_FILE, SQLITE, shadow_url
from carepolicy.store.versions.install import Installed, files_of, install, older_sets, present, versions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from carepolicy.engine.case import Case, LiveAfter, LiveProgram, LiveState, Subject
    from carepolicy.engine.memory import Name
    from carepolicy.engine.record import Record, Sink
    from carepolicy.engine.round import LiveClock, LiveLimit
    from carepolicy.engine.stepper import Stepper
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Store, Transaction


FATES = ("gone", "rekeyed", "stuck", "late", "moved", "closed", "due", "kept")
"""What may become of a case: its state is gone; its flow is keyed otherwise; it has no way on; a clock is late at once;
its state has another name; it is closed; a due time moves; its flow is gone and it lives on by its version."""

REFUSES = ("gone", "rekeyed")


class Tellable(Protocol):
    """What JSON can be told of."""

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""


One = TypeVar("One", bound=Tellable)


class Examples(Generic[One]):
    """How many there are of each of some ``kinds``, with the first of each kind, ``most`` at most."""

    def __init__(self, kinds: Sequence[str], most: int) -> None:
        self._kinds = kinds
        self._most = most
        self.counts: Counter[str] = Counter()
        self.first: dict[str, list[One]] = {}

    def note(self, kind: str, one: One) -> None:
        """Count one, and keep it while there are few."""
        self.counts[kind] += 1
        kept = self.first.setdefault(kind, [])
        if len(kept) < self._most:
            kept.append(one)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return {
            kind: {"count": self.counts[kind], "examples": [each.as_dict() for each in self.first[kind]]}
            for kind in self._kinds
            if kind in self.counts
        }


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
    """What becomes of the open cases: how many there are, and by fate how many, with up to ``most`` examples of each.

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
    fates: Examples[Example] = field(init=False)

    def __post_init__(self) -> None:
        self.fates = Examples(FATES, self.most)

    @property
    def refused(self) -> bool:
        """Whether a case could not be moved."""
        return any(fate in self.fates.counts for fate in REFUSES)

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {
            "now": text_of(self.now),
            "installed_already": self.same,
            "due_first": {"records": self.fired, "late": self.late},
            "open_cases": self.cases,
            "refused": self.refused,
            "fates": self.fates.as_dict(),
        }


class RefusedPlan(Exception):
    """A set cannot be applied; ``plan`` says why."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("open cases cannot be moved")
        self.plan = plan


APPLIED = "apply"
"""What moved a case, in its record."""

WHY = "the policies have changed"


class Undone(Exception):
    """Ends the transaction of a plan, of which nothing is to be kept."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("a plan changes nothing")
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
        plan.fired += done.written
        plan.late += done.lates
    plan.last = transaction.rows(statements.LAST_NUMBER)[0][0]
    plan.ended_shadow = end_shadow(transaction)
    number = install(transaction, _name(transaction, bundle), plan.now, files)
    memory = _move_cases(transaction, Installed(number, bundle), sealer, plan)
    memory.begin(transaction)
    memory.open_by_time()
    memory.keep()
    return plan


def is_present(transaction: Transaction, bundle: Bundle) -> bool:
    """Whether a set is the one that is installed."""
    return present(transaction).digest.partition("#")[0] == bundle.digest


def _name(transaction: Transaction, bundle: Bundle) -> str:
    """The digest of a set, numbered where the same one was installed before, as when a change is taken back."""
    before = sum(each.digest.partition("#")[0] == bundle.digest for each in versions(transaction))
    return f"{bundle.digest}#{before + 1}" if before else bundle.digest


def _move_cases(transaction: Transaction, installed: Installed, sealer: DataKeys, plan: Plan) -> StoreMemory:
    """Move all open cases, some at a time; the new set at work."""
    memory = StoreMemory(installed, older_sets(transaction, installed.number), sealer)
    memory.epoch = present(transaction).epoch
    current = memory.present
    memory.begin(transaction)
    at: Address = ("", "")
    while addresses := [
        (key, subject) for key, subject in transaction.rows(statements.ADDRESSES_OF_CASES, (*at, AT_A_TIME))
    ]:
        memory.fetch([name_of(each) for each in addresses])
        told: list[Record] = []
        for address in addresses:
            told += _move_all(memory, name_of(address), address[0], current, installed.bundle, plan)
        _keep(transaction, memory, told)
        memory.forget()
        at = addresses[-1]
    return memory


def _move_all(
    memory: StoreMemory, name: Name, key: str, current: dict[str, LiveProgram], bundle: Bundle, plan: Plan
) -> list[Record]:
    """Move the cases of one subject; the records of it."""
    told: list[Record] = []
    for stratum in memory.run.strata:
        subject = stratum.subjects.get(name)
        if subject is None or not subject.cases:
            continue
        for place, case in sorted(subject.cases.items()):
            plan.cases += 1
            new = _move_one(case, subject, key, current.get(case.program.flow), bundle, plan, stratum.stepper)
            if new is None:
                continue
            if new.closed:
                subject.drop(place)
                subject.sequences = {**subject.sequences, place: new.sequence}
            else:
                subject.put(place, new)
        stratum.stepper.plan(subject)
        told += as_values(stratum.out)
        stratum.out.clear()
    return told


def _move_one(
    case: Case, subject: Subject, key: str, program: LiveProgram | None, bundle: Bundle, plan: Plan, telling: Stepper
) -> Case | None:
    """The case as moved; None where it stays as it is."""
    where = (case.subject, case.program.flow, case.state.name)
    if program is None:
        plan.fates.note("kept", Example(*where))
        return None
    if key != (program.key or ""):
        plan.fates.note("rekeyed", Example(*where))
        return None
    state = target_of(case, program)
    if state is None:
        plan.fates.note("gone", Example(*where))
        return None
    now = max(plan.now, subject.last, case.now)
    new = moved(case, program, state, bundle.facts, now, telling)
    subject.last = max(subject.last, now)
    _tell(case, new, where, plan)
    return new


def _tell(case: Case, new: Case, where: tuple[str, str, str], plan: Plan) -> None:
    if new.closed:
        plan.fates.note("closed", Example(*where, None, case.state.name, new.state.name))
        return
    if new.state.name != case.state.name:
        plan.fates.note("moved", Example(*where, None, case.state.name, new.state.name))
    if not new.state.ways and not new.afters:
        plan.fates.note("stuck", Example(*where))
    before = {held.clock.name: held for held in case.rounds if held is not None}
    for held in new.rounds:
        if held is None or held.late or held.due == NEVER or not (held.running or held.next != NEVER):
            continue
        old = before.get(held.clock.name)
        was = None if old is None or old.due == NEVER or not old.running else text_of(old.due)
        example = Example(*where, held.clock.name, was, text_of(held.due if held.running else new.now))
        if held.due <= new.now and (old is None or old.due > new.now or not old.running):
            plan.fates.note("late", example)
        elif was != example.after:
            plan.fates.note("due", example)


def _keep(transaction: Transaction, memory: StoreMemory, told: list[Record]) -> None:
    rows = RecordRows(memory, 0)
    rows.take([0] * len(told), told, {}, {})
    memory.keep()
    rows.keep(transaction)


def target_of(case: Case, program: LiveProgram) -> LiveState | None:
    """The state of ``program`` that a case of an older version belongs in; None where there is none."""
    names = {state.name: state for state in program.states}
    name = case.state.name
    return names.get(name) or names.get(program.program.moves.get(name, ""))


def moved(
    case: Case, program: LiveProgram, state: LiveState, facts: Collection[str], now: int, telling: Stepper
) -> Case:
    """The case as one of ``program``, in ``state``, at ``now``; its records are added to what ``telling`` writes. It
    keeps those of its facts that are among ``facts``. One that is moved to a final state is closed."""
    new = case.successor(program, case.subject, case.sequence)
    out, when = telling.out, text_of(now)
    new.opened, new.now = case.opened, now
    new.state = state
    new.facts = {name: value for name, value in case.facts.items() if name in facts}
    if state.name != case.state.name:
        data = Told({"from": case.state.name, "to": state.name, "on": APPLIED})
        out.append(new.record("case.moved", when, data))
    _move_clocks(case, new, now, when, out)
    if state.final is not None:
        out.append(new.record("case.closed", when, state.closed))
        new.closed = True
        return new
    if (state.name, state.owner) != (case.state.name, case.state.owner):
        tell_task(telling, new, state, when)
    new.afters = tuple(_afters(case, new))
    return new


def _move_clocks(case: Case, new: Case, now: int, when: str, out: Sink) -> None:
    before = {held.clock.name: held for held in case.rounds if held is not None}
    phases = {clock.name: clock.phases[case.state.index] for clock in case.program.clocks}
    for clock in new.program.clocks:
        phase = clock.phases[new.state.index]
        held = before.pop(clock.name, None)
        if held is not None:
            _move_round(new, held, clock, phase, now, when, out)
        elif phase is Phase.RUNNING and phases.get(clock.name) is not Phase.RUNNING:
            clocks.start(out, new, clock, now, when)
    for gone in before.values():
        _cancel(out, new, gone, now, when)


def _move_round(new: Case, held: Round, clock: LiveClock, phase: Phase, now: int, when: str, out: Sink) -> None:
    limit = clocks.choose(new, clock.choices[new.state.index]) if phase is not Phase.STOPPED else None
    if limit is None:
        if clock.goes_on:
            clocks.keep(new, held, now, clock)
        _cancel(out, new, held, now, when)
        return
    taken = new.rounds[clock.index] = _carried(new, held, clock, limit, now)
    if taken.running and phase is Phase.PAUSED:
        clocks.pause(out, new, taken, now, when)
    elif not taken.running and phase is Phase.RUNNING:
        clocks.resume(out, new, taken, now, when)
    elif not taken.late and ((taken.running and taken.due != held.due) or taken.limit.whole != held.limit.whole):
        write_running(out, new, taken, "clock.extended", now, when, WHY)


def _carried(new: Case, held: Round, clock: LiveClock, limit: LiveLimit, now: int) -> Round:
    """A round that goes on under another limit, or in another calendar."""
    old = held.limit
    taken = held.successor(clock, limit)
    if old.parts or limit.parts:
        return _carried_first(new, held, taken, now)
    if old.measure == limit.measure:
        taken.used = used_of(held, now)
    else:
        taken.used = used_before(held, limit, now)
        taken.mark = limit.amount
    if taken.running:
        end_stretch(taken, now)
        taken.since = now
    taken.base = place_of(taken, now) - taken.used
    taken.amount = held.amount if limit.limit == old.limit else limit.amount
    return _worked_out(new, held, taken, now)


def _carried_first(new: Case, held: Round, taken: Round, now: int) -> Round:
    """As ``_carried``, where the one limit or the other is the first to fall due of several."""
    limit = taken.limit
    used = [used_as(held, each, now) for each in limit.parts or (limit,)]
    if taken.running:
        end_stretch(taken, now)
        taken.since = now
    if limit.parts:
        taken.parts = tuple(map(PartUsed, used))
        same = next((n for n, each in enumerate(limit.parts) if each.limit == held.limit.limit), 0)
        taken.limit, taken.used = limit.parts[same], used[same]
    else:
        taken.used = used[0]
    if held.limit.measure != taken.limit.measure:
        taken.mark = taken.limit.amount
    taken.base = place_of(taken, now) - taken.used
    taken.amount = held.amount if taken.limit.limit == held.limit.limit else taken.limit.amount
    return _worked_out(new, held, taken, now)


def _worked_out(new: Case, held: Round, taken: Round, now: int) -> Round:
    """A round that was carried over, with its warnings and its due time."""
    taken.warned = min(held.warned, len(taken.clock.warns))
    taken.marked = marked_in(taken.clock, held.clock, held.marked)
    if taken.running and not taken.late:
        settle(taken, new.facts)
    elif not taken.late:
        settle_standing(taken, new.facts, now)
    return taken


def _cancel(out: Sink, new: Case, held: Round, now: int, when: str) -> None:
    """A round ends with the version that it belongs to."""
    write_ended(out, new, held, "clock.cancelled", used_of(held, now), when)


def _afters(case: Case, new: Case) -> list[tuple[int, int, LiveAfter]]:
    """The timers of the state: those that have fired do not fire again."""
    same = new.state.name == case.state.name
    left = {after.trigger for _, _, after in case.afters}
    fired = {after.trigger for after in case.state.afters} - left if same else set()
    found: list[tuple[int, int, LiveAfter]] = []
    for after in new.state.afters:
        due = after.due(new.entered, new.facts)
        if after.trigger not in fired and due != NEVER:
            found.append((due, after.place, after))
    return found
