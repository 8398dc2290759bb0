"""The figures of an audit in the words of one language, as the pages tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from babel.dates import format_date, format_datetime, get_day_names
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from carepolicy.audit.counts import DIMENSIONS, WEEKDAYS
from carepolicy.audit.figures import falls_short
from carepolicy.charts.heat import FEWEST, GROUNDS, NO_SHARE, ground_of
from carepolicy.charts.text import clean, identifier
from carepolicy.charts.words import titled
from carepolicy.engine.instants import datetime_of
from carepolicy.handbook.steps import anchor_of
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME
from carepolicy.policy.phrases import outcome_of
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

BINS = 24
WIDE, HIGH = 360, 150
LEFT, RIGHT, TOP, FOOT = 8, 8, 18, 22
SECOND = 1_000_000

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
    """A clock with its figures; ``plot`` is "" where nothing ended."""

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
    def locale(self) -> Any:
        """The conventions of the language."""
        return locale_of(self.book.ui_language)

    def number(self, value: int) -> str:
        """A whole number: "12,345"."""
        return format_decimal(value, locale=self.locale)

    def percent(self, share: float, digits: int = 1) -> str:
        """A share with so many digits at most: "95.3 %", as the language writes it."""
        pattern = self.locale.percent_formats[None].pattern.replace("0", f"0.{'#' * digits}" if digits else "0", 1)
        return format_percent(share, pattern, locale=self.locale)

    def time(self, seconds: float | None) -> str:
        """A time of at most two units: "45 s", "12 min", "2 h 10 min", "3 d 4 h"."""
        if seconds is None:
            return ""
        ui = self.ui
        if seconds < 60:
            return ui.seconds.format(round(seconds))
        minutes = round(seconds / 60)
        hours, rest = divmod(minutes, 60)
        if hours >= 48:
            days, hours = divmod(round(minutes / 60), 24)
            return " ".join([ui.days.format(self.number(days)), *([ui.hours.format(hours)] if hours else [])])
        parts = [ui.hours.format(hours)] if hours else []
        return " ".join([*parts, *([ui.minutes.format(rest)] if rest or not hours else [])])

    def moment(self, instant: int) -> str:
        """A day and time in the organisation's time zone."""
        local = datetime_of(instant).astimezone(self.book.zone)
        return format_datetime(local, "yyyy-MM-dd HH:mm", locale=self.locale)

    def day(self, instant: int) -> str:
        """A day in the organisation's time zone."""
        return format_date(datetime_of(instant).astimezone(self.book.zone).date(), "long", locale=self.locale)

    # -- shares --------------------------------------------------------------------------------------------

    def share(self, figures: Mapping[str, Any], target: float | None) -> TimeShare:
        """The share in time of some rounds."""
        met, late, share = figures["met"], figures["late"], figures["share"]
        goal = "" if target is None else self.percent(target, IN_FULL)
        of = self.ui.in_time_of.format(self.number(met), self.number(met + late))
        if share is None:
            return TimeShare(of, "", "", goal, None, 2.0, Markup(""))
        low, high = figures["interval"]
        missed = None if target is None else falls_short(met, late, target)
        said = self.percent(share)
        return TimeShare(
            of=of,
            told=self.percent(share, IN_FULL) if missed and said == goal else said,
            interval=self.ui.interval.format(self.percent(low), self.percent(high)),
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
        times = [(self.time(used[each]), -1.0 if used[each] is None else used[each]) for each in ("p50", "p90", "p99")]
        plot = Markup("")
        if used["p99"] is not None:
            usual = sorted(limits) if len(limits) <= MOST_LIMITS else []
            until = max(used["p99"], *(1.15 * each for each in usual if each <= 3 * used["p99"]), 1.0)
            plot = plot_of(
                histogram_of(measure.clocks[clock.name].used.counts, until * 1.001), usual,
                self.ui.plot.format(title, *(told for told, _ in times)), self.time, self.ui.longer,
            )  # fmt: skip
        late_now = sum(each.late for each in measure.due if each.clock == clock.name)
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
            late_now=late_now,
            plot=plot,
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
        return HeatTable(title, columns, rows, self.ui.more_values.format(more) if more else "")

    def _cell(self, figures: Mapping[str, Any] | None) -> HeatCell | None:
        if figures is None:
            return None
        total = figures["met"] + figures["late"]
        ground = ground_of(figures["late"], total)
        of = self.ui.in_time_of.format(self.number(figures["met"]), self.number(total))
        share = self.percent(figures["share"], 0) if total >= FEWEST else ""
        if share == self.percent(1.0, 0) and figures["late"]:
            share = self.percent(figures["share"], IN_FULL)  # all but a few are not all
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
        return clean(value)

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
                    (self.time(each["time"][key]), -1 if each["time"][key] is None else each["time"][key])
                    for key in ("p50", "p90", "p99")
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
             "share": self.percent(each["count"] / total), "subjects": [clean(name) for name in each["subjects"]]}
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


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many rounds took how long: counts in steps of ``step`` seconds, the last of them "or longer"."""

    counts: tuple[int, ...]
    step: float
    longer: bool


def histogram_of(counts: Mapping[int, int], until: float) -> Histogram:
    """Durations (microseconds, with their counts) in steps up to ``until`` seconds; what is longer has a step of its
    own."""
    step = max(until, 1.0) / BINS
    found = [0] * (BINS + 1)
    for value, times in counts.items():
        found[min(int(value / SECOND / step), BINS)] += times
    longer = bool(found[BINS])
    return Histogram(tuple(found if longer else found[:BINS]), step, longer)


def plot_of(
    histogram: Histogram, limits: Sequence[float], said: str, in_words: Callable[[float], str], longer: str
) -> Markup:
    """The histogram as a drawing, with a line at each limit; ``said`` tells the same in words."""
    width = (WIDE - LEFT - RIGHT) / len(histogram.counts)
    most = max(histogram.counts) or 1
    base = HIGH - FOOT
    parts = [f'<svg class="plot" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(said)}">']
    for place, count in enumerate(histogram.counts):
        if count:
            high = max((base - TOP) * count / most, 1.5)
            last = histogram.longer and place == len(histogram.counts) - 1
            begin = in_words(place * histogram.step)
            until = longer if last else f"– {in_words((place + 1) * histogram.step)}"
            parts.append(
                f'<rect class="bar{" longer" if last else ""}" x="{LEFT + place * width + 0.5:.1f}" '
                f'y="{base - high:.1f}" width="{width - 1:.1f}" height="{high:.1f}">'
                f"<title>{escape(f'{begin} {until}: {count}')}</title></rect>"
            )
    parts.append(f'<path class="axis" d="M{LEFT} {base}H{WIDE - RIGHT}"/>')
    for share in (0, BINS // 2, BINS):
        at = LEFT + share * width
        anchor = "start" if share == 0 else "middle" if share < BINS else "end"
        told = escape(in_words(share * histogram.step))
        parts.append(f'<text x="{at:.1f}" y="{HIGH - 6}" text-anchor="{anchor}">{told}</text>')
    for limit in limits:
        at = LEFT + limit / histogram.step * width
        if limit <= BINS * histogram.step:
            end = ' text-anchor="end"' if at > WIDE * 0.7 else ""
            beside = -4 if end else 4
            parts.append(
                f'<path class="limit" d="M{at:.1f} {TOP - 12}V{base}"/>'
                f'<text class="limit-told" x="{at + beside:.1f}" y="{TOP - 4}"{end}>{escape(in_words(limit))}</text>'
            )
    return Markup("".join([*parts, "</svg>"]))


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
