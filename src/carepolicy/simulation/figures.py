"""What a simulation found, over all its seeds: as one object for programs, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi, sqrt, tan
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.audit.figures import day_of, goal
from carepolicy.engine.instants import text_of

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.simulation.run import RunResult
    from carepolicy.simulation.scene import Scene

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over the seeds, and the interval in which the true one lies with a confidence of 95 %; without one where
    there are less than two seeds."""

    mean: float
    low: float | None = None
    high: float | None = None

    def as_object(self, digits: int = 6) -> dict[str, Any]:
        """As JSON."""
        if self.low is None or self.high is None:
            return {"mean": round(self.mean, digits), "interval": None}
        return {"mean": round(self.mean, digits), "interval": [round(self.low, digits), round(self.high, digits)]}


def estimate(values: Sequence[float], least: float = 0.0, most: float | None = None) -> Estimate | None:
    """The mean of what each seed found, with Student's interval; None of nothing. What is estimated lies between
    ``least`` and ``most``."""
    if not values:
        return None
    mean = fmean(values)
    if len(values) < 2:
        return Estimate(mean)
    width = student(len(values) - 1) * stdev(values) / sqrt(len(values))
    high = mean + width
    return Estimate(mean, max(mean - width, least), high if most is None else min(high, most))


def student(freedom: int, share: float = (1 + CONFIDENCE) / 2) -> float:
    """A quantile of Student's distribution: exact for 1 and 2 degrees of freedom, else by the expansion in Abramowitz
    and Stegun, Handbook of Mathematical Functions (1964), 26.7.5, right to 1 % from 3 on."""
    if freedom == 1:
        return tan(pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) / sqrt(2 * share * (1 - share))
    x = NormalDist().inv_cdf(share)
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + sum(term / float(freedom**power) for power, term in enumerate(terms, 1))


def shares(results: Sequence[RunResult], flow: str, clock: str) -> list[float]:
    """Of each seed in which rounds of a clock ended, the share that was in time."""
    found = []
    for each in results:
        met, late = each.met[flow, clock], each.late[flow, clock]
        if met + late:
            found.append(met / (met + late))
    return found


