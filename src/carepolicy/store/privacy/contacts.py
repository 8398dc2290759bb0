"""The contact log: who said what to whom, when, and how, over all channels and flows; and how a customer is found.

The log is read out of what is kept anyhow: that customers and colleagues acted, which is noted of an event beside its
cases, the messages and notices that cases asked for (records), and what staff typed in, whose text is sealed.

Customers are found by hashes of their addresses and numbers with a key that only this store has, so that the index
tells nothing to who holds no key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from carepolicy.engine.instants import text_of
from carepolicy.engine.intake import Incoming, is_too_long, make_tuple
from carepolicy.policy.addresses import EMAIL, PHONE, alike, email_of, is_like_a_number
from carepolicy.policy.characters import MASK
from carepolicy.store.contract import named, storable
from carepolicy.store.privacy.seal import Looker, Reader
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from hmac import HMAC

    from carepolicy.engine.intake import Row
    from carepolicy.engine.stratum import Stratum
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Store, Transaction
    from carepolicy.store.privacy.seal import DataKeys

CUSTOMER = "customer.id"
"""The fact that numbers customers, where a set declares it."""

ERASED = "(erased)"
"""In place of what was typed."""

DIRECTIONS = ("in", "out", "internal")
INTERNAL = frozenset(("notice", "internal"))

Owners = list[tuple[int, str, str]]
"""Who was to work on what: (time, flow, name), in the order of time."""


def naming_facts(bundle: Bundle) -> tuple[str, ...]:
    """The facts by which a customer is found: addresses on channels, and the number of the customer."""
    own = (CUSTOMER,) if CUSTOMER in bundle.facts else ()
    return tuple(dict.fromkeys((*own, *bundle.addresses.values())))


class Spelling:
    """One form of what customers are found by, however it was written: of telephone numbers and addresses of e-mail,
    also in texts where customers are reached at them on a channel that has such an address of ours."""

    def __init__(self, bundle: Bundle) -> None:
        self._region = bundle.region
        called = {fact for name, fact in bundle.addresses.items() if is_like_a_number(bundle.channels.get(name, ""))}
        self._kinds = {
            name: PHONE if fact.type == "text" and name in called else fact.type for name, fact in bundle.facts.items()
        }

    def of(self, fact: str, value: object) -> str:
        """A value of a fact as it is compared."""
        kind = self._kinds.get(fact)
        if kind == PHONE:
            return alike(str(value), self._region)
        if kind == EMAIL:
            return email_of(str(value)) or str(value)
        return str(value)

    def all_of(self, fact: str, value: str) -> tuple[str, ...]:
        """Under which values a store may have noted one: as it is compared, and as it is written, which was so."""
        return tuple(dict.fromkeys((self.of(fact, value), value)))


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
        return keyed.digest()[:16]

    def begin(self) -> None:
        """A new transaction: what the last one made is kept."""
        self._fresh = False

    def forget(self) -> None:
        """The transaction was undone, and with it a secret that it made."""
        if self._fresh:
            self._keyed = None

    def _load(self, transaction: Transaction) -> HMAC:
        import hmac  # which only those need who are told who the customer is

        found = transaction.rows(statements.INDEX_KEY)
        if not found:
            self._fresh = True
            transaction.run(statements.KEEP_INDEX_KEY, (self._sealer.seal_secret(os.urandom(32)),))
            found = transaction.rows(statements.INDEX_KEY)
        keyed = self._keyed = hmac.new(self._sealer.secret(found[0][0]), digestmod="sha256")
        return keyed


class Notes:
    """Collects what is noted in one transaction."""

    def __init__(self, bundle: Bundle, sealer: DataKeys) -> None:
        self._index = Index(sealer)
        self._facts = naming_facts(bundle)
        self._spelling = Spelling(bundle)
        self._people = {name: by for name, (by, _) in people_events(bundle).items()}
        self._events: list[tuple[int, str, str, str]] = []
        self._held: dict[tuple[str, str, Address], None] = {}

    def take(self, stratum: Stratum, event: Incoming, first: bool) -> None:
        """Note an event that is given to a stratum, ``first`` where it is the lowest."""
        if first and not event.raised and event.type in self._people:
            self._events.append((event.time, storable(event.subject), self._people[event.type], event.type))
        self.hold(stratum, event)

    def take_row(self, stratum: Stratum, row: Row) -> None:
        """The same for an event that the lowest stratum has taken the shortest way."""
        by = self._people.get(row[2])
        if by is not None:
            self._events.append((row[3], storable(row[1]), by, row[2]))
        if row[7]:
            self.hold(stratum, make_tuple(Incoming, row))

    def hold(self, stratum: Stratum, event: Incoming) -> None:
        """Note where the facts of an event are kept, by which its customer is found."""
        data = event.data
        if data:
            for fact in self._facts:
                value = data.get(fact)
                if value is not None:
                    for address in _addresses(stratum, event):
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
            transaction.many(statements.NOTE_CONTACT, self._events)
            self._events = []
        if self._held:
            rows = {
                (self._index.digest(transaction, fact, self._spelling.of(fact, value)), *address): None
                for fact, value, address in self._held
            }
            transaction.many(statements.NOTE_HOLDING, sorted(rows))
            self._held = {}

    def forget(self) -> None:
        """Forget what was noted, as after a transaction that was undone."""
        self._index.forget()
        self._events = []
        self._held = {}


def _addresses(stratum: Stratum, event: Incoming) -> Iterable[Address]:
    for key, _ in stratum.routes(event.type):
        if key is None:
            yield "", storable(event.subject)
        else:
            value = event.subject if event.raised else event.data.get(key)
            if value is not None and not is_too_long(str(value)):
                yield key, storable(str(value))


def found_addresses(transaction: Transaction, sealer: DataKeys, bundle: Bundle, who: str) -> list[Address]:
    """Where something is known about ``who``: a subject of that name, or the subjects at which facts of a customer with
    that address or number are kept; with all that are one with them by merging."""
    index, spelling = Index(sealer), Spelling(bundle)
    keys = ["", *sorted({each.key for each in bundle.programs if each.key is not None})]
    name = storable(who)
    subjects = [(key, storable(each)) for key in keys for each in (spelling.all_of(key, who) if key else (who,))]
    found: dict[Address, None] = {each: None for each in subjects if transaction.rows(statements.SUBJECT, each)}
    if any(transaction.rows(each, (name,)) for each in statements.KNOWN_ELSEWHERE):
        found.setdefault(("", name))
    if transaction.rows(statements.INDEX_KEY):
        for fact in naming_facts(bundle):
            for each in spelling.all_of(fact, who):
                digest = index.digest(transaction, fact, each)
                found.update(dict.fromkeys(transaction.rows(statements.HOLDINGS, (digest,))))
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
        near = (
            *transaction.rows(statements.MERGED_INTO, (subject,)),
            *transaction.rows(statements.MERGED_FROM, (subject,)),
        )
        new = [("", other) for (other,) in near if ("", other) not in found]
        found.update(dict.fromkeys(new))
        left += new
    return list(found)


class Contact(Struct, frozen=True):
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
                told = Looker(self._reader, self._sealer).data(data, sealed)
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
