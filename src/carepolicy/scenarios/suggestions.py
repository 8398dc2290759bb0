"""Suggested scenarios: for each transition that none goes through, the shortest history that takes it.

It is found by a search, breadth first, over what may happen to a case, on the engine itself. From each situation it
tries every event that the state listens to, with every sort of data that makes a difference to a guard, and the wait
for the case's next timer. A situation is the state of a case, the guards that hold for it, and how its clocks stand;
one that was met before is not looked at again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.instants import DAY, NEVER, SECOND, text_of
from carepolicy.engine.intake import Intake
from carepolicy.engine.letters import EventRecords
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.program import live_program
from carepolicy.engine.stratum import Stratum
from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.runtime import is_match
from carepolicy.guards.scope import scope_of
from carepolicy.policy.addresses import example_number
from carepolicy.policy.region import region_of
from carepolicy.scenarios.coverage import described, trace, ways_of
from carepolicy.scenarios.play import START, SUBJECT, Play
from carepolicy.scenarios.scenario import Scenario, read_text
from carepolicy.scenarios.stage import CannotPlay
from carepolicy.scenarios.suite import judge_all, suite_of
from carepolicy.scenarios.updates import so_written, written
from carepolicy.scenarios.verdict import judge

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Subject
    from carepolicy.guards.compiler import Expression
    from carepolicy.policy.model import Event, Fact, Flow, Organisation, Transition
    from carepolicy.policy.places import At
    from carepolicy.scenarios.coverage import Seen, WayKey
    from carepolicy.scenarios.stage import Stage


_TOLD = ("sent", "told", "requested", "opened", "late", "met")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A transition in words, where it stands, and the text of a scenario that takes it (None: none was found)."""

    name: str
    file: str
    line: int
    text: str | None


def suggestions_of(stage: Stage, flow: Flow) -> Iterator[Suggestion]:
    """A suggestion for each transition of ``flow`` that no scenario of the set takes, in the order of the file.

    Each scenario was run, passes, and takes its transition.
    """
    missing = _not_taken(stage, flow)
    wanted = {way for _, ways in missing.values() for way in ways}
    found: dict[At, str] = {}
    search = Search(stage, flow)
    for way, path in search.find(wanted):
        for at, (rule, ways) in missing.items():
            if way in ways and at not in found:
                text = _confirmed(stage, flow, described(flow, rule, ways), way, path)
                if text is not None:
                    found[at] = text
                    wanted.difference_update(ways)
    for at, (rule, ways) in missing.items():
        place = stage.policies.key_place(at) if isinstance(at.path[-1], str) else stage.policies.place(at)
        yield Suggestion(described(flow, rule, ways), place.file, place.line, found.get(at))


def _not_taken(stage: Stage, flow: Flow) -> dict[At, tuple[Transition, list[WayKey]]]:
    verdicts = judge_all(suite_of((stage.root,)), traced=True)
    seen = {each for verdict in verdicts for each in verdict.seen}
    taken = {
        at
        for other in stage.policies.flows.values()  # what is common to all is gone through in whichever takes it up
        for at, (_, ways) in ways_of(other).items()
        if any(("way", other.name, *way) in seen for way in ways)
    }
    return {at: found for at, found in ways_of(flow).items() if at not in taken}


def _confirmed(stage: Stage, flow: Flow, name: str, way: WayKey, path: Path) -> str | None:
    """The text of a scenario of a path, with what is so at its end; None where it does not take the way."""
    head = f"scenario: {written(f'To be named - {name}')}\nflow: {flow.name}\nsteps:\n"
    steps = "".join(f"  - {{{', '.join(_parts(stage, path, index))}}}\n" for index in range(len(path)))
    scenario = _read(head + steps + "  - expect: {}\n")
    try:
        expected = _found(Play(stage, scenario), scenario)
    except CannotPlay:
        return None
    text = f"{head}{steps}  - expect: {{{', '.join(expected)}}}\n"
    verdict = judge(stage, _read(text), traced=True)
    return text if verdict.passed and ("way", flow.name, *way) in verdict.seen else None


