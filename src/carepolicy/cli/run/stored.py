"""``carepolicy run --store``: the same run, durably, in transactions, and resumed where it was stopped."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from carepolicy.cli.letters import Letters
from carepolicy.cli.status import USAGE, CommandError
from carepolicy.cli.stores import open_or_exit, operation_or_exit
from carepolicy.cli.times import near_of, wall_clock
from carepolicy.engine.codes import CODES
from carepolicy.engine.intake import numbered_lines
from carepolicy.files import sync_name
from carepolicy.store import faults
from carepolicy.store.cases.search import count_open
from carepolicy.store.live.inputs import Input, is_whole
from carepolicy.store.live.run import OtherInput, StoredRun, Unfinished
from carepolicy.store.live.workers import SharedRun, survey

if TYPE_CHECKING:
    from collections import Counter

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.live.workers import Survey

_TIME = re.compile(r"(\d{1,6})(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}

LARGEST = 100_000
FIRST = 1_000
"""Lines of the first transaction where its size is given as a time."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was asked for, as it was written on the command line."""

    file: str
    policies: str
    until: str | None
    workers: int
    output: str | None
    dead_letters: str | None
    lateness: str | None
    store: str | None
    batch: str | None
    resume: bool
    final: bool
    yes: bool
    reveal: bool
    quiet: bool


class Pace:
    """How many lines go into one transaction: so many, or as many as take about so long."""

    def __init__(self, text: str) -> None:
        timed = _TIME.fullmatch(text.strip())
        if timed is None and not (text.isdecimal() and 1 <= int(text) <= LARGEST):
            raise CommandError(
                f'--batch "{text}": a number of events from 1 to {LARGEST:,}, or a time such as 500ms or 2s'
            )
        self._seconds = int(timed[1]) * _SECONDS[timed[2]] if timed else None
        self.lines = FIRST if timed else int(text)
        self.begun = time.monotonic()

    def took(self, lines: int, seconds: float) -> None:
        """Learn from a transaction."""
        if self._seconds is not None and seconds > 0:
            self.lines = max(1, min(LARGEST, int(lines * self._seconds / seconds), 10 * lines))