class Figures:
    """What the runs of a scene found."""

    def __init__(self, bundle: Bundle, scene: Scene, results: Sequence[RunResult], notes: Sequence[str]) -> None:
        self.bundle = bundle
        self.scene = scene
        self.results = results
        self.notes = notes
        self.in_time: dict[tuple[str, str], Estimate | None] = {}
        self.targets: dict[tuple[str, str], float | None] = {}
        for flow in scene.flows:
            for clock in flow.clocks:
                key = flow.name, clock.table.name
                self.in_time[key] = estimate(shares(results, *key), 0.0, 1.0)
                self.targets[key] = clock.table.target

    def below(self, least: float | None) -> list[tuple[str, str, float, float]]:
        """Clocks whose mean share in time is below ``least``, or None: below their own target; with both."""
        found = []
        for (flow, clock), each in self.in_time.items():
            wanted = self.targets[flow, clock] if least is None else least
            if wanted is not None and each is not None and each.mean < wanted:
                found.append((flow, clock, each.mean, wanted))
        return found

    # -- as JSON -------------------------------------------------------------------------------------------

    def as_object(self) -> dict[str, Any]:
        """The simulation as JSON: see docs/simulation.md."""
        made: dict[str, Any] = {
            "from": text_of(self.scene.begin),
            "to": text_of(self.scene.end),
            "seeds": len(self.results),
            "tasks": sum(each.tasks for each in self.results),
            "flows": {flow.name: self._flow(flow.name) for flow in self.scene.flows},
            "roles": {role.name: self._role(role.name) for role in self.scene.roles},
            "notes": [*self.notes],
        }
        if self.scene.opened:
            made["open_cases"] = [
                {"flow": flow, "subject": subject, "clock": clock, "late": share}
                for (flow, subject, clock), share in self.late_cases()
            ]
        return made

    def _flow(self, name: str) -> dict[str, Any]:
        clocks = {}
        for (flow, clock), each in self.in_time.items():
            if flow == name:
                clocks[clock] = {
                    "rounds": self._mean(lambda run, key=(flow, clock): run.met[key] + run.late[key]),
                    "share": None if each is None else each.as_object(),
                    "target": self.targets[flow, clock],
                }
        return {
            "cases": self._mean(lambda run: run.cases[name]),
            "closed": self._mean(lambda run: run.closed[name]),
            "clocks": clocks,
        }

    def _mean(self, of: Any) -> float:
        return round(fmean(of(each) for each in self.results), 3)

    def role_figures(self, name: str) -> dict[str, Estimate | None]:
        """Of a role over the seeds: utilisation, mean and 90th percentile of waits in seconds, longest queue, and what
        waits at the end."""
        desks = [each.desks[name] for each in self.results]
        return {
            "utilisation": estimate([each.busy / each.there for each in desks if each.there], 0.0, 1.0),
            "wait": estimate([each.waited / each.begun / 1e6 for each in desks if each.begun]),
            "wait_p90": estimate([each.p90 / 1e6 for each in desks if each.begun]),
            "longest_queue": estimate([float(each.longest) for each in desks]),
            "left": estimate([float(each.left) for each in desks]),
        }

    def _role(self, name: str) -> dict[str, Any]:
        role = next(each for each in self.scene.roles if each.name == name)
        figures = {key: None if each is None else each.as_object(4) for key, each in self.role_figures(name).items()}
        return {"people": len(role.members), "tasks": self._mean(lambda run: run.desks[name].done), **figures}

    def late_cases(self) -> list[tuple[tuple[str, str, str], float]]:
        """Of the cases that were open at the beginning: in which share of the runs each of their clocks was late, the
        likeliest first."""
        counts: dict[tuple[str, str, str], int] = {}
        for each in self.results:
            for key in each.lates:
                counts[key] = counts.get(key, 0) + 1
        found = [(key, count / len(self.results)) for key, count in counts.items()]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    # -- for people ----------------------------------------------------------------------------------------

    def as_text(self) -> Iterator[str]:
        """Lines for people."""
        runs, zone = len(self.results), ZoneInfo(self.bundle.timezone)
        yield (
            f"{day_of(self.scene.begin, zone)} to {day_of(self.scene.end, zone)}, {runs:,} "
            f"{'run' if runs == 1 else 'runs'}, {sum(each.tasks for each in self.results):,} tasks"
        )
        for note in self.notes:
            yield f"note: {note}"
        titles = {each.flow: each for each in self.bundle.programs}
        for flow in self.scene.flows:
            yield ""
            told = self._flow(flow.name)
            yield f"{titles[flow.name].title}: {told['cases']:,.0f} cases a run, {told['closed']:,.0f} closed"
            for clock in flow.clocks:
                each, target = self.in_time[flow.name, clock.table.name], clock.table.target
                if each is None:
                    yield f"  {clock.table.title}: no round ended"
                    continue
                mark = "" if target is None else f", target {goal(target)}{'' if each.mean >= target else ' MISSED'}"
                yield f"  {clock.table.title}: {percent(each)} in time{mark}"
        yield ""
        for role in self.scene.roles:
            yield from self._role_lines(role.name, len(role.members))
        if self.scene.opened:
            yield ""
            yield from self._open_lines()

    def _role_lines(self, name: str, people: int) -> Iterator[str]:
        figures = self.role_figures(name)
        busy, wait, p90 = figures["utilisation"], figures["wait"], figures["wait_p90"]
        longest, left = figures["longest_queue"], figures["left"]
        told = f"{self.bundle.role_titles[name]} ({people}): "
        told += "never there" if busy is None else f"{percent(busy)} busy"
        if wait is not None and p90 is not None:
            told += f"; work waits {length(wait.mean)}, nine of ten at most {length(p90.mean)}"
        if longest is not None and left is not None:
            told += f"; queue at most {longest.mean:,.1f}, {left.mean:,.1f} left at the end"
        yield told

    def _open_lines(self) -> Iterator[str]:
        late = self.late_cases()
        count = len(self.scene.opened)
        yield f"{count:,} open {'case' if count == 1 else 'cases'} at the beginning; who will be late:"
        titles = {(f.name, c.table.name): c.table.title for f in self.scene.flows for c in f.clocks}
        for (flow, subject, clock), share in late[:MOST_LATE]:
            yield f"  {share:6.1%}  {subject}  {titles[flow, clock]} ({flow})"
        if len(late) > MOST_LATE:
            yield f"  and {len(late) - MOST_LATE:,} more (--format json has all)"
        if not late:
            yield "  nobody, in any run"


MOST_LATE = 50


def percent(each: Estimate) -> str:
    """A share with its interval."""
    if each.low is None or each.high is None:
        return f"{each.mean:.1%}"
    return f"{each.mean:.1%} ({each.low:.1%} to {each.high:.1%})"


def length(seconds: float) -> str:
    """A length of time in words that people say: in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
