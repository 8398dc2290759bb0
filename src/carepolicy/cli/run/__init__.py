"""``carepolicy run``: events in, records out."""

from __future__ import annotations

import gc
import os
import shlex
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from carepolicy.cli.letters import Letters
from carepolicy.cli.run.stored import RunOptions, run_with_store
from carepolicy.cli.sets import bundle_or_exit, policies_option
from carepolicy.cli.status import HARMLESS, UNREACHABLE, CommandError
from carepolicy.cli.terminal import no_colour
from carepolicy.cli.times import lateness_of, until_of, until_option
from carepolicy.engine.codes import CODES
from carepolicy.engine.intake import numbered_lines, tells_of_merges
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.parallel import ParallelRun, WorkerDied
from carepolicy.engine.run import Run
from carepolicy.spool import spool

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle

BLOCK = 1 << 15
"""Bytes that are read at a time: few enough that a block's events and records stay in the processor's cache."""

SHARED_BLOCK = 1 << 17
"""The same where each of several workers gets a part of them."""

SELDOM = (1_000_000, 50, 1000)
"""After how many new objects Python looks for garbage while a run holds many open cases."""


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
        return run_with_store(url, options, lateness, source, _blocks(source, options.quiet))


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
        records: IO[bytes] = stack.enter_context(open(output, "wb")) if output else sys.stdout.buffer
        dead = stack.enter_context(open(dead_letters, "w", encoding="utf-8")) if dead_letters else None
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
    run: Run = Run(bundle, reveal, lateness) if workers == 1 else ParallelRun(bundle, reveal, lateness, workers)
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
