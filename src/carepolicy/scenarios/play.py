"""A scenario played on the engine: events fed, time let pass, and what was caused kept apart by expectations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.case import Case
from carepolicy.engine.history.cases import Cases, CaseView
from carepolicy.engine.instants import text_of
from carepolicy.engine.record import Record
from carepolicy.engine.run import Run
from carepolicy.policy.likeness import did_you_mean
from carepolicy.scenarios.stage import CannotPlay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.engine.case import LiveProgram
    from carepolicy.engine.intake import Incoming
    from carepolicy.engine.run import Caused
    from carepolicy.machine.program import Bundle
    from carepolicy.scenarios.scenario import PlayedStep, Scenario
    from carepolicy.scenarios.stage import Stage

SUBJECT = "case-1"
"""Whom a scenario is about that names nobody."""

START = "2026-03-02 10:00"
"""The Monday on which walks and suggested scenarios begin that are told nothing else, in the organisation's zone."""

Key = tuple[str, str]
"""A flow and a subject."""


class TellingRun(Run):
    """A run that also tells which events were raised, which leaves no record of its own."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self.raised: list[str] = []

    def pass_raised(self, level: int, event: Incoming) -> None:
        """Keep an event for the strata above, and its type."""
        self.raised.append(event.type)
        super().pass_raised(level, event)


class Play:
    """One scenario on its way. ``records`` are all so far, in the order of time within what one step caused;
    ``caused`` those since the last expectation that a step followed, ``raised`` the events raised since, and
    ``rejection_expected`` says that an expectation has spoken of rejections since."""

    def __init__(self, stage: Stage, scenario: Scenario, run: TellingRun | None = None) -> None:
        self.stage = stage
        self.scenario = scenario
        self.run = run or TellingRun(stage.bundle)
        self.programs = {each.flow: each for each in self.run.programs}
        self.subject = scenario.subject or SUBJECT
        self.now: int | None = None
        self.records: list[Record] = []
        self.caused: list[Record] = []
        self.raised: list[str] = []
        self.views = Cases(keep=True)
        self.cases: dict[Key, Case] = {}
        self.rejection_expected = False
        self._expected = False

    def act(self, step: PlayedStep, following: PlayedStep | None) -> None:
        """Let happen what a step says, and time pass until the step's own. Raises ``CannotPlay``."""
        if self._expected and (step.event or step.wait or step.until or step.when):
            self.caused, self.raised = [], []
            self._expected = self.rejection_expected = False
        self._pass_time(step)
        if step.event is not None:
            self._feed(step, step.event)
        if step.expect is not None or step.wait is not None or step.until is not None:
            self._settle(following)
        if step.expect is not None:
            self._expected = True
            self.rejection_expected |= "rejected" in step.expect.wanted

    def _pass_time(self, step: PlayedStep) -> None:
        for text in (step.when, step.until):
            if text is not None:
                then = self.stage.instant(text)
                if self.now is not None and then < self.now:
                    raise CannotPlay(f"{text} is before {self.stage.local(self.now)}, where the scenario is")
                self.now = then
        if step.wait is not None:
            if self.now is None:
                raise CannotPlay("a scenario begins at a time: write at: or until: before the first wait")
            case = self.cases.get((self.scenario.flow, self.subject))
            facts = {**self._defaults(), **(case.facts if case is not None else {})}
            self.now = self.stage.wait(self.now, step.wait, self.program(self.scenario.flow), facts)
        if self.now is None:
            raise CannotPlay("a scenario begins at a time: write at: with the first event")

    def _defaults(self) -> dict[str, Any]:
        facts = self.stage.bundle.facts.values()
        return {each.name: each.default for each in facts if each.default is not None}

    def _feed(self, step: PlayedStep, event: str) -> None:
        assert self.now is not None, "time passes before an event is fed"
        told = {
            "specversion": "1.0",
            "id": step.id or f"step-{step.number}",
            "source": "/scenario",
            "type": event,
            "subject": step.subject or self.subject,
            "time": text_of(self.now),
            "data": {name: self.stage.value(name, value) for name, value in step.data.items()},
        }
        self._take(self.run.feed([(step.number, orjson.dumps(told))]), [])

    def _settle(self, following: PlayedStep | None) -> None:
        """Let timers fall due until now; those of this very instant only where no event of it comes after."""
        assert self.now is not None, "time passes before timers fall due"
        until = self.now - 1 if self._is_now(following) else self.now
        ending = self.run.finish(until)
        self._take(ending.caused, ending.due_values)

    def _is_now(self, step: PlayedStep | None) -> bool:
        if step is None or step.event is None or step.wait is not None or step.until is not None:
            return False
        try:
            return step.when is None or self.stage.instant(step.when) == self.now
        except CannotPlay:
            return False

    def _take(self, caused: Iterable[Caused], due: Iterable[Record]) -> None:
        records = [*(record for each in caused for record in each.values), *due]
        records.sort(key=lambda each: each.at)
        for each in records:
            self.views.take(each)
        self.records += records
        self.caused += records
        for stratum in self.run.strata:
            # With one stratum there is nobody to raise to, and what was raised stays with the stepper.
            self.run.raised += [each.event for each in stratum.stepper.raised]
            stratum.stepper.raised.clear()
            for subject in stratum.subjects.values():
                for case in subject.cases.values():
                    self.cases[case.program.flow, case.subject] = case
        self.raised += self.run.raised
        self.run.raised.clear()

    def program(self, flow: str) -> LiveProgram:
        """The program of a flow. Raises ``CannotPlay`` where the set has none of that name."""
        if flow not in self.programs:
            hint = did_you_mean(flow, self.programs)
            raise CannotPlay(f'there is no flow "{flow}"' + (f"; {hint}" if hint else ""))
        return self.programs[flow]

    def whose(self, step: PlayedStep) -> Key:
        """The case that an expectation speaks of: the step's flow and subject, else the scenario's.

        Where the flow's cases are not keyed by the event's subject and none is named, it is the flow's last one.
        """
        flow = step.flow or self.scenario.flow
        program = self.program(flow)
        subject = step.subject or self.subject
        if (flow, subject) not in self.cases and step.subject is None:
            others = [each.subject for each in self.views.all() if each.flow == flow]
            if others and (program.key is not None or program.every is not None or program.stratum > 0):
                return flow, others[-1]
        return flow, subject

    def view(self, whose: Key) -> CaseView | None:
        """A case as its records have it, the last one of its flow and subject; None where none was opened."""
        found = [each for each in self.views.all() if (each.flow, each.subject) == whose]
        return found[-1] if found else None
