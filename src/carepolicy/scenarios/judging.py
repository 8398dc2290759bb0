"""A scenario judged: played step by step until an expectation fails, or to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from carepolicy.engine.recordwords import record_in_words, time_in_words
from carepolicy.scenarios.expecting import Difference, differences
from carepolicy.scenarios.playing import Play, TellingRun
from carepolicy.scenarios.stage import CannotPlay
from carepolicy.scenarios.tracing import Seen, note_records, trace

if TYPE_CHECKING:
    from carepolicy.scenarios.reading import Scenario, Step
    from carepolicy.scenarios.stage import Stage


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed, by its number and line (both from 1): what is otherwise, or why it cannot be played."""

    step: int
    line: int
    reason: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a scenario. ``timeline`` is what happened up to the failure, with local times of ``zone``;
    ``seconds`` is how long it took, ``seen`` what it went through where that was asked for."""

    file: str
    document: int
    line: int
    title: str
    flow: str
    zone: str
    failures: tuple[Failure, ...]
    timeline: tuple[str, ...]
    seconds: float
    seen: frozenset[Seen] = field(default=frozenset(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.failures


def judge(stage: Stage, scenario: Scenario, traced: bool = False, to_the_end: bool = False) -> Verdict:
    """Play a scenario; stop at the first step that fails, unless it is to be played ``to_the_end``."""
    began = perf_counter()
    run = TellingRun(stage.bundle)
    seen: set[Seen] = set()
    if traced:
        trace((each for desk in run.desks for each in desk.programs), seen)
    play = Play(stage, scenario, run)
    failures: list[Failure] = []
    for step, following in zip(scenario.steps, (*scenario.steps[1:], None), strict=True):
        failure = _step(play, step, following)
        if failure is not None:
            failures.append(failure)
            if failure.reason or not to_the_end:
                break
    if traced:
        note_records(play.records, seen)
    return Verdict(
        scenario.file, scenario.document, scenario.line, scenario.title, scenario.flow, stage.zone.key,
        tuple(failures), timeline(play) if failures else (), perf_counter() - began, frozenset(seen),
    )  # fmt: skip


def _step(play: Play, step: Step, following: Step | None) -> Failure | None:
    """Play one step; what is wrong with it, if anything."""
    try:
        play.act(step, following)
        refused = _refused(play, step, following)
        if refused:
            return Failure(step.number, step.line, refused, ())
        if step.expect is None:
            return None
        found = tuple(differences(play, play.whose(step), dict(step.expect.wanted)))
    except CannotPlay as problem:
        return Failure(step.number, step.line, str(problem), ())
    return Failure(step.number, step.line, "", found) if found else None


def _refused(play: Play, step: Step, following: Step | None) -> str:
    """Why the engine rejected an event although no expectation says that it would; nothing where it did not."""
    if play.rejection_expected or (step.expect is None and following is not None):
        return ""
    rejected = [each for each in play.caused if each.kind == "event.rejected"]
    return "; ".join(
        f"the event {each.data['event'].get('type')} was rejected: {each.data['reason']} ({each.data['code']})"
        for each in rejected
    )


def timeline(play: Play) -> tuple[str, ...]:
    """What happened, one record a line with its local time; other cases than the scenario's own are named."""
    own = (play.scenario.flow, play.subject)
    lines = []
    for each in play.records:
        when = time_in_words(each.at, play.stage.zone) if each.time else ""
        about = "" if (each.flow or own[0], each.subject) == own else " ".join((each.subject, each.flow)).strip() + ": "
        lines.append(f"{when:<20}  {about}{record_in_words(each, play.stage.zone)}")
    return tuple(lines)
