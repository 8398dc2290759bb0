"""``carepolicy run``: events in, records out; with a store in transactions, and resumed where it was stopped."""

from __future__ import annotations

import gc
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedWriter, TextIOWrapper
from typing import IO, TYPE_CHECKING, Any

import click

from carepolicy.cli.letters import Letters
from carepolicy.cli.sets import bundle_or_exit, policies_option
from carepolicy.cli.status import HARMLESS, UNREACHABLE, USAGE, CommandError, no_colour
from carepolicy.cli.stores import open_or_exit, operation_or_exit
from carepolicy.cli.times import lateness_of, near_of, until_of, until_option, wall_clock
from carepolicy.engine.codes import CODES
from carepolicy.engine.intake import numbered_lines, tells_of_merges
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.parallel import ParallelRun, WorkerDied
from carepolicy.engine.run import Run
from carepolicy.files import NamedFile, named, sync_name
from carepolicy.spool import spool
from carepolicy.store import faults
from carepolicy.store.cases.search import count_open
from carepolicy.store.live.inputs import Input, is_whole
from carepolicy.store.live.run import OtherInput, StoredRun, Unfinished
from carepolicy.store.live.workers import SharedRun, survey

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.live.workers import Survey

BLOCK = 1 << 15
"""Bytes that are read at a time: few enough that a block's events and records stay in the processor's cache."""

SHARED_BLOCK = 1 << 17
"""The same where each of several workers gets a part of them."""

SELDOM = (1_000_000, 50, 1000)
"""After how many new objects Python looks for garbage while a run holds many open cases."""

_TIME = re.compile(r"(\d{1,6})(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}

LARGEST = 100_000
FIRST = 1_000
"""Lines of the first transaction where its size is given as a time."""


@click.command(
    epilog="Example: carepolicy run events.jsonl --until 2026-04-01 --dead-letters dead.jsonl > records.jsonl"
)
@click.argument("file", required=False, default="-", metavar="[FILE]", type=click.Path())
@policies_option
@until_option
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes to share the work."
)
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(), help="Write records to FILE instead of standard output."
)
@click.option(
    "--dead-letters",
    metavar="FILE",
    type=click.Path(),
    help="Write what could not be taken to FILE, a JSON object a line.",
)
@click.option(
    "--lateness", metavar="DURATION", help="Hold each subject's events back that long and sort them (5m, 2 hours)."
)
@click.option("--store", metavar="URL", help="Keep everything in a store (sqlite:///FILE, postgresql://…).")
@click.option(
    "--batch", metavar="N|TIME", help="With --store: events in a transaction, or its time (500ms).  [default: 1000]"
)
@click.option("--resume", is_flag=True, help="With --store: go on where an earlier run of FILE was stopped.")
@click.option("--final", is_flag=True, help="With --store: take a last line that no line break ends, as it is.")
@click.option("--yes", is_flag=True, help="With --store: also an --until of more than a day ahead of the clock.")
@click.option("--reveal", is_flag=True, help="Let private facts stand in records and dead letters.")
@click.option("--quiet", "-q", is_flag=True, help="No summary and no progress bar.")
def command(**given: Any) -> None:
    """Run events (CloudEvents 1.0, one JSON object a line) through the policies.

    Events come from FILE or standard input. Records go to standard output, one JSON object a line, in
    the order of the events that caused them. Exit status 1 means that something was not clean:
    an event was rejected or came twice, or a card number had to be masked.

    With --store every batch is one transaction, and a run that was killed goes on with --resume; what
    --output names is then as if it had not been. Such a run works by the policies that are installed in
    the store. A log is known again by what it begins with, whatever it is called now; to what --output has from
    another log, --resume adds. A last line that is half written is left for the next --resume.
    """
    options = RunOptions(**given)
    if options.store is not None:
        if options.reveal:
            raise CommandError("--reveal does not go with --store")
        tally = _stored_tally(options.store, options, lateness_of(options.lateness))
    elif options.batch is not None or options.resume or options.final or options.yes:
        raise CommandError("--batch, --resume, --final and --yes go with --store")
    else:
        tally = _tally(options)
    if set(tally) - HARMLESS:
        raise SystemExit(1)


