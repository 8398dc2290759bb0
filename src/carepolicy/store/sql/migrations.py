"""The tables of a store, version by version: the statements that lead to each from the version before.

A released version is never edited; a change of the tables is a new version at the end of ``STEPS``. Tables and columns
that are new stand in ``tables`` as well.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict

from carepolicy.store.faults import NewerSchema

V1 = (
    """CREATE TABLE subjects (
        key {text} NOT NULL, subject {text} NOT NULL, due {number}, merged_into {text}, state {bytes} NOT NULL,
        PRIMARY KEY (key, subject)){clustered}""",
    "CREATE INDEX subjects_by_due ON subjects (due) WHERE due IS NOT NULL",
    """CREATE TABLE cases (
        key {text} NOT NULL, subject {text} NOT NULL, flow {text} NOT NULL, version {number} NOT NULL,
        state {text} NOT NULL, role {text}, person {text}, late {number} NOT NULL, opened {number} NOT NULL,
        due {number}, body {bytes} NOT NULL, sealed {bytes},
        PRIMARY KEY (key, subject, flow)){clustered}""",
    "CREATE INDEX cases_by_opening ON cases (opened)",
    "CREATE INDEX cases_by_state ON cases (version, flow, state)",
    "CREATE INDEX cases_by_due ON cases (due) WHERE due IS NOT NULL",
    "CREATE INDEX cases_late ON cases (opened) WHERE late <> 0",
    """CREATE TABLE events (
        source {text} NOT NULL, id {text} NOT NULL, subject {text} NOT NULL,
        PRIMARY KEY (source, id)){clustered}""",
    """CREATE TABLE records (
        no {serial}, key {text} NOT NULL, subject {text} NOT NULL, flow {text} NOT NULL, sequence {number} NOT NULL,
        loose {number} NOT NULL, type {text} NOT NULL, time {number} NOT NULL, line {text} NOT NULL,
        hash {bytes} NOT NULL, sealed {bytes}, input {number} NOT NULL, position {number} NOT NULL)""",
    "CREATE UNIQUE INDEX records_by_case ON records (subject, flow, sequence, loose)",
    "CREATE INDEX records_by_input ON records (input, position, no) WHERE input <> 0",
    """CREATE TABLE dead_letters (
        no {serial}, input {number} NOT NULL, position {number} NOT NULL, code {text} NOT NULL,
        letter {text} NOT NULL)""",
    """CREATE TABLE refusals (
        kind {text} NOT NULL, source {text} NOT NULL, id {text} NOT NULL, count {number} NOT NULL,
        PRIMARY KEY (kind, source, id)){clustered}""",
    """CREATE TABLE watched (
        watch {text} NOT NULL, value {text} NOT NULL, noted {bytes} NOT NULL, PRIMARY KEY (watch, value)){clustered}""",
    "CREATE TABLE inputs (no {serial}, name {text} NOT NULL UNIQUE, shares {number} NOT NULL)",
    """CREATE TABLE positions (
        input {number} NOT NULL, share {number} NOT NULL, line {number} NOT NULL, state {bytes} NOT NULL,
        PRIMARY KEY (input, share)){clustered}""",
    """CREATE TABLE held (
        input {number} NOT NULL, subject {text} NOT NULL, latest {number} NOT NULL, sealed {bytes} NOT NULL,
        PRIMARY KEY (input, subject)){clustered}""",
    "CREATE INDEX dead_letters_by_input ON dead_letters (input, position, no) WHERE input <> 0",
    "CREATE TABLE policy_versions (no {serial}, digest {text} NOT NULL UNIQUE, installed {number} NOT NULL)",
    """CREATE TABLE policy_files (
        version {number} NOT NULL, path {text} NOT NULL, content {bytes} NOT NULL, PRIMARY KEY (version, path))""",
)
"""Subjects, cases, events, records, inputs, watches, policy versions."""

V2 = (
    """CREATE TABLE outbox (
        id {text} NOT NULL PRIMARY KEY, kind {text} NOT NULL, subject {text} NOT NULL, flow {text} NOT NULL,
        sequence {number} NOT NULL, time {number} NOT NULL, state {text} NOT NULL DEFAULT 'waiting',
        ready {number} NOT NULL DEFAULT 0, leased_by {text}, attempts {number} NOT NULL DEFAULT 0,
        fault {text}){clustered}""",
    "CREATE INDEX outbox_by_ready ON outbox (ready, time) WHERE state IN ('waiting', 'leased')",
    """INSERT INTO outbox (id, kind, subject, flow, sequence, time)
        SELECT flow || '/' || subject || '/' || CAST(sequence AS TEXT),
               CASE type WHEN 'carepolicy.message.requested' THEN 'message'
                         WHEN 'carepolicy.notice.requested' THEN 'notice' ELSE 'action' END,
               subject, flow, sequence, time
        FROM records WHERE type IN
            ('carepolicy.message.requested', 'carepolicy.notice.requested', 'carepolicy.action.requested')""",
    """CREATE TABLE contacts (
        no {serial}, time {number} NOT NULL, subject {text} NOT NULL, customer {bytes}, flow {text} NOT NULL,
        sequence {number} NOT NULL, direction {text} NOT NULL, channel {text}, author {text} NOT NULL,
        record {text}, summary {text} NOT NULL, sealed {bytes})""",
    "CREATE INDEX contacts_by_subject ON contacts (subject, time)",
    "CREATE INDEX contacts_by_customer ON contacts (customer, time) WHERE customer IS NOT NULL",
    """CREATE TABLE keys (
        fingerprint {text} NOT NULL PRIMARY KEY, since {number} NOT NULL, retired {number}){clustered}""",
)
"""The outbox, the contact log, and which keys private facts were sealed with.

