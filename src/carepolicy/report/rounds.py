"""Every round of every clock, as a row of a table that is written while the audit runs."""

from __future__ import annotations

import csv
import heapq
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carepolicy.audit.tables import asking
from carepolicy.engine.instants import text_of
from carepolicy.files import FORMULAS, named, whole_or_not

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.measures import Round

MOST_BREACHES = 200
"""So many late rounds of a flow stand in its page, the latest of them; rounds.csv has all."""

MOST_LIMITS = 3
"""So many limits of a clock stand in its plot; of one that has more, as one until a day that the case names, none."""

COLUMNS = (
    "flow", "case", "clock", "verdict", "arrived", "decided", "used_seconds", "limit_seconds", "owner", "channel",
)  # fmt: skip

TYPES = {"arrived": "TIMESTAMPTZ", "decided": "TIMESTAMPTZ", "used_seconds": "DOUBLE", "limit_seconds": "DOUBLE"}
"""What columns are in Parquet; the others are texts."""

QUOTE = "'"


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """A late round: when its limit passed, of whom, which clock, who had the case, and when it had come."""

    when: int
    subject: str
    clock: str
    owner: str
    arrived: int


class Rounds:
    """Hears of each round (``told`` of a Replay) and writes it to a CSV file; a context, at whose end the file stands
    there whole, and beside it the same as Parquet. ``by`` names facts that are columns too.

    Cells that a spreadsheet would take for formulas begin with an apostrophe, and so do those that begin with one; in
    Parquet all are as they were.
    """

    def __init__(self, folder: str | os.PathLike[str], by: Sequence[str] = ()) -> None:
        self.breaches: dict[str, list[Breach]] = {}
        self.limits: dict[tuple[str, str], set[float]] = {}
        self._by = tuple(dict.fromkeys(by))
        self._folder = Path(folder)
        self._path = self._folder / "rounds.csv"
        self._kept = ExitStack()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns: those of any round, and the facts; one that is called as a column is ``fact.NAME``."""
        return (*COLUMNS, *(f"fact.{each}" if each in COLUMNS else each for each in self._by))

    def __enter__(self) -> Rounds:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._kept as kept:
            kept.enter_context(named(self._path))
            passing = kept.enter_context(whole_or_not(self._path))
            self._file = kept.enter_context(open(passing, "w", encoding="utf-8", errors="replace", newline=""))
            self._rows = csv.writer(self._file, lineterminator="\r\n")
            self._rows.writerow(map(defused, self.columns))
            self._kept = kept.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.__exit__(kind, value, trace)
        if kind is None:
            write_parquet(self._path, self.columns)

    def __call__(self, each: Round) -> None:
        """Write a round down."""
        facts = (cell_of(each.facts.get(name)) for name in self._by)
        self._rows.writerow(
            map(
                defused,
                (
                    each.flow, each.subject, each.clock, each.verdict, text_of(each.arrived), text_of(each.when),
                    cell_of(each.used), cell_of(each.limit), each.owner, each.channel, *facts,
                ),
            )
        )  # fmt: skip
        if each.limit is not None:
            limits = self.limits.setdefault((each.flow, each.clock), set())
            if len(limits) <= MOST_LIMITS:
                limits.add(each.limit)
        if each.verdict == "late":
            found = self.breaches.setdefault(each.flow, [])
            breach = Breach(each.when, each.subject, each.clock, each.owner, each.arrived)
            if len(found) < MOST_BREACHES:
                heapq.heappush(found, breach)
            else:
                heapq.heappushpop(found, breach)

    def latest(self, flow: str) -> list[Breach]:
        """The latest breaches of a flow, the last one first."""
        return sorted(self.breaches.get(flow, ()), reverse=True)


def cell_of(value: Any) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list | frozenset | set):
        return ", ".join(map(cell_of, value))
    return str(value)


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, from which the text can be told again."""
    return QUOTE + cell if cell.startswith((*FORMULAS, QUOTE)) else cell


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a small table as CSV, and as Parquet beside it."""
    with (
        named(path), whole_or_not(path) as passing,
        open(passing, "w", encoding="utf-8", errors="replace", newline="") as file,
    ):  # fmt: skip
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(columns)
        for row in rows:
            out.writerow([defused(cell_of(row[each])) for each in columns])
    write_parquet(path, columns)


def write_parquet(path: Path, columns: Sequence[str]) -> None:
    """Write a table that was written as CSV as Parquet beside it. No cell of ours begins with a tab, so that none is
    taken for what stands for none."""
    import duckdb  # optional: an audit has it

    def column(number: int, name: str) -> str:
        raw = f"c{number}"
        text = f"CASE WHEN starts_with({raw}, '''') THEN substr({raw}, 2) ELSE {raw} END"
        kind = TYPES.get(name) or ("DOUBLE" if name in NUMBERS else None)
        told = text if kind is None else f"TRY_CAST(NULLIF({text}, '') AS {kind})"
        return f'{told} AS "{name.replace(chr(34), chr(34) * 2)}"'

    kinds = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(columns)))
    wanted = ", ".join(column(number, name) for number, name in enumerate(columns))
    with whole_or_not(path.with_suffix(".parquet")) as passing, duckdb.connect(config={"threads": 1}) as connection:
        source, target = (str(each).replace("'", "''") for each in (path, passing))
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        with asking():
            connection.execute(
                f"COPY (SELECT {wanted} FROM read_csv('{source}', header = true, auto_detect = false, delim = ',', "
                f"quote = '\"', escape = '\"', nullstr = '\tnone', strict_mode = true, parallel = false, "
                f"max_line_size = 16777216, columns = {{{kinds}}})) "
                f"TO '{target}' (FORMAT parquet)"
            )


NUMBERS = frozenset({
    "rounds", "met", "late", "cancelled", "running", "share", "low", "high", "target", "p50", "p90", "p99", "visits",
    "again", "skipped", "followed", "open",
})  # fmt: skip
"""Columns of the small tables that are numbers."""