def _stored_tally(url: str, options: RunOptions, lateness: int) -> Counter[str]:
    """Run events with a store; what was not taken, by its code."""
    with ExitStack() as stack:
        source = _source(stack, options.file)
        return _run_with_store(url, options, lateness, source, _blocks(source, options.quiet))


def _tally(options: RunOptions) -> Counter[str]:
    """Run events without a store; what was not taken, by its code."""
    bundle = bundle_or_exit(options.policies)
    end = until_of(options.until, bundle)
    held = lateness_of(options.lateness)
    with ExitStack() as stack:
        source, workers = _source(stack, options.file), options.workers
        if options.file != "-":
            _refuse_other_encodings(source.peek(4), options.file)
        if workers > 1:
            source, workers = _shareable(stack, source, workers)
        output, dead_letters = options.output, options.dead_letters
        _refuse_overwriting(options.file, output, dead_letters)
        records: IO[bytes] = stack.enter_context(BufferedWriter(NamedFile(output))) if output else sys.stdout.buffer
        dead = stack.enter_context(_text_file(dead_letters)) if dead_letters else None
        stack.enter_context(_telling_of_dead_workers())
        stack.enter_context(seldom_collected())
        runner = stack.enter_context(_runner(bundle, options.reveal, held, workers))
        letters = Letters(None if dead is None else dead.write, options.quiet)
        try:
            blocks = _blocks(source, options.quiet, BLOCK if workers == 1 else SHARED_BLOCK)
            _pump(runner, blocks, records, letters, end)
        finally:
            records.flush()
            if not options.quiet:
                _say(runner, dead_letters)
    tally: Counter[str] = runner.tally
    return tally


def _text_file(path: str) -> TextIOWrapper:
    return TextIOWrapper(BufferedWriter(NamedFile(path)), encoding="utf-8")


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Inside, Python looks for cycles of garbage seldom.

    Cases, rounds and records hold no cycles: they go when nothing refers to them. With many open cases
    the collector would look through all of them again and again and find nothing, which took a seventh of a run.
    Afterwards what is left counts as old, so that it is not looked through at once.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:  # else somebody's frozen objects would be thawed with ours
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)


def _source(stack: ExitStack, file: str) -> Any:
    if file == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(open(file, "rb"))
    except OSError as fault:
        raise CommandError(f"{file} cannot be read: {fault.strerror}") from None


def _refuse_other_encodings(begin: bytes, file: str) -> None:
    """Say of a file that is no text in UTF-8 what it is, once, and not line by line."""
    if begin.startswith(b"\x1f\x8b"):
        raise CommandError(f"{file} is compressed; say: gunzip --stdout {shlex.quote(file)} | carepolicy run")
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CommandError(f"{file} is in UTF-16; say: iconv --to-code UTF-8 {shlex.quote(file)} | carepolicy run")


def _refuse_overwriting(file: str, output: str | None, dead_letters: str | None) -> None:
    """Two names of one regular file among what is read and written: one would destroy the other."""
    named = [each for each in (file, output, dead_letters) if each not in (None, "-")]
    known = [os.stat(each) for each in named if os.path.isfile(each)]
    paths = [os.path.realpath(each) for each in named if not os.path.exists(each)]
    if len({(each.st_dev, each.st_ino) for each in known}) < len(known) or len(set(paths)) < len(paths):
        raise CommandError("the events, the records and the dead letters need a file each")


def _shareable(stack: ExitStack, source: Any, workers: int) -> tuple[Any, int]:
    """The input, and how many processes may share it: a log that joins subjects is for one.

    What cannot be read twice, such as a pipe, is copied to a temporary file to find out.
    """
    if not source.seekable():
        piped, source = source, tempfile.TemporaryFile()  # noqa: SIM115 - the stack closes it
        stack.enter_context(source)
        shutil.copyfileobj(piped, source)
        source.seek(0)
    return source, 1 if tells_of_merges(source) else workers


@contextmanager
def _telling_of_dead_workers() -> Iterator[None]:
    try:
        yield
    except WorkerDied as fault:
        raise CommandError(str(fault), UNREACHABLE) from None


