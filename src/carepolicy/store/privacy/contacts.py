"""The contact log: who said what to whom, when, and how, over all channels and flows.

It is read out of what is kept anyhow: that customers and colleagues acted (``noting``), the messages and notices that
cases asked for (records), and what staff typed in (``add``), whose text is sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.instants import text_of
from carepolicy.engine.values import MASK
from carepolicy.store.contract import named, storable
from carepolicy.store.noting import found_addresses, one_with, people_events
from carepolicy.store.privacy.seal import Reader, shown
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Store, Transaction
    from carepolicy.store.privacy.seal import DataKeys

ERASED = "(erased)"
"""In place of what was typed."""

DIRECTIONS = ("in", "out", "internal")
INTERNAL = frozenset(("notice", "internal"))

Owners = list[tuple[int, str, str]]
"""Who was to work on what: (time, flow, name), in the order of time."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One entry. ``kind``: customer, staff (an event of theirs), message, notice, in, out or internal (typed)."""

    time: int
    subject: str
    flow: str
    kind: str
    channel: str
    author: str
    to: str
    said: str
    state: str

    @property
    def is_internal(self) -> bool:
        """Whether the customer had no part in it."""
        return self.kind in INTERNAL

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        return {
            "time": text_of(self.time), "subject": self.subject, "flow": self.flow, "kind": self.kind,
            "channel": self.channel, "from": self.author, "to": self.to, "said": self.said, "state": self.state,
        }  # fmt: skip


class ContactLog:
    """The contact log of a store, as a reader may see it."""

    def __init__(self, store: Store, bundle: Bundle, sealer: DataKeys, reader: Reader) -> None:
        self._store = store
        self._bundle = bundle
        self._sealer = sealer
        self._reader = reader
        self._people = people_events(bundle)
        self._flows = {
            type_: frozenset(each.flow for each in bundle.programs if type_ in each.happenings)
            for type_ in self._people
        }

    def of(self, who: str) -> list[Contact] | None:
        """The entries about a subject or a customer, the first first; None where nobody of that name is known."""
        with self._store.reading() as transaction:
            addresses = found_addresses(transaction, self._sealer, self._bundle, who)
            return self._sorted(transaction, addresses) if addresses else None

    def of_owner(self, person: str) -> list[Contact]:
        """The entries about all whose open cases a person has, the first first."""
        with self._store.reading() as transaction:
            owned = [(key, subject) for key, subject in transaction.rows(statements.SUBJECTS_OF_OWNER, (person,))]
            return self._sorted(transaction, one_with(transaction, owned))

    def knows(self, subject: str) -> bool:
        """Whether anything is known of a subject."""
        with self._store.reading() as transaction:
            return bool(found_addresses(transaction, self._sealer, self._bundle, subject))

    def add(self, now: int, subject: str, direction: str, channel: str, author: str, text: str) -> None:
        """Add an entry that was typed."""
        name = storable(subject)

        def work(transaction: Transaction) -> None:
            sealed = self._sealer.seal(transaction, name, text.encode())
            transaction.run(statements.ADD_CONTACT, (now, name, direction, channel, author, sealed))

        self._store.attempt(work)

    def _sorted(self, transaction: Transaction, addresses: Sequence[Address]) -> list[Contact]:
        subjects = dict.fromkeys(subject for _, subject in addresses)
        found = [each for subject in subjects for each in self._entries(transaction, subject)]
        return sorted(found, key=lambda each: each.time)

    def _entries(self, transaction: Transaction, subject: str) -> Iterator[Contact]:
        owners: Owners = []
        asked = []
        for type_, time, flow, line, sealed, state in transaction.rows(statements.CONTACTS_ASKED, (subject,)):
            data = orjson.loads(line)["data"]
            if type_ == "carepolicy.task.assigned":
                owners.append((time, flow, data.get("person") or self._bundle.role_titles.get(data["role"], "staff")))
            else:
                told = shown(data, sealed, self._sealer, self._reader)
                asked.append(self._asked(type_, time, named(subject), flow, told, state or ""))
        for row in transaction.rows(statements.CONTACTS_OF, (subject,)):
            yield self._noted(named(subject), row, owners)
        yield from asked

    def _asked(self, type_: str, time: int, subject: str, flow: str, data: dict[str, Any], state: str) -> Contact:
        if type_ == "carepolicy.notice.requested":
            role = self._bundle.role_titles.get(data["role"], data["role"])
            return Contact(
                time, subject, flow, "notice", "", self._bundle.organisation, role, data["text"] or "", state
            )
        said = ": ".join(each.strip() for each in (data["subject"], data["text"]) if each)
        return Contact(
            time, subject, flow, "message", data["channel"] or "", self._bundle.organisation, data["to"] or "nobody",
            said, state,
        )  # fmt: skip

    def _noted(self, subject: str, row: tuple[Any, ...], owners: Owners) -> Contact:
        time, flow, direction, channel, author, summary, sealed = row
        us = self._bundle.organisation
        if direction == "event":
            by, title = self._people.get(summary, (author, summary))
            staff = _owner_at(owners, time, self._flows.get(summary, frozenset()))
            whom = ("customer", us) if by == "customer" else (staff, "")
            return Contact(time, subject, flow, by, "", *whom, title, "")
        text = MASK if sealed is not None else ERASED
        if self._reader.sees is None or self._reader.sees:
            typed = self._sealer.opened(sealed)
            text = ERASED if typed is None else typed.decode()
        whom = {"in": ("customer", author), "out": (author, "customer"), "internal": (author, us)}[direction]
        return Contact(time, subject, flow, direction, channel or "", *whom, text, "")


def _owner_at(owners: Iterable[tuple[int, str, str]], time: int, flows: frozenset[str]) -> str:
    """Who had the work when somebody acted: the last to whom it was given before that."""
    found = "staff"
    for when, flow, name in owners:
        if when >= time:
            break
        if flow in flows:
            found = name
    return found
