"""``carepolicy due``: when a limit ends, and why then."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click
import orjson

from carepolicy.businesstime import Calendar, LimitError, NeverOpen, OutOfRange, parse_limit
from carepolicy.cli.completion import calendars
from carepolicy.cli.sets import (
    demand_language,
    format_option,
    language_option,
    policies_option,
    showing_errors,
    words_in,
)
from carepolicy.cli.status import CommandError
from carepolicy.cli.times import moment
from carepolicy.machine.bundle import load_bundle
from carepolicy.machine.timetable import timetable_of
from carepolicy.policy.likeness import did_you_mean
from carepolicy.translations import ENGLISH, Translation, msg, said_by_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carepolicy.businesstime import Limit
    from carepolicy.businesstime.explanation import Explanation
    from carepolicy.machine.timetable import Timetable


_DUE, _ZONE = msg("due {}"), msg("days and hours are those of {}")


@click.command(
    epilog='\b\nExamples:\n  carepolicy due "3 business hours" --from "2026-03-06 16:30" --explain\n'
    '  carepolicy due "1 business day before order.ship_by" --from 2026-03-02 --fact order.ship_by=2026-03-09\n'
)
@click.argument("duration")
@click.option("--from", "start", metavar="TIME", required=True, help="When the limit starts, as 2026-03-06 16:30.")
@click.option(
    "--calendar",
    metavar="NAME",
    shell_complete=calendars,
    help="The calendar to count in; default: the organisation's.",
)
@click.option("--fact", "facts", metavar="NAME=TIME", multiple=True, help="What a fact holds that the limit reads.")
@click.option("--explain", "why", is_flag=True, help="Say why: each interval counted, each day left out.")
@format_option("text", "json")
@language_option("The language of the explanation; default: English.")
@policies_option
def command(
    duration: str, start: str, calendar: str | None, facts: tuple[str, ...], why: bool, form: str,
    language: str | None, policies: str,
) -> None:  # fmt: skip
    """Say when a limit of DURATION ends: 3 business hours, 2 business days, 14 days, close of business day 1.

    Times without an offset are in the organisation's time zone, and so is the answer.
    """
    with showing_errors(policies):
        timetable = timetable_of(policies)
    words = _words(policies, language)
    begin = moment(start, timetable.timezone)
    limit = _limit(duration, timetable)
    counted_in = _calendar(calendar, timetable)
    values = _values(facts, timetable.timezone)
    missing = [name for name in limit.reads if name not in values]
    if missing:
        raise CommandError(f"the limit reads the fact {missing[0]}; say what it holds with --fact {missing[0]}=TIME")
    try:
        due = counted_in.due(begin, limit, values)
        explained = counted_in.explain(begin, limit, values, words=words) if why or form == "json" else None
    except (NeverOpen, OutOfRange) as problem:
        raise CommandError(str(problem)) from None
    if due is None:
        raise CommandError("the limit has no due time")
    if form == "json":
        click.echo(_json(explained, begin, due, limit, counted_in.name), nl=False)
    elif explained is not None:
        here = explained.start.utcoffset() == begin.utcoffset()
        zone = "" if here else f" ({words.gettext(_ZONE).format(counted_in.name)})"
        last = words.gettext(_DUE).format(due.isoformat(" "))
        click.echo("\n".join(explained.lines()[:-1]) + f"\n{last}{zone}")
    else:
        click.echo(due.isoformat(" "))


def _words(policies: str, language: str | None) -> Translation:
    if language is None:
        return Translation(ENGLISH)
    languages = load_bundle(policies).languages
    demand_language(language, languages, said_by_us())
    return words_in(policies, language)


def _limit(text: str, timetable: Timetable) -> Limit:
    named = text.strip()
    if named.startswith("settings."):
        name = named.removeprefix("settings.")
        if name not in timetable.settings:
            raise CommandError(f'there is no setting "{name}"; {_near(name, timetable.settings)}')
        text = timetable.settings[name]
    try:
        return parse_limit(text)
    except LimitError as fault:
        width = max(1, fault.end - fault.start)
        hint = f" {fault.hint}" if fault.hint else ""
        raise CommandError(f"{fault.reason}\n  {text}\n  {' ' * fault.start}{'^' * width}{hint}") from None


def _calendar(name: str | None, timetable: Timetable) -> Calendar:
    wanted = name or timetable.default
    if wanted is None:
        return Calendar.round_the_clock(timetable.timezone)
    if wanted not in timetable.packed:
        raise CommandError(f'there is no calendar "{wanted}"; {_near(wanted, timetable.packed)}')
    return timetable.calendar(wanted)


def _values(facts: Iterable[str], timezone: str) -> dict[str, Any]:
    """The facts given as NAME=TIME: a date where only a date is written, else an instant."""
    found: dict[str, Any] = {}
    for text in facts:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f'"{text}" gives no fact; write --fact order.ship_by=2026-03-09')
        try:
            found[name.strip()] = date.fromisoformat(value.strip())
        except ValueError:
            found[name.strip()] = moment(value, timezone)
    return found


def _near(name: str, known: Mapping[str, object]) -> str:
    return did_you_mean(name, known) or "organisation.yaml lists what there is"


def _json(explained: Explanation | None, begin: datetime, due: datetime, limit: Limit, calendar: str) -> str:
    answer: dict[str, Any] = {
        "limit": str(limit),
        "calendar": calendar,
        "from": begin.isoformat(),
        "due": due.isoformat(),
    }
    if explained is not None:
        answer["counted"] = [
            {
                "day": each.day.isoformat(),
                "begin": each.begin.isoformat(),
                "end": each.end.isoformat(),
                "seconds": each.time.total_seconds(),
                "share": float(each.share),
                "note": each.note,
            }
            for each in explained.counted
        ]
        answer["left_out"] = [{"day": each.day.isoformat(), "reason": each.reason} for each in explained.left_out]
        answer["notes"] = list(explained.notes)
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
