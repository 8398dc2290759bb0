"""Logs that are tables: CSV, TSV, Parquet and lines of JSON, read and sorted by subject with DuckDB, beyond memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.mapping import Row
    from carepolicy.policy.language.mapping import Reads

FETCHED = 10_000
"""Rows that are taken over from DuckDB at a time."""

MEMORY, MORE_MEMORY = "256MB", "2GB"
"""What DuckDB may use before it sorts on the disk; and where it cannot do with that."""

THREADS = 2
"""So many threads of DuckDB at most: each needs memory of its own, and what they give is taken by one."""

LONGEST_LINE = 2 << 20

Done = Callable[[int], None]
"""What hears how much more is done."""

Begin = Callable[[str, int], Done]
"""What hears that a part of the work begins, which it is and how much there is to do in it."""

WORTH = 1_000
"""So much is done before it is told."""

Refusal = tuple[int, str]
"""The number of a row or line that cannot be read, and why."""


class LogFault(ValueError):
    """A log that cannot be read; the text says why."""


class NotInstalled(LogFault):
    """A library is not there that reads this kind of log."""

    def __init__(self, library: str) -> None:
        super().__init__(f"reading this log needs {library}: install carepolicy[audit]")


class Steps:
    """Small steps, told together: ``WORTH`` of them at least, since whoever draws them takes time."""

    def __init__(self, watch: Begin | None, part: str, total: int) -> None:
        self._done = None if watch is None else watch(part, total)
        self._waiting = 0

    def __call__(self, more: int) -> None:
        """So much more is done."""
        self._waiting += more
        if self._waiting >= WORTH and self._done is not None:
            self._done(self._waiting)
            self._waiting = 0


@dataclass
class Table:
    """Rows of one or several files of one format, as groups by subject. A context: what it holds is let go of at its
    end. ``refused`` fills while it is read: lines that make no row. ``times`` are columns of instants. Of several parts
    (by the checksum of the subject) ``part`` is the number of this one, and how many there are. ``watch`` hears how far
    sorting and reading are."""

    paths: Sequence[str]
    form: str
    reads: Reads | None
    times: frozenset[str] = frozenset()
    refused: list[Refusal] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    part: tuple[int, int] = (0, 1)
    watch: Begin | None = None
    _lenient: bool = field(init=False, default=False)

    def __enter__(self) -> Table:
        """Open the files, and see which columns they have."""
        try:
            import duckdb
        except ImportError:
            raise NotInstalled("DuckDB") from None
        self._folder = tempfile.TemporaryDirectory(prefix="carepolicy-")
        self._fault, self._full = duckdb.Error, duckdb.OutOfMemoryException
        self._database = duckdb.connect(":memory:")
        self._do(f"SET memory_limit = '{MEMORY}'; SET temp_directory = '{self._folder.name}'; SET TimeZone = 'UTC'")
        self._do(f"SET threads = {min(THREADS, os.cpu_count() or 1)}")
        self._do("SET enable_progress_bar_print = false")  # it would stand on standard output
        self._do(f"SET enable_progress_bar = {self.watch is not None}")
        try:
            self._found = self._described()
        except LogFault:
            self.__exit__(None, None, None)
            raise
        self.columns = tuple(self._found)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the files."""
        self._database.close()
        self._folder.cleanup()

    def _do(self, text: str) -> Any:
        """The answer to a question. Raises ``LogFault`` where the files cannot be read."""
        try:
            try:
                return self._database.execute(text)
            except self._full:
                self._database.execute(f"SET memory_limit = '{MORE_MEMORY}'")
                return self._database.execute(text)
        except self._fault as fault:
            raise LogFault(f"{self.paths[0]}: {_reason(fault)}") from None

    def _described(self) -> dict[str, str]:
        """The columns of the log, and their types."""
        if self.form == "jsonl":
            return {}
        asked = "DESCRIBE SELECT * FROM"
        try:
            rows = self._do(f"{asked} {self._scan()}").fetchall()
        except LogFault:
            self._lenient = True  # lines that end in several ways are no table to a strict reader
            rows = self._do(f"{asked} {self._scan()}").fetchall()
        return {row[0]: row[1] for row in rows}

    def _scan(self) -> str:
        """The table function that reads the files."""
        if self.form == "parquet":
            return f"read_parquet([{', '.join(map(_text, self.paths))}], union_by_name = true)"
        read = self._read_lines if self.form == "jsonl" else self._read_csv
        if len(self.paths) == 1:
            return read(self.paths[0])
        # DuckDB notes rejects only of files read one by one
        return "(" + " UNION ALL BY NAME ".join(f"FROM {read(path)}" for path in self.paths) + ")"

    def _read_lines(self, path: str) -> str:
        """The table function that reads one file as lines."""
        return (
            f"read_csv({_text(path)}, columns = {{'line': 'VARCHAR'}}, delim = '\\x01', quote = '', escape = '', "
            f"header = false, auto_detect = false, strict_mode = false, max_line_size = {LONGEST_LINE}, "
            "null_padding = true, ignore_errors = true, store_rejects = true)"
        )

    def _read_csv(self, path: str) -> str:
        """The table function that reads one file."""
        reads = self.reads
        said = ["all_varchar = true", "header = true", "ignore_errors = true", "store_rejects = true"]
        separator = reads.separator if reads is not None and reads.separator else "\t" if self.form == "tsv" else None
        said += ["strict_mode = false"] if self._lenient else []
        said += [f"delim = {_text(separator)}"] if separator else []
        said += [f"encoding = {_text(reads.encoding)}"] if reads is not None and reads.encoding else []
        return f"read_csv({_text(path)}, {', '.join(said)})"

    def demand(self, names: Iterable[str]) -> None:
        """Raise ``LogFault`` where the log lacks one of these columns."""
        from carepolicy.policy.likeness import did_you_mean

        for name in names:
            if name not in self._found and self.form != "jsonl":
                raise LogFault(f'{self.paths[0]} has no column "{name}"; {did_you_mean(name, self.columns)}')

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The rows of each subject, in the order of the subjects; of each row its number, a hash of all its columns,
        and the values of ``columns`` as texts, instants among them in ISO 8601."""
        values = ", ".join(self._value(each) for each in columns)
        everything = "line" if self.form == "jsonl" else ", ".join(map(_name, self._found))
        inside = f"SELECT *, row_number() OVER () AS carepolicy_row FROM {self._scan()}"
        asked = f"SELECT {self._value(subject)} AS s, carepolicy_row, hash({everything}) AS h"
        text = f"{asked}{', ' if values else ''}{values} FROM ({inside}) WHERE {self._mine('s')}"
        yield from self._grouped(text, "s NULLS FIRST, carepolicy_row")
        if self.part[0] == 0:
            self._note_rejects()

    def sample(self, most: int) -> list[dict[str, str | None]]:
        """The first rows, by column."""
        if self.form == "jsonl":
            lines = self._do(f"SELECT line FROM {self._scan()} WHERE json_valid(line) LIMIT {most}").fetchall()
            return [_flat(orjson.loads(line)) for (line,) in lines]
        names = ", ".join(f"CAST({_name(each)} AS VARCHAR)" for each in self._found)
        rows = self._do(f"SELECT {names} FROM {self._scan()} LIMIT {most}").fetchall()
        return [dict(zip(self._found, row, strict=True)) for row in rows]

    def holds(self, text: str) -> bool:
        """Whether a line of the log has a text in it. Raises ``LogFault`` where it cannot be read."""
        try:
            found = self._do(f"SELECT 1 FROM {self._scan()} WHERE contains(line, {_text(text)}) LIMIT 1").fetchone()
        except self._fault as fault:
            raise LogFault(f"{self.paths[0]}: {_reason(fault)}") from None
        return found is not None

    def lines(self, by_time: bool) -> Iterator[tuple[str | None, list[tuple[int, str]]]]:
        """Numbered lines of CloudEvents, by subject and line; or all of them in the order of their times."""
        valid = "CASE WHEN json_valid(line) THEN line END"
        inside = f"SELECT line, row_number() OVER () AS n, {valid} AS j FROM {self._scan()}"
        subject = "json_extract_string(j, '$.subject')"
        order = (
            "epoch_us(TRY_CAST(json_extract_string(j, '$.time') AS TIMESTAMPTZ)) NULLS FIRST, n"
            if by_time
            else "s NULLS FIRST, n"
        )
        name = "NULL" if by_time else subject
        text = f"SELECT {name} AS s, n, line FROM ({inside}) WHERE line IS NOT NULL AND {self._mine('s')}"
        yield from self._grouped(text, order)
        if self.part[0] == 0:
            self._note_rejects()

    def _mine(self, name: str) -> str:
        """What holds of the rows of this part; those without a subject are of the first."""
        number, of = self.part
        return "true" if of == 1 else f"coalesce(hash({name}) % {of}, 0) = {number}"

    def _grouped(self, text: str, order: str) -> Iterator[tuple[str | None, list[Any]]]:
        try:
            total = 0 if self.watch is None else self._do(f"SELECT count(*) FROM ({text})").fetchone()[0]
            found = self._sorted(f"{text} ORDER BY {order}")
            steps = Steps(self.watch, "events", total)
            name: str | None = None
            group: list[Any] = []
            while rows := found.fetchmany(FETCHED):
                for row in rows:
                    if row[0] != name and group:
                        yield name, group
                        group = []
                    name = row[0]
                    group.append(row[1:])
                steps(len(rows))
            if group:
                yield name, group
        except self._fault as fault:
            raise LogFault(f"{self.paths[0]}: {_reason(fault)}") from None

    def _sorted(self, text: str) -> Any:
        """The answer to a question that sorts; meanwhile DuckDB's own guess of how far it is is told, in hundredths."""
        if self.watch is None:
            return self._do(text)
        done, ended = self.watch("sorting", 100), Event()

        def tell() -> None:
            told = 0
            while not ended.wait(0.2):
                now = int(self._database.query_progress())
                if now > told:
                    done(now - told)
                    told = now

        teller = Thread(target=tell, daemon=True)
        teller.start()
        try:
            return self._do(text)
        finally:
            ended.set()
            teller.join()

    def _value(self, column: str) -> str:
        """A column as text; of instants ISO 8601, or null where there is none."""
        name = _name(column)
        if self.form == "jsonl":
            path = "$." + ".".join(f'"{each}"' for each in column.split("."))
            whole = f'$."{column}"'
            name = f"coalesce(json_extract_string(CASE WHEN json_valid(line) THEN line END, {_text(whole)}), "
            name += f"json_extract_string(CASE WHEN json_valid(line) THEN line END, {_text(path)}))"
        if column not in self.times:
            return f"CAST({name} AS VARCHAR)"
        kind = self._found.get(column, "VARCHAR")
        if kind == "TIMESTAMP WITH TIME ZONE":
            return f"CAST({name} AS VARCHAR)"
        if kind.startswith(("TIMESTAMP", "DATE")):
            return f"CAST(CAST({name} AS TIMESTAMP) AS VARCHAR)"
        return _instant(name, self.reads.time_format if self.reads is not None else None)

    def _note_rejects(self) -> None:
        """Note which lines made no row."""
        if self.form == "parquet":
            return
        rows = self._do(
            "SELECT line, any_value(error_message) FROM reject_errors JOIN reject_scans USING (scan_id, file_id) "
            "GROUP BY file_path, line ORDER BY file_path, line"
        ).fetchall()
        self.refused += [(int(line), _sentence(message)) for line, message in rows]


