"""``carepolicy audit --store``: what came of the events that a store took, and what another set would do to its open
cases."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carepolicy.audit.stored import audited
from carepolicy.cli.plan import PLANNED, printed
from carepolicy.cli.sets import refuse, showing_errors
from carepolicy.cli.status import CommandError, say
from carepolicy.cli.stores import bundle_of, differs
from carepolicy.cli.times import wall_clock
from carepolicy.policy.files import is_set
from carepolicy.policy.load import load_policies
from carepolicy.policy.revisions import NoRevision, folder_of
from carepolicy.store.live.operation import Operation
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.records.audited import latest
from carepolicy.store.versions.apply import copied, make_plan
from carepolicy.store.versions.install import as_folder, present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from carepolicy.audit.measures import Round
    from carepolicy.audit.replay import Replay
    from carepolicy.audit.tables import Begin
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.model import Policies
    from carepolicy.store.contract import Store

MOST_CASES = 1_000
"""So many cases are named of each thing that another set would do to them."""

FEW_CASES = 3
"""So many of them in text."""


def installed_bundle(store: Store, policies: str) -> Bundle:
    """The set that is installed in a store; where the one in the folder ``policies`` is another, that is said."""
    bundle, _ = bundle_of(store)
    if differs(policies, bundle.digest):
        say(f"note: {policies} differs from the policies that are installed in the store, which count")
    return bundle


def installed_policies(store: Store) -> Policies:
    """The policies that are installed in a store, as they were read from their files."""
    with store.reading() as transaction, as_folder(transaction, present(transaction)) as folder:
        found, findings = load_policies(folder)
        if found is None:
            refuse(folder, findings)
        return found


def of_store(
    store: Store, bundle: Bundle, until: int | None, watch: Begin | None, told: Callable[[Round], None] | None,
    heard: Callable[[Record], None] | None,
) -> tuple[Replay, dict[str, Any], list[str]]:  # fmt: skip
    """What was measured, at ``until`` (default: the store's own last time), with what is to be said of the store as
    JSON and as lines."""
    with store.reading() as transaction:
        last, due = latest(transaction), transaction.next_due()
    with _at(store, due, last if until is None else until) as there, there.reading() as transaction:
        found = audited(transaction, bundle, last, told, heard, watch)
    lines = []
    if found.let_go:
        many = "1 subject has" if found.let_go == 1 else f"{found.let_go:,} subjects have"
        lines.append(f"{many} let go of records (keep:), and the cases that began in them are left out")
    if found.erased:
        many = "1 subject" if found.erased == 1 else f"{found.erased:,} subjects"
        lines.append(f"private facts of {many} were erased; no figure is made of those")
    return found.replay, {"store": {"let_go": found.let_go, "erased": found.erased}}, lines


@contextmanager
def _at(store: Store, due: int | None, until: int | None) -> Iterator[Store]:
    """The store as it is at ``until`` if nothing comes: a copy of it, where something is ``due`` by then."""
    if until is None or due is None or until < due:
        yield store
        return
    with copied(store) as copy:
        for _ in Operation(copy, None, until).tick(until):
            pass
        yield copy


def planned(
    store: Store, bundle: Bundle, against: str, policies: str, until: int | None
) -> tuple[dict[str, Any], list[str]]:
    """What the set ``against`` (a folder, or a git revision of ``policies``) would do to the open cases at ``until``
    (default: the store's own last time), as JSON and as lines, as `carepolicy plan` tells them."""
    with store.reading() as transaction:
        now = until if until is not None else latest(transaction) or wall_clock()
    try:
        with folder_of(against, policies) as place:
            if not is_set(place):
                raise CommandError(f"{against} is no policy set: it has no organisation.yaml")
            with showing_errors(place):
                plan = make_plan(store, place, DataKeys(store, wall_clock()), now, MOST_CASES)
    except NoRevision as problem:
        raise CommandError(str(problem)) from None
    told = plan.as_dict()
    plan.fates.first = {fate: cases[:FEW_CASES] for fate, cases in plan.fates.first.items()}
    return {"plan": told}, [f"were {against} applied:", *printed(plan, "text", bundle.timezone, PLANNED).splitlines()]