What records of a store of version 1 asked for is put into the outbox, where it waits."""

V3 = (
    "CREATE TABLE secrets (name {text} NOT NULL PRIMARY KEY, sealed {bytes} NOT NULL){clustered}",
    """CREATE TABLE holdings (
        digest {bytes} NOT NULL, key {text} NOT NULL, subject {text} NOT NULL,
        PRIMARY KEY (digest, key, subject)){clustered}""",
    "CREATE INDEX holdings_by_subject ON holdings (key, subject)",
    """CREATE TABLE closings (
        key {text} NOT NULL, subject {text} NOT NULL, flow {text} NOT NULL, sequence {number} NOT NULL,
        closed {number} NOT NULL, erase {number} NOT NULL, PRIMARY KEY (key, subject, flow, sequence)){clustered}""",
    "CREATE INDEX closings_by_erasing ON closings (erase)",
    """CREATE TABLE erasures (
        no {serial}, time {number} NOT NULL, author {text} NOT NULL, subject {text} NOT NULL, flow {text} NOT NULL,
        counts {text} NOT NULL)""",
)
"""Who holds what (an index over customers by keyed hashes), when it is erased, and that it was.

``secrets`` holds keys of the store's own, sealed; ``holdings`` the hashes of customers' addresses and numbers with the
subjects at which their facts are kept; ``closings`` the closed cases whose facts are erased at an instant;
``erasures`` what was erased."""

V4 = ("ALTER TABLE outbox ADD COLUMN channel {text}",)
"""The channel of a request, so that each carrier takes its own; empty where there is none.

For requests of earlier versions it is not known here (NULL); who takes one finds it in its record."""

V5 = (
    """CREATE TABLE shadow (
        token {text} NOT NULL PRIMARY KEY, digest {text} NOT NULL, begun {number} NOT NULL,
        ready {number} NOT NULL DEFAULT 0, base {number} NOT NULL DEFAULT 0, fired {number} NOT NULL DEFAULT 0,
        moved {number} NOT NULL DEFAULT 0, events {number} NOT NULL DEFAULT 0){clustered}""",
    "CREATE TABLE journal (no {serial}, lines {number} NOT NULL, until {number}, sealed {bytes})",
    "CREATE TABLE tallies (shard {number} NOT NULL PRIMARY KEY, records {number} NOT NULL){clustered}",
    "INSERT INTO tallies (shard, records) SELECT 0, count(*) FROM records",
)
"""A shadow set that is tried beside the installed one, and how many records there are.