def _flat(value: Any, name: str = "") -> dict[str, str | None]:
    """The texts of a JSON object by dotted names."""
    if isinstance(value, dict):
        found: dict[str, str | None] = {}
        for key, inner in value.items():
            found |= _flat(inner, f"{name}.{key}" if name else str(key))
        return found
    return {name: None if value is None else str(value)} if name and not isinstance(value, list) else {}


def _instant(name: str, form: str | None) -> str:
    """SQL that makes ISO 8601 of a text that is written in a format."""
    if form is None:
        return f"CAST({name} AS VARCHAR)"
    if form in ("unix", "unix_ms"):
        scale = 1_000_000 if form == "unix" else 1_000
        return f"CAST(make_timestamp(CAST(TRY_CAST({name} AS DOUBLE) * {scale} AS BIGINT)) AS VARCHAR) || '+00:00'"
    if form == "excel":  # days since the last but one of 1899, as spreadsheets count
        micros = f"CAST(round(TRY_CAST({name} AS DOUBLE) * 86400) AS BIGINT)"
        return f"CAST(TIMESTAMP '1899-12-30 00:00:00' + to_seconds({micros}) AS VARCHAR)"
    return f"CAST(try_strptime({name}, {_text(form)}) AS VARCHAR)"


def _text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    """The name of a column as SQL has it."""
    return '"' + value.replace('"', '""') + '"'


def _reason(fault: Exception) -> str:
    return _sentence(str(fault).split(":", 1)[-1])


def _sentence(text: str) -> str:
    """The first sentence of what DuckDB said."""
    first = text.strip().split("\n")[0].strip()
    return first[:200] or "it cannot be read"


FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".json": "ocel", ".jsonocel": "ocel", ".xmlocel": "ocel", ".sqlite": "ocel", ".db": "ocel",
    ".xes": "xes", ".xes.gz": "xes", ".csv.gz": "csv", ".jsonl.gz": "jsonl", ".xml": "ocel",
}  # fmt: skip
"""Formats by the endings of names."""


def format_of(path: str) -> str:
    """The format of a log by the ending of its name. Raises ``LogFault``."""
    name = os.path.basename(path).lower()
    for ending in sorted(FORMATS, key=len, reverse=True):
        if name.endswith(ending):
            return FORMATS[ending]
    known = ", ".join(sorted({*FORMATS.values()}))
    raise LogFault(f"{path}: by its name it is no log; say in the mapping which it is (reads: {{format: …}}): {known}")
