"""Times as people type them: ISO 8601, and without an offset in the organisation's zone; lengths of time; and now."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from carepolicy.businesstime.instants import microseconds
from carepolicy.cli.status import CommandError
from carepolicy.engine.instants import DAY, SECOND

if TYPE_CHECKING:
    from carepolicy.cli.sets import Command
    from carepolicy.machine.program import Bundle

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LATENESS = r"(\d{1,9}) ?(s|seconds?|m|min|minutes?|h|hours?|d|days?)"


def wall_clock() -> int:
    """Now, in microseconds since 1970."""
    return time.time_ns() // 1_000


def now_option(wanted: Command) -> Command:
    """``--now TIME``, as the parameter ``now``."""
    return click.option("--now", metavar="TIME", help="As if it were TIME; default: now.")(wanted)


def at_option(wanted: Command) -> Command:
    """``--at TIME``, as the parameter ``at``."""
    return click.option("--at", metavar="TIME", help="When; default: now.")(wanted)


def until_option(wanted: Command) -> Command:
    """``--until TIME`` of a log, as the parameter ``until``."""
    return click.option(
        "--until", metavar="TIME", help="Let timers fall due until TIME; default: the latest time read."
    )(wanted)


def lateness_option(command: Command) -> Command:
    """``--lateness DURATION`` of live operation, as the parameter ``lateness``."""
    return click.option(
        "--lateness",
        metavar="DURATION",
        help="Wait so long for events that are told late, and sort them (30s, 5m, 2h).",
    )(command)


def yes_option(command: Command) -> Command:
    """``--yes``, as the parameter ``yes``."""
    return click.option("--yes", is_flag=True, help="Also what is more than a day ahead of the clock.")(command)


def moment(text: str, timezone: str) -> datetime:
    """The instant that ``text`` names, in the zone ``timezone``. Refuses what is no time, or none that exists there.

    A local time that comes twice, when the clocks go back, is the first of the two.
    """
    from zoneinfo import ZoneInfo  # what happens now needs none

    zone = ZoneInfo(timezone)
    named = _typed(text)
    if named.tzinfo is None:
        named = named.replace(tzinfo=zone)
        if named.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != named.replace(tzinfo=None):
            raise _skipped(text, timezone)
    try:
        return named.astimezone(UTC).astimezone(zone)
    except OverflowError:
        raise CommandError(f'"{text}" is out of range') from None


def _typed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(f'"{text}" is no time that exists; write it as 2026-03-06 16:30') from None


def _skipped(text: str, timezone: str) -> CommandError:
    return CommandError(f'"{text}" does not exist in {timezone}: the clocks go forward over it')


def instant_of(text: str, bundle: Bundle) -> int:
    """Microseconds since 1970 of what ``moment`` says in the zone of a set, whose clock it knows for years."""
    named = _typed(text)
    if named.tzinfo is None and bundle.zone.knows(local := microseconds(named.replace(tzinfo=UTC))):
        instant = bundle.zone.reading(local)
        if instant is None:
            raise _skipped(text, bundle.timezone)
        return instant
    return microseconds(moment(text, bundle.timezone))


def until_of(text: str | None, bundle: Bundle) -> int | None:
    """Microseconds since 1970 of ``--until``; None where it was not given."""
    return None if text is None else instant_of(text, bundle)


def near_of(text: str | None, bundle: Bundle, option: str, now: int, far: bool) -> int | None:
    """As ``until_of``, for an option of a command on a store. What is more than a day ahead of the clock is refused
    unless ``far``: nothing earlier would be taken from then on, and what falls due by then cannot be undone."""
    at = until_of(text, bundle)
    if at is not None and at > now + DAY and not far:
        raise CommandError(
            f'{option} "{text}" is more than a day ahead of the clock: nothing that happens until then would be taken '
            "any more, and that cannot be undone. Add --yes if it is meant"
        )
    return at


def now_of(text: str | None, bundle: Bundle, far: bool = True) -> int:
    """The instant of ``--now``, or of the clock. What is more than a day ahead of that is refused unless ``far``."""
    clock = wall_clock()
    given = near_of(text, bundle, "--now", clock, far)
    return clock if given is None else given


def lateness_of(text: str | None) -> int:
    """Microseconds of ``--lateness``, such as 5m or 2 hours; none where it was not given."""
    if text is None:
        return 0
    found = re.fullmatch(_LATENESS, text.strip())
    if found is None:
        raise CommandError(f'"{text}" is no length of time; write it as 30s, 5m, 2h or 1d')
    return int(found[1]) * _UNITS[found[2][0]] * SECOND
