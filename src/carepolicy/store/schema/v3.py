"""Version 3: who holds what (an index over customers by keyed hashes), when it is erased, and that it was.

``secrets`` holds keys of the store's own, sealed; ``holdings`` the hashes of customers' addresses and numbers with the
subjects at which their facts are kept; ``closings`` the closed cases whose facts are erased at an instant;
``erasures`` what was erased.
"""

STATEMENTS = (
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
