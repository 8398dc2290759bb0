"""The statements that both kinds of database share. ``?`` stands for a value."""

SUBJECT = "SELECT key, subject, due, merged_into, state FROM subjects WHERE key = ? AND subject = ?"
SUBJECT_COLUMNS = "key, subject, due, merged_into, state"
UPDATE_SUBJECT = "UPDATE subjects SET due = ?, merged_into = ?, state = ?, mac = ? WHERE key = ? AND subject = ?"
UPDATE_CASE = """UPDATE cases SET version = ?, state = ?, role = ?, person = ?, late = ?, opened = ?, due = ?, body = ?,
    sealed = ?, mac = ? WHERE key = ? AND subject = ? AND flow = ?"""
CASE_COLUMNS = "key, subject, flow, version, state, role, person, late, opened, due, body, sealed"
CASES = f"SELECT {CASE_COLUMNS} FROM cases WHERE key = ? AND subject = ?"
SAVE_SUBJECT = """INSERT INTO subjects (key, subject, due, merged_into, state, mac) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, subject) DO UPDATE SET due = excluded.due, merged_into = excluded.merged_into,
    state = excluded.state, mac = excluded.mac"""
SAVE_CASE = f"""INSERT INTO cases ({CASE_COLUMNS}, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, subject, flow) DO UPDATE SET version = excluded.version, state = excluded.state,
    role = excluded.role, person = excluded.person, late = excluded.late, opened = excluded.opened,
    due = excluded.due, body = excluded.body, sealed = excluded.sealed, mac = excluded.mac"""
CLOSE_CASE = "DELETE FROM cases WHERE key = ? AND subject = ? AND flow = ?"
DUE = "SELECT due, key, subject FROM subjects WHERE due IS NOT NULL AND due <= ? ORDER BY due, subject, key LIMIT ?"
NEXT_DUE = "SELECT min(due) FROM subjects WHERE due IS NOT NULL"
CLAIM = "INSERT INTO events (source, id, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
CLAIM_ALL = "INSERT INTO events (source, id, subject, mac) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
RECORD_COLUMNS = "no, key, subject, flow, sequence, loose, type, time, input, position, hash, sealed, line, mac"
APPEND = f"INSERT INTO records ({RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LAST_RECORD = """SELECT max(no) FROM (SELECT 0 AS no UNION ALL SELECT max(no) FROM records
    UNION ALL SELECT max(no) FROM leaves) AS numbers"""
REQUEST_COLUMNS = "id, kind, subject, flow, sequence, time, channel"
REQUEST = f"INSERT INTO outbox ({REQUEST_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
BURY = "INSERT INTO dead_letters (input, position, code, letter, subject, sealed) VALUES (?, ?, ?, ?, ?, ?)"
COUNT = """INSERT INTO refusals (kind, source, id, count) VALUES (?, ?, ?, 1)
    ON CONFLICT (kind, source, id) DO UPDATE SET count = refusals.count + 1 RETURNING count"""
WATCHED = "SELECT noted FROM watched WHERE watch = ? AND value = ?"
KEEP_WATCHED = """INSERT INTO watched (watch, value, noted) VALUES (?, ?, ?)
    ON CONFLICT (watch, value) DO UPDATE SET noted = excluded.noted"""
INPUT = "SELECT no, shares FROM inputs WHERE name = ?"
OPEN_INPUT = "INSERT INTO inputs (name, shares) VALUES (?, ?) RETURNING no"
POSITION = "SELECT input, share, line, state FROM positions WHERE input = ? AND share = ?"
KEEP_POSITION = """INSERT INTO positions (input, share, line, state) VALUES (?, ?, ?, ?)
    ON CONFLICT (input, share) DO UPDATE SET line = excluded.line, state = excluded.state"""
HELD = "SELECT input, subject, latest, sealed FROM held WHERE input = ? ORDER BY subject"
HOLD = """INSERT INTO held (input, subject, latest, sealed) VALUES (?, ?, ?, ?)
    ON CONFLICT (input, subject) DO UPDATE SET latest = excluded.latest, sealed = excluded.sealed"""
LET_GO = "DELETE FROM held WHERE input = ?"
VERSIONS = """SELECT no, digest, installed, (SELECT count(*) FROM shadow), (SELECT count(*) FROM held WHERE input = 0),
    (SELECT coalesce(max(no), 0) FROM restores) FROM policy_versions ORDER BY no"""
VERSIONS_IN_USE = """SELECT no FROM policy_versions
    WHERE EXISTS (SELECT 1 FROM cases WHERE cases.version = policy_versions.no) ORDER BY no"""
INSTALL = "INSERT INTO policy_versions (digest, installed) VALUES (?, ?) RETURNING no"
INSTALL_FILE = "INSERT INTO policy_files (version, path, content) VALUES (?, ?, ?)"
POLICY_FILES = "SELECT path, content FROM policy_files WHERE version = ? ORDER BY path"
