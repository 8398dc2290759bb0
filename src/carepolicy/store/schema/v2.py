"""Version 2: the outbox, the contact log, and which keys private facts were sealed with.

What records of a store of version 1 asked for is put into the outbox, where it waits.
"""

STATEMENTS = (
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
