"""Live operation: a store, the policy set that is installed in it, and events and timers through both."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from carepolicy.engine.intake import Reading
from carepolicy.store.contract import nothing_kept
from carepolicy.store.live.batch import Batch, Wall
from carepolicy.store.live.late import Single
from carepolicy.store.live.memory import Id, StoreMemory
from carepolicy.store.privacy.keys import demand_key, demand_known_key
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.versions.install import install_folder, load_version, older_sets, present, versions, with_older

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store, Transaction

Result = TypeVar("Result")

AT_A_TIME = 500
"""Subjects whose timers are fired in one transaction."""

NONE: frozenset[Id] = frozenset()


class Done(Struct, frozen=True):
    """What a transaction did: lines of records, the same as ``values``, how many were ``written`` and by how many of
    these a clock is late; dead letters, and what was refused by its code.

    Of events that came alone: by how much one that happened now had to be put ahead of the clock; how many are ``held``
    back, or were ``refused`` since they could not be read or had been taken before; and the ids of those ``untaken`` by
    any case.
    """

    records: str
    values: Sequence[Record]
    written: int
    lates: int
    letters: list[str]
    tally: Counter[str]
    ahead: int = 0
    held: int = 0
    refused: int = 0
    untaken: frozenset[Id] = NONE


class Operation:
    """Events and timers for one store, by the policy set that is installed in it.

    Where none is, the set in the folder ``root`` is installed, at the instant ``now`` (microseconds since 1970). It
    raises ``PolicyErrors`` where that set has errors, ``NotInstalled`` where there is no folder either, and
    ``StoreFault`` for whatever is wrong with the store.
    """

    def __init__(self, store: Store, root: str | None, now: int) -> None:
        self.store = store
        self.sealer = DataKeys(store, now)
        self._memory: StoreMemory | None = None
        self._root = root
        self._now = now
        self._just_begun = self._asked_for_memory = False

    def take(self, lines: list[tuple[int, bytes | str]], wall: Wall | None = None) -> Done:
        """Take events (lines of JSON) in one transaction; ``wall`` says that they come alone, as things happen."""

        def work(transaction: Transaction) -> Done:
            memory = self.memory(transaction)
            batch = Batch(memory, transaction, wall=wall)
            read, held = batch.read(lines), 0
            until = None if wall is None else wall.until()
            if memory.holds or until is not None:
                read, held = self._single(transaction, batch, read, until)
                memory.holds = True
            batch.take(read)
            return replace(finished(batch), held=held, refused=len(read.faults))

        return self.attempt(work)

    def _single(self, transaction: Transaction, batch: Batch, read: Reading, until: int | None) -> tuple[Reading, int]:
        """What is to be taken now of single events, with what waited before; and how many wait."""
        single = Single(transaction, self.sealer)
        events = read.events
        for event in events:
            batch.hold_back(event)
        return Reading.of(read.faults, single.add(events, until)), single.held

    def tick(self, until: int) -> Iterator[Done]:
        """Fire what falls due by ``until``, some subjects a transaction, in the order of time. What single events wait
        that happened by then are taken first."""
        after: str | None = ""
        while after is not None:
            done, after = self.attempt(partial(self._release, until, after))
            if done.records or done.letters:
                yield done
        more = True
        while more:
            done, more = self.attempt(partial(self._fire, until))
            if more:
                self._forget_subjects()
            yield done

    def catch_up(self, transaction: Transaction, until: int) -> Iterator[Done]:
        """All that ``tick`` does, within one transaction."""
        after: str | None = ""
        while after is not None:
            done, after = self._release(until, after, transaction)
            yield done
        more = True
        while more:
            done, more = self._fire(until, transaction)
            self._forget_subjects()
            yield done

    def _release(self, until: int, after: str, transaction: Transaction) -> tuple[Done, str | None]:
        """Take the events that happened by ``until`` and were held back, of some subjects; the last of these, None
        where there are no more."""
        memory = self.memory(transaction)
        batch = Batch(memory, transaction)
        if not memory.holds:
            return finished(batch), None
        events, last = Single(transaction, self.sealer).due(until, after, AT_A_TIME)
        batch.take(Reading.of([], events))
        return finished(batch), last

    def _fire(self, until: int, transaction: Transaction) -> tuple[Done, bool]:
        """Fire what falls due of some subjects; whether there may be more."""
        batch = Batch(self.memory(transaction), transaction)
        left = batch.fire(until, AT_A_TIME)
        return finished(batch), left

    def _forget_subjects(self) -> None:
        """They have had their turn: memory does not grow with what is due."""
        if self._memory is not None:
            self._memory.forget()

    def attempt(self, work: Callable[[Transaction], Result], undone: Callable[[], None] = nothing_kept) -> Result:
        """Do some work in a transaction, again where it lost against another; ``undone`` is called after that.

        Work that changes subjects or cases otherwise than by ``memory`` must not ask for that as well, since it
        remembers what it has loaded.
        """

        def forget() -> None:
            self._forget()
            undone()

        self._just_begun = self._asked_for_memory = False
        result = self.store.attempt(work, forget, self)
        if not self._asked_for_memory and self._memory is not None:
            self._memory.forget()
        return result

    def memory(self, transaction: Transaction) -> StoreMemory:
        """The installed set at work, as it is now: another process may have installed one since."""
        self._asked_for_memory = True
        memory = self._memory
        if memory is not None:
            if transaction.unchanged:
                return memory
            now = present(transaction)
            if now.id == memory.number:
                memory.follow(now)
                return memory
        if demand_key(transaction, self._now, self.store.url):
            self._just_begun = True
        if self._root is not None and not versions(transaction):
            installed = install_folder(transaction, self._root, self._now)
            memory = self._memory = StoreMemory(installed, [], self.sealer)
            memory.begin(transaction)
            memory.open_by_time()
            memory.keep()
            self._just_begun = True
            return memory
        current = present(transaction)
        older = older_sets(transaction, current.id)
        memory = self._memory = StoreMemory(load_version(transaction, current), older, self.sealer)
        memory.follow(current)
        return memory

    def digest(self) -> str:
        """The digest of the files of the installed set. Raises ``NotInstalled``."""
        with self.store.reading() as transaction:
            return present(transaction).digest

    def bundle(self) -> Bundle:
        """The installed set, compiled; the first is installed now where there is none."""
        return self.attempt(lambda transaction: self.memory(transaction).bundle)

    def has_set(self) -> bool:
        """Whether a set is installed."""
        with self.store.reading() as transaction:
            return bool(versions(transaction))

    def installed(self) -> Bundle:
        """The installed set, compiled, of a store that may only be read, too. Raises ``NotInstalled``."""
        with self.store.reading() as transaction:
            demand_known_key(transaction)
            current = present(transaction)
            return with_older(load_version(transaction, current).bundle, older_sets(transaction, current.id))

    def _forget(self) -> None:
        if self._just_begun:
            self._memory = None
        elif self._memory is not None:
            self._memory.forget()


def finished(batch: Batch) -> Done:
    """Keep what a batch did, and tell it."""
    batch.close()
    lates = [each.kind for each in batch.records].count("clock.late")
    text, written = "".join(batch.lines), len(batch.lines)
    return Done(text, batch.values(), written, lates, batch.letters, batch.tally, batch.ahead, untaken=batch.untaken())