class Growing:
    """A file of lines that a resumed run goes on with: what it lacks at its end is put there first."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.is_file = os.path.isfile(path) or not os.path.exists(path)
        try:
            mode = "wb" if not self.is_file else "r+b" if os.path.exists(path) else "w+b"
            self._file = open(path, mode)  # noqa: SIM115 - close() closes it
        except OSError as fault:
            raise CommandError(f"{path} cannot be written: {fault.strerror}") from None

    def begin(self, keep: bool, least: int, most: int | None) -> int:
        """Go to the end of the last whole line, or empty the file; how many lines are kept. Refuses a file that has
        fewer than the ``least`` or more than the ``most`` that it may have."""
        if not self.is_file:  # a pipe or a device keeps nothing that could be gone on with
            return most or 0
        lines, end = 0, 0
        if keep:
            for line in self._file:
                if line.endswith(b"\n"):
                    lines, end = lines + 1, end + len(line)
        if lines < least or (most is not None and lines > most):
            raise CommandError(
                f"{self._path} has {lines:,} lines, but the run that is to go on wrote {least:,} to {most:,}; "
                "name the file that it wrote"
            )
        self._file.seek(end)
        self._file.truncate()
        return lines

    def write(self, text: str) -> None:
        """Add text."""
        self._file.write(text.encode())
        self._file.flush()

    def close(self) -> None:
        """Close the file, which is then on the disk."""
        if self.is_file:
            os.fsync(self._file.fileno())
            sync_name(self._path)
        self._file.close()


def run_with_store(url: str, options: RunOptions, lateness: int, source: Any, blocks: Iterator[bytes]) -> Counter[str]:
    """Run the blocks of an input, each subject's events held back for ``lateness`` microseconds; what was not taken, by
    its code."""
    pace = Pace(options.batch or "1000")
    with ExitStack() as stack:
        store = stack.enter_context(open_or_exit(url, policies=options.policies))
        operation, bundle = operation_or_exit(store, options.policies)
        end = near_of(options.until, bundle, "--until", wall_clock(), options.yes)
        name = "-" if options.file == "-" else os.path.realpath(options.file)
        read = Input(blocks)
        log = _shareable(store, options, lateness, source, bundle) if options.workers > 1 else None
        if log is None:
            run = StoredRun(operation, name, read, lateness)
        else:
            run = SharedRun(operation, name, read, log, options.workers)
        try:
            run.open(options.resume)
            told = _Outputs(stack, run, options)
            try:
                if isinstance(run, SharedRun):
                    taken = run.take_all(options.file, pace.lines, options.final)
                else:
                    taken = _pump(run, told, pace, _is_file(source), options.final)
                if not taken:
                    click.echo("note: the last line has no end yet and is left for --resume (or --final)", err=True)
                _finish(run, told, end)
            finally:
                told.flush()
                if not options.quiet:
                    _say(run, store)
        except (OtherInput, Unfinished) as fault:
            raise CommandError(str(fault), USAGE) from None
        return run.progress.tally


def _shareable(store: Store, options: RunOptions, lateness: int, source: Any, bundle: Bundle) -> Survey | None:
    """The log, where several workers give the same records of it as one; where they would not, one does it, and this is
    said."""
    if not store.many_writers:
        raise CommandError("several workers need a store in PostgreSQL; SQLite has one writer at a time")
    if options.file == "-" or lateness:
        raise CommandError("several workers need a file that each can read, and no --lateness")
    reason, log = "", None
    if any(program.key or program.stratum for program in bundle.programs) or bundle.watches:
        reason = "flows or watches bring events of several subjects together"
    else:
        log = survey(source)
        if log.merges:
            reason = "events join subjects"
        elif log.crossing:
            ids = "1 id stands" if log.crossing == 1 else f"{log.crossing:,} ids stand"
            reason = f"{ids} under several subjects"
    if reason:
        click.echo(f"note: {reason}, so one worker takes the events in their order", err=True)
    return None if reason else log


class _Outputs:
    """Where records and dead letters go. With lateness, and at the end, records wait until their order is known."""

    def __init__(self, stack: ExitStack, run: StoredRun, options: RunOptions) -> None:
        self._run = run
        self._records: Growing | None = None
        self._letters = Letters(quiet=options.quiet)
        self._lines = run.progress.before if run.deferred else run.lines_written()
        self._buried = 0
        progress, new = run.progress, run.is_new
        if options.output is not None:
            self._records = self._opened(stack, options.output)
            behind = progress.behind
            kept = self._records.begin(
                options.resume, progress.before + behind, None if new else progress.records + behind
            )
            if new:
                run.note_files(kept, progress.letters_behind)
            if self._records.is_file:
                self._lines = kept - progress.behind
            if not run.deferred:
                self._write_all(until_the_end=False)
        if options.dead_letters is not None:
            file = self._opened(stack, options.dead_letters)
            self._letters = Letters(file.write)
            behind = progress.letters_behind
            kept = file.begin(
                options.resume, progress.letters_before + behind, None if new else progress.letters + behind
            )
            if new:
                run.note_files(progress.behind, kept)
            self._buried = kept - progress.letters_behind
            if not run.deferred:
                self._bury_all()

    def _opened(self, stack: ExitStack, path: str) -> Growing:
        file = Growing(path)
        stack.callback(file.close)
        return file

    def take(self, records: str, letters: list[str]) -> None:
        """Tell what one transaction did."""
        if not self._run.deferred:
            self._write(records)
            self._letters.take(letters)

    def take_end(self) -> None:
        """Tell what had to wait."""
        self._write_all(until_the_end=True)
        if self._run.deferred:
            self._bury_all()

    def _write_all(self, until_the_end: bool) -> None:
        for line in self._run.written(self._lines, until_the_end):
            self._write(line)

    def _bury_all(self) -> None:
        self._letters.take(self._run.buried(self._buried))

    def _write(self, text: str) -> None:
        if not text:
            return
        self._lines += text.count("\n")
        if self._records is not None:
            self._records.write(text)
        else:
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()

    def flush(self) -> None:
        """Let what was written be seen."""
        sys.stdout.flush()


def _pump(run: StoredRun, told: _Outputs, pace: Pace, whole: bool, final: bool) -> bool:
    """Take the lines behind those that were taken before, in transactions. What has come through a pipe is not kept
    waiting for more. False where the last line of a file is left, since it is no whole event and no line break ends it;
    the end of a pipe is one."""
    waiting: list[tuple[int, bytes]] = []
    open_end, left = False, 0
    for lines in numbered_lines(run.source):
        open_end = run.source.is_unfinished
        if open_end and whole and not final and not is_whole(lines[0][1]):
            left = lines[0][0]
            break
        waiting += run.unread(lines)
        while len(waiting) >= pace.lines or (waiting and not whole):
            taken, waiting = waiting[: pace.lines], waiting[pace.lines :]
            _commit(run, taken, told, pace, open_end and not waiting)
    run.demand_all(left)
    if waiting:
        _commit(run, waiting, told, pace, open_end and not left)
    return not left


def _commit(run: StoredRun, lines: list[tuple[int, bytes]], told: _Outputs, pace: Pace, open_end: bool) -> None:
    begun = time.monotonic()
    done = run.feed(lines, open_end)
    told.take(done.records, done.letters)
    pace.took(len(lines), time.monotonic() - begun)


def _finish(run: StoredRun, told: _Outputs, until: int | None) -> None:
    for done in run.finish(until):
        told.take("", done.letters)
    told.take_end()
    told.flush()
    run.end()


def _is_file(source: Any) -> bool:
    try:
        return bool(source.seekable())
    except (AttributeError, ValueError):
        return False


def _say(run: StoredRun, store: Any) -> None:
    progress = run.progress
    try:
        with store.reading() as transaction:
            cases = count_open(transaction)
    except faults.StoreFault:
        return  # what stopped the run is told
    click.echo(
        f"{progress.events:,} events, {progress.records:,} records; "
        f"{cases:,} cases open, {progress.lates:,} times late",
        err=True,
    )
    if progress.tally:
        told = ", ".join(f"{count:,} x {code} ({CODES[code].title})" for code, count in sorted(progress.tally.items()))
        click.echo(f"not clean: {told}", err=True)
