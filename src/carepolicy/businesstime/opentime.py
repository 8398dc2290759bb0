"""Open time as sorted lists, and the answers that they give by bisection.

All instants are microseconds since 1970-01-01T00:00Z; positions are microseconds of open time, and
nanodays of business days, since the beginning of the year ``ANCHOR``. What is compiled grows on demand, a
span of whole years, and never moves a position.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from carepolicy.businesstime.bounds import LOW, midnight_of
from carepolicy.businesstime.growing import GrowingTime
from carepolicy.policy.limit import DAY, DAY_US

if TYPE_CHECKING:
    from carepolicy.businesstime.rules import Rules
    from carepolicy.businesstime.span import Span


class OpenTime(GrowingTime):
    """The compiled open time of ``rules``, with the questions of the engine. Safe to use from several threads."""

    __slots__ = ("_at_instant", "_at_position", "_day_at_instant")

    def __init__(self, rules: Rules, name: str) -> None:
        super().__init__(rules, name)
        self._forget_places()

    def __setstate__(self, state: bytes) -> None:
        super().__setstate__(state)
        self._forget_places()

    def _forget_places(self) -> None:
        """Questions in a row are often about the same stretch of time: the last stretch of each kind is at hand.

        ``_at_instant``, ``_at_position`` and ``_day_at_instant`` are of ``stretches``, ``places`` and ``shares`` of the
        span, the last with nanodays in place of a day's index. No instant is in the first.
        """
        self._at_instant: tuple[int, int, int, int] = (0, 0, 0, 0)
        self._at_position: tuple[int, int, int] = (0, 0, 0)
        self._day_at_instant: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)

    def position(self, instant: int) -> int:
        """The open time from the anchor to an instant, in microseconds; negative before the anchor."""
        begin, end, close, lift = self._at_instant
        if not begin <= instant < end:
            span = self._span
            if not span.begin <= instant < span.end:
                span = self._reach(instant)
            index = bisect_right(span.opens, instant) - 1
            if index < 0:
                return span.first_position
            _, _, close, lift = self._at_instant = span.stretches[index]
        return lift + (instant if instant < close else close)

    def between_us(self, first: int, last: int) -> int:
        """The open time from one instant to another: as by ``position``, quicker for instants that lie apart."""
        span = self._span
        low, end = span.low, span.end
        if not (low <= first < end and low <= last < end):
            return self.position(last) - self.position(first)
        opens, closes, lifts = span.opens, span.closes, span.lifts
        index = bisect_right(opens, first) - 1
        if first > closes[index]:
            first = closes[index]
        other = bisect_right(opens, last) - 1
        if last > closes[other]:
            last = closes[other]
        return last - first + lifts[other] - lifts[index]

    def instant(self, position: int) -> int:
        """The first instant with that position: at a boundary the closing, not the next opening."""
        begin, end, lift = self._at_position
        if not begin < position <= end:
            span = self._span
            if not span.first_position < position <= span.last_position:
                span = self._reach_position(position, True)
            _, _, lift = self._at_position = span.places[bisect_left(span.befores, position) - 1]
        return position - lift

    def last_instant(self, position: int) -> int:
        """The last instant with that position: at a boundary the next opening, not the closing."""
        span = self._span
        if not span.first_position <= position < span.last_position:
            span = self._reach_position(position, False)
        return position - span.lifts[bisect_right(span.befores, position) - 1]

    def day_position(self, instant: int) -> int:
        """The business days from the anchor to an instant, in nanodays, proportional within each day."""
        begin, end, close, lift, total, days = self._day_at_instant
        if not begin <= instant < end:
            span = self._span
            if not span.begin <= instant < span.end:
                span = self._reach(instant)
            index = bisect_right(span.opens, instant) - 1
            if index < 0:
                return span.first_number * DAY
            begin, end, close, lift, total, day = span.shares[index]
            days = (span.first_number + day) * DAY
            self._day_at_instant = begin, end, close, lift, total, days
        return days + (lift + (instant if instant < close else close)) * DAY // total

    def day_instant(self, position: int) -> int:
        """The first instant with that position in nanodays."""
        number = -(-position // DAY) - 1
        span = self._span
        if not 0 <= number - span.first_number < len(span.days):
            span = self._reach_day(number)
        start, total, before, lift, last = span.days[number - span.first_number]
        found = start - (number * DAY - position) * total // DAY
        return found - (lift if found > before else _lift(span, found, last))

    def last_day_instant(self, position: int) -> int:
        """The last instant whose position in nanodays is no more than this."""
        number = position // DAY
        span = self._span
        if not 0 <= number - span.first_number < len(span.days):
            span = self._reach_day(number)
        start, total, _, _, _ = span.days[number - span.first_number]
        within = -(-(position - number * DAY + 1) * total // DAY) - 1
        return self.last_instant(start + within)

    def days_later(self, instant: int, amount: int, days: int) -> int:
        """As by ``day_position`` and ``day_instant``, some nanodays (not none) later: quicker.

        ``days`` is how many business days the nanodays are where that is whole, else 0.
        """
        span = self._span
        if span.low <= instant < span.end:
            _, _, close, used, total, day = span.shares[bisect_right(span.opens, instant) - 1]
            used += instant if instant < close else close
            try:
                if days and used:
                    start, length, before, lift, last = span.days[day + days]
                    if length == total:  # days alike, as most are
                        found = start + used
                        return found - (lift if found > before else _lift(span, found, last))
                    used = -(-(used * DAY // total) * length // DAY)
                else:
                    share = used * DAY // total + amount
                    if share > DAY:
                        whole, share = divmod(share - 1, DAY)
                        day, share = day + whole, share + 1
                    start, length, before, lift, last = span.days[day]
                    used = -(-share * length // DAY)
            except IndexError:
                return self.day_instant(self.day_position(instant) + amount)
            found = start + used
            return found - (lift if found > before else _lift(span, found, last))
        return self.day_instant(self.day_position(instant) + amount)

    def date_position(self, instant: int) -> int:
        """The open days from the anchor up to the instant's day, that day included, in nanodays.

        The day of an instant in open time is the one on which that opened, else its local date.
        """
        span = self._span
        if not span.begin <= instant < span.end:
            span = self._reach(instant)
        index = bisect_right(span.opens, instant) - 1
        if index >= 0 and instant < span.closes[index]:
            return (span.shares[index][5] + 1 + span.first_number) * DAY
        return (bisect_right(span.midnights, instant) + span.first_number) * DAY

    def position_before_date(self, ordinal: int) -> int:
        """The open days from the anchor up to a date, that date left out, in nanodays."""
        span = self.span_over(self.utc(midnight_of(ordinal)))
        return (bisect_left(span.ordinals, ordinal) + span.first_number) * DAY

    def closing_position(self, instant: int) -> int:
        """The open days from the anchor that have closed by an instant (its own closing included), in nanodays."""
        span = self._span
        if not span.begin <= instant < span.end:
            span = self._reach(instant)
        return (bisect_right(span.ends, instant) + span.first_number) * DAY

    def date_instant(self, position: int) -> int:
        """The closing instant of the open day with that number, in nanodays rounded up."""
        number = -(-position // DAY) - 1
        span = self._span
        if not 0 <= number - span.first_number < len(span.ends):
            span = self._reach_day(number)
        return span.ends[number - span.first_number]

    def next_opening_us(self, instant: int) -> int:
        """The first open instant that is not before ``instant``. Raises ``NeverOpen``, ``OutOfRange``."""
        return self.last_instant(self.position(instant))

    def is_open_us(self, instant: int) -> bool:
        """Whether an instant lies in open time. An opening instant does, a closing instant does not."""
        span = self._span
        if not span.begin <= instant < span.end:
            span = self._reach(instant)
        index = bisect_right(span.opens, instant) - 1
        return index >= 0 and instant < span.closes[index]

    @property
    def closed_days(self) -> dict[int, str]:
        """Why it is closed, by the ordinal of the date, over the years that are compiled."""
        return self._closed

    def span_over(self, *instants: int) -> Span:
        """The compiled open time, grown so that it covers these instants."""
        for instant in instants:
            self.position(instant)
        return self._span

    def local(self, instant: int) -> int:
        """What the local clock shows at an instant, as the microseconds that UTC would have then."""
        if not self._span.begin <= instant < self._span.end:
            self._reach(instant)
        return self._zone.local(instant)

    def utc(self, local: int) -> int:
        """The first instant at which the local clock shows ``local`` or later."""
        if not self._span.begin + DAY_US <= local < self._span.end - DAY_US:
            self._reach(local)
        return self._zone.utc(local)

    def open_date_from(self, ordinal: int, instant: int) -> int:
        """The ordinal of the first open date that is not before one on which ``instant`` lies."""
        self.next_opening_us(instant)
        span = self._span
        while not span.ordinals or span.ordinals[-1] < ordinal:
            span = self._reach_day(span.first_number + len(span.ordinals))
        return span.ordinals[bisect_left(span.ordinals, ordinal)]

    def is_inside_us(self, instant: int) -> bool:
        """Whether an instant lies in open time or is the end of some."""
        return self.is_open_us(instant) or self.position(instant) > self.position(max(instant - 1, LOW))


def _lift(span: Span, position: int, last: int) -> int:
    """The lift of the stretch that a position belongs to, of a day whose last stretch is later."""
    befores = span.befores
    last -= 1
    while befores[last] >= position:
        last -= 1
    return span.lifts[last]
