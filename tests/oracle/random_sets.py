"""Random policy sets and logs, rich in what breaks.

Facts that change limits, flapping guards, pauses at closing, events at due instants, extensions, restarts, clocks that
go on, daylight saving, night shifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from random import Random
from typing import Any

import yaml

from oracle.expressions import Expression
from oracle.hours import DAY, SECOND, instant, moment
from oracle.interpreter import Oracle

Data = dict[str, Any]

FACTS: Data = {
    "customer.email": {"type": "text", "default": "ada@customer.example"},
    "tier.a": {"type": "choice", "of": ["standard", "gold"], "default": "standard"},
    "n.a": {"type": "number", "default": 0},
    "m.a": {"type": "number"},
    "f.a": {"type": "flag"},
    "t.a": {"type": "time"},
    "t.b": {"type": "time"},
    "d.a": {"type": "date"},
}
CARRIED = [name for name in FACTS if name != "customer.email"]
ZONES = ("Europe/London", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
WEEKS: tuple[Data, ...] = (
    {"mon-thu": ["09:00-12:30", "13:30-17:30"], "fri": "09:00-16:00"},
    {"mon-fri": "09:00-17:00", "sat": "10:00-14:00"},
    {"mon-sun": "00:00-24:00"},
    {"mon-fri": "22:00-02:00"},
    {"mon-fri": ["08:00-12:00", "20:00-03:00"]},
    {"mon-sat": ["00:30-02:30", "10:00-16:00"]},
    {"sun": "20:00-04:00", "mon-wed": ["09:00-12:00"], "fri": "22:00-01:30"},
    {"tue": "09:00-17:00", "thu-fri": ["09:00-10:00", "11:00-12:00", "18:00-24:00"]},
)
SEASONS: tuple[Data, ...] = (
    {"mon-fri": "08:00-15:00"},
    {"tue": "21:00-03:00", "sat-sun": ["10:00-12:00"]},
    {"mon-wed": ["06:30-09:00", "16:00-24:00"], "fri": []},
)
ANCHORS = (
    "2026-03-02T08:00",
    "2026-03-05T15:00",
    "2026-03-27T14:00",
    "2026-10-23T15:30",
    "2026-10-30T21:00",
    "2026-01-30T11:00",
)
LENGTHS = (
    "20 minutes",
    "1 hour",
    "2 hours",
    "5 hours",
    "26 hours",
    "2 days",
    "30 business minutes",
    "1 business hour",
    "3 business hours",
    "12 business hours",
    "1 business day",
    "2 business days",
)
LIMITS = (
    *LENGTHS,
    "1 month",
    "less than 2 hours",
    "less than 3 business hours",
    "less than 1 business day",
    "close of business day 1",
    "close of business day 2",
    "until t.a",
    "until d.a",
    "1 business day before t.a",
    "2 business days before d.a",
    "2 business hours before t.b",
    "1 day after t.b",
    "3 hours before t.a",
    "1 business day after d.a",
    "2 business hours after t.a",
)
GUARDS = (
    'tier.a == "gold"',
    'tier.a != "gold"',
    "n.a > 1",
    "n.a < 2",
    "n.a == 0",
    "m.a > 2",
    "m.a <= 2",
    "has(m.a)",
    "!has(m.a)",
    "f.a",
    "!f.a",
    "has(t.a)",
    'f.a && tier.a == "gold"',
    "n.a >= 1 || f.a",
    "!(m.a > 2)",
)
WARNINGS = (["50%"], ["50%", "80%"], ["75%"])
MARKS = (
    "50%",
    "80%",
    "10 minutes before",
    "2 hours before",
    "30 business minutes before",
    "4 business hours before",
    "15 minutes",
    "3 hours",
    "45 business minutes",
    "2 business hours",
    "1 business day",
)
RAISED = ["k0", "k1", "k2"]  # the events of a flow whose cases are customers
LOGS = 4  # so many seeds in a row share a set: to check and compile it takes longer than to run a log
OF_THE_MOMENT = (
    "event.n.a > 1",
    "has(event.m.a)",
    "case.visits.s0 > 1",
    "case.visits.s1 < 2 && f.a",
)  # for transitions alone
STEPS = (0, 0, 1, 5, 10, 30, 60, 60, 90, 120, 180, 300, 420, 900, 1440, 1441, 3000, 4320, 10_080)


@dataclass
class Trial:
    """A set, a log and how long time goes on after it: all that a difference needs."""

    files: dict[str, Data]
    events: list[Data]
    until: datetime
    often: int = -1  # when the engine writes moves out (``often`` of stories.py): never, or at once

    def texts(self) -> dict[str, str]:
        return {name: dumped(data) for name, data in self.files.items()}


@cache
def cases() -> list[Data]:
    """Facts that the guards above can tell from others."""
    values = (("standard", "gold"), (0, 1, 2, 3), (None, 1, 2, 3), (None, False, True), (None, 0))
    return [dict(zip(("tier.a", "n.a", "m.a", "f.a", "t.a"), each, strict=True)) for each in product(*values)]


@cache
def truth_of(guard: str) -> frozenset[int]:
    return frozenset(n for n, facts in enumerate(cases()) if Expression(guard, facts.get, facts.get).value() is True)


class PlainDumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def dumped(data: Data) -> str:
    return yaml.dump(data, Dumper=PlainDumper, sort_keys=False, width=200)


class Maker:
    """Makes one trial from one seed: a set, and one of its logs."""

    def __init__(self, seed: int, newer: bool = True) -> None:
        self.seed, self.random = seed, Random(seed // LOGS)
        self.newer = Random(f"newer {seed // LOGS}") if newer and seed // LOGS % 3 != 2 else None
        self.newest = Random(f"newest {seed // LOGS}") if self.newer is not None else None
        self.waits = Random(f"waits {seed // LOGS}")  # apart again: the sets with newer keys stay as they were
        self.start = datetime.fromisoformat(self.random.choice(ANCHORS)).replace(tzinfo=UTC)

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    def maybe_newer(self, share: float) -> bool:
        """Keys that came later are decided on apart, so that every third set is as it always was."""
        return self.newer is not None and self.newer.random() < share

    def one_newer(self, of: Any) -> Any:
        assert self.newer is not None
        return self.newer.choice(of)

    def maybe_newest(self, share: float) -> bool:
        """As ``maybe_newer``, for what came later still."""
        return self.newest is not None and self.newest.random() < share

    def one_newest(self, of: Any) -> Any:
        assert self.newest is not None
        return self.newest.choice(of)

    def one(self, of: Any) -> Any:
        return self.random.choice(of)

    def some(self, of: Any, least: int, most: int) -> list[Any]:
        of = list(of)
        return self.random.sample(of, min(len(of), self.random.randint(least, most)))

    def trial(self) -> Trial:
        events = [f"e{number}" for number in range(self.random.randint(2, 4))]
        self.raises = self.maybe(0.15)
        names = ["f"] if self.maybe(0.7) else ["f", self.one("bh")]
        files = {"organisation.yaml": self.organisation()}
        for name in names:
            files[f"flows/{name}.yaml"] = self.flow(name, events, [each for each in names if each != name])
        if self.raises:
            files["flows/k.yaml"] = self.flow("k", RAISED, [])
        files["messages/en.yaml"] = {
            "language": "en",
            "messages": {
                "hello": {"subject": "Hello", "text": "Hello."},
                "facts": {"subject": "Facts", "text": "{tier.a} {n.a}"},
            },
        }
        trial = Trial(files, [], self.start, often=self.seed // LOGS % 2 or -1)
        self.random = Random(self.seed)
        self.log(trial, events, files["flows/f.yaml"])
        return trial

    def organisation(self) -> Data:
        calendars = {name: self.calendar(name) for name in ("office", "other")}
        return {
            "organisation": "Harbour & Finch",
            "timezone": self.one(ZONES),
            "languages": ["en"],
            "calendar": "office",
            "calendars": calendars,
            "roles": {
                "agent": {"title": "Agent", "calendar": "office", "people": ["Aoife", "Ben"], "deputy": "lead"},
                "lead": {"title": "Lead", "calendar": "other", "people": ["Chidi"], "deputy": "agent"},
            },
            "channels": {
                "email": {"title": "E-mail", "address": "care@harbour.example"},
                "phone": {"title": "Phone", "address": "+44 20 7946 0000", "to": "customer.email"},
            },
            "facts": FACTS,
        }

    def calendar(self, name: str) -> Data:
        made: Data = {"title": name, "hours": self.one(WEEKS)}
        day = self.start.date()
        if self.maybe(0.3):
            made["closed"] = [str(day + timedelta(days=each)) for each in self.some(range(10), 1, 2)]
            if self.maybe(0.5):
                made["closed"].append(f"{day + timedelta(days=3)}/{day + timedelta(days=5)}")
        if self.maybe(0.2):
            made["open"] = {str(day + timedelta(days=self.one(range(10)))): [self.one(("10:00-14:00", "12:00-24:00"))]}
        if self.maybe(0.15):
            made["timezone"] = self.one(ZONES)
        if self.maybe_newer(0.25):
            self.every_year(made, day)
        return made

    def every_year(self, made: Data, day: date) -> None:
        """What comes every year, near the days of the log: a season, and days on which it is closed."""
        first, last = (
            f"{day + timedelta(days=each):%m-%d}" for each in (self.one_newer(range(6)), self.one_newer(range(6, 40)))
        )
        turned = self.maybe_newer(0.3)
        made["seasons"] = {f"{last}/{first}" if turned else f"{first}/{last}": self.one_newer(SEASONS)}
        if self.maybe_newer(0.5):
            shut = f"{day + timedelta(days=self.one_newer(range(10))):%m-%d}"
            closed: Any = self.one_newer((shut, {"dates": f"{shut}/{shut}", "title": "Every year"}))
            made["closed"] = [*made.get("closed", []), closed]

    def flow(self, name: str, events: list[str], others: list[str]) -> Data:
        states = [f"s{number}" for number in range(self.random.randint(2, 4))]
        clocks = [f"c{number}" for number in range(self.one((1, 1, 1, 2, 2, 0)))]
        made: Data = {"flow": name, "version": 1, "title": name, "purpose": "A small flow.", "owner": "lead"}
        if self.maybe(0.2):
            made["calendar"] = "other"
        carries = {"carries": {"optional": CARRIED}}
        made["events"] = {each: {"title": each, "by": "customer", **carries} for each in events}
        if clocks:
            made["clocks"] = {each: self.clock(states, events) for each in clocks}
        self.targets, self.events, self.clocks, self.others = [*states, "done"], events, clocks, others
        made["states"] = {state: self.state(state) for state in states}
        made["states"]["s0"] = {"title": "S0", "start_on": events[0], **made["states"]["s0"]}
        if self.maybe(0.2):
            made["states"]["s1"]["start_on"] = events[1]
        made["states"]["done"] = {"title": "Done", "final": "done"}
        if self.maybe(0.2):
            chosen = self.some(events, 1, 1)
            made["anywhere"] = {
                each: {**self.way(False), "to": self.one(self.targets), "except": self.some(states, 0, 1)}
                for each in chosen
            }
        if self.maybe(0.2):
            made["phases"] = {
                "box": {"title": "Box", "states": self.some(states, 1, 2), "on": {self.one(events): self.way(True)}}
            }
        return made

    def clock(self, states: list[str], events: list[str]) -> Data:
        runs = self.some(states, 1, 3)
        made: Data = {"title": "Answer", "promise": "We do it within {limit}.", "limit": self.limit(), "runs_in": runs}
        rest = [each for each in states if each not in runs]
        pauses = [each for each in rest if self.maybe(0.6)]
        if pauses:
            made["pauses_in"] = pauses
        if self.maybe(0.4):
            made["again"] = "continue"
        if self.maybe(0.3):
            made["restarts_on"] = [self.one(events)]
        if self.maybe(0.5):
            made["warn_at"] = self.one(WARNINGS)
        if self.maybe(0.15):
            made["rolls"] = "next_business_day"
        if self.maybe(0.1):
            made["counts_from"] = "t.b"
        if self.maybe(0.4):
            made["calendar"] = self.one(("other", "owner"))
        if self.maybe_newer(0.3):
            made["warn_at"] = [self.one_newer(MARKS) for _ in range(self.one_newer((1, 1, 2, 3)))]
        for entry in made["limit"] if isinstance(made["limit"], list) else []:
            if self.maybe_newer(0.3):
                entry["calendar"] = self.one_newer(("office", "other", "owner"))
        self.first_of(made)
        return made

    def first_of(self, made: Data) -> None:
        """Put the first of several limits in the place of some."""

        def several(limit: str) -> Any:
            others = [self.one_newest(LIMITS) for _ in range(self.one_newest((1, 1, 2)))]
            return {"first_of": [limit, *others]}

        if isinstance(made["limit"], str):
            if self.maybe_newest(0.3):
                made["limit"] = several(made["limit"])
            return
        for entry in made["limit"]:
            if self.maybe_newest(0.3):
                entry["is"] = several(entry["is"])

    def limit(self) -> Any:
        if self.maybe(0.4):
            return self.one(LIMITS)
        made = [{"when": guard, "is": self.one(LIMITS)} for guard in self.guards()]
        if self.maybe(0.6):
            made.append({"is": self.one(LIMITS)})
        return made

    def state(self, name: str) -> Data:
        made: Data = {"title": name.upper()}
        if self.maybe(0.4):
            made["owner"] = self.one(("agent", "lead"))
        if self.maybe(0.3):
            made["channel"] = self.one(("email", "phone"))
        if self.maybe(0.3):
            made["enter"] = self.effects()
        if self.maybe(0.2):
            made["leave"] = self.effects()
        handled = self.some(self.events, 1, 3)
        heard = [f"{clock}.{what}" for clock in self.clocks for what in ("late", "warned", "met") if self.maybe(0.35)]
        made["on"] = {each: self.ways(each in handled) for each in [*handled, *heard]}
        onward = self.targets[self.targets.index(name) + 1]  # so that all states lead to the end
        made["on"][handled[0]] = {**self.way(False), "to": onward} if self.maybe(0.5) else onward
        if self.maybe(0.3):
            made["after"] = {self.one(LIMITS): self.way(True) for _ in range(self.one((1, 1, 2)))}
        return made

    def ways(self, on_event: bool) -> Any:
        kind = self.random.random()
        if kind < 0.4:
            return self.one(self.targets)
        if kind < 0.7:
            return self.way(True)
        of_the_moment = OF_THE_MOMENT if on_event else OF_THE_MOMENT[2:]
        guards = self.guards() if self.maybe(0.8) else [self.one(of_the_moment)]
        made = [{"when": guard, **self.way(True)} for guard in guards]
        return [*made, self.way(True)] if self.maybe(0.5) else made

    def guards(self) -> list[str]:
        """One or two guards, of which the second can hold where the first does not, and of which both may fail."""
        guards = self.some(GUARDS, 1, 2)
        first, last = truth_of(guards[0]), truth_of(guards[-1])
        return guards if last - first and len(first | last) < len(cases()) else guards[:1]

    def way(self, may_stay: bool) -> Data:
        made = self.effects() if self.maybe(0.5) else {}
        if not may_stay or self.maybe(0.6):
            made["to"] = self.one(self.targets)
        if self.maybe(0.1):
            made["assign"] = self.one(("agent", "lead"))
        if self.clocks and self.maybe(0.15):
            made["extend"] = {"clock": self.one(self.clocks), "by": self.one(LENGTHS)}
            if self.maybe(0.5):
                made["extend"]["at_most"] = self.one((1, 2))
        if self.raises and self.events is not RAISED and self.maybe(0.3):
            made["raise"] = {
                "event": self.one(RAISED),
                "subject": "customer.email",
                "data": {"n.a": "n.a", "m.a": "m.a"},
            }
        if self.others and self.maybe(0.15):
            made["open"] = {"flow": self.one(self.others), "on": self.events[0]}
        return made or {"tell": {"role": "lead", "say": "Stays."}}

    def effects(self) -> Data:
        chosen = self.some(("set", "tell", "send", "request", "set"), 1, 2)
        made: Data = {}
        if "set" in chosen:
            made["set"] = dict(
                self.some(
                    (
                        ("n.a", "n.a + 1"),
                        ("n.a", "0"),
                        ("m.a", "m.a + 1"),
                        ("m.a", "n.a * 2"),
                        ("f.a", "n.a > 1"),
                        ("f.a", "!f.a"),
                        ("tier.a", '"gold"'),
                    ),
                    1,
                    2,
                )
            )
        if "tell" in chosen:
            made["tell"] = self.one(({"role": "agent", "say": "{n.a} of {tier.a}"}, "lead"))
            if self.newer is not None and self.waits.random() < 0.5:
                role = self.waits.choice(("agent", "lead"))
                made["tell"] = {"role": role, "say": "{n.a} of {tier.a}", "in_hours": True}
        if "send" in chosen:
            made["send"] = self.one(("hello", "facts", ["hello", "facts"]))
        if "request" in chosen:
            made["request"] = {"refund": {"amount": "n.a", "more": "m.a"}}
        return made

    def log(self, trial: Trial, events: list[str], flow: Data) -> None:
        at = self.start + timedelta(minutes=self.one(STEPS))
        ahead = Oracle(trial.texts())
        for number in range(self.random.randint(3, 14)):
            kind = events[0] if number == 0 else self.one(events)
            event: Data = {
                "specversion": "1.0",
                "id": f"n{number}",
                "source": "/test",
                "type": kind,
                "subject": "x",
                "time": at.isoformat(),
            }
            if self.maybe(0.12):
                event["subject"] = "y"
            brought = self.brought(at)
            if brought:
                event["data"] = brought
            known = len(trial.events)
            trial.events.append(event)
            if self.maybe(0.03):
                trial.events.append(self.odd(event))
            for each in trial.events[known:]:
                ahead.take(each)
            at = self.next_instant(ahead, at)
        trial.until = at + timedelta(minutes=self.one((0, 60, 1440, 10_080)))

    def next_instant(self, ahead: Oracle, at: datetime) -> datetime:
        """Some minutes later, or exactly when something falls due."""
        if self.maybe(0.3):
            dues = [timer.due for cases in ahead.cases.values() for case in cases.values() for timer in case.timers()]
            near = [each for each in dues if 0 < each - instant(at) < 40 * DAY and each % SECOND == 0]
            if near:
                return moment(self.one(near))
        a_little = self.one((1, 999_999, 30_000_000)) if self.maybe(0.1) else 0
        return at + timedelta(minutes=self.one(STEPS), microseconds=a_little)

    def brought(self, at: datetime) -> Data:
        made: Data = {}
        values = {
            "tier.a": lambda: self.one(("standard", "gold")),
            "n.a": lambda: self.one((0, 1, 2, 3)),
            "m.a": lambda: self.one((1, 2, 3, 4)),
            "f.a": lambda: self.maybe(0.5),
            "t.a": lambda: (at + timedelta(hours=self.one((-30, -2, 0, 1, 2, 5, 24, 49, 120)))).isoformat(),
            "t.b": lambda: (at + timedelta(hours=self.one((-26, -3, -1, 0, 4, 30)))).isoformat(),
            "d.a": lambda: str(at.date() + timedelta(days=self.one((-1, 0, 1, 2, 3, 7)))),
        }
        for name in self.some(values, 0, 3) if self.maybe(0.6) else ():
            made[name] = values[name]()
        return made

    def odd(self, event: Data) -> Data:
        """An event that is refused: it came before, is too early, or says what it must not."""
        kind = self.one(("again", "early", "undeclared", "data", "type"))
        made = {**event, "id": f"{event['id']}-{kind}"}
        if kind == "again":
            return event
        if kind == "early":
            earlier = datetime.fromisoformat(event["time"]) - timedelta(minutes=self.one((1, 100)))
            return {**made, "time": earlier.isoformat()}
        if kind == "undeclared":
            return {**made, "type": "unheard_of"}
        return {**made, "data": {"z.z": 1} if kind == "data" else {"n.a": "many"}}


def random_trial(seed: int, newer: bool = True) -> Trial:
    """The trial of a seed; without keys that are ``newer`` than the others it is what it was before there were any."""
    return Maker(seed, newer).trial()


ASKED = ("+442079460101", "02079460101", "00442079460202")
NUMBERS = ("020 7946 0101", "+44 20 7946 0101", "+44 (0)20-7946-0101", "0044 20 7946 0202", "020 7946 0202", "nobody")


def with_people_and_numbers(seed: int) -> Trial:
    """A trial of the same seed in whose set people are away, numbers have bounds and telephones are facts."""
    trial, random = random_trial(seed), Random(seed)
    organisation = trial.files["organisation.yaml"] = {**trial.files["organisation.yaml"]}
    start = trial.events[0]["time"][:10] if trial.events else "2026-03-02"
    day = datetime.fromisoformat(start).date()

    def absence() -> str:
        first = day + timedelta(days=random.randint(-3, 6))
        return f"{first}/{first + timedelta(days=random.randint(0, 9))}"

    people = random.sample(("Aoife", "Ben", "Chidi"), random.randint(1, 3))
    organisation["away"] = {person: [absence() for _ in range(random.randint(1, 2))] for person in people}
    organisation["region"] = "GB"
    facts = organisation["facts"] = {**organisation["facts"], "p.a": {"type": "phone"}}
    facts["n.a"] = {**facts["n.a"], "min": 0, "max": random.choice((1, 2, 3))}
    for name, flow in trial.files.items():
        if name.startswith("flows/"):
            for event in flow["events"].values():
                if "carries" in event:
                    event["carries"] = {"optional": [*event["carries"]["optional"], "p.a"]}
            for state in flow["states"].values():
                for trigger, ways in state.get("on", {}).items():
                    if random.random() < 0.3:
                        asked = {"when": f'p.a == "{random.choice(ASKED)}"', "tell": "lead"}
                        state["on"][trigger] = [asked, *(ways if isinstance(ways, list) else [ways])]
    for event in trial.events:
        if random.random() < 0.4:
            event["data"] = {**event.get("data", {}), "p.a": random.choice(NUMBERS)}
    return trial
