"""A time zone as a sorted line of the instants at which its offset from UTC changes.

The line is all that a calendar needs of its zone, so that a compiled calendar can be used without the
zone database.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta, tzinfo

from msgspec import Struct

from carepolicy.businesstime.errors import CalendarError
from carepolicy.businesstime.instants import EPOCH, MICROSECOND
from carepolicy.policy.limit import DAY, SECOND


class ZoneLine(Struct, frozen=True):
    """Offsets of a zone between the instants ``instants[0]`` and ``end``.

    From ``instants[i]`` on the local clock shows UTC plus ``offsets[i]``; all in microseconds. A local
    reading is written as the microseconds that UTC would have at that reading.
    """

    instants: list[int]
    offsets: list[int]
    end: int

    def local(self, instant: int) -> int:
        """What the local clock shows at an instant."""
        return instant + self.offsets[max(bisect_right(self.instants, instant) - 1, 0)]

    def utc(self, local: int) -> int:
        """The first instant at which the local clock shows ``local`` or later.

        So a reading that is skipped falls at the change of the clock, and one that comes twice at its
        first time. The order of readings is kept.
        """
        instants, offsets = self.instants, self.offsets
        index = max(bisect_right(instants, local - DAY) - 1, 0)
        while True:
            instant = max(instants[index], local - offsets[index])
            index += 1
            if index == len(instants) or instant < instants[index]:
                return instant

    def reading(self, local: int) -> int | None:
        """The first instant at which the local clock shows just ``local``; None where it is put forward over that."""
        instant = self.utc(local)
        return instant if self.local(instant) == local else None

    def knows(self, local: int) -> bool:
        """Whether it covers the instants at which a local clock may show ``local``."""
        return self.instants[0] + DAY <= local < self.end - DAY

    def joined(self, zone: tzinfo, begin: int, end: int) -> ZoneLine:
        """A line that also covers the instants from ``begin`` to ``end``."""
        line = self
        if begin < line.instants[0]:
            before = zone_line(zone, begin, line.instants[0])
            same = before.offsets[-1] == line.offsets[0]
            line = ZoneLine(before.instants + line.instants[same:], before.offsets + line.offsets[same:], line.end)
        if end > line.end:
            after = zone_line(zone, line.end, end)
            same = after.offsets[0] == line.offsets[-1]
            line = ZoneLine(line.instants + after.instants[same:], line.offsets + after.offsets[same:], end)
        return line


def zone_line(zone: tzinfo, begin: int, end: int) -> ZoneLine:
    """The line of a zone between two instants (microseconds, whole seconds).

    Offsets are compared from day to day; no zone has changed its offset and changed it back within one.
    """
    now = begin // SECOND
    last = end // SECOND
    offset = _offset(zone, now)
    instants, offsets = [begin], [offset]
    while now < last:
        later = min(now + 86_400, last)
        if _offset(zone, later) != offset:
            low = now
            while later - low > 1:
                middle = (low + later) // 2
                low, later = (middle, later) if _offset(zone, middle) == offset else (low, middle)
            offset = _offset(zone, later)
            instants.append(later * SECOND)
            offsets.append(offset)
        now = later
    return ZoneLine(instants, offsets, end)


def _offset(zone: tzinfo, second: int) -> int:
    shown = (EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return 0 if shown is None else shown // MICROSECOND


def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name. Raises ``CalendarError`` with the nearest name."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise CalendarError(f"`{name}` is not a time zone", _nearest_zone(name)) from None


def is_zone(name: str) -> bool:
    """Whether the IANA time zone database has ``name``."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _nearest_zone(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    by_form = {form.lower(): zone for zone in sorted(available_timezones()) for form in (zone, zone.split("/")[-1])}
    near = get_close_matches(name.lower().replace(" ", "_"), by_form, 1, 0.6)
    return f"did you mean {by_form[near[0]]}?" if near else "write a name such as Europe/London"
