"""Effects of a live case: facts set, messages, notices and actions requested, work assigned, cases opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.limitchanges import extend
from carepolicy.engine.record import Told
from carepolicy.engine.wording import LiveMessage, LiveNotice, LiveRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveProgram, LiveState
    from carepolicy.engine.telling import Telling
    from carepolicy.engine.wording import Said
    from carepolicy.machine.program import Bundle, EffectsTable, OpenTable, RaiseTable


class LiveEffects:
    """The effects of one transition, or of entering or leaving one state.

    ``sets_facts``, ``extends_clocks`` and ``opens_cases`` say what may be other afterwards than records and events.
    """

    __slots__ = (
        "_assign", "_extend", "_opens", "_raises", "_said", "_set", "extends_clocks", "opens_cases", "sets_facts",
    )  # fmt: skip

    def __init__(self, program: LiveProgram, bundle: Bundle, table: EffectsTable, trigger: str) -> None:
        self._set = table.set
        self._assign = table.assign
        said: list[Said] = [LiveMessage(name, program.program.templates[name], bundle) for name in table.send]
        said += [LiveNotice(role, texts, bundle) for role, texts in table.tell]
        said += [LiveRequest(action, arguments) for action, arguments in table.request]
        self._said = tuple(said)
        self._opens: tuple[OpenTable, ...] = table.open
        self._raises: tuple[RaiseTable, ...] = table.raises
        self._extend = tuple(
            (program.clocks[each.clock], each.by, each.at_most, f"{trigger}: {each.by} more") for each in table.extend
        )
        self.sets_facts, self.extends_clocks, self.opens_cases = bool(table.set), bool(table.extend), bool(table.open)

    def run(self, stepper: Telling, case: Case, now: int, when: str, event: Mapping[str, Any]) -> None:
        """Let the effects happen, in the order of the fields of their table."""
        for fact, function in self._set:
            value = function(case.facts, event, case)
            stepper.set_fact(case, fact, value)
        if self._assign is not None:
            role, named_by = self._assign
            person = stepper.value(case, named_by) if named_by is not None else None
            case.assigned = (role, person)
        for said in self._said:
            stepper.write(case, said, when, event)
        for each in self._opens:
            stepper.to_open.append((each, case))
        for raised in self._raises:
            stepper.raise_event(case, raised, now, event)
        for clock, by, at_most, reason in self._extend:
            held = case.rounds[clock.index]
            if held is not None and not held.late and (at_most is None or case.extensions(clock.index) < at_most):
                case.count_extension(clock.index)
                extend(stepper.out, case, held, by, now, when, reason)


def assign_task(stepper: Telling, case: Case, state: LiveState, when: str) -> None:
    """Write who is to work on the case now: as an effect has assigned it."""
    if case.assigned is not None:
        case.holder, case.assigned = case.assigned, None
        tell_task(stepper, case, state, when)


def tell_task(stepper: Telling, case: Case, state: LiveState, when: str) -> None:
    """Write who works on the case: whom it was assigned to, else the owner of its state, if it has one."""
    if case.holder is None:
        if state.task is not None:
            stepper.out.append(case.record("task.assigned", when, state.task))
        return
    role, person = case.holder
    data = Told(state=state.name, role=role or state.owner)
    if person is not None:
        data["person"] = stepper.shown_person(case, person)
    stepper.out.append(case.record("task.assigned", when, data))
