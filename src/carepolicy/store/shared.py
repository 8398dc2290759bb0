"""What transactions of both kinds of database do in the same way."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from carepolicy.store import statements
from carepolicy.store.rows import CaseRow, Held, HeldRow, InputRow, SubjectRow, VersionRow
from carepolicy.store.summed import SummedTransaction
from carepolicy.store.sums import MAC
from carepolicy.store.tables import CASES, RECORDS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.store.rows import Address, EventRow, LetterRow, RecordRow, RequestRow


class SqlTransaction(SummedTransaction):
    """A transaction over the ways to talk to a database that a backend gives."""

    unchanged = False
    shared = ""
    skip_locked = ""

    @abstractmethod
    def keep_others_out(self) -> None:
        """Let nobody else write subjects and cases."""

    @abstractmethod
    def forget(self) -> None:
        """Forget what was loaded."""

    def load(self, addresses: Sequence[Address]) -> dict[Address, Held]:
        """What is kept about some addresses."""
        found: dict[Address, Held] = {}
        for address in addresses:
            known = self.rows(statements.SUBJECT, address)
            cases = self.rows(statements.CASES, address) if known else ()
            found[address] = Held(SubjectRow(*known[0]) if known else None, tuple(CaseRow(*each) for each in cases))
        self._note_all(found)
        return found

    def _note_all(self, found: Mapping[Address, Held]) -> None:
        """Note what was loaded as that which stands."""
        standing = self._marks.standing
        self._marks.whole.update(found)
        for address, held in found.items():
            if held.row is None:
                standing[address] = 0
                continue
            self._note(SUBJECTS, address, held.row)
            for case in held.cases:
                self._note(CASES, case[:3], case)

    def save(self, subjects: Sequence[SubjectRow], cases: Sequence[CaseRow], gone: Sequence[tuple[str, ...]]) -> None:
        """Keep subjects and open cases, and delete those that are not open any more."""
        self._do_many(statements.SAVE_SUBJECT, self._marked(SUBJECTS, subjects))
        if cases:
            self._do_many(statements.SAVE_CASE, self._marked(CASES, cases))
        if gone:
            self._gone(CASES, gone)
            self._do_many(statements.CLOSE_CASE, gone)

    def due(self, until: int, most: int) -> list[tuple[int, Address]]:
        """When a timer falls due by ``until``, and at which address: the earliest first."""
        return [(due, (key, subject)) for due, key, subject in self.rows(statements.DUE, (until, most))]

    def next_due(self) -> int | None:
        """When the first timer of all falls due."""
        first: int | None = self.rows(statements.NEXT_DUE)[0][0]
        return first

    def claim(self, events: Sequence[EventRow]) -> set[tuple[str, str]]:
        """Note events as taken; those that were taken before."""
        return {each[:2] for each in events if not self.run(statements.CLAIM, each)}

    def _marked_records(self, records: Sequence[RecordRow]) -> list[tuple[Any, ...]]:
        """Records with the numbers that they are written under, and their macs."""
        digest, marked, digests = self.macs.digester(RECORDS), [], []
        for number, record in zip(self._numbers("records", len(records)), records, strict=True):
            row = (number, *record)
            made = digest(row)  # which leaves out the line: its hash stands for it
            digests.append(made)
            marked.append((*row, made[:MAC]))
        self._add("records", digests)
        return marked

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""
        self._do_many(statements.APPEND, self._marked_records(records))
        if requests:
            self.many(statements.REQUEST, requests)

    def bury(self, letters: Sequence[LetterRow]) -> None:
        """Add dead letters."""
        self.many(statements.BURY, letters)

    def count(self, kind: str, source: str, id: str) -> int:
        """How often an event was refused in this way, this time counted."""
        number: int = self.rows(statements.COUNT, (kind, source, id))[0][0]
        return number

    def watched(self, watch: str, value: str) -> bytes | None:
        """What a watch has noted of a value."""
        found = self.rows(statements.WATCHED, (watch, value))
        return found[0][0] if found else None

    def keep_watched(self, watch: str, value: str, noted: bytes) -> None:
        """Keep what a watch has noted."""
        self.run(statements.KEEP_WATCHED, (watch, value, noted))

    def input(self, name: str) -> tuple[int, int] | None:
        """The number of an input and of its shares."""
        found = self.rows(statements.INPUT, (name,))
        return (found[0][0], found[0][1]) if found else None

    def open_input(self, name: str, shares: int) -> int:
        """Note an input; its number."""
        number: int = self.rows(statements.OPEN_INPUT, (name, shares))[0][0]
        return number

    def position(self, input: int, share: int, own: bool = False) -> InputRow | None:
        """How far a share of an input was read; with ``own`` it is then this transaction's own."""
        found = self.rows(statements.POSITION + (self.locked if own else ""), (input, share))
        return InputRow(*found[0]) if found else None

    def keep_position(self, row: InputRow) -> None:
        """Keep how far a share of an input was read."""
        self.run(statements.KEEP_POSITION, row)

    def held(self, input: int) -> list[HeldRow]:
        """What the lateness of an input holds back."""
        return [HeldRow(*each) for each in self.rows(statements.HELD, (input,))]

    def hold(self, rows: Sequence[HeldRow]) -> None:
        """Keep what the lateness of an input holds back."""
        self.many(statements.HOLD, rows)

    def let_go(self, input: int) -> None:
        """Forget what the lateness of an input held back."""
        self.run(statements.LET_GO, (input,))

    def versions(self) -> list[VersionRow]:
        """The installed policy sets, the present one last."""
        return [VersionRow(*each) for each in self.rows(statements.VERSIONS)]

    def versions_in_use(self) -> list[int]:
        """The numbers of the policy sets by which open cases live."""
        return [number for (number,) in self.rows(statements.VERSIONS_IN_USE)]

    def install(self, digest: str, installed: int, files: Mapping[str, bytes]) -> int:
        """Install a policy set; its number."""
        number: int = self.rows(statements.INSTALL, (digest, installed))[0][0]
        self.many(statements.INSTALL_FILE, [(number, path, content) for path, content in files.items()])
        return number

    def policy_files(self, version: int) -> dict[str, bytes]:
        """The files of an installed policy set."""
        return {path: bytes(content) for path, content in self.rows(statements.POLICY_FILES, (version,))}
