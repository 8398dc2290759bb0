"""All that a store says to its database, by subject. ``?`` stands for a value.

What only one kind of database understands stands in ``sqlite`` and ``postgres``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from carepolicy.store.sql import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.store.sql.tables import Table


def marks(count: int) -> str:
    """So many values, between commas."""
    return ", ".join("?" * count) or "NULL"


# -- subjects and their cases -----------------------------------------------------------------------------------------

SUBJECT_COLUMNS, CASE_COLUMNS = tables.SUBJECTS.listed, tables.CASES.listed
SUBJECT = f"SELECT {SUBJECT_COLUMNS} FROM subjects WHERE key = ? AND subject = ?"
UPDATE_SUBJECT = "UPDATE subjects SET due = ?, merged_into = ?, state = ?, mac = ? WHERE key = ? AND subject = ?"
UPDATE_CASE = """UPDATE cases SET version = ?, state = ?, role = ?, person = ?, late = ?, opened = ?, due = ?, body = ?,
    sealed = ?, mac = ? WHERE key = ? AND subject = ? AND flow = ?"""
CASES = f"SELECT {CASE_COLUMNS} FROM cases WHERE key = ? AND subject = ?"
SAVE_SUBJECT = f"""INSERT INTO subjects ({SUBJECT_COLUMNS}, mac) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, subject) DO UPDATE SET due = excluded.due, merged_into = excluded.merged_into,
    state = excluded.state, mac = excluded.mac"""
SAVE_CASE = f"""INSERT INTO cases ({CASE_COLUMNS}, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, subject, flow) DO UPDATE SET version = excluded.version, state = excluded.state,
    role = excluded.role, person = excluded.person, late = excluded.late, opened = excluded.opened,
    due = excluded.due, body = excluded.body, sealed = excluded.sealed, mac = excluded.mac"""
CLOSE_CASE = "DELETE FROM cases WHERE key = ? AND subject = ? AND flow = ?"
DUE = "SELECT due, key, subject FROM subjects WHERE due IS NOT NULL AND due <= ? ORDER BY due, subject, key LIMIT ?"
NEXT_DUE = "SELECT min(due) FROM subjects WHERE due IS NOT NULL"
COUNT_CASES = "SELECT count(*), coalesce(sum(late), 0) FROM cases"
"""How many cases are open, and how many of them are late."""

NAMES_FROM = "SELECT subject FROM subjects WHERE key = '' AND subject >= ? ORDER BY subject LIMIT ?"
NAMES_BEFORE = "SELECT subject FROM subjects WHERE key = '' AND subject < ? ORDER BY subject DESC LIMIT ?"
NAMES_OF_CASES = "SELECT DISTINCT subject FROM cases WHERE subject >= ? ORDER BY subject LIMIT ?"
CASE_CONDITIONS = {
    "flow": "flow = ?",
    "state": "state = ?",
    "owner": "(role = ? OR person = ?)",
    "late": "late <> 0",
    "by_due": "due IS NOT NULL",
}
"""What may be asked of open cases."""


def open_cases(conditions: Iterable[str], limit: int | None) -> str:
    """The (subject, flow) of open cases of which all conditions hold (names of ``CASE_CONDITIONS``): the oldest first,
    or those that fall due soonest."""
    asked = list(conditions)
    where = f" WHERE {' AND '.join(CASE_CONDITIONS[each] for each in asked)}" if asked else ""
    order = "due" if "by_due" in asked else "opened"
    most = "" if limit is None else f" LIMIT {limit:d}"
    return f"SELECT subject, flow FROM cases{where} ORDER BY {order}, subject, flow{most}"


# -- events -----------------------------------------------------------------------------------------------------------

CLAIM = "INSERT INTO events (source, id, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
CLAIM_ALL = "INSERT INTO events (source, id, subject, mac) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
FORGET_UNTAKEN = "DELETE FROM untaken WHERE source = ? AND id = ?"
KEEP_UNTAKEN = """INSERT INTO untaken (source, id, input, times) VALUES (?, ?, ?, 1)
    ON CONFLICT (source, id) DO UPDATE SET input = excluded.input, times = untaken.times + 1"""


def untaken(ids: int) -> str:
    """Which of so many ids were not taken before, but within the input that is read now."""
    return f"""{_asked(ids)} SELECT source, id, times FROM asked JOIN untaken USING (source, id)
    WHERE input = 0 OR input <> ?"""


def count_taken(ids: int) -> str:
    """How many of so many ids (source, id) were taken."""
    return f"{_asked(ids)} SELECT count(*) FROM asked JOIN events USING (source, id)"


def _asked(ids: int) -> str:
    """So many ids as a table ``asked``. SQLite goes through a whole table for ``(source, id) IN (VALUES ...)``."""
    return f"WITH asked (source, id) AS (VALUES {', '.join(['(?, ?)'] * ids)})"


# -- records ----------------------------------------------------------------------------------------------------------

RECORD_COLUMNS = "no, key, subject, flow, sequence, loose, type, time, input, position, hash, sealed, line, mac"
APPEND = f"INSERT INTO records ({RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LAST_RECORD = """SELECT max(no) FROM (SELECT 0 AS no UNION ALL SELECT max(no) FROM records
    UNION ALL SELECT max(no) FROM leaves) AS numbers"""
COUNT_RECORDS = "SELECT count(*) FROM records"
RECORDS_OF = "SELECT line, sealed FROM records WHERE subject = ? ORDER BY flow, sequence, time, line"
RECORDS_OF_FLOW = "SELECT line, sealed FROM records WHERE subject = ? AND flow = ? ORDER BY flow, sequence, time, line"
ALL_RECORDS = "SELECT line, sealed FROM records ORDER BY subject, flow, sequence, time, line"
ALL_RECORDS_OF_FLOW = "SELECT line, sealed FROM records WHERE flow = ? ORDER BY subject, flow, sequence, time, line"
LINES = "SELECT line FROM records ORDER BY subject, flow, sequence, time, line"
CUT = "SELECT 1 FROM cuts LIMIT 1"
COUNT_CUT = "SELECT count(*) FROM (SELECT DISTINCT key, subject FROM cuts) AS cut"
COUNT_ERASED = "SELECT count(DISTINCT subject) FROM erasures"
COUNT_EVENTS = "SELECT count(*) FROM events"
STATES_OF_SUBJECTS = "SELECT state FROM subjects"
CUTS = "SELECT key, flow, number, hash FROM cuts WHERE subject = ? ORDER BY key, flow"
SIGNING_KEY = "SELECT sealed FROM secrets WHERE name = 'signing'"
KEEP_SIGNING_KEY = "INSERT INTO secrets (name, sealed) VALUES ('signing', ?) ON CONFLICT DO NOTHING"
LEAVES = """SELECT no, hash, 1 FROM records WHERE no <= ? UNION ALL SELECT no, leaf, 0 FROM leaves WHERE no <= ?
    ORDER BY 1"""
KEEP_LEAF = "INSERT INTO leaves (no, leaf) VALUES (?, ?)"
NUMBERS_OF_LEAVES = "SELECT no FROM records UNION ALL SELECT no FROM leaves ORDER BY 1"
TO_PROVE = """SELECT no, key, flow, sequence, loose, hash, line FROM records WHERE subject = ?
    ORDER BY key, flow, sequence, loose"""

# -- macs and sums ----------------------------------------------------------------------------------------------------

MAC_KEYS = "SELECT fingerprint, wrapped FROM macs ORDER BY fingerprint"
KEEP_MAC_KEY = """INSERT INTO macs (fingerprint, wrapped) VALUES (?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET wrapped = excluded.wrapped"""
SUMS = "SELECT body, mac FROM sums WHERE shard = ?"
ALL_SUMS = "SELECT shard, body, mac FROM sums ORDER BY shard"
BEGIN_SUMS = "INSERT INTO sums (shard, body, mac) VALUES (?, ?, ?)"
KEEP_SUMS = "UPDATE sums SET body = ?, mac = ? WHERE shard = ?"


def with_macs(table: Table, order: str = "", beside: str = "") -> str:
    """All rows of a table, each with its mac and a column ``beside`` those that are hashed."""
    columns = ", ".join((*table.columns, "mac", *([beside] if beside else ())))
    return f"SELECT {columns} FROM {table.name}" + (f" ORDER BY {order}" if order else "")


# -- watches ----------------------------------------------------------------------------------------------------------

WATCHED = "SELECT noted FROM watched WHERE watch = ? AND value = ?"
KEEP_WATCHED = """INSERT INTO watched (watch, value, noted) VALUES (?, ?, ?)
    ON CONFLICT (watch, value) DO UPDATE SET noted = excluded.noted"""

# -- inputs, and what lateness holds back of them ---------------------------------------------------------------------

INPUT = "SELECT no, shares FROM inputs WHERE name = ?"
OPEN_INPUT = "INSERT INTO inputs (name, shares) VALUES (?, ?) RETURNING no"
POSITION = "SELECT line, state FROM positions WHERE input = ? AND share = ?"
KEEP_POSITION = """INSERT INTO positions (input, share, line, state) VALUES (?, ?, ?, ?)
    ON CONFLICT (input, share) DO UPDATE SET line = excluded.line, state = excluded.state"""
HELD = "SELECT input, subject, latest, sealed FROM held WHERE input = ? ORDER BY subject"
HOLD = """INSERT INTO held (input, subject, latest, sealed) VALUES (?, ?, ?, ?)
    ON CONFLICT (input, subject) DO UPDATE SET latest = excluded.latest, sealed = excluded.sealed"""
LET_GO = "DELETE FROM held WHERE input = ?"
BEGINNING_ALIKE = "SELECT no, shares FROM inputs WHERE beginning = ? OR beginning IS NULL ORDER BY no"
NOTE_BEGINNING = "UPDATE inputs SET beginning = ? WHERE no = ? AND beginning IS NULL"
AS_ONE_SHARE = "UPDATE inputs SET shares = 1 WHERE no = ?"
FORGET_POSITIONS = "DELETE FROM positions WHERE input = ?"
COUNT_RECORDS_OF = """SELECT count(*) + (SELECT coalesce(sum(records), 0) FROM gone WHERE input = ?)
    FROM records WHERE input = ?"""
COUNT_LATE_OF = "SELECT count(*) FROM records WHERE input = ? AND type = 'carepolicy.clock.late'"
COUNT_LETTERS_OF = "SELECT code, count(*) FROM dead_letters WHERE input = ? GROUP BY code"
RECORDS_BY_INPUT = """SELECT no, name, shares, (SELECT count(*) FROM records WHERE input = inputs.no)
    + (SELECT coalesce(sum(records), 0) FROM gone WHERE input = inputs.no) FROM inputs ORDER BY no"""
SINGLE = 0
"""In place of the number of an input, of events that came one by one."""

HELD_OF = f"""SELECT input, subject, latest, sealed FROM held
    WHERE input IN (SELECT no FROM inputs UNION ALL SELECT {SINGLE}) AND subject = ? ORDER BY input"""
ALL_HELD = "SELECT input, subject, latest, sealed FROM held ORDER BY input, subject"
WAITING = f"SELECT subject FROM held WHERE input = {SINGLE} AND subject > ? ORDER BY subject LIMIT ?"
WAITING_OF = f"SELECT sealed FROM held WHERE input = {SINGLE} AND subject = ?"
FORGET_WAITING = f"DELETE FROM held WHERE input = {SINGLE} AND subject = ?"
LAST_ERASURE = "SELECT coalesce(max(no), 0) FROM erasures"


class Written(Struct, frozen=True):
    """Questions about what a run has written from the lines of its input, in their order: how much of it is of a
    stretch, its lines, and those that its end caused; and the last that a line caused.

    A stretch has what is of its lines: of a line that stood at the end of the one before and has grown, what is new."""

    number: str
    lines: str
    at_the_end: str
    last: str


def _written(table: str, line: str, order: str) -> Written:
    at, stretch = "WHERE input = ? AND position = ?", "position >= ? AND position < ? AND (position > ? OR no > ?)"
    return Written(
        f"SELECT count(*) FROM {table} WHERE input = ? AND {stretch}",
        f"SELECT {line} FROM {table} WHERE input = ? AND {stretch} ORDER BY position, no LIMIT ? OFFSET ?",
        f"SELECT {line} FROM {table} {at} ORDER BY {order}",
        f"SELECT coalesce(max(no), 0) FROM {table} {at}",
    )


RECORDS_WRITTEN = _written("records", "line", "time, subject, flow, sequence, no")
LETTERS_WRITTEN = _written("dead_letters", "letter", "no")

# -- dead letters -----------------------------------------------------------------------------------------------------

BURY = "INSERT INTO dead_letters (input, position, code, letter, subject, sealed) VALUES (?, ?, ?, ?, ?, ?)"
COUNT = """INSERT INTO refusals (kind, source, id, count) VALUES (?, ?, ?, 1)
    ON CONFLICT (kind, source, id) DO UPDATE SET count = refusals.count + 1 RETURNING count"""
LETTERS = """SELECT d.no, d.code, d.letter, d.sealed, d.settled, i.name
    FROM dead_letters d LEFT JOIN inputs i ON i.no = d.input"""
LETTER_OF_NUMBER = f"{LETTERS} WHERE d.no = ?"
NEWEST_LETTER = "SELECT max(no) FROM dead_letters WHERE letter = ? AND settled = 0"
SETTLE_LETTER = "UPDATE dead_letters SET settled = 1, sealed = NULL WHERE no = ? AND settled = 0"
LETTERS_LEFT = "SELECT code, letter FROM dead_letters WHERE settled = 0 ORDER BY no"
COUNT_LETTERS = "SELECT code, count(*) FROM dead_letters WHERE settled = 0 GROUP BY code ORDER BY code"


def letters(code: bool, subject: bool, limit: int | None) -> str:
    """Those that are not settled, the last ones first; of one ``code``, of one ``subject``, up to a ``limit``."""
    where = "d.settled = 0" + " AND d.code = ?" * code + " AND d.subject = ?" * subject
    return f"{LETTERS} WHERE {where} ORDER BY d.no DESC" + ("" if limit is None else f" LIMIT {limit:d}")


# -- the outbox -------------------------------------------------------------------------------------------------------

REQUEST = """INSERT INTO outbox (id, kind, subject, flow, sequence, time, channel)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
REQUESTS = """SELECT o.id, o.kind, o.subject, o.flow, o.time, o.state, o.ready, o.leased_by, o.lease, o.attempts,
    o.put_off, o.fault, r.line, r.sealed FROM outbox o JOIN records r
    ON r.subject = o.subject AND r.flow = o.flow AND r.sequence = o.sequence AND r.loose = 0"""
REQUEST_OF_ID = f"{REQUESTS} WHERE o.id = ?"
COUNT_REQUESTS = "SELECT state, count(*) FROM outbox GROUP BY state"
AGE_OF_REQUESTS = "SELECT state, count(*), min(time) FROM outbox GROUP BY state"
PARKED_REQUESTS = "SELECT id FROM outbox WHERE state = 'parked'"
PARK_LOST = """UPDATE outbox SET state = 'parked', leased_by = NULL, fault = ?
    WHERE state = 'leased' AND ready <= ? AND attempts >= ?"""
LEASE_REQUEST = """UPDATE outbox SET disputed = CASE state WHEN 'leased' THEN 1 ELSE disputed END, state = 'leased',
    leased_by = ?, lease = lease + 1, ready = ?, attempts = attempts + 1 WHERE id = ?"""
RENEW_LEASE = "UPDATE outbox SET ready = ? WHERE id = ? AND lease = ? AND state = 'leased'"
FINISH_REQUEST = "UPDATE outbox SET state = 'done', leased_by = NULL, fault = NULL WHERE id = ? AND "
FAIL_REQUEST = """UPDATE outbox SET state = ?, ready = ?, leased_by = NULL, put_off = 0, fault = ?
    WHERE id = ? AND state <> 'done' AND """
PUT_REQUEST_OFF = """UPDATE outbox SET state = 'waiting', ready = ?, leased_by = NULL, attempts = attempts - 1,
    put_off = put_off + 1, fault = ? WHERE id = ? AND state = 'leased' AND """
BY_LEASE = "lease = ? AND state <> 'waiting'"
"""The end of the last three, for who says the number of his lease: also where it has ended and the request is parked
since nobody else may take it."""

BY_ID = "NOT (state = 'leased' AND disputed = 1)"
RELEASE_REQUEST = """UPDATE outbox SET state = 'waiting', ready = ?, leased_by = NULL, attempts = attempts - 1,
    channel = ? WHERE id = ? AND lease = ? AND state = 'leased'"""
REPLAY_REQUEST = """UPDATE outbox SET state = 'waiting', ready = 0, attempts = 0, put_off = 0, leased_by = NULL,
    fault = NULL WHERE id = ? AND state = 'parked'"""


CASE_BEGAN = """SELECT sequence, time FROM records WHERE subject = ? AND flow = ? AND sequence < ? AND loose = 0
    AND type = 'carepolicy.case.opened' ORDER BY sequence DESC LIMIT 1"""
LAST_CLOSED = """SELECT sequence, time FROM records WHERE subject = ? AND flow = ? AND sequence > 0 AND loose = 0
    AND type = 'carepolicy.case.closed' ORDER BY sequence DESC LIMIT 1"""
MESSAGES_BEFORE = """SELECT line, sealed FROM records WHERE subject = ? AND flow = ? AND sequence >= ? AND sequence < ?
    AND loose = 0 AND type = 'carepolicy.message.requested' ORDER BY sequence DESC LIMIT ?"""


def requests_in(states: int, kind: bool, limit: bool) -> str:
    """The requests in so many states, those that were asked for first first; of one ``kind``, up to a ``limit``."""
    where = f"WHERE o.state IN ({marks(states)})" + (" AND o.kind = ?" if kind else "")
    return f"{REQUESTS} {where} ORDER BY o.time, r.no" + (" LIMIT ?" if limit else "")


def requests_ready(kinds: int, channels: int | None, without: int) -> str:
    """Some that may be taken, ready longest first; of the same instant, what was asked for first."""
    return f"""SELECT id FROM outbox WHERE state IN ('waiting', 'leased') AND ready <= ?
    AND {_wanted(kinds, channels, without)} ORDER BY ready, time, (SELECT r.no FROM records r
        WHERE r.subject = outbox.subject AND r.flow = outbox.flow AND r.sequence = outbox.sequence AND r.loose = 0)
    LIMIT ?"""


def next_request(kinds: int, channels: int | None, without: int) -> str:
    """When the first of some may be taken."""
    return f"""SELECT min(ready) FROM outbox WHERE state IN ('waiting', 'leased')
    AND {_wanted(kinds, channels, without)}"""


def _wanted(kinds: int, channels: int | None, without: int) -> str:
    """Of so many kinds, on so many channels, on none of so many others; also where the channel is not known here."""
    said = f"kind IN ({marks(kinds)})"
    if channels is not None:
        said += f" AND (channel IS NULL OR channel IN ({marks(channels)}))"
    if without:
        said += f" AND (channel IS NULL OR channel NOT IN ({marks(without)}))"
    return said


ENTER_SERVER = "UPDATE servers SET until = ? WHERE digest = ? AND until <= ?"
STATE_OF_SERVER = "SELECT failures, until, fault FROM servers WHERE digest = ?"
SHUT_SERVER = """INSERT INTO servers (digest, name, failures, until, fault) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET failures = excluded.failures, until = excluded.until, fault = excluded.fault
    WHERE servers.failures = ?"""
LEAVE_SERVER = "UPDATE servers SET until = ? WHERE digest = ? AND failures = ?"
FORGET_OLD_SERVERS = "DELETE FROM servers WHERE until < ?"
FORGET_SERVER = "DELETE FROM servers WHERE digest = ?"

# -- policy versions --------------------------------------------------------------------------------------------------

VERSIONS = """SELECT no, digest, installed, (SELECT count(*) FROM shadow), (SELECT count(*) FROM held WHERE input = 0),
    (SELECT coalesce(max(no), 0) FROM restores) FROM policy_versions ORDER BY no"""
VERSIONS_IN_USE = """SELECT no FROM policy_versions
    WHERE EXISTS (SELECT 1 FROM cases WHERE cases.version = policy_versions.no) ORDER BY no"""
INSTALL = "INSERT INTO policy_versions (digest, installed) VALUES (?, ?) RETURNING no"
INSTALL_FILE = "INSERT INTO policy_files (version, path, content) VALUES (?, ?, ?)"
POLICY_FILES = "SELECT path, content FROM policy_files WHERE version = ? ORDER BY path"

# -- plans, backups and restores --------------------------------------------------------------------------------------

LAST_NUMBER = "SELECT coalesce(max(no), 0) FROM records"
ADDRESSES_OF_CASES = """SELECT DISTINCT key, subject FROM cases WHERE (key, subject) > (?, ?)
    ORDER BY key, subject LIMIT ?"""
LAST_RESTORE = "SELECT coalesce(max(no), 0) FROM restores"
NOTE_RESTORE = "INSERT INTO restores (no, time) VALUES (?, ?)"

# -- a shadow, and what it is to be taken through ---------------------------------------------------------------------

BEGIN_SHADOW = "INSERT INTO shadow (token, digest, begun) VALUES (?, ?, ?)"
SHADOW_READY = "UPDATE shadow SET ready = 1, base = ?, fired = ?, moved = ? WHERE token = ?"
COUNT_TAKEN = "UPDATE shadow SET events = events + ? WHERE token = ?"
SHADOW = "SELECT token, digest, begun, ready, base, fired, moved, events FROM shadow"
END_SHADOW = ("DELETE FROM shadow", "DELETE FROM journal")
NOTE_WORK = "INSERT INTO journal (lines, until, sealed) VALUES (?, ?, ?)"
PENDING = "SELECT no, lines, until, sealed FROM journal ORDER BY no"
FIRST_PENDING = f"{PENDING} LIMIT ?"
FORGET_WORK = "DELETE FROM journal WHERE no = ?"
COUNT_PENDING = "SELECT coalesce(sum(lines), 0) FROM journal"
WORK_NUMBERS = "SELECT no FROM journal"
ALL_SUBJECTS = f"SELECT {SUBJECT_COLUMNS} FROM subjects"
ALL_CASES = f"SELECT {CASE_COLUMNS} FROM cases"
ALL_WATCHED = "SELECT watch, value, noted FROM watched"
COUNT_SUBJECTS = "SELECT count(*) FROM subjects"
EVENT_OF_ID = "SELECT 1 FROM events WHERE source = ? AND id = ?"
FORGET_ALL_REQUESTS = "DELETE FROM outbox"
"""What a shadow asks for is compared, and never carried out."""

FIRST_KEY = "SELECT min(key) FROM subjects"
NEXT_KEY = "SELECT min(key) FROM subjects WHERE key > ?"
CASES_OF_KEY = "SELECT subject, flow, state, body FROM cases WHERE key = ? ORDER BY subject, flow"
RECORDS_OF_LIVE = """SELECT subject, flow, line FROM records WHERE key = ? AND no > ?
    ORDER BY subject, flow, sequence, loose"""
RECORDS_OF_SHADOW = """SELECT subject, flow, line FROM records
    WHERE key = ? AND (no <= ? OR no > ? OR type = 'carepolicy.case.closed')
    ORDER BY subject, flow, sequence, loose"""

# -- keys -------------------------------------------------------------------------------------------------------------

ACTIVE_KEYS = "SELECT fingerprint FROM keys WHERE retired IS NULL ORDER BY since, fingerprint"
ACTIVE_KEY = "SELECT 1 FROM keys WHERE fingerprint = ? AND retired IS NULL"
NOTE_KEY = """INSERT INTO keys (fingerprint, since) VALUES (?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET retired = NULL"""
RETIRE_KEYS = "UPDATE keys SET retired = ? WHERE retired IS NULL AND fingerprint <> ?"
SECRETS = "SELECT name, sealed FROM secrets"
COUNT_SECRETS = "SELECT count(*) FROM secrets"
RENEW_SECRET = "UPDATE secrets SET sealed = ? WHERE name = ?"
SHARED_MACS = "SELECT fingerprint FROM macs"
UNSHARE_MACS = "DELETE FROM macs WHERE fingerprint <> ?"

# -- data keys --------------------------------------------------------------------------------------------------------

ALL_DATA_KEYS = "SELECT id, fingerprint, sealed FROM datakeys"
OLD_DATA_KEYS = "SELECT id, sealed FROM datakeys WHERE fingerprint <> ? AND sealed <> ? LIMIT ?"
ANY_OLD_DATA_KEY = "SELECT 1 FROM datakeys WHERE fingerprint <> ? AND sealed <> ? LIMIT 1"
COUNT_OLD_DATA_KEYS = "SELECT count(*) FROM datakeys WHERE fingerprint <> ? AND sealed <> ?"
KEYS_OF_DATA_KEYS = "SELECT DISTINCT fingerprint FROM datakeys WHERE sealed <> ?"
KEEP_DATA_KEY = "INSERT INTO datakeys (id, fingerprint, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
RENEW_DATA_KEY = "UPDATE datakeys SET sealed = ?, fingerprint = ? WHERE id = ?"
FORGET_DATA_KEY = "DELETE FROM datakeys WHERE id = ?"
FORGET_ALL_DATA_KEYS = "DELETE FROM datakeys"
EMPTY_DATA_KEY = "UPDATE datakeys SET sealed = ? WHERE id = ?"
"""In a vault the name of a data key stays, so that one that was thrown away is told from one that is lost."""

SEALING = "SELECT id FROM sealings WHERE subject = ?"
ALL_SEALINGS = "SELECT id FROM sealings"
SEALINGS_BUT = "SELECT subject, id FROM sealings WHERE subject <> ?"
KEEP_SEALING = "INSERT INTO sealings (subject, id) VALUES (?, ?)"
FORGET_SEALING = "DELETE FROM sealings WHERE subject = ?"
SHREDS = "SELECT id FROM shreds"
SHRED = "INSERT INTO shreds (id) VALUES (?) ON CONFLICT DO NOTHING"
FORGET_SHRED = "DELETE FROM shreds WHERE id = ?"
VAULT = "SELECT name FROM vaults"
NAME_VAULT = "INSERT INTO vaults (no, name) VALUES (0, ?) ON CONFLICT DO NOTHING"
RENAME_VAULT = "UPDATE vaults SET name = ?"


def sealings_of(count: int) -> str:
    """The data keys of so many subjects, wrapped where they are in this store."""
    return f"""SELECT subject, id, (SELECT sealed FROM datakeys WHERE datakeys.id = sealings.id) FROM sealings
    WHERE subject IN ({marks(count)})"""


def wrapped_keys(count: int) -> str:
    """So many data keys by their names."""
    return f"SELECT id, sealed FROM datakeys WHERE id IN ({marks(count)})"


# -- what is sealed ---------------------------------------------------------------------------------------------------

BEFORE_DATA_KEYS = "sealed IS NOT NULL AND substr(sealed, 1, 1) <> ?"
"""What was sealed before there were data keys: it does not begin with their mark."""


ANY_SEALED = tuple(f"SELECT sealed FROM {each} WHERE sealed IS NOT NULL LIMIT 1" for each in ("cases", "records"))


class Sealed(Struct, frozen=True):
    """A table with a column ``sealed`` for what is private: the columns of its primary key, whose a row is, and how
    the rows of a subject are found by an index."""

    table: str
    key: str
    whose: str
    where: str

    @property
    def of_subject(self) -> str:
        """What is sealed of a subject, which stands for each ``?``."""
        return f"SELECT {self.key}, sealed FROM {self.table} WHERE {self.where} AND sealed IS NOT NULL"

    @property
    def old(self) -> str:
        """Some of what was sealed before there were data keys, and whose it is."""
        return f"SELECT {self.key}, {self.whose}, sealed FROM {self.table} WHERE {BEFORE_DATA_KEYS} LIMIT ?"

    @property
    def count_old(self) -> str:
        """How much was sealed before there were data keys."""
        return f"SELECT count(*) FROM {self.table} WHERE {BEFORE_DATA_KEYS}"

    @property
    def renew(self) -> str:
        """Put something else in place of what is sealed in a row."""
        where = " AND ".join(f"{each} = ?" for each in self.key.split(", "))
        return f"UPDATE {self.table} SET sealed = ? WHERE {where}"


JOURNAL = "\\journal"
"""In place of a subject: what a journal holds is of many. No subject is stored under such a name (see ``storable``)."""

SEALED_OF_SUBJECTS = (
    Sealed(
        "cases", "key, subject, flow", "subject",
        "key IN (SELECT DISTINCT key FROM records WHERE subject = ?) AND subject = ?",
    ),
    Sealed("records", "no", "subject", "subject = ?"),
    Sealed("contacts", "no", "subject", "subject = ?"),
    Sealed("dead_letters", "no", "subject", "subject = ?"),
    Sealed(
        "held", "input, subject", "subject", "input IN (SELECT no FROM inputs UNION ALL SELECT 0) AND subject = ?"
    ),
)  # fmt: skip
SEALED_OF_ALL = (Sealed("journal", "no", f"'{JOURNAL}'", "1 = 1"),)

# -- what is erased, and what is kept no longer -----------------------------------------------------------------------

ERASE_CASES = "UPDATE cases SET sealed = NULL WHERE key = ? AND subject = ? AND sealed IS NOT NULL"
ERASE_RECORDS = "UPDATE records SET sealed = NULL WHERE key = ? AND subject = ? AND sealed IS NOT NULL"
ERASE_RECORDS_OF_CASE = """UPDATE records SET sealed = NULL
    WHERE key = ? AND subject = ? AND flow = ? AND sequence <= ? AND loose = 0 AND sealed IS NOT NULL"""
ERASE_CONTACTS = "UPDATE contacts SET sealed = NULL WHERE subject = ? AND sealed IS NOT NULL"
ERASE_LETTERS = "UPDATE dead_letters SET sealed = NULL WHERE subject = ? AND sealed IS NOT NULL"
NOTE_ERASURE = "INSERT INTO erasures (time, author, subject, flow, counts) VALUES (?, ?, ?, ?, ?)"
ERASURES_OF = "SELECT time, author, flow, counts FROM erasures WHERE subject = ? ORDER BY no"
PARK_ERASED = """UPDATE outbox SET state = 'parked', leased_by = NULL, fault = 'erased at the request of the customer'
    WHERE subject = ? AND state <> 'done' AND EXISTS (
        SELECT 1 FROM records r WHERE r.subject = outbox.subject AND r.flow = outbox.flow
        AND r.sequence = outbox.sequence AND r.loose = 0 AND r.sealed IS NOT NULL)"""
"""What can no longer be carried out; it must be asked before records are erased."""

NOTE_CLOSING = "INSERT INTO closings (key, subject, flow, sequence, closed, erase) VALUES (?, ?, ?, ?, ?, ?)"
CLOSINGS_DUE = """SELECT key, subject, flow, sequence, closed FROM closings WHERE erase <= ?
    ORDER BY erase, subject, flow LIMIT ?"""
LAST_CLOSING = "SELECT max(erase) FROM closings WHERE key = ? AND subject = ?"
FORGET_CLOSING = "DELETE FROM closings WHERE key = ? AND subject = ? AND flow = ? AND sequence = ?"
FORGET_CLOSINGS_UP_TO = "DELETE FROM closings WHERE key = ? AND subject = ? AND flow = ? AND sequence <= ?"
FORGET_CLOSINGS = "DELETE FROM closings WHERE key = ? AND subject = ?"
FORGET_HOLDINGS = "DELETE FROM holdings WHERE key = ? AND subject = ?"
FACTS_LIVE = """SELECT 1 FROM cases WHERE key = ? AND subject = ?
    UNION ALL SELECT 1 FROM closings WHERE key = ? AND subject = ? LIMIT 1"""

LAST_SWEEP = "SELECT time FROM sweeps WHERE what = ?"
NOTE_SWEEP = """INSERT INTO sweeps (what, time) VALUES (?, ?)
    ON CONFLICT (what) DO UPDATE SET time = excluded.time"""
REQUESTS_DONE = "SELECT id FROM outbox WHERE state = 'done' AND time <= ? AND ready <= ? ORDER BY time LIMIT ?"
FORGET_REQUEST = "DELETE FROM outbox WHERE id = ?"
REQUEST_TO_DO = """SELECT 1 FROM outbox WHERE subject = ? AND flow = ? AND sequence <= ? AND state <> 'done' LIMIT 1"""
FORGET_REQUESTS_OF_CASE = "DELETE FROM outbox WHERE subject = ? AND flow = ? AND sequence <= ?"
LETTERS_UNDATED = "SELECT no FROM dead_letters WHERE since IS NULL ORDER BY no LIMIT ?"
DATE_LETTER = "UPDATE dead_letters SET since = ? WHERE no = ?"
LETTERS_SINCE = """SELECT since, no, input, subject FROM dead_letters
    WHERE (since, no) > (?, ?) AND since <= ? ORDER BY since, no LIMIT ?"""
FORGET_LETTER = "DELETE FROM dead_letters WHERE no = ?"
EVENTS_SEEN = "SELECT source, id, seen FROM events WHERE (source, id) > (?, ?) ORDER BY source, id LIMIT ?"
DATE_EVENT = "UPDATE events SET seen = ? WHERE source = ? AND id = ?"
FORGET_EVENT = "DELETE FROM events WHERE source = ? AND id = ?"
CASES_CLOSED = """SELECT time, no, key, subject, flow, sequence FROM records
    WHERE type = 'carepolicy.case.closed' AND (time, no) > (?, ?) AND time <= ? ORDER BY time, no LIMIT ?"""
RECORDS_OF_NO_CASE = """SELECT time, no, key, subject, loose FROM records
    WHERE sequence = 0 AND (time, no) > (?, ?) AND time <= ? ORDER BY time, no LIMIT ?"""
CHAIN_OF_CASE = """SELECT no, sequence, hash, input FROM records
    WHERE key = ? AND subject = ? AND flow = ? AND sequence > 0 AND sequence <= ? ORDER BY sequence"""
CHAIN_OF_NO_CASE = """SELECT no, loose, hash, input FROM records
    WHERE key = ? AND subject = ? AND sequence = 0 AND loose <= ? ORDER BY loose"""
FORGET_RECORD = "DELETE FROM records WHERE no = ?"
CUT_CHAIN = """INSERT INTO cuts (key, subject, flow, number, hash) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key, subject, flow) DO UPDATE SET number = excluded.number, hash = excluded.hash"""
COUNT_GONE = """INSERT INTO gone (input, records) VALUES (?, ?)
    ON CONFLICT (input) DO UPDATE SET records = gone.records + excluded.records"""
ANY_RECORD = "SELECT 1 FROM records WHERE subject = ? LIMIT 1"
FORGET_CONTACTS = "DELETE FROM contacts WHERE subject = ? AND time <= ?"
ANY_SHADOW = "SELECT 1 FROM shadow LIMIT 1"
SHARES_OF_INPUT = "SELECT shares FROM inputs WHERE no = ?"

# -- what is held about a customer, and the contact log ---------------------------------------------------------------

OPEN_CASES_AT = "SELECT flow, state, opened, body, sealed FROM cases WHERE key = ? AND subject = ? ORDER BY flow"
COUNT_RECORDS_AT = "SELECT count(*), count(sealed) FROM records WHERE key = ? AND subject = ?"
RECORDS_AT = "SELECT line, sealed FROM records WHERE key = ? AND subject = ? ORDER BY flow, sequence, loose"
COUNT_TYPED = "SELECT count(sealed) FROM contacts WHERE subject = ? AND direction <> 'event'"
CONTACTS_ASKED = """SELECT r.type, r.time, r.flow, r.line, r.sealed, o.state FROM records r
    LEFT JOIN outbox o ON o.subject = r.subject AND o.flow = r.flow AND o.sequence = r.sequence
    WHERE r.subject = ? AND r.sequence > 0 AND r.type IN
        ('carepolicy.message.requested', 'carepolicy.notice.requested', 'carepolicy.task.assigned')
    ORDER BY r.time, r.flow, r.sequence"""
CONTACTS_OF = """SELECT time, flow, direction, channel, author, summary, sealed FROM contacts
    WHERE subject = ? ORDER BY time, no"""
ADD_CONTACT = """INSERT INTO contacts (time, subject, flow, sequence, direction, channel, author, summary, sealed)
    VALUES (?, ?, '', 0, ?, ?, ?, '', ?)"""
NOTE_CONTACT = """INSERT INTO contacts (time, subject, flow, sequence, direction, author, summary)
    VALUES (?, ?, '', 0, 'event', ?, ?)"""
NOTE_HOLDING = "INSERT INTO holdings (digest, key, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
HOLDINGS = "SELECT key, subject FROM holdings WHERE digest = ? ORDER BY key, subject"
KNOWN_ELSEWHERE = (
    "SELECT 1 FROM contacts WHERE subject = ? LIMIT 1",
    "SELECT 1 FROM held WHERE input IN (SELECT no FROM inputs UNION ALL SELECT 0) AND subject = ? LIMIT 1",
)
"""Where a subject may be known of which there is no record yet."""

INDEX_KEY = "SELECT sealed FROM secrets WHERE name = 'index'"
KEEP_INDEX_KEY = "INSERT INTO secrets (name, sealed) VALUES ('index', ?) ON CONFLICT DO NOTHING"
MERGED_INTO = "SELECT merged_into FROM subjects WHERE key = '' AND subject = ? AND merged_into IS NOT NULL"
MERGED_FROM = "SELECT subject FROM subjects WHERE key = '' AND merged_into = ? ORDER BY subject"
SUBJECTS_OF_OWNER = "SELECT DISTINCT key, subject FROM cases WHERE person = ? ORDER BY key, subject"

# -- how a store is doing ---------------------------------------------------------------------------------------------

FIRST_DUE = """SELECT min(due), (SELECT count(*) FROM subjects WHERE due <= ?)
    FROM subjects WHERE due IS NOT NULL"""
