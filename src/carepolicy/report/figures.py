"""The figures of an audit in the words of one language, as the pages tell them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from babel.dates import format_date, format_datetime, get_day_names
from markupsafe import Markup, escape

from carepolicy.audit.counts import DIMENSIONS, WEEKDAYS
from carepolicy.audit.figures import falls_short
from carepolicy.charts.amounts import Amounts
from carepolicy.charts.heat import FEWEST, GROUNDS, NO_SHARE, ground_of
from carepolicy.charts.labels import labels_of
from carepolicy.charts.text import clean, identifier
from carepolicy.charts.words import titled
from carepolicy.engine.instants import datetime_of
from carepolicy.handbook.site import direction_of
from carepolicy.handbook.steps import anchor_of
from carepolicy.machine.locales import locale_in, yes_or_no
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME
from carepolicy.policy.phrases import outcome_of
from carepolicy.policy.region import region_of
from carepolicy.report.rounds import MOST_LIMITS
from carepolicy.report.ui import ReportUi, report_ui_of
from carepolicy.translations import locale_of

if TYPE_CHECKING:
    from carepolicy.audit.counts import FlowMeasure
    from carepolicy.charts.words import Words
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Clock, Flow
    from carepolicy.report.rounds import Rounds

MOST_VALUES = 40
"""So many values of a dimension have a row, those with the most rounds."""

MOST_DUE = 200

PERCENTILES = ("p50", "p90", "p99")

BINS, MOST_TICKS = 24, 3
WIDE, HIGH = 360, 176
RIGHT, TOP, BASE = 8, 38, 150
LETTER = 7.5
"""How wide a figure of a plot is."""

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
ROUND = (
    (0.1, (1, 2, 5)), (1.0, (1, 2, 5, 10, 15, 30)), (MINUTE, (1, 2, 5, 10, 15, 30)), (HOUR, (1, 2, 3, 4, 6, 12)),
    (DAY, (1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 60, 90, 180)),
)  # fmt: skip
"""Times that people call round, in seconds."""

IN_FULL = 4
"""Digits of shares that somebody wrote."""


@dataclass(frozen=True, slots=True)
class TimeShare:
    """A share in time: in words and as a drawing, "" where nothing was decided; ``missed`` None without a target."""

    of: str
    told: str
    interval: str
    target: str
    missed: bool | None
    order: float
    bar: Markup


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """A clock with its figures; ``plot`` is "" where nothing ended. ``late_now`` counts open cases; the last two say
    whether the plot has a line at a limit, and a bar for all that took longer."""

    anchor: str
    flow: str
    flow_title: str
    title: str
    limit: str
    basis: str
    target: float | None
    share: TimeShare
    median: tuple[str, float]
    ninety: tuple[str, float]
    ninety_nine: tuple[str, float]
    running: int
    cancelled: int
    late_now: int
    plot: Markup
    limit_drawn: bool
    longer_drawn: bool


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell of a heat table: the number of its ground, 0 to 4, or None without one; the share, and of how many."""

    ground: int | None
    share: str
    of: str
    order: float