``shadow`` has a row while one is tried: what is for it stands in ``journal``, a row for each transaction of live work.
``tallies`` count the records as they are written, in rows of their own so that writers need not wait for each other.
Hashes of records have 28 bytes from here on (see ``chain``); those that are there stay as they are."""

MARKED = (
    "subjects", "cases", "events", "records", "dead_letters", "refusals", "watched", "inputs", "positions", "held",
    "policy_versions", "policy_files", "outbox", "contacts", "keys", "secrets", "holdings", "closings", "erasures",
    "shadow", "journal", "untaken", "servers", "sweeps", "cuts", "gone", "datakeys", "sealings", "shreds", "vaults",
)  # fmt: skip
"""The tables of version 6 whose rows bear a mac."""

V6 = (
    "CREATE INDEX subjects_by_merging ON subjects (merged_into) WHERE merged_into IS NOT NULL",
    """CREATE TABLE untaken (
        source {text} NOT NULL, id {text} NOT NULL, input {number} NOT NULL, times {number} NOT NULL,
        PRIMARY KEY (source, id)){clustered}""",
    "ALTER TABLE outbox ADD COLUMN lease {number} NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN disputed {number} NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN put_off {number} NOT NULL DEFAULT 0",
    """CREATE TABLE servers (
        digest {bytes} NOT NULL PRIMARY KEY, name {text} NOT NULL, failures {number} NOT NULL, until {number} NOT NULL,
        fault {text} NOT NULL){clustered}""",
    """CREATE TABLE datakeys (
        id {bytes} NOT NULL PRIMARY KEY, fingerprint {text} NOT NULL, sealed {bytes} NOT NULL){clustered}""",
    "CREATE TABLE sealings (subject {text} NOT NULL PRIMARY KEY, id {bytes} NOT NULL){clustered}",
    "CREATE TABLE shreds (id {bytes} NOT NULL PRIMARY KEY){clustered}",
    "CREATE TABLE vaults (no {number} NOT NULL PRIMARY KEY, name {text} NOT NULL){clustered}",
    "ALTER TABLE dead_letters ADD COLUMN subject {text}",
    "ALTER TABLE dead_letters ADD COLUMN sealed {bytes}",
    "ALTER TABLE dead_letters ADD COLUMN since {number}",
    "ALTER TABLE dead_letters ADD COLUMN settled {number} NOT NULL DEFAULT 0",
    "CREATE INDEX dead_letters_by_subject ON dead_letters (subject) WHERE subject IS NOT NULL",
    "INSERT INTO vaults (no, name) SELECT 0, '' WHERE EXISTS (SELECT 1 FROM keys)",
    "ALTER TABLE inputs ADD COLUMN beginning {bytes}",
    "CREATE INDEX inputs_by_beginning ON inputs (beginning)",
    "DROP TABLE tallies",
    "ALTER TABLE events ADD COLUMN seen {number}",
    "CREATE TABLE sweeps (what {text} NOT NULL PRIMARY KEY, time {number} NOT NULL){clustered}",
    """CREATE TABLE cuts (
        key {text} NOT NULL, subject {text} NOT NULL, flow {text} NOT NULL, number {number} NOT NULL,
        hash {bytes} NOT NULL, PRIMARY KEY (key, subject, flow)){clustered}""",
    "CREATE TABLE gone (input {number} NOT NULL PRIMARY KEY, records {number} NOT NULL){clustered}",
    "CREATE INDEX outbox_done ON outbox (time) WHERE state = 'done'",
    "CREATE INDEX dead_letters_since ON dead_letters (since, no)",
    "CREATE INDEX cuts_by_subject ON cuts (subject)",
    "CREATE INDEX records_closing ON records (time, no) WHERE type = 'carepolicy.case.closed'",
    "CREATE INDEX records_loose ON records (time, no) WHERE sequence = 0",
    "CREATE TABLE macs (fingerprint {text} NOT NULL PRIMARY KEY, wrapped {bytes} NOT NULL, mac {bytes}){clustered}",
    "CREATE TABLE sums (shard {number} NOT NULL PRIMARY KEY, body {text} NOT NULL, mac {bytes} NOT NULL){clustered}",
    "CREATE TABLE leaves (no {number} NOT NULL PRIMARY KEY, leaf {bytes} NOT NULL, mac {bytes}){clustered}",
    "CREATE TABLE restores (no {number} NOT NULL PRIMARY KEY, time {number} NOT NULL, mac {bytes}){clustered}",
    *(f"ALTER TABLE {table} ADD COLUMN mac {{bytes}}" for table in MARKED),
)
"""What was merged into a subject is found from there too; which events no case took; what inputs begin with;
subjects have data keys of their own.

