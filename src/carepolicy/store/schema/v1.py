"""Version 1: subjects, cases, events, records, inputs, watches, policy versions."""

STATEMENTS = (
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
