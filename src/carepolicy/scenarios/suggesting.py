"""Suggested scenarios: for each transition that none goes through, the shortest history that takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.scenarios.coverage import described, ways_of
from carepolicy.scenarios.expecting import named
from carepolicy.scenarios.judging import judge
from carepolicy.scenarios.playing import SUBJECT, Play
from carepolicy.scenarios.reading import Scenario, read_text
from carepolicy.scenarios.searching import Path, Search
from carepolicy.scenarios.stage import CannotPlay
from carepolicy.scenarios.suite import judge_all, suite_of
from carepolicy.scenarios.updating import written

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Transition
    from carepolicy.policy.places import At
    from carepolicy.scenarios.coverage import Way
    from carepolicy.scenarios.stage import Stage

_TOLD = ("sent", "told", "requested", "opened", "late", "met")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A transition in words, where it stands, and the text of a scenario that takes it (None: none was found)."""

    name: str
    file: str
    line: int
    text: str | None


def suggest(stage: Stage, flow: Flow) -> Iterator[Suggestion]:
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


def _not_taken(stage: Stage, flow: Flow) -> dict[At, tuple[Transition, list[Way]]]:
    verdicts = judge_all(suite_of((stage.root,)), traced=True)
    seen = {each for verdict in verdicts for each in verdict.seen}
    return {
        at: (rule, ways)
        for at, (rule, ways) in ways_of(flow).items()
        if not any(("way", flow.name, *way) in seen for way in ways)
    }


def _confirmed(stage: Stage, flow: Flow, name: str, way: Way, path: Path) -> str | None:
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
    last = len(scenario.steps) - 2
    for index, step in enumerate(scenario.steps):
        if index == last:
            play.caused.clear()
        play.act(step, scenario.steps[index + 1] if index + 1 < len(scenario.steps) else None)
    whose = play.whose(scenario.steps[-1])
    view = play.view(whose)
    if view is None:
        raise CannotPlay("no case was opened")
    told = [(key, named(play, whose, key)) for key in _TOLD]
    return [f"state: {view.state}", *(f"{key}: {written(names)}" for key, names in told if names)]
