"""What ``carepolicy event`` does when it is known what was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from carepolicy.cli.living import operation_or_exit, tell_letters, wall_clock
from carepolicy.cli.status import DONE, HARMLESS, NO, Refused, say
from carepolicy.cli.stores import open_or_exit
from carepolicy.cli.times import lateness_of, near_of
from carepolicy.engine.instants import text_of
from carepolicy.store.naming import storable
from carepolicy.store.typing_in import NotTyped, completed, event_line, facts_of
from carepolicy.store.wall import Wall

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.cli.plainly import Asked
    from carepolicy.machine.program import Bundle
    from carepolicy.store.operating import Done, Operation

STDIN = "-"
DUPLICATE = "CP909"
NOTED = 60_000_000
"""Microseconds ahead of the clock from which on it is told that an event had to be put there."""


def happen(asked: Asked) -> int:
    """Let one event happen in the store, or all of standard input; the exit status. Raises ``Refused``."""
    _demand_sense(asked)
    wall = Wall(wall_clock, lateness_of(asked.lateness), asked.yes)
    with open_or_exit(asked.store, policies=asked.policies) as opened:
        operation, bundle = operation_or_exit(opened, asked.policies)
        if asked.type_ == STDIN:
            return _take_all(operation, wall, asked)
        done = operation.take([(1, _line(asked, bundle))], wall)
    if not asked.quiet:
        sys.stdout.write(done.records)
    tell_letters(done.letters)
    if done.ahead > NOTED:
        say(f"note: {asked.subject} has seen a later time than now, so the event stands there")
    if done.held:
        say("held back for what may be told late; `carepolicy tick` lets it happen")
    return NO if set(done.tally) - HARMLESS else DONE


def _demand_sense(asked: Asked) -> None:
    if asked.type_ == STDIN:
        if asked.subject is not None or asked.at is not None or asked.identity is not None:
            raise Refused("events on standard input say themselves what they are about, and when: leave the rest out")
    elif asked.subject is None:
        raise Refused(f"which subject does {asked.type_} happen to? Write: carepolicy event {asked.type_} SUBJECT")


def _line(asked: Asked, bundle: Bundle) -> bytes:
    """The event that was typed, as a line."""
    at = near_of(asked.at, bundle, "--at", wall_clock(), asked.yes)
    time = None if at is None else text_of(at)
    typed = [each for each in asked.data if each != STDIN]
    try:
        told = facts_of(sys.stdin.buffer.read()) if len(typed) < len(asked.data) else {}
        return event_line(bundle, asked.type_, asked.subject or "", typed, time, asked.identity, asked.source, told)
    except NotTyped as fault:
        raise Refused(str(fault)) from None


def _take_all(operation: Operation, wall: Wall, asked: Asked) -> int:
    """Take each line of standard input, and answer it when it is on the disk."""
    from carepolicy.engine.lines import numbered_lines

    status = DONE
    for lines in numbered_lines(_blocks(sys.stdin.buffer)):
        for number, line in lines:
            whole, source, identity = completed(line, asked.source)
            done = operation.take([(number, whole)], wall)
            _answer(number, source, identity, done, asked.quiet)
            if set(done.tally) - HARMLESS:
                status = NO
    return status


def _blocks(source: Any) -> Iterator[bytes]:
    """What has come, without waiting for more."""
    while block := source.read1(1 << 16):
        yield block


def _answer(number: int, source: str | None, identity: str | None, done: Done, quiet: bool) -> None:
    import orjson

    told: dict[str, Any] = {"line": number, "source": source, "id": identity, "is": _fate(source, identity, done)}
    codes: Sequence[str] = sorted(done.tally)
    if codes:
        told["codes"] = codes
    sys.stdout.write(f"{'' if quiet else done.records}{orjson.dumps(told).decode()}\n")
    sys.stdout.flush()


def _fate(source: str | None, identity: str | None, done: Done) -> str:
    """What became of one event."""
    if done.held:
        return "held"
    if DUPLICATE in done.tally:
        return "duplicate"
    if done.refused or (storable(source or ""), storable(identity or "")) in done.untaken:
        return "refused"
    return "taken"
