"""CP607: opening hours that are right by the letter, and mostly not what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.language.calendar import HOURS_WRITTEN
from carepolicy.policy.places import At, Source

DAY, HALF_A_DAY = 24 * 60, 12 * 60
"""Minutes. Hours over midnight that are longer than half a day are rare, and slips are not."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Hours of weekdays and of single dates that leave out a minute, or turn into a long night shift."""
    for spec in checked.organisation.calendars.values():
        seasons = [spec.at / "seasons" / name for name in _seasons(checked.sources[spec.at.file], spec.at)]
        for address in (spec.at / "hours", spec.at / "open", *seasons):
            for at, said in _texts(checked.sources[spec.at.file], address):
                doubt = _doubt(said)
                if doubt is not None:
                    yield Finding(CODE, doubt[0], checked.place(at), doubt[1], Severity.WARNING)


def _seasons(source: Source, at: At) -> Iterator[str]:
    """The seasons of a calendar, as they are written."""
    data = source.data_at((at / "seasons").path) if (at / "seasons").path in source.values else None
    yield from data if isinstance(data, dict) else ()


def _texts(source: Source, at: At) -> Iterator[tuple[At, str]]:
    """The hours below an address, each with its own."""
    data = source.data_at(at.path) if at.path in source.values else None
    for days, hours in data.items() if isinstance(data, dict) else ():
        entries = enumerate(hours) if isinstance(hours, list) else ((None, hours),)
        for place, said in entries:
            if isinstance(said, str):
                yield (at / days if place is None else at / days / place), said


def _doubt(said: str) -> tuple[str, str] | None:
    """What is odd about hours, and what was probably meant."""
    match = HOURS_WRITTEN.fullmatch(said)
    if match is None:
        return None
    first, last = (each.strip() for each in said.split("-"))
    opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if closes == DAY - 1:
        hint = f'did you mean "{first}-24:00"? 24:00 is the end of a day'
        return f"{quoted(said)} leaves out the last minute of the day", hint
    length = closes + DAY - opens
    if closes >= opens or length <= HALF_A_DAY:
        return None
    evening = closes + HALF_A_DAY
    meant = f"{first}-{evening // 60:02}:{evening % 60:02}" if opens < evening < DAY else f"{last}-{first}"
    text = f"{quoted(said)} is a night shift of {length / 60:g} hours, since it ends before it begins"
    return text, f'did you mean "{meant}"?'


CODE = "CP607"
RULE = Rule(
    CODE,
    "hours are probably not what was meant",
    "Hours that end at 23:59 leave out a minute each day, and every limit that runs over midnight is a minute late: "
    "24:00 is the end of a day. Hours whose end is before their beginning go on over midnight; where that makes them "
    "longer than twelve hours, two times were probably swapped, or an afternoon was written as a morning.",
    "calendars:\n  shop: {title: Shop, hours: {mon-fri: ['09:00-12:00', '13:00-05:00'], sat: '00:00-23:59'}}\n",
    "calendars:\n  shop: {title: Shop, hours: {mon-fri: ['09:00-12:00', '13:00-17:00'], sat: '00:00-24:00'}}\n",
    find,
    Severity.WARNING,
)
