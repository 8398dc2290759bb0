"""The open time of some whole years as sorted lists."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from carepolicy.businesstime.compiling import Day


@dataclass(frozen=True, slots=True)
class Span:
    """The open time of some whole years. Questions between ``begin`` and ``end`` can be answered.

    By open stretch: ``opens``, ``closes``, ``lifts`` (its position less its opening), ``befores`` (its
    position), ``numbers`` (the number of its day, from the anchor on). By open day: ``starts`` (position),
    ``totals`` (open time), ``ends`` (closing instant), ``midnights``, ``ordinals`` (of the date),
    ``firsts`` and ``lasts`` (its stretches are those from the one index up to the other, exclusive).
    """

    begin: int
    end: int
    first_position: int
    last_position: int
    first_number: int
    opens: list[int]
    closes: list[int]
    lifts: list[int]
    befores: list[int]
    numbers: list[int]
    starts: list[int]
    totals: list[int]
    ends: list[int]
    midnights: list[int]
    ordinals: list[int]
    firsts: list[int]
    lasts: list[int]

    def next_open(self, index: int) -> int:
        """The opening after the one with that index, or the end of the span."""
        return self.opens[index + 1] if index + 1 < len(self.opens) else self.end


LISTS = tuple(each.name for each in fields(Span) if each.type == "list[int]")
NUMBERS = tuple(each.name for each in fields(Span) if each.type == "int")


def build(days: list[Day], begin: int, end: int, position: int, number: int) -> Span:
    """The span of ``days``, whose first has this position and number."""
    span = Span(begin, end, position, position, number, *([] for _ in LISTS))
    for day in days:
        span.starts.append(position)
        span.firsts.append(len(span.opens))
        span.midnights.append(day.midnight)
        span.ordinals.append(day.ordinal)
        for opening, closing in day.pieces:
            span.opens.append(opening)
            span.closes.append(closing)
            span.lifts.append(position - opening)
            span.befores.append(position)
            span.numbers.append(number)
            position += closing - opening
        span.lasts.append(len(span.opens))
        span.totals.append(position - span.starts[-1])
        span.ends.append(day.pieces[-1][1])
        number += 1
    return replace(span, last_position=position)


def join(left: Span, right: Span) -> Span:
    """Two spans of which the right begins where the left ends."""
    lists = {name: getattr(left, name) + getattr(right, name) for name in LISTS}
    shift = len(left.opens)
    lists["firsts"] = left.firsts + [each + shift for each in right.firsts]
    lists["lasts"] = left.lasts + [each + shift for each in right.lasts]
    return replace(left, end=right.end, last_position=right.last_position, **lists)
