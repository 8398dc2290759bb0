"""Logs that are tables: CSV, TSV, Parquet and lines of JSON, read and sorted by subject with DuckDB, beyond memory."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.audit.textfiles import EMPTY, NoText, TextFile
from carepolicy.audit.timeforms import EXCEL, SPREADSHEETS_BEGIN, UNIX, UNIX_MS

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.blocks import Row
    from carepolicy.policy.language.mapping import Reads

FETCHED = 10_000
"""Rows that are taken over from DuckDB at a time."""

MEMORY, MORE_MEMORY = "256MB", "2GB"
"""What DuckDB may use before it sorts on the disk; and where it cannot do with that."""

THREADS = 2
"""So many threads of DuckDB at most: each needs memory of its own, and what they give is taken by one."""

LONGEST_LINE = 2 << 20

NO_LINES = "SELECT CAST(NULL AS VARCHAR) AS line WHERE false"
"""What has no lines."""

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


@contextmanager
def asking() -> Iterator[None]:
    """What ends a program ends what DuckDB is asked inside as well, and is no fault: it would be told as one."""
    try:
        yield
    except Exception as fault:
        if type(fault) is RuntimeError and str(fault) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


@dataclass(frozen=True, slots=True)
class Column:
    """A column as SQL has it, and the type of its values."""

    inner: str
    kind: str

    @property
    def text(self) -> str:
        """SQL that makes texts of the values: whole numbers without a point, whatever kind of numbers the file has, and
        of a list its items with commas between."""
        if self.kind in ("DOUBLE", "FLOAT"):
            inner = self.inner
            whole = f"{inner} = trunc({inner}) AND abs({inner}) < 1e15"
            return f"CASE WHEN {whole} THEN CAST(CAST({inner} AS BIGINT) AS VARCHAR) ELSE CAST({inner} AS VARCHAR) END"
        if self.kind.endswith("[]") and not self.kind.endswith("[][]"):
            return f"array_to_string(CAST({self.inner} AS VARCHAR[]), ',')"
        return f"CAST({self.inner} AS VARCHAR)"


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
    _as_texts: frozenset[str] = field(init=False, default=frozenset())

    def __enter__(self) -> Table:
        """Open the files, and see which columns they have."""
        try:
            import duckdb
        except ImportError:
            raise NotInstalled("DuckDB") from None
        self._folder = tempfile.TemporaryDirectory(prefix="carepolicy-")
        self._fault, self._full = duckdb.Error, duckdb.OutOfMemoryException
        self._database = duckdb.connect(":memory:")
        self._do(f"SET memory_limit = '{MEMORY}'; SET TimeZone = 'UTC'")
        self._do(f"SET temp_directory = {_text(self._folder.name)}")
        self._do(f"SET threads = {min(THREADS, os.cpu_count() or 1)}")
        self._do("SET enable_progress_bar_print = false")  # it would stand on standard output
        self._do(f"SET enable_progress_bar = {self.watch is not None}")
        try:
            self._files = {} if self.form == "parquet" else self._seen()
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
            with asking():
                try:
                    return self._database.execute(text)
                except self._full:
                    self._database.execute(f"SET memory_limit = '{MORE_MEMORY}'")
                    return self._database.execute(text)
        except self._fault as fault:
            raise LogFault(f"{self.paths[0]}: {_reason(fault)}") from None

    def _seen(self) -> dict[str, TextFile]:
        """The files of text, by the paths of what is to be read: the very files, or copies in UTF-8. Raises
        ``LogFault``."""
        found = {}
        encoding = self.reads.encoding if self.reads is not None else None
        for number, path in enumerate(self.paths):
            try:
                one = TextFile.seen(path, encoding, self.form != "jsonl")
                found[one.in_utf_8(self._folder.name, number)] = one
            except NoText as fault:
                if self.form == "jsonl" and str(fault) == EMPTY:
                    continue  # nothing has happened
                hint = ": say in the mapping how it is, as reads: {encoding: latin-1}"
                raise LogFault(f"{path} {fault}{hint if 'is not written' in str(fault) else ''}") from None
        return found

    def _described(self) -> dict[str, Column]:
        """The columns of the log by their names."""
        if self.form == "jsonl":
            return {}
        asked = "DESCRIBE SELECT * FROM"
        try:
            rows = self._do(f"{asked} {self._scan()}").fetchall()
        except LogFault as fault:
            if self.form == "parquet":
                said = str(fault).removeprefix(f"{self.paths[0]}: ")
                raise LogFault(f"{self.paths[0]} is no Parquet, or is cut short: {said}") from None
            self._lenient = True  # lines that end in several ways are no table to a strict reader
            rows = self._do(f"{asked} {self._scan()}").fetchall()
        if self.form == "parquet" and len(self.paths) > 1:
            self._as_texts = frozenset(row[0] for row in rows if row[1] == "VARCHAR")
        called = self._names([row[0] for row in rows])
        found: dict[str, Column] = {}
        for name, (inner, kind, *_) in zip(called, rows, strict=True):
            found.setdefault(name, Column(_name(inner), kind))
        for name, column in [*found.items()]:
            found |= {each: inner for each, inner in self._nested(name, column).items() if each not in found}
        return found

    def _names(self, inner: list[str]) -> list[str]:
        """What columns are called in the log: DuckDB calls them otherwise where names differ in case alone."""
        if self.form == "parquet":
            said = self._names_in_parquet()
        elif len(self._files) == 1:
            said = self._names_in_text(*self._files)
        else:
            return inner
        alike = len(said) == len(inner) and all(
            mine.casefold().startswith(theirs.casefold()) for mine, theirs in zip(inner, said, strict=True)
        )
        return said if alike and all(said) else inner

    def _names_in_text(self, path: str) -> list[str]:
        """The names in the first line of a file, as it has them; none where DuckDB does not tell how it reads it."""
        try:
            asked = f"SELECT Delimiter, Quote, SkipRows FROM sniff_csv({self._read_as(path)}, ignore_errors = true)"
            sign, quote, skipped = self._do(asked).fetchone()
        except LogFault:
            return []
        plain: dict[str, Any] = {"quotechar": quote} if len(quote) == 1 else {"quoting": csv.QUOTE_NONE}
        lines = self._files[path].begins.splitlines(keepends=True)[skipped:]
        return [each.strip() for each in next(csv.reader(lines, delimiter=sign, **plain), [])]

    def _names_in_parquet(self) -> list[str]:
        """The names of the columns of the first file, as it has them."""
        rows = self._do(f"SELECT name, num_children FROM parquet_schema({_text(self.paths[0])})").fetchall()
        found, place = [], 1
        while place < len(rows):
            found.append(str(rows[place][0]))
            left = 1
            while left:  # it and what is nested in it
                left += int(rows[place][1] or 0) - 1
                place += 1
        return found

    def _nested(self, name: str, column: Column) -> dict[str, Column]:
        """The fields of a column that is a structure, by dotted names."""
        if not column.kind.startswith("STRUCT("):
            return {}
        asked = f"DESCRIBE SELECT unnest({column.inner}) FROM {self._scan()}"
        found: dict[str, Column] = {}
        for field_, kind, *_ in self._do(asked).fetchall():
            inner = Column(f"struct_extract({column.inner}, {_text(field_)})", kind)
            found[f"{name}.{field_}"] = inner
            found |= self._nested(f"{name}.{field_}", inner)
        return found

    def _scan(self) -> str:
        """The table function that reads the files."""
        if self.form == "parquet" and self._as_texts:
            return "(" + " UNION ALL BY NAME ".join(map(self._read_parquet, self.paths)) + ")"
        if self.form == "parquet":
            return f"read_parquet([{', '.join(map(_text, self.paths))}], union_by_name = true)"
        read = self._read_lines if self.form == "jsonl" else self._read_csv
        if len(self._files) == 1:
            return read(*self._files)
        # DuckDB notes rejects only of files read one by one
        return "(" + (" UNION ALL BY NAME ".join(f"FROM {read(path)}" for path in self._files) or NO_LINES) + ")"

    def _read_parquet(self, path: str) -> str:
        """What reads one file of several, of which some have texts where others have numbers: all as texts."""
        found = self._do(f"DESCRIBE FROM read_parquet({_text(path)})").fetchall()
        numbers = [Column(_name(name), kind) for name, kind, *_ in found if name in self._as_texts]
        said = ", ".join(f"{each.text} AS {each.inner}" for each in numbers)
        return f"SELECT *{f' REPLACE ({said})' if said else ''} FROM read_parquet({_text(path)})"

    def _read_lines(self, path: str) -> str:
        """The table function that reads one file as lines, or as the objects of the one array that it is."""
        file = self._files[path]
        packed = f"compression = '{'gzip' if file.packed and path == file.path else 'none'}'"
        if file.holds_array:
            objects = f"read_json_objects({_text(path)}, format = 'array', {packed})"
            return f"(SELECT CAST(json AS VARCHAR) AS line FROM {objects})"
        return (
            f"read_csv({_text(path)}, columns = {{'line': 'VARCHAR'}}, delim = '\\x01', quote = '', escape = '', "
            f"header = false, auto_detect = false, strict_mode = false, max_line_size = {LONGEST_LINE}, {packed}, "
            "null_padding = true, ignore_errors = true, store_rejects = true)"
        )

    def _read_csv(self, path: str) -> str:
        """The table function that reads one file."""
        return f"read_csv({self._read_as(path)}, ignore_errors = true, store_rejects = true)"

    def _read_as(self, path: str) -> str:
        """How one file is read."""
        reads, file = self.reads, self._files[path]
        said = ["all_varchar = true", "header = true"]
        separator = reads.separator if reads is not None and reads.separator else "\t" if self.form == "tsv" else None
        said += ["strict_mode = false"] if self._lenient else []
        said += [f"delim = {_text(separator)}"] if separator else []
        said += [f"compression = '{'gzip' if file.packed and path == file.path else 'none'}'"]
        return f"{_text(path)}, {', '.join(said)}"

    def demand(self, names: Iterable[str]) -> None:
        """Raise ``LogFault`` where the log lacks one of these columns. What its first line has is told where it names
        one of them at least: else it may be no line of names."""
        from carepolicy.policy.likeness import did_you_mean, nearest

        wanted = [*names]
        missing = [each for each in wanted if each not in self._found]
        if not missing or self.form == "jsonl":
            return
        hint = did_you_mean(missing[0], self.columns)
        if len(missing) == len(wanted) and nearest(missing[0], self.columns) is None:
            hint = (
                "its first line names none of those that the mapping reads: is it that of the names, and what stands "
                "between them (reads: {separator: …})?"
            )
        raise LogFault(f'{self.paths[0]} has no column "{missing[0]}"' + (f"; {hint}" if hint else ""))

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The rows of each subject, in the order of the subjects; of each row its number, a hash of all its columns,
        and the values of ``columns`` as texts, instants among them in ISO 8601."""
        values = ", ".join(self._value(each) for each in columns)
        if self.form == "jsonl":  # of what is no object there is none
            sum_ = "CASE WHEN json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT' THEN hash(line) END"
        else:
            sum_ = f"hash({', '.join(dict.fromkeys(each.inner for each in self._found.values()))})"
        inside = f"SELECT *, row_number() OVER () AS carepolicy_row FROM {self._scan()}"
        asked = f"SELECT {self._value(subject)} AS s, carepolicy_row, {sum_} AS h"
        text = f"{asked}{', ' if values else ''}{values} FROM ({inside}) WHERE {self._mine('s')}"
        yield from self._grouped(text, "s NULLS FIRST, carepolicy_row")
        if self.part[0] == 0:
            self._note_rejects()

    def sample(self, most: int) -> list[dict[str, str | None]]:
        """The first rows, by column."""
        if self.form == "jsonl":
            lines = self._do(f"SELECT line FROM {self._scan()} WHERE json_valid(line) LIMIT {most}").fetchall()
            return [_flat(orjson.loads(line)) for (line,) in lines]
        names = ", ".join(each.text for each in self._found.values())
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
            while True:
                with asking():
                    rows = found.fetchmany(FETCHED)
                if not rows:
                    break
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
        if self.form == "jsonl":
            path = "$." + ".".join(f'"{each}"' for each in column.split("."))
            whole = f'$."{column}"'
            name = f"coalesce(json_extract_string(CASE WHEN json_valid(line) THEN line END, {_text(whole)}), "
            name += f"json_extract_string(CASE WHEN json_valid(line) THEN line END, {_text(path)}))"
            found = Column(name, "VARCHAR")
        else:
            found = self._found[column]
        kind = found.kind
        if column not in self.times:
            return found.text
        if kind == "TIMESTAMP WITH TIME ZONE":  # in UTC, as the connection is: 2026-03-02 09:00:00+00
            return f"replace({found.text}, ' ', 'T') || ':00'"
        if kind.startswith(("TIMESTAMP", "DATE")):
            return f"CAST(CAST({found.inner} AS TIMESTAMP) AS VARCHAR)"
        return _instant(found.text, self.reads.time_format if self.reads is not None else None)

    def _note_rejects(self) -> None:
        """Note which lines made no row."""
        if not any(self.form != "jsonl" or not each.holds_array for each in self._files.values()):
            return
        rows = self._do(
            "SELECT file_path, line, any_value(error_type), any_value(error_message) FROM reject_errors "
            "JOIN reject_scans USING (scan_id, file_id) GROUP BY file_path, line ORDER BY file_path, line"
        ).fetchall()
        names = 0 if self.form == "jsonl" else 1
        for path, line, kind, message in rows:
            log = f"{self._files[path].path}: " if len(self._files) > 1 and path in self._files else ""
            self.refused.append((int(line) - names, log + self._reject(kind, message)))

    def _reject(self, kind: str, message: str) -> str:
        """Why a line made no row, in plain words."""
        if kind == "INVALID ENCODING":
            hint = "" if self.reads is not None and self.reads.encoding else "; reads: {encoding: latin-1} may read it"
            return f"the line is not written in UTF-8{hint}"
        counts = re.findall(r"\d+", message)
        if kind.endswith("COLUMNS") and len(counts) == 2:
            said = "1 column" if counts[1] == "1" else f"{counts[1]} columns"
            return f"the line has {said}, and the first line names {counts[0]}"
        if kind == "LINE SIZE OVER MAXIMUM":
            return f"the line has more than {LONGEST_LINE:,} bytes"
        if kind == "UNQUOTED VALUE":
            return "a quotation mark in the line is not closed, or stands within a value"
        return _sentence(message)


