"""Version 6: what was merged into a subject is found from there too; which events no case took; what inputs begin with;
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
checkpoints. What stood here before is taken as it was found.
"""

MARKED = (
    "subjects", "cases", "events", "records", "dead_letters", "refusals", "watched", "inputs", "positions", "held",
    "policy_versions", "policy_files", "outbox", "contacts", "keys", "secrets", "holdings", "closings", "erasures",
    "shadow", "journal", "untaken", "servers", "sweeps", "cuts", "gone", "datakeys", "sealings", "shreds", "vaults",
)  # fmt: skip
"""The tables whose rows bear one."""

STATEMENTS = (
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