@dataclass(frozen=True, slots=True)
class HeatTable:
    """Shares of clocks (columns) by the values of one dimension (rows)."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[HeatCell | None, ...]], ...]
    more: str


@dataclass(frozen=True)
class Teller:
    """Tells figures in the language of a book."""

    book: Book

    @cached_property
    def ui(self) -> ReportUi:
        """The report's own words."""
        return report_ui_of(self.book.language, self.book.policies.own_words)

    @cached_property
    def amounts(self) -> Amounts:
        """Numbers, shares and times in the language."""
        book = self.book
        return Amounts(labels_of(book.language, book.policies.own_words), book.ui_language)

    @cached_property
    def locale(self) -> Any:
        """The conventions of the language."""
        return self.amounts.locale

    def moment(self, instant: int) -> str:
        """A day and time in the organisation's time zone."""
        local = datetime_of(instant).astimezone(self.book.zone)
        return format_datetime(local, "yyyy-MM-dd HH:mm", locale=self.locale)

    def day(self, instant: int) -> str:
        """A day in the organisation's time zone."""
        book = self.book
        language = locale_in(book.ui_language, region_of(book.policies.organisation))
        return format_date(datetime_of(instant).astimezone(book.zone).date(), "long", locale=locale_of(language))

    def drawn(self, text: str) -> Markup:
        """A text in a drawing, which runs from left to right; the text runs as its language does."""
        within = f"\u2067{text}\u2069" if direction_of(self.book.ui_language) == "rtl" else text
        return escape(within)

    # -- shares --------------------------------------------------------------------------------------------

    def share(self, figures: Mapping[str, Any], target: float | None) -> TimeShare:
        """The share in time of some rounds."""
        met, late, share = figures["met"], figures["late"], figures["share"]
        goal = "" if target is None else self.amounts.percent(target, IN_FULL)
        if share is None:
            return TimeShare("", "", "", goal, None, 2.0, Markup(""))
        of = self.ui.in_time_of.format(self.amounts.number(met), self.amounts.number(met + late))
        low, high = figures["interval"]
        missed = None if target is None else falls_short(met, late, target)
        said = self.amounts.share(met, met + late)
        return TimeShare(
            of=of,
            told=self.amounts.percent(share, IN_FULL) if missed and said == goal else said,
            interval=self.ui.interval.format(self.amounts.percent(low), self.amounts.percent(high)),
            target=goal,
            missed=missed,
            order=share,
            bar=bar_of(share, (low, high), target, missed is True),
        )

    # -- clocks --------------------------------------------------------------------------------------------

    def clocks(
        self, flow: Flow, figures: Mapping[str, Any], measure: FlowMeasure, rounds: Rounds
    ) -> list[ClockFigures]:
        """The clocks of a flow that ran, in the order of its file."""
        return [
            self._clock(flow, clock, figures["clocks"][name], measure, rounds.limits.get((flow.name, name), set()))
            for name, clock in flow.clocks.items()
            if figures["clocks"].get(name, {}).get("rounds")
        ]

    def _clock(
        self, flow: Flow, clock: Clock, figures: Mapping[str, Any], measure: FlowMeasure, limits: Collection[float]
    ) -> ClockFigures:
        words, used = self.book.words(flow), figures["used"]
        title = words.clock(clock.name)
        times = [(self.amounts.time(told := used[each]), -1.0 if told is None else told) for each in PERCENTILES]
        histogram, plot, usual = None, Markup(""), sorted(limits) if len(limits) <= MOST_LIMITS else []
        if used["p99"] is not None:
            until = max(used["p99"], *(1.15 * each for each in usual if each <= 3 * used["p99"]), 1.0)
            histogram = histogram_of(measure.clocks[clock.name].used.counts, until * 1.001)
            usual = [each for each in usual if each <= histogram.until]
            plot = plot_of(histogram, usual, self.ui.plot.format(title, *(told for told, _ in times)), self)
        return ClockFigures(
            anchor=f"clock-{identifier(clock.name)}",
            flow=f"flows/{identifier(flow.name)}.html",
            flow_title=words.flow_title(flow.name),
            title=title,
            limit=words.limit_of(clock),
            basis=self._basis(flow, clock),
            target=clock.target,
            share=self.share(figures, clock.target),
            median=times[0],
            ninety=times[1],
            ninety_nine=times[2],
            running=figures["running"],
            cancelled=figures["cancelled"],
            late_now=late_cases(measure, clock.name),
            plot=plot,
            limit_drawn=histogram is not None and bool(usual),
            longer_drawn=histogram is not None and histogram.longer,
        )

    def _basis(self, flow: Flow, clock: Clock) -> str:
        """The kind of time in which a clock counts, with its calendar."""
        book, ui, found = self.book, self.ui, []
        for choice in clock.limits:
            limit = book.parsed(choice.limit)
            calendar = book.calendar_of(flow, clock, choice)
            title = book.calendar_title(calendar) if calendar else ""
            for part in limit.all if limit is not None else ():
                if part.basis == BUSINESS_TIME:
                    found.append(ui.business_time.format(title))
                elif part.basis == BUSINESS_DAYS:
                    found.append(ui.business_days.format(title))
                else:
                    found.append(ui.elapsed)
        return "; ".join(dict.fromkeys(found))

    # -- by what -------------------------------------------------------------------------------------------

    def heat(self, flow: Flow, figures: Mapping[str, Any], facts: Sequence[str]) -> list[HeatTable]:
        """Shares by month, weekday and hour of arrival, owner, channel and facts."""
        clocks = [(flow.clocks[name], each) for name, each in figures["clocks"].items() if each["by"]]
        if not clocks:
            return []
        ui = self.ui
        titles = {"month": ui.by_month, "weekday": ui.by_weekday, "hour": ui.by_hour, "owner": ui.by_owner,
                  "channel": ui.by_channel}  # fmt: skip
        wanted = [(each, titles[each]) for each in ("month", "weekday", "hour", "owner", "channel")]
        wanted += [(each, self.book.fact(each)) for each in facts if each not in DIMENSIONS]
        return [each for name, title in wanted if (each := self._heat_by(flow, name, title, clocks)) is not None]

    def _heat_by(
        self, flow: Flow, dimension: str, title: str, clocks: Sequence[tuple[Clock, Mapping[str, Any]]]
    ) -> HeatTable | None:
        words = self.book.words(flow)
        totals: dict[str, int] = {}
        for _, figures in clocks:
            for value, each in figures["by"].get(dimension, {}).items():
                totals[value] = totals.get(value, 0) + each["met"] + each["late"]
        if not totals or [*totals] == [""]:
            return None
        kept = set(sorted(totals, key=lambda value: (-totals[value], value))[:MOST_VALUES])
        order = WEEKDAYS.index if dimension == "weekday" else str
        rows = tuple(
            (self._value(dimension, value), f"{place:04}",
             tuple(self._cell(figures["by"].get(dimension, {}).get(value)) for _, figures in clocks))
            for place, value in enumerate(sorted(kept, key=order))
        )  # fmt: skip
        more = len(totals) - len(kept)
        columns = tuple(words.clock(clock.name) for clock, _ in clocks)
        return HeatTable(title, columns, rows, self.amounts.counted(self.ui.more_values, more) if more else "")

    def _cell(self, figures: Mapping[str, Any] | None) -> HeatCell | None:
        if figures is None:
            return None
        total = figures["met"] + figures["late"]
        ground = ground_of(figures["late"], total)
        of = self.ui.in_time_of.format(self.amounts.number(figures["met"]), self.amounts.number(total))
        share = self.amounts.share(figures["met"], total, 0) if total >= FEWEST else ""
        return HeatCell(None if ground == NO_SHARE else GROUNDS.index(ground), share, of, figures["share"])

    def _value(self, dimension: str, value: str) -> str:
        """A value of a dimension in words."""
        if not value:
            return self.ui.not_known
        if dimension == "weekday":
            return str(get_day_names("wide", "stand-alone", self.locale)[WEEKDAYS.index(value)])
        if dimension == "month":
            on = date(int(value[:4]), int(value[5:7]), 1)
            return format_date(on, "LLLL y", locale=self.locale)
        if dimension == "hour":
            return f"{value}:00"
        if dimension == "owner":
            return self.book.role(value)
        if dimension == "channel":
            channel = self.book.policies.organisation.channels.get(value)
            return titled(channel.title if channel is not None else "", value)
        return clean(self._of_fact(dimension, value))

    def _of_fact(self, name: str, value: str) -> str:
        """A value of a fact, or several of one, in words."""
        fact = self.book.policies.organisation.facts.get(name)
        if fact is not None and fact.of:
            return ", ".join(map(fact.told, value.split(", ")))
        if fact is not None and fact.type == "flag":
            return yes_or_no(value == str(True), self.book.language, self.book.policies.own_words)
        return value

    # -- steps and ways ------------------------------------------------------------------------------------

    def steps(self, flow: Flow, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Each step: how often it was followed, skipped and late, and how long cases stood there."""
        words = self.book.words(flow)
        return [
            {
                **{key: each[key] for key in ("visits", "again", "late", "skipped", "followed", "open")},
                "anchor": anchor_of(name),
                "title": words.state(name),
                "owner": self.book.role(flow.states[name].owner),
                "times": [
                    (self.amounts.time(each["time"][key]), -1 if each["time"][key] is None else each["time"][key])
                    for key in PERCENTILES
                ],
            }
            for name, each in figures["states"].items()
            if name in flow.states
        ]

    def deviations(self, flow: Flow, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Events that the flow does not allow, the commonest first."""
        words = self.book.words(flow)
        found = [
            {"event": words.event(event), "state": words.state(state) if state else "", "count": each["count"],
             "subjects": [clean(name) for name in each["subjects"]]}
            for state, events in figures["deviations"].items()
            for event, each in events.items()
        ]  # fmt: skip
        return sorted(found, key=lambda each: -each["count"])

    def variants(self, flow: Flow, figures: Mapping[str, Any], measure: FlowMeasure) -> list[dict[str, Any]]:
        """The commonest sequences of events, with their share of all; none where only records were there."""
        words = self.book.words(flow)
        total = sum(each.count for each in measure.variants.values())
        return [
            {"events": [words.event(event) for event in each["events"]], "count": each["count"],
             "share": self.amounts.share(each["count"], total), "subjects": [clean(name) for name in each["subjects"]]}
            for each in figures["variants"] or ()
        ]  # fmt: skip

    def ends(self, flow: Flow, figures: Mapping[str, Any]) -> list[tuple[str, str, str, int]]:
        """The ends of a flow: the id, the title and the outcome of each, and how many cases came there."""
        words = self.book.words(flow)
        came: Counter[str] = Counter()
        for way in figures["ways"]:
            came[way["to"]] += way["count"]
        return [
            (anchor_of(name), words.state(name), clean(outcome_of(words.policies, flow.name, name, state.final)),
             came[name])
            for name, state in flow.states.items()
            if state.final is not None
        ]  # fmt: skip

    def due(self, flow: Flow, measure: FlowMeasure) -> Iterator[dict[str, Any]]:
        """What falls due in open cases, the earliest first."""
        words = self.book.words(flow)
        for each in sorted(measure.due)[:MOST_DUE]:
            told = {"subject": clean(each.subject), "clock": words.clock(each.clock), "late": each.late}
            yield {**told, "when": self.moment(each.when), "order": each.when}

    def breaches(self, flow: Flow, rounds: Rounds) -> list[dict[str, Any]]:
        """The latest late rounds, the last one first."""
        words: Words = self.book.words(flow)
        return [
            {"subject": clean(each.subject), "clock": words.clock(each.clock), "when": self.moment(each.when),
             "order": each.when, "owner": self.book.role(each.owner or None), "arrived": self.moment(each.arrived),
             "arrived_order": each.arrived}
            for each in rounds.latest(flow.name)
        ]  # fmt: skip


def late_cases(measure: FlowMeasure, clock: str | None = None) -> int:
    """How many open cases are late; by one clock, or by any."""
    return len({each.subject for each in measure.due if each.late and clock in (None, each.clock)})


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many rounds took how long: counts in steps of ``step`` seconds, the last of them "or longer"."""

    counts: tuple[int, ...]
    step: float
    longer: bool

    @property
    def until(self) -> float:
        """Up to how many seconds the steps go."""
        return (len(self.counts) - self.longer) * self.step


def histogram_of(counts: Mapping[int, int], until: float) -> Histogram:
    """Durations (microseconds, with their counts) in round steps up to ``until`` seconds; what is longer has a step of
    its own."""
    step = round_time(max(until, 1.0) / BINS)
    bins = math.ceil(max(until, 1.0) / step)
    found = [0] * (bins + 1)
    for value, times in counts.items():
        found[min(int(value / SECOND / step), bins)] += times
    longer = bool(found[bins])
    return Histogram(tuple(found if longer else found[:bins]), step, longer)


def round_time(least: float) -> float:
    """The shortest round time that is not below some seconds: 15 minutes, 2 hours, 5 days, or a part of a second."""
    for unit, several in ROUND:
        found = next((unit * each for each in several if unit * each >= least), None)
        if found is not None:
            return found
    return DAY * 10.0 ** math.ceil(math.log10(least / DAY))


def plot_of(histogram: Histogram, limits: Sequence[float], said: str, teller: Teller) -> Markup:
    """The histogram as a drawing, with a line at each limit; ``said`` tells the same in words."""
    plot = _Plot(histogram, teller)
    begin = f'<svg class="plot" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(said)}">'
    return Markup("".join([begin, *plot.scale(), *plot.bars(), *plot.times(), *plot.lines(limits), "</svg>"]))


class _Plot:
    """The parts of a histogram's drawing: counts grow upwards from its foot, times to the right."""

    def __init__(self, histogram: Histogram, teller: Teller) -> None:
        self._histogram, self._teller = histogram, teller
        self._most = max(histogram.counts) or 1
        self._left = 10 + LETTER * len(teller.amounts.number(self._most))
        self._wide = (WIDE - self._left - RIGHT) / len(histogram.counts)

    def _at(self, seconds: float) -> float:
        return self._left + seconds / self._histogram.step * self._wide

    def scale(self) -> Iterator[str]:
        """What is counted, and how many the highest bar counts."""
        drawn, number = self._teller.drawn, self._teller.amounts.number
        yield f'<text x="0" y="12">{drawn(self._teller.ui.rounds)}</text>'
        for at, count in ((TOP, self._most), (BASE, 0)):
            yield f'<text x="{self._left - 6:.1f}" y="{at + 4}" text-anchor="end">{drawn(number(count))}</text>'
        yield f'<path class="grid" d="M{self._left:.1f} {TOP}H{WIDE - RIGHT}"/>'

    def bars(self) -> Iterator[str]:
        """A bar for each step that has a round."""
        found, amounts = self._histogram, self._teller.amounts
        for place, count in enumerate(found.counts):
            if not count:
                continue
            high = max((BASE - TOP) * count / self._most, 1.5)
            last = found.longer and place == len(found.counts) - 1
            until = self._teller.ui.longer if last else f"– {amounts.time((place + 1) * found.step)}"
            told = f"{amounts.time(place * found.step)} {until}: {amounts.number(count)}"
            yield (
                f'<rect class="bar{" longer" if last else ""}" x="{self._at(place * found.step) + 0.5:.1f}" '
                f'y="{BASE - high:.1f}" width="{self._wide - 1:.1f}" height="{high:.1f}">'
                f"<title>{escape(told)}</title></rect>"
            )

    def times(self) -> Iterator[str]:
        """The axis with a few round times."""
        yield f'<path class="axis" d="M{self._left:.1f} {BASE}H{WIDE - RIGHT}"/>'
        until = self._histogram.until
        tick = round_time(until / MOST_TICKS)
        for seconds in (each * tick for each in range(1, MOST_TICKS + 1) if each * tick <= until):
            at, told = self._at(seconds), self._teller.drawn(self._teller.amounts.time(seconds))
            anchor = "end" if at > WIDE * 0.9 else "middle"
            yield f'<path class="axis" d="M{at:.1f} {BASE}v4"/>'
            yield f'<text x="{at:.1f}" y="{HIGH - 4}" text-anchor="{anchor}">{told}</text>'

    def lines(self, limits: Sequence[float]) -> Iterator[str]:
        """A line at each limit."""
        for limit in limits:
            at, told = self._at(limit), self._teller.drawn(self._teller.amounts.time(limit))
            end, beside = (' text-anchor="end"', -4) if at > WIDE * 0.7 else ("", 4)
            yield f'<path class="limit" d="M{at:.1f} {TOP - 14}V{BASE}"/>'
            yield f'<text class="limit-told" x="{at + beside:.1f}" y="{TOP - 6}"{end}>{told}</text>'


def bar_of(share: float, interval: Sequence[float], target: float | None, missed: bool) -> Markup:
    """A share with its interval and the target; decoration beside the numbers, so it says nothing itself."""
    goal = "" if target is None else f'<path class="goal" d="M{target * 100:.1f} 0V14"/>'
    return Markup(
        '<svg class="share{}" viewBox="-2 0 104 14" aria-hidden="true"><path class="ground" d="M0 7H100"/>'
        '<path class="range" d="M{} 7H{}"/>{}<circle cx="{}" cy="7" r="3.5"/></svg>'
    ).format(
        " missed" if missed else "",
        f"{interval[0] * 100:.1f}",
        f"{interval[1] * 100:.1f}",
        Markup(goal),
        f"{share * 100:.1f}",
    )
