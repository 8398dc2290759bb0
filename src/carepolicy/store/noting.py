"""What is noted of an event beside its cases: that a customer or a colleague acted, and where a customer's facts are.

Customers are found by hashes of their addresses and numbers with a key that only this store has, so that the index
tells nothing to who holds no key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from carepolicy.engine.intake import is_too_long
from carepolicy.store.contract import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.hmac import HMAC

    from carepolicy.engine.desk import Desk
    from carepolicy.engine.intake import Incoming
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Transaction
    from carepolicy.store.privacy.seal import DataKeys

CUSTOMER = "customer.id"
"""The fact that numbers customers, where a set declares it."""

NOTE_EVENT = """INSERT INTO contacts (time, subject, flow, sequence, direction, author, summary)
    VALUES (?, ?, '', 0, 'event', ?, ?)"""
HOLD = "INSERT INTO holdings (digest, key, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
ELSEWHERE = (
    "SELECT 1 FROM contacts WHERE subject = ? LIMIT 1",
    "SELECT 1 FROM held WHERE input IN (SELECT no FROM inputs UNION ALL SELECT 0) AND subject = ? LIMIT 1",
)
"""Where a subject may be known of which there is no record yet."""

SECRET = "SELECT sealed FROM secrets WHERE name = 'index'"
MERGED_INTO = "SELECT merged_into FROM subjects WHERE key = '' AND subject = ? AND merged_into IS NOT NULL"
BECAME = "SELECT subject FROM subjects WHERE key = '' AND merged_into = ? ORDER BY subject"
KEEP_SECRET = "INSERT INTO secrets (name, sealed) VALUES ('index', ?) ON CONFLICT DO NOTHING"


def naming_facts(bundle: Bundle) -> tuple[str, ...]:
    """The facts by which a customer is found: addresses on channels, and the number of the customer."""
    own = (CUSTOMER,) if CUSTOMER in bundle.facts else ()
    return tuple(dict.fromkeys((*own, *bundle.addresses.values())))


def people_events(bundle: Bundle) -> dict[str, tuple[str, str]]:
    """The events that customers or staff make happen: by type who does, and the title."""
    return {
        name: (each.by, each.title)
        for program in reversed(bundle.programs)
        for name, each in program.happenings.items()
        if each.by in ("customer", "staff")
    }


class Index:
    """The keyed hashes of a store."""

    def __init__(self, sealer: DataKeys) -> None:
        self._sealer = sealer
        self._keyed: HMAC | None = None
        self._fresh = False

    def digest(self, transaction: Transaction, fact: str, value: object) -> bytes:
        """By which a customer with this value of a fact is found."""
        keyed = (self._keyed or self._load(transaction)).copy()
        keyed.update(f"{fact}\0{str(value).strip().casefold()}".encode())
        return keyed.finalize()[:16]

    def begin(self) -> None:
        """A new transaction: what the last one made is kept."""
        self._fresh = False

    def forget(self) -> None:
        """The transaction was undone, and with it a secret that it made."""
        if self._fresh:
            self._keyed = None

    def _load(self, transaction: Transaction) -> HMAC:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.hmac import HMAC  # that of Python takes longer to import than Fernet

        found = transaction.rows(SECRET)
        if not found:
            self._fresh = True
            transaction.run(KEEP_SECRET, (self._sealer.seal_secret(os.urandom(32)),))
            found = transaction.rows(SECRET)
        keyed = self._keyed = HMAC(self._sealer.secret(found[0][0]), SHA256())
        return keyed


class Notes:
    """Collects what is noted in one transaction."""

    def __init__(self, bundle: Bundle, sealer: DataKeys) -> None:
        self._index = Index(sealer)
        self._facts = naming_facts(bundle)
        self._people = {name: by for name, (by, _) in people_events(bundle).items()}
        self._events: list[tuple[int, str, str, str]] = []
        self._held: dict[tuple[str, str, Address], None] = {}

    def take(self, desk: Desk, event: Incoming, first: bool) -> None:
        """Note an event that is given to a desk, ``first`` where it is the lowest."""
        if first and not event.raised and event.type in self._people:
            self._events.append((event.time, storable(event.subject), self._people[event.type], event.type))
        self.hold(desk, event)

    def hold(self, desk: Desk, event: Incoming) -> None:
        """Note where the facts of an event are kept, by which its customer is found."""
        data = event.data
        if data:
            for fact in self._facts:
                value = data.get(fact)
                if value is not None:
                    for address in _addresses(desk, event):
                        self._held[fact, str(value), address] = None

    def hold_letter(self, subject: str, data: Mapping[str, object]) -> None:
        """Note where the facts of an event are kept that was not taken."""
        for fact in self._facts:
            value = data.get(fact)
            if isinstance(value, str | int):
                self._held[fact, str(value), ("", subject)] = None

    def keep(self, transaction: Transaction) -> None:
        """Keep what was noted."""
        self._index.begin()
        if self._events:
            transaction.many(NOTE_EVENT, self._events)
            self._events = []
        if self._held:
            rows = {
                (self._index.digest(transaction, fact, value), *address): None for fact, value, address in self._held
            }
            transaction.many(HOLD, sorted(rows))
            self._held = {}

    def forget(self) -> None:
        """Forget what was noted, as after a transaction that was undone."""
        self._index.forget()
        self._events = []
        self._held = {}


def _addresses(desk: Desk, event: Incoming) -> Iterable[Address]:
    for key, _ in desk.routes(event.type):
        if key is None:
            yield "", storable(event.subject)
        else:
            value = event.subject if event.raised else event.data.get(key)
            if value is not None and not is_too_long(str(value)):
                yield key, storable(str(value))


def found_addresses(transaction: Transaction, sealer: DataKeys, bundle: Bundle, who: str) -> list[Address]:
    """Where something is known about ``who``: a subject of that name, or the subjects at which facts of a customer with
    that address or number are kept; with all that are one with them by merging."""
    index = Index(sealer)
    keys = ["", *sorted({each.key for each in bundle.programs if each.key is not None})]
    name = storable(who)
    known = "SELECT key, subject FROM subjects WHERE key = ? AND subject = ?"
    found: dict[Address, None] = {(key, name): None for key in keys if transaction.rows(known, (key, name))}
    if any(transaction.rows(each, (name,)) for each in ELSEWHERE):
        found.setdefault(("", name))
    if transaction.rows(SECRET):
        for fact in naming_facts(bundle):
            digest = index.digest(transaction, fact, who)
            rows = transaction.rows(
                "SELECT key, subject FROM holdings WHERE digest = ? ORDER BY key, subject", (digest,)
            )
            found.update(dict.fromkeys((key, subject) for key, subject in rows))
    return one_with(transaction, found)


def one_with(transaction: Transaction, addresses: Iterable[Address]) -> list[Address]:
    """Some addresses, and behind them all that are one with them: the subjects that they were merged into, and all that
    were merged into any of these, through chains."""
    found = dict.fromkeys(addresses)
    left = list(found)
    while left:
        key, subject = left.pop(0)
        if key:
            continue  # what a fact names is never merged
        near = (*transaction.rows(MERGED_INTO, (subject,)), *transaction.rows(BECAME, (subject,)))
        new = [("", other) for (other,) in near if ("", other) not in found]
        found.update(dict.fromkeys(new))
        left += new
    return list(found)