def _runner(bundle: Bundle, reveal: bool, lateness: int, workers: int) -> Any:
    run: Run
    if workers == 1:
        run = Run(bundle, reveal, lateness, as_lines=True)
    else:
        run = ParallelRun(bundle, reveal, lateness, workers)
    return OrderedRun(run, spool)


def _pump(runner: Any, blocks: Iterator[bytes], records: IO[bytes], letters: Letters, until: int | None) -> None:
    for lines in numbered_lines(blocks):
        text = runner.feed(lines)
        if text:
            records.write(text.encode())
            records.flush()
        letters.take(runner.dead)
        runner.dead.clear()
    for written in runner.finish_bytes(until):
        records.write(written)
    letters.take(runner.dead)


def _blocks(source: Any, quiet: bool, most: int = BLOCK) -> Iterator[bytes]:
    """Blocks of the input as they come; on a terminal with a bar that shows how far a file is read."""
    size = _size(source)
    if quiet or size is None or not sys.stderr.isatty():
        while block := source.read1(most):
            yield block
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=no_colour()), transient=True) as progress:
        task = progress.add_task("run", total=size)
        while block := source.read1(most):
            progress.advance(task, len(block))
            yield block


def _size(source: Any) -> int | None:
    try:
        size = os.fstat(source.fileno()).st_size
    except (OSError, ValueError):
        return None
    return size or None


def _say(runner: Any, dead_letters: str | None) -> None:
    """The summary: how many events and records, what is open and late, what was not taken and why."""
    tally: Counter[str] = runner.tally
    refused = dict(sorted(tally.items()))
    click.echo(
        f"{_number(runner.lines_read, 'event')}, {_number(runner.records_written, 'record')}; "
        f"{_number(runner.open_cases, 'case')} open, {_number(runner.late_rounds, 'time')} late",
        err=True,
    )
    if refused:
        told = ", ".join(f"{count:,} x {code} ({CODES[code].title})" for code, count in refused.items())
        where = f", see {dead_letters}" if dead_letters else ""
        click.echo(f"not clean: {told}{where}", err=True)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


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


class ContinuedFile:
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
        with named(self._path):
            self._file.write(text.encode())
            self._file.flush()

    def close(self) -> None:
        """Close the file, which is then on the disk."""
        with named(self._path):
            if self.is_file:
                os.fsync(self._file.fileno())
                sync_name(self._path)
            self._file.close()


def _run_with_store(url: str, options: RunOptions, lateness: int, source: Any, blocks: Iterator[bytes]) -> Counter[str]:
    """Run the blocks of an input, each subject's events held back for ``lateness`` microseconds; what was not taken, by
    its code."""
    pace = Pace(options.batch or "1000")
    with ExitStack() as stack:
        store = stack.enter_context(open_or_exit(url, policies=options.policies))
        operation, bundle = operation_or_exit(store, options.policies)
        end = near_of(options.until, bundle, "--until", wall_clock(), options.yes)
        name = "-" if options.file == "-" else os.path.realpath(options.file)
        read = Input(blocks)
        log = _shareable_log(store, options, lateness, source, bundle) if options.workers > 1 else None
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
                    taken = _pump_stored(run, told, pace, _is_file(source), options.final)
                if not taken:
                    click.echo("note: the last line has no end yet and is left for --resume (or --final)", err=True)
                _finish(run, told, end)
            except (faults.Full, faults.Busy, faults.Unreachable) as fault:
                raise type(fault)(f"{fault}; when that is mended, the same command with --resume goes on") from None
            finally:
                told.flush()
                if not options.quiet:
                    _say_stored(run, store)
        except (OtherInput, Unfinished) as fault:
            raise CommandError(str(fault), USAGE) from None
        return run.progress.tally


def _shareable_log(store: Store, options: RunOptions, lateness: int, source: Any, bundle: Bundle) -> Survey | None:
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
        self._records: ContinuedFile | None = None
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

    def _opened(self, stack: ExitStack, path: str) -> ContinuedFile:
        file = ContinuedFile(path)
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


def _pump_stored(run: StoredRun, told: _Outputs, pace: Pace, whole: bool, final: bool) -> bool:
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


def _say_stored(run: StoredRun, store: Any) -> None:
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
