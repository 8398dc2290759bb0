"""A year of a shop, as events: ``python benchmarks/shop_year.py [--events 200000] [--seed 7] [--policies policies]``.

Each case tells one of the stories of the set's scenarios, with its data, days later: on the same weekday, at another
minute of another hour. Most days bring the usual stories, so many of each flow; few bring the rare ones. The year has
weeks in which more is sold (spring, the sales of November, December) and quiet ones. There are people on leave: in
their weeks, and in the busiest ones, staff act hours or days later, so that queues grow, warnings come and promises
break. Same arguments, same lines, on every machine.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from carepolicy.businesstime.instants import EPOCH
from carepolicy.scenarios.play import Play
from carepolicy.scenarios.scenario import PlayedStep, Scenario, read_scenarios, scenario_files
from carepolicy.scenarios.stage import CannotPlay, Stage, stage_for

ROOT = Path(__file__).parent.parent
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
WEEKS = 52
BUSY = {12: 1.5, 13: 1.5, 46: 2.0, 47: 3.0, 48: 2.5, 49: 2.5, 50: 2.5}
"""By its number, a week of the year in which so many times as much is sold."""
AWAY = frozenset((7, 8, 21, 29, 30, 31, 32, 42))
"""Weeks in which people are on leave."""
USUAL, OPEN = 12, 0.25
"""So many times as often as any other come the three shortest stories of a flow that end: what goes as it should; so
many times as often those that a scenario leaves open once it has shown its point."""


class Told(NamedTuple):
    """One event of a story: after how much time, what, with which data, about whom beside the case, and whether one
    of the house acts."""

    after: timedelta
    event: str
    data: dict[str, Any]
    subject: str
    by_staff: bool


class Story(NamedTuple):
    """The events of a scenario, the first of which happens at ``begins``; and how often it is told."""

    flow: str
    begins: datetime
    events: tuple[Told, ...]
    weight: float


class _Listening(Play):
    """A scenario that is played for what it feeds."""

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        super().__init__(stage, scenario)
        self.told: list[tuple[int, str, dict[str, Any], str]] = []

    def _feed(self, step: PlayedStep, event: str) -> None:
        assert self.now is not None
        data = {name: self.stage.value(name, value) for name, value in step.data.items()}
        self.told.append((self.now, event, data, step.subject or ""))
        super()._feed(step, event)


def stories_of(root: Path) -> list[Story]:
    """The stories of all scenarios of a set that tell any events, in the order of their files."""
    stage = stage_for(str(root))
    kinds = {each.name: each.type for each in stage.policies.organisation.facts.values()}
    staff = {name for flow in stage.policies.flows.values() for name, each in flow.events.items() if each.by == "staff"}
    found: dict[str, list[tuple[datetime, tuple[Told, ...], bool]]] = {}
    for file in scenario_files([str(root)]):
        for document in read_scenarios(file):
            if document.scenario is None:
                continue
            told, ends = _told(stage, document.scenario)
            if told:
                begins = _instant(told[0][0])
                events = tuple(
                    Told(_instant(at) - begins, event, _days_of(data, kinds), subject, event in staff)
                    for at, event, data, subject in told
                )
                found.setdefault(document.scenario.flow, []).append((begins, events, ends))
    return [story for flow, stories in found.items() for story in _weighed(flow, stories)]


def _days_of(data: dict[str, Any], kinds: dict[str, str]) -> dict[str, Any]:
    """The data with instants and days as such, which move with the story."""
    read = {"time": datetime.fromisoformat, "date": date.fromisoformat}
    return {name: read[kinds[name]](value) if kinds.get(name) in read else value for name, value in data.items()}


def _told(stage: Stage, scenario: Scenario) -> tuple[list[tuple[int, str, dict[str, Any], str]], bool]:
    """What a scenario feeds, and whether all its cases are closed then."""
    play = _Listening(stage, scenario)
    for step, following in scenario.in_pairs():
        try:
            play.act(step, following)
        except CannotPlay:
            break
    return play.told, all(each.outcome is not None for each in play.views.all())


def _weighed(flow: str, stories: list[tuple[datetime, tuple[Told, ...], bool]]) -> Iterator[Story]:
    ending = [place for place, (_, _, ends) in enumerate(stories) if ends]
    usual = sorted(ending, key=lambda place: len(stories[place][1]))[:3]
    for place, (begins, events, ends) in enumerate(stories):
        yield Story(flow, begins, events, USUAL if place in usual else 1 if ends else OPEN)


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def events(stories: Sequence[Story], count: int, seed: int) -> list[dict[str, Any]]:
    """At least ``count`` CloudEvents, by time."""
    rng = random.Random(seed)
    weeks = rng.choices(range(WEEKS), [BUSY.get(week, 1.0) for week in range(WEEKS)], k=count)
    found: list[tuple[datetime, int, dict[str, Any]]] = []
    for number, week in enumerate(weeks):
        if len(found) >= count:
            break
        story = rng.choices(stories, [each.weight for each in stories])[0]
        found += _case(story, number, week, len(found), rng)
    found.sort(key=lambda each: each[:2])
    return [event for _, _, event in found]


def _case(
    story: Story, number: int, week: int, first: int, rng: random.Random
) -> Iterator[tuple[datetime, int, dict[str, Any]]]:
    """One story told anew in a week of the year, with its own case and customer."""
    name = f"{story.flow}-{number:06}"
    monday = FIRST + timedelta(weeks=week)
    begins = monday + timedelta(days=story.begins.weekday()) + (story.begins - _midnight(story.begins))
    at = begins + timedelta(minutes=rng.randint(-25, 25))
    slow = timedelta()
    own = {"customer.id": f"C-{number % 20_011:05}"}
    before = timedelta()
    for place, each in enumerate(story.events):
        waited = each.after - before
        before = each.after
        if each.by_staff and (week in AWAY or week in BUSY) and rng.random() < 0.3:
            slow += timedelta(hours=rng.choice((1, 2, 4, 24, 48)))
        at += waited if waited else timedelta(seconds=place and 1)
        data = {name: _moved(value, begins - story.begins) for name, value in each.data.items()}
        data |= {name: value for name, value in own.items() if name in data}
        subject = f"{name}-{each.subject}" if each.subject else name
        when = at + slow
        yield when, first + place, _event(f"{name}-{place}", each.event, subject, when, data)


def _moved(value: Any, by: timedelta) -> Any:
    return (value + by).isoformat() if isinstance(value, date) else value


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _event(name: str, kind: str, subject: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    event = {"specversion": "1.0", "id": name, "source": "/shop", "type": kind, "subject": subject}
    return {**event, "time": at.isoformat(), **({"data": data} if data else {})}


def lines(count: int, seed: int = 7, root: Path = ROOT / "policies") -> list[bytes]:
    """The year as lines of JSON."""
    return [orjson.dumps(each) + b"\n" for each in events(stories_of(root), count, seed)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--policies", type=Path, default=ROOT / "policies")
    asked = parser.parse_args(arguments)
    sys.stdout.buffer.writelines(lines(asked.events, asked.seed, asked.policies))


if __name__ == "__main__":
    main()
