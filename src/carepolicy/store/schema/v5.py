"""Version 5: a shadow set that is tried beside the installed one, and how many records there are.

``shadow`` has a row while one is tried: what is for it stands in ``journal``, a row for each transaction of live work.
``tallies`` count the records as they are written, in rows of their own so that writers need not wait for each other.
Hashes of records have 28 bytes from here on (see ``chain``); those that are there stay as they are.
"""

STATEMENTS = (
    """CREATE TABLE shadow (
        token {text} NOT NULL PRIMARY KEY, digest {text} NOT NULL, begun {number} NOT NULL,
        ready {number} NOT NULL DEFAULT 0, base {number} NOT NULL DEFAULT 0, fired {number} NOT NULL DEFAULT 0,
        moved {number} NOT NULL DEFAULT 0, events {number} NOT NULL DEFAULT 0){clustered}""",
    "CREATE TABLE journal (no {serial}, lines {number} NOT NULL, until {number}, sealed {bytes})",
    "CREATE TABLE tallies (shard {number} NOT NULL PRIMARY KEY, records {number} NOT NULL){clustered}",
    "INSERT INTO tallies (shard, records) SELECT 0, count(*) FROM records",
)
