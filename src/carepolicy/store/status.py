"""How a store is doing, in numbers that a monitor asks for: what is open, late, waiting, parked, dead; its size."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import SECOND, text_of
from carepolicy.store.outbox.queue import LEASED, PARKED, STATES, WAITING
from carepolicy.store.sql import migrations, statements
from carepolicy.store.versions.install import present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.store.contract import Store, Transaction


@dataclass(frozen=True, slots=True)
class Status:
    """``overdue`` are subjects whose timers should have fired, ``lag`` for how many seconds the first of them has
    waited; ``outbox`` counts requests by state, ``waiting_age`` is the age of the oldest that waits or is leased, in
    seconds; ``dead`` counts dead letters by their code; ``size`` is in bytes."""

    now: int
    version: int
    policies: str
    installed: int
    open: int
    late: int
    next_due: int | None
    overdue: int
    lag: float
    outbox: Mapping[str, int]
    waiting_age: float
    dead: Mapping[str, int]
    records: int
    size: int

    @property
    def numbers(self) -> dict[str, float]:
        """What may have a bound, by the name of it."""
        return {
            "open": self.open,
            "late": self.late,
            "lag": self.lag,
            "waiting": self.outbox[WAITING] + self.outbox[LEASED],
            "waiting-age": self.waiting_age,
            "parked": self.outbox[PARKED],
            "dead": sum(self.dead.values()),
            "size": self.size,
        }

    def as_dict(self) -> dict[str, Any]:
        """The status as JSON can hold it."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ("now", "installed", "next_due"):
            told[name] = None if told[name] is None else text_of(told[name])
        return told


def status_of(store: Store, now: int) -> Status:
    """How a store is doing at ``now``. Raises a ``StoreFault``, ``NotInstalled`` among them."""
    with store.reading() as transaction:
        return _status(transaction, now, store.size())


def _status(transaction: Transaction, now: int, size: int) -> Status:
    installed = present(transaction)
    opened, late = transaction.rows(statements.COUNT_CASES)[0]
    first, overdue = transaction.rows(statements.FIRST_DUE, (now,))[0]
    outbox = transaction.rows(statements.AGE_OF_REQUESTS)
    counts = {state: count for state, count, _ in outbox}
    oldest = min((time for state, _, time in outbox if state in (WAITING, LEASED)), default=now)
    return Status(
        now=now,
        version=migrations.NEWEST,
        policies=installed.digest,
        installed=installed.installed,
        open=opened,
        late=int(late),
        next_due=first,
        overdue=overdue,
        lag=_age(first, now),
        outbox={state: counts.get(state, 0) for state in STATES},
        waiting_age=_age(oldest, now),
        dead=dict(transaction.rows(statements.COUNT_LETTERS)),
        records=transaction.rows(statements.COUNT_RECORDS)[0][0],
        size=size,
    )


def _age(since: int | None, now: int) -> float:
    """Seconds since an instant, none where it is still to come."""
    return 0 if since is None else max(0, now - since) / SECOND