def _flat(value: Any, name: str = "") -> dict[str, str | None]:
    """The texts of a JSON object by dotted names, as a mapping meets them."""
    if isinstance(value, dict):
        found: dict[str, str | None] = {}
        for key, inner in value.items():
            found |= _flat(inner, f"{name}.{key}" if name else str(key))
        return found
    if not name or isinstance(value, list):
        return {}
    return {name: None if value is None else str(value).lower() if isinstance(value, bool) else str(value)}


def _instant(name: str, form: str | None) -> str:
    """SQL that makes ISO 8601 of a text that is written in a format; another text stays as it is."""
    if form is None:
        return name
    number = f"TRY_CAST(replace({name}, ',', '.') AS DOUBLE)"
    if form in (UNIX, UNIX_MS):
        scale = 1_000_000 if form == UNIX else 1_000
        read = f"CAST(make_timestamp(TRY_CAST({number} * {scale} AS BIGINT)) AS VARCHAR) || '+00:00'"
    elif form == EXCEL:
        micros = f"TRY_CAST(round({number} * 86400) AS BIGINT)"
        least, most = -25_000, 3_000_000  # outside of which no year is written
        read = f"CAST(TIMESTAMP '{SPREADSHEETS_BEGIN}' + to_seconds({micros}) AS VARCHAR)"
        read = f"CASE WHEN {number} BETWEEN {least} AND {most} THEN {read} END"
    else:
        read = f"CAST(try_strptime({name}, {_text(form)}) AS VARCHAR)"
    return f"coalesce({read}, {name})"


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
    if os.path.isdir(path):
        raise LogFault(f"{path} is a folder: name the logs in it")
    known = ", ".join(sorted({*FORMATS.values()}))
    raise LogFault(f"{path}: by its name it is no log; say in the mapping which it is (reads: {{format: …}}): {known}")