def _read(text: str) -> Scenario:
    scenarios, findings = read_text(text, "suggestion")
    if findings:
        raise AssertionError(f"a suggestion has the shape of a scenario: {findings[0].message}")
    return scenarios[0]


def _parts(stage: Stage, path: Path, index: int) -> Iterator[str]:
    """The keys of one step, as they are written."""
    move = path[index]
    if move.event is None:
        yield f"until: {written(stage.local(move.at))}"
        return
    yield f"at: {written(stage.local(move.at))}"
    yield f"event: {move.event}"
    key = next(
        (each.key for each in stage.bundle.programs if move.event in each.events and each.key in move.data), None
    )
    data = {**move.data, key: SUBJECT} if key is not None else move.data
    if data:
        yield "data: {" + ", ".join(f"{fact}: {written(value)}" for fact, value in data.items()) + "}"


def _found(play: Play, scenario: Scenario) -> list[str]:
    """What is so after the last event or wait, as an expectation writes it."""
    last = scenario.steps[-2]
    for step, following in scenario.in_pairs():
        if step is last:
            play.caused.clear()
        play.act(step, following)
    whose = play.whose(scenario.steps[-1])
    if play.view(whose) is None:
        raise CannotPlay("no case was opened")
    return so_written(play, whose, _TOLD)


BETWEEN = 5 * 60 * SECOND
"""Between two events five minutes pass: time enough to tell them apart, and too little for most limits."""

MOST_STEPS = 20_000
"""Steps that are tried before the search gives up on what it has not found."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a path: what happens next, at an instant. An event with its data, or (None) nothing but that time
    passes until then."""

    at: int
    event: str | None
    data: Data


Path = tuple[Leg, ...]


class Search:
    """Searches one flow for paths that take ways of it."""

    def __init__(self, stage: Stage, flow: Flow) -> None:
        bundle = stage.bundle
        self.flow = flow
        self.start = stage.instant(START)
        programs = [live_program(place, each, bundle) for place, each in enumerate(bundle.programs)]
        self.program = next(each for each in programs if each.flow == flow.name)
        self.seen: set[Seen] = set()
        trace([self.program], self.seen)
        mates = [each for each in programs if each.stratum == self.program.stratum and each.every is None]
        memory = ProcessMemory()
        self.stratum = Stratum(bundle, mates, EventRecords(bundle, memory), memory)
        self.intake = Intake(bundle)
        self.guards = guards_of(stage.policies.organisation, flow)
        self.counted = sorted(counted(flow))
        self.visits = sorted({state for guard in self.guards for state in guard.reads_visits})
        self.candidates = Candidates(stage.policies.organisation, flow, self.guards, self.start)
        self._number = 0

    def find(self, wanted: set[WayKey]) -> Iterator[tuple[WayKey, Path]]:
        """A shortest path for each wanted way that is found, as it is found. ``wanted`` keeps what was not."""
        known: set[Any] = set()
        waiting: deque[Path] = deque([()])
        steps = 0
        while waiting and wanted and steps < MOST_STEPS:
            path = waiting.popleft()
            for move in self._moves(path):
                steps += 1
                case, _ = self._play((*path, move))
                for way in self._taken() & wanted:
                    wanted.discard(way)
                    yield way, (*path, move)
                situation = None if case is None or case.closed else self._situation(case)
                if situation is not None and situation not in known:
                    known.add(situation)
                    waiting.append((*path, move))

    def _taken(self) -> set[WayKey]:
        return {(each[2], each[3], each[4]) for each in self.seen if each[0] == "way"}

    def _moves(self, path: Path) -> list[Leg]:
        """What may happen after a path."""
        now = path[-1].at + BETWEEN if path else self.start
        name = self._name(self._number + 1)
        if not path:
            return [Leg(now, event, data) for event in self.program.starts for data in self._options(event, name)]
        case, _ = self._play(path)
        if case is None or case.closed:
            return []
        moves = [
            Leg(now, event, data)
            for event in case.state.ways
            if event in self.flow.events
            for data in self._options(event, name)
        ]
        return moves if case.next == NEVER else [*moves, Leg(max(case.next, path[-1].at), None, {})]

    def _options(self, event: str, subject: str) -> list[Data]:
        declared = self.flow.events.get(event)
        return [] if declared is None else self.candidates.options(declared, subject)

    def _name(self, number: int) -> str:
        return f"search-{number}"

    def _play(self, path: Path) -> tuple[Case | None, Subject]:
        """Let a path happen to a subject of its own; ``seen`` then holds what its last move went through."""
        self._number += 1
        name, key = self._name(self._number), self.program.key
        subject = self.stratum.subject(key, name)
        case: Case | None = None
        for number, move in enumerate(path):
            self.seen.clear()
            if move.event is None:
                self.stratum.stepper.fire(subject, move.at, True)
            else:
                data = {**move.data, key: name} if key is not None and key in move.data else move.data
                told = {"id": f"{name}-{number}", "source": "/search", "subject": name, "type": move.event}
                line = orjson.dumps({**told, "time": text_of(move.at), "data": data})
                self.stratum.take(self.intake.read(number, line))
            case = subject.cases.get(self.program.place, case)
        for used in (self.stratum.out, self.stratum.refusals, self.stratum.counted, self.stratum.stepper.raised):
            used.clear()
        del self.stratum.subjects[name if key is None else (key, name)]
        return case, subject

    def _situation(self, case: Case) -> Any:
        """All that makes a difference to what may happen to a case next."""
        guards = tuple(bool(each.function(case.facts, NO_DATA, case)) for each in self.guards)
        clocks = tuple((held.running, held.late, held.warned) if held is not None else None for held in case.rounds)
        numbers = tuple(str(case.facts.get(fact)) for fact in self.counted)
        visits = tuple(case.visits(state) for state in self.visits)
        return case.state.name, guards, clocks, numbers, visits, len(case.afters)


