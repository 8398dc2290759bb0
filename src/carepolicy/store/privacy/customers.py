"""What is held about a customer, and its end: found by an address, a number or a subject; told, handed over, erased."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.facts import plain
from carepolicy.engine.instants import text_of
from carepolicy.policy.characters import MASK
from carepolicy.store.cases.snapshot import take_all
from carepolicy.store.contract import named
from carepolicy.store.live.late import concerns, held_back
from carepolicy.store.privacy.contacts import found_addresses
from carepolicy.store.privacy.erase import erase
from carepolicy.store.privacy.seal import Looker, Reader
from carepolicy.store.shadow.trial import erase_beside
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Store, Transaction
    from carepolicy.store.privacy.seal import DataKeys


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case with its facts, as the reader may see them."""

    subject: str
    flow: str
    state: str
    opened: int
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The case as JSON can hold it."""
        return {
            "subject": self.subject, "flow": self.flow, "state": self.state, "opened": text_of(self.opened),
            "facts": dict(self.facts),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is held at one subject. ``private`` counts records with private data, ``typed`` entries of the contact log
    that have a text, ``held_back`` events that an unfinished run holds back, ``until`` is when the last of it is erased
    by itself; ``erased`` tells of what was."""

    subject: str
    key: str
    cases: tuple[OpenCase, ...]
    records: int
    private: int
    typed: int
    held_back: int
    until: int | None
    erased: tuple[tuple[int, str, str, Mapping[str, int]], ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        told: dict[str, Any] = {
            "subject": self.subject,
            "key": self.key or None,
            "open_cases": [case.as_dict() for case in self.cases],
            "records": self.records,
            "records_with_private_data": self.private,
            "typed_contacts": self.typed,
            "events_held_back": self.held_back,
            "erased_by_itself": None if self.until is None else text_of(self.until),
            "erasures": [
                {"time": text_of(time), "by": by, "flow": flow or None, "counts": dict(counts)}
                for time, by, flow, counts in self.erased
            ],
        }
        return told


class StillOpen(Exception):
    """Open cases, or so many events that an unfinished run holds back, still need what is to be erased."""

    def __init__(self, cases: Sequence[OpenCase], held_back: int) -> None:
        super().__init__("open cases still need it")
        self.cases = tuple(cases)
        self.held_back = held_back


class Customers:
    """Personal data in a store, as a reader may see it. ``left_behind`` says where what was erased may still be."""

    def __init__(self, store: Store, bundle: Bundle, sealer: DataKeys, reader: Reader) -> None:
        self._store = store
        self._bundle = bundle
        self._sealer = sealer
        self._reader = reader
        self.left_behind: str | None = None

    def held(self, who: str) -> list[PersonalData]:
        """What is held about a customer, subject by subject."""
        with self._store.reading() as transaction:
            return [self._at(transaction, each) for each in self._addresses(transaction, who)]

    def export(self, who: str) -> dict[str, Any]:
        """All of it as one object: open cases with their facts, every record, and what a run holds back."""
        with self._store.reading() as transaction:
            addresses = self._addresses(transaction, who)
            return {
                "held": [self._at(transaction, each).as_dict() for each in addresses],
                "records": [record for each in addresses for record in self._records(transaction, each)],
                "held_back": [event for each in addresses for event in self._held_back(transaction, each)],
            }

    def erase(self, who: str, now: int, author: str, force: bool, dry: bool = False) -> list[PersonalData]:
        """Erase what is private about a customer, in one transaction; what was held. Records and counts stay, masked,
        and that it was done is noted. Raises ``StillOpen`` unless ``force``; then open cases go on without."""

        def work(transaction: Transaction) -> list[PersonalData]:
            addresses = self._addresses(transaction, who)
            transaction.load(sorted(addresses))
            found = [self._at(transaction, each) for each in addresses]
            cases = [case for each in found for case in each.cases]
            held = sum(each.held_back for each in found)
            if (cases or held) and not force:
                raise StillOpen(cases, held)
            if not dry:
                for address in addresses:
                    erase(transaction, self._sealer, self._bundle, address, now, author)
            erased[:] = addresses
            return found

        erased: list[Address] = []
        self._sealer.demand_vault()
        found = self._store.attempt(work)
        if erased and not dry:
            erase_beside(self._store, erased, self._sealer, now, author)
            self.left_behind = self._sealer.shred()
        return found

    def _addresses(self, transaction: Transaction, who: str) -> list[Address]:
        return found_addresses(transaction, self._sealer, self._bundle, who)

    def _at(self, transaction: Transaction, address: Address) -> PersonalData:
        key, subject = address
        count, private = transaction.rows(statements.COUNT_RECORDS_AT, address)[0]
        return PersonalData(
            named(subject), key,
            tuple(self._case(named(subject), row) for row in transaction.rows(statements.OPEN_CASES_AT, address)),
            count, private, transaction.rows(statements.COUNT_TYPED, (subject,))[0][0],
            len(list(self._held_back(transaction, address))),
            transaction.rows(statements.LAST_CLOSING, address)[0][0],
            tuple((*row[:3], orjson.loads(row[3])) for row in transaction.rows(statements.ERASURES_OF, (subject,))),
        )  # fmt: skip

    def _case(self, subject: str, row: tuple[Any, ...]) -> OpenCase:
        flow, state, opened, body, sealed = row
        facts = take_all(orjson.loads(body)["facts"])
        private = self._sealer.opened(sealed)
        if private is not None:
            facts.update(take_all(orjson.loads(private).get("facts", {})))
        case = OpenCase(subject, flow, state, opened, {})
        return replace(case, facts={name: self._fact(name, value) for name, value in sorted(facts.items())})

    def _held_back(self, transaction: Transaction, address: Address) -> Iterator[dict[str, Any]]:
        for _, events in held_back(transaction, self._sealer, address):
            for event in events:
                if concerns(event, address):
                    data = {name: self._fact(name, value) for name, value in event.data.items()}
                    yield {"type": event.type, "subject": event.subject, "time": event.when, "data": data}

    def _fact(self, name: str, value: Any) -> Any:
        fact = self._bundle.facts.get(name)
        if (fact is None or fact.private) and not self._reader.may((name,)):
            return MASK
        return plain(value, fact.type if fact is not None else "text")

    def _records(self, transaction: Transaction, address: Address) -> list[dict[str, Any]]:
        looker = Looker(self._reader, self._sealer)
        return [orjson.loads(looker.line(*row)) for row in transaction.rows(statements.RECORDS_AT, address)]