``untaken`` has the ids of events that had no effect, so that they may come again: ``input`` is the log in which one
stood, 0 where it came alone, ``times`` how often it was not taken. ``beginning`` is a digest of an input's first line.

``outbox`` knows the number of a request's present or last lease, whether a lease of it ended unheard, so that two may
think it theirs, and how often it was put off at no cost. ``servers`` are those that failed, and until when each is left
alone.

``datakeys`` are the keys that seal what is private, each wrapped with the key of that ``fingerprint``; ``sealings``
says which of them seals what is private of a subject now. ``vaults`` has one row: where the data keys are, "" in the
store itself. The row of a vault, which is a store with nothing but data keys, is its own name. ``shreds`` are data keys
that are still to be thrown away in the vault. Stores of before keep their data keys in themselves.

Of what ``keep:`` has let go, ``cuts`` keep the ends of the chains of records that went, ``gone`` how many records of
each log did; ``seen`` is when a tick first found the id of an event, ``sweeps`` when all of them were looked at last.

``dead_letters`` have what is masked in them beside them, sealed, so that an event can be taken again; ``settled`` is 1
when it was. ``since`` is when a tick first found one, from when on it is kept so long.

Every row bears a mac, and a sum over the digests of each table tells whether rows are lacking: ``macs`` has the key of
that, wrapped for each of the store's keys, ``sums`` the sums, in rows of their own so that writers need not wait for
each other (see ``sums``). They count the records as well, so that ``tallies`` is not needed. ``restores`` has a row for
each time that the store was put back from a backup. ``leaves`` stand for records that were let go in the tree of
checkpoints. What stood here before is taken as it was found."""

STEPS: tuple[tuple[str, ...], ...] = (V1, V2, V3, V4, V5, V6)
"""STEPS[n] leads from version n to version n + 1; version 0 is an empty database."""

NEWEST = len(STEPS)

APPLICATION = 0x43617265
"""Marks an SQLite file as a store ("Care", PRAGMA application_id)."""


class Dialect(Struct, frozen=True):
    """What the statements call differently on each kind of database."""

    number: str
    text: str
    bytes: str
    serial: str
    clustered: str


SQLITE = Dialect("INTEGER", "TEXT", "BLOB", "INTEGER PRIMARY KEY", " WITHOUT ROWID")
POSTGRES = Dialect("BIGINT", 'TEXT COLLATE "C"', "BYTEA", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "")


def statements(step: int, dialect: Dialect) -> list[str]:
    """The statements that lead from version ``step`` to the next."""
    return [each.format(**asdict(dialect)) for each in STEPS[step]]


def demand_known(version: int, store: str) -> None:
    """Refuse a store with tables of a version to come. Raises ``NewerSchema``."""
    if version > NEWEST:
        raise NewerSchema(
            f"{store} was written by a later carepolicy (tables of version {version}, this one knows {NEWEST}); "
            "nothing was changed"
        )