MOST = 32
"""Combinations that are tried for one guard; a guard over many facts has more than a search can go through."""

_TEXT = re.compile(r""""([^"\\]*)"|'([^'\\]*)'""")
_NUMBER = re.compile(r"(?<![\w.\"'])\d+(\.\d+)?(?![\w\"'])")
_SETTING = re.compile(r"\bsettings\.(\w+)")

Data = dict[str, Any]
"""What an event brings, as JSON has it, by dotted name."""


def guards_of(organisation: Organisation, flow: Flow) -> list[Expression]:
    """Every guard of a flow, of its transitions and of its clocks' limits, each text once for each event."""
    found: dict[tuple[str, str | None], Expression] = {}
    for rule, ways in ways_of(flow).values():
        if rule.when is not None:
            trigger = next((trigger for _, trigger, _ in ways if trigger in flow.events), None)
            scope = scope_of(organisation, flow, trigger)
            found[rule.when, trigger] = compile_expression(rule.when, scope, "flag")
    for clock in flow.clocks.values():
        for limit in clock.limits:
            if limit.when is not None:
                found[limit.when, None] = compile_expression(limit.when, scope_of(organisation, flow), "flag")
    return list(found.values())


class Candidates:
    """Values for the events of one flow; times are around ``start``, in microseconds since 1970."""

    def __init__(self, organisation: Organisation, flow: Flow, guards: list[Expression], start: int) -> None:
        self._facts = organisation.facts
        self._region = region_of(organisation)
        self._settings = {name: each.value for name, each in organisation.settings.items()}
        self._guards = guards
        self._start = start
        self._texts: dict[str, list[str]] = {}
        self._numbers: dict[str, list[Decimal]] = {}
        for guard in guards:
            for fact in sorted(guard.reads | guard.reads_event):
                self._learn(fact, guard.text)
        self._key = flow.subject if flow.every is None else None

    def _learn(self, fact: str, text: str) -> None:
        texts = [first or second for first, second in _TEXT.findall(text)]
        numbers = [Decimal(each.group()) for each in _NUMBER.finditer(_TEXT.sub("", text))]
        for name in _SETTING.findall(text):
            try:
                numbers.append(Decimal(str(self._settings.get(name))))
            except InvalidOperation:
                texts.append(str(self._settings.get(name)))
        self._texts.setdefault(fact, []).extend(texts)
        self._numbers.setdefault(fact, []).extend(numbers)

    def options(self, event: Event, subject: str) -> list[Data]:
        """What ``event`` may bring: what it must, and for each guard the ways in which its facts may be.

        The plainest come first, and none comes twice.
        """
        base: Data = {fact: self.values(fact)[0] for fact in event.required}
        carried = (*event.required, *event.optional)
        if self._key is not None and self._key in carried:
            base[self._key] = subject
        found = [base, *(base | each for each in self._of_guards(carried))]
        return list({repr(sorted(each.items())): each for each in found}.values())

    def _of_guards(self, carried: tuple[str, ...]) -> Iterator[Data]:
        for guard in self._guards:
            facts = sorted((guard.reads | guard.reads_event).intersection(carried) - {self._key})
            if facts:
                for values in islice(product(*(self.values(fact) for fact in facts)), MOST):
                    yield dict(zip(facts, values, strict=True))

    def values(self, name: str) -> list[Any]:
        """Values of a fact, a plain one first."""
        fact = self._facts[name]
        if fact.type == "list":
            members = self._allowed(fact, self._single(fact, fact.item or "text"))
            return [members[:1], members, []]
        return self._allowed(fact, self._single(fact, fact.type))

    def _allowed(self, fact: Fact, values: list[Any]) -> list[Any]:
        """The values that the fact allows, and its bounds; where none is allowed, such as of a pattern, all."""
        bounds = [each for each in (fact.least, fact.most) if each is not None]
        if bounds:
            values = [*values, *(str(each) if isinstance(each, Decimal) else each for each in bounds)]
            amounts = [(Decimal(str(each)), each) for each in values]
            least, most = (None if each is None else Decimal(str(each)) for each in (fact.least, fact.most))
            values = [
                each
                for amount, each in amounts
                if (least is None or least <= amount) and (most is None or amount <= most)
            ]
        elif fact.pattern is not None:
            values = [each for each in values if is_match(fact.pattern, each)] or values
        return values

    def _single(self, fact: Fact, kind: str) -> list[Any]:
        match kind:
            case "choice":
                return list(fact.of)
            case "flag":
                return [True, False]
            case "number":
                near = [each + step for each in self._numbers.get(fact.name, ()) for step in (0, 1, -1)]
                return list(dict.fromkeys([*map(_plain, near), 1]))
            case "money":
                near = [each + step for each in self._numbers.get(fact.name, ()) for step in (0, 1, -1)]
                return list(dict.fromkeys([*(str(each) for each in near), "10.00"]))
            case "phone":
                return list(dict.fromkeys([*self._texts.get(fact.name, ()), example_number(self._region)]))
            case "email":
                return list(dict.fromkeys([*self._texts.get(fact.name, ()), "someone@example.org"]))
            case "date":
                return [text_of(self._start + days * DAY)[:10] for days in (2, 0, -2, 40)]
            case "time":
                return [text_of(self._start + days * DAY) for days in (2, -2, 40)]
        said = "someone@example.org" if "email" in fact.name else "something"
        return list(dict.fromkeys([*self._texts.get(fact.name, ()), said]))


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def counted(flow: Flow) -> frozenset[str]:
    """The facts that the flow's own effects set, such as a number of attempts."""
    effects = [each.effects for each, _ in ways_of(flow).values()]
    effects += [each for state in flow.states.values() for each in (state.enter, state.leave) if each is not None]
    names: Mapping[str, None] = {fact: None for each in effects for fact in each.set}
    return frozenset(names)
