"""``carepolicy event``: one event, durably, or one after the other from standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import orjson

from carepolicy.cli import completion
from carepolicy.cli.letters import Letters
from carepolicy.cli.sets import policies_option, quiet_option
from carepolicy.cli.status import HARMLESS, NO, CommandError, say
from carepolicy.cli.stores import open_or_exit, operation_or_exit, store_option
from carepolicy.cli.times import lateness_of, lateness_option, near_of, wall_clock, yes_option
from carepolicy.engine.instants import text_of
from carepolicy.engine.intake import numbered_lines
from carepolicy.store.live.batch import Wall
from carepolicy.store.live.entry import NotTyped, completed, event_line, facts_of, fate_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.machine.program import Bundle
    from carepolicy.store.live.operation import Done, Operation

SOURCE = "/carepolicy/cli"
"""Where an event comes from that does not say it."""

STDIN = "-"
NOTED = 60_000_000
"""Microseconds ahead of the clock from which on it is told that an event had to be put there."""


@click.command(
    epilog="\b\nExamples:\n  carepolicy event email_received order-1001 customer.email=x@example.org\n"
    '  carepolicy event reply_sent order-1001 --at "2026-03-02 10:15" --id reply-77\n'
    "  carepolicy event email_received order-1001 - < facts.json\n"
    "  tail -f events.jsonl | carepolicy event -\n"
)
@click.argument("type_", metavar="TYPE", shell_complete=completion.events)
@click.argument("subject", required=False, shell_complete=completion.subjects)
@click.argument("data", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=completion.facts)
@click.option("--at", metavar="TIME", help="When it happened; default: now.")
@click.option("--id", "identity", metavar="ID", help="The event's id; once it was taken, a second one has no effect.")
@click.option("--source", default=SOURCE, show_default=True, help="Where the event comes from.")
@lateness_option
@yes_option
@store_option
@policies_option
@quiet_option
def command(
    type_: str, subject: str | None, data: tuple[str, ...], at: str | None, identity: str | None, source: str,
    lateness: str | None, yes: bool, store: str, policies: str, quiet: bool,
) -> None:  # fmt: skip
    """Let an event happen to SUBJECT, and print the records of what follows from it.

    It is kept in the store before the records are printed. KEY=VALUE is a fact that the event brings,
    typed as organisation.yaml says; KEY= takes its value away. What other users of the machine must not see in the
    list of processes comes on standard input: - in place of KEY=VALUE reads the facts as one JSON object. Exit
    status 1 means that it was rejected, came before, or that a card number in it was masked.

    `carepolicy event -` reads events from standard input (CloudEvents 1.0, one JSON object a line; without a time it
    happens now, without an id it gets one). Each is on the disk before its records are printed, and behind them a line
    that says what became of it: {"line":1,"source":"/shop","id":"m-1","is":"taken"}, or "held", "duplicate" or
    "refused", with the codes of what was wrong.
    """
    _demand_sense(type_, subject, at, identity)
    wall = Wall(wall_clock, lateness_of(lateness), yes)
    with open_or_exit(store, policies=policies) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        if type_ == STDIN:
            clean = _take_all(operation, wall, source, quiet)
        else:
            when = near_of(at, bundle, "--at", wall_clock(), yes)
            line = _line(bundle, type_, subject or "", data, when, identity, source)
            done = operation.take([(1, line)], wall)
            clean = not set(done.tally) - HARMLESS
            _tell(done, subject, quiet)
    if not clean:
        raise SystemExit(NO)


def _demand_sense(type_: str, subject: str | None, at: str | None, identity: str | None) -> None:
    if type_ == STDIN:
        if subject is not None or at is not None or identity is not None:
            raise CommandError(
                "events on standard input say themselves what they are about, and when: leave the rest out"
            )
    elif subject is None:
        raise CommandError(f"which subject does {type_} happen to? Write: carepolicy event {type_} SUBJECT")


def _line(
    bundle: Bundle, type_: str, subject: str, data: tuple[str, ...], at: int | None, identity: str | None, source: str
) -> bytes:
    """The event that was typed, as a line."""
    typed = [each for each in data if each != STDIN]
    try:
        told = facts_of(sys.stdin.buffer.read()) if len(typed) < len(data) else {}
        when = None if at is None else text_of(at)
        return event_line(bundle, type_, subject, typed, when, identity, source, told)
    except NotTyped as fault:
        raise CommandError(str(fault)) from None


def _tell(done: Done, subject: str | None, quiet: bool) -> None:
    if not quiet:
        sys.stdout.write(done.records)
    letters = Letters(numbered=False)
    letters.take(done.letters)
    letters.end()
    if done.ahead > NOTED:
        say(f"note: {subject} has seen a later time than now, so the event stands there")
    if done.held:
        say("held back for what may be told late; `carepolicy tick` lets it happen")


def _take_all(operation: Operation, wall: Wall, source: str, quiet: bool) -> bool:
    """Take each line of standard input, and answer it when it is on the disk; whether all was clean."""
    clean = True
    for lines in numbered_lines(_blocks(sys.stdin.buffer)):
        for number, line in lines:
            whole, named, identity = completed(line, source)
            done = operation.take([(number, whole)], wall)
            _answer(number, named, identity, done, quiet)
            clean = clean and not set(done.tally) - HARMLESS
    return clean


def _blocks(source: Any) -> Iterator[bytes]:
    """What has come, without waiting for more."""
    while block := source.read1(1 << 16):
        yield block


def _answer(number: int, source: str | None, identity: str | None, done: Done, quiet: bool) -> None:
    told: dict[str, Any] = {"line": number, "source": source, "id": identity, "is": fate_of(source, identity, done)}
    if done.tally:
        told["codes"] = sorted(done.tally)
    sys.stdout.write(f"{'' if quiet else done.records}{orjson.dumps(told).decode()}\n")
    sys.stdout.flush()
