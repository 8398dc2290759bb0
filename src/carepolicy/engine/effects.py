"""Effects of a live case: facts set, messages, notices and actions requested, work assigned, cases opened."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine import rounds
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.limitchanges import extend
from carepolicy.engine.recordtext import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveProgram, LiveState
    from carepolicy.engine.telling import Telling
    from carepolicy.machine.program import ArgumentTable, Bundle, EffectsTable, OpenTable, RaiseTable
    from carepolicy.machine.templates import Template

MASK = "***"
"""What stands in a record in place of a private fact."""


class LiveEffects:
    """The effects of one transition, or of entering or leaving one state."""

    __slots__ = ("_assign", "_extend", "_notices", "_opens", "_program", "_raises", "_requests", "_sends", "_set")

    def __init__(self, program: LiveProgram, bundle: Bundle, table: EffectsTable, trigger: str) -> None:
        writer = program.writer
        self._program = program
        self._set = table.set
        self._assign = table.assign
        self._sends = tuple(LiveMessage(name, program, bundle) for name in table.send)
        self._notices = tuple(
            (writer.form("notice.requested", opened("role", role) + '"text":%s}'), texts, _private(texts))
            for role, texts in table.tell
        )
        self._requests = tuple(
            (
                writer.form("action.requested", opened("action", action) + '"with":%s}'),
                arguments,
                {"with": tuple(fact for each in arguments for fact in each.private)},
            )
            for action, arguments in table.request
        )
        self._opens: tuple[OpenTable, ...] = table.open
        self._raises: tuple[RaiseTable, ...] = table.raises
        self._extend = tuple(
            (program.clocks[each.clock], each.by, each.at_most, orjson.dumps(f"{trigger}: {each.by} more").decode())
            for each in table.extend
        )

    def run(self, stepper: Telling, case: Case, now: int, when: str, event: Mapping[str, Any]) -> None:
        """Let the effects happen, in the order of the fields of their table."""
        for fact, function in self._set:
            value = function(case.facts, event, case)
            stepper.set_fact(case, fact, value)
        if self._assign is not None:
            role, named_by = self._assign
            person = stepper.value(case, named_by) if named_by is not None else None
            case.assigned = (role, person)
        for message in self._sends:
            message.request(stepper, case, when)
        for form, texts, private in self._notices:
            stepper.write(case, form, when, partial(_notice, stepper, case, texts), private)
        for form, arguments, private in self._requests:
            stepper.write(case, form, when, partial(_arguments, case, arguments, event), private)
        for each in self._opens:
            stepper.to_open.append((each, case))
        for raised in self._raises:
            stepper.raise_event(case, raised, now, event)
        for clock, by, at_most, reason in self._extend:
            held = case.rounds[clock.index]
            if held is not None and not held.late and (at_most is None or case.extensions(clock.index) < at_most):
                case.count_extension(clock.index)
                extend(stepper.out, case, held, by, now, when, reason)


class LiveMessage:
    """A message template of a flow, by language, with the record that requests it."""

    __slots__ = ("_addresses", "_name", "_private", "_record", "_templates")

    def __init__(self, name: str, program: LiveProgram, bundle: Bundle) -> None:
        self._name = name
        self._templates: Mapping[str, Template] = program.program.templates[name]
        self._addresses = bundle.addresses
        said = _private(self._templates)
        self._private = {
            channel: {"to": (fact,) if bundle.facts[fact].private else (), **said}
            for channel, fact in bundle.addresses.items()
        }
        self._private[""] = said
        data = opened("template", name) + '"channel":%s,"language":%s,"to":%s,"subject":%s,"text":%s}'
        self._record = program.writer.form("message.requested", data)

    def request(self, stepper: Telling, case: Case, when: str) -> None:
        """Write the record that asks for the message to be sent, in the customer's language."""
        private = self._private.get(case.channel or "", self._private[""])
        stepper.write(case, self._record, when, partial(self._parts, stepper, case), private)

    def _parts(self, stepper: Telling, case: Case, reveal: bool) -> tuple[str, ...]:
        language = stepper.language(case, self._templates)
        subject, text = self._templates[language].render(CaseValues(stepper, case), reveal)
        channel = case.channel
        to = stepper.value(case, self._addresses.get(channel, "")) if channel is not None else None
        if to is not None and not reveal and stepper.facts[self._addresses[channel or ""]].private:
            to = MASK
        return tuple(_json(each) for each in (channel, language, to, subject, text))


def _private(texts: Mapping[str, Template]) -> dict[str, tuple[str, ...]]:
    """The private facts that go into a template, in any of its languages, by field."""
    found: dict[str, dict[str, None]] = {}
    for template in texts.values():
        for field, facts in template.private().items():
            found.setdefault(field, {}).update(dict.fromkeys(facts))
    return {field: tuple(facts) for field, facts in found.items()}


class CaseValues:
    """What a message may tell of a case: its facts, its subject, its clocks' limits and due times."""

    __slots__ = ("_case", "facts", "subject")

    def __init__(self, stepper: Telling, case: Case) -> None:
        self._case = case
        self.facts: Mapping[str, Any] = stepper.facts_with_defaults(case)
        self.subject = case.subject

    def clock_limit(self, name: str) -> Any:
        """The limit of a clock that holds for the case now, None where none does."""
        held = self._case.round_of(name)
        if held is not None:
            return held.limit.limit
        clock = next((each for each in self._case.program.clocks if each.name == name), None)
        chosen = rounds.choose(self._case, clock) if clock is not None else None
        return chosen.limit if chosen is not None else None

    def clock_due(self, name: str) -> int | None:
        """When a clock falls due, in microseconds since 1970; None where it does not run."""
        held = self._case.round_of(name)
        return held.due if held is not None and held.running and held.due != NEVER else None


def plain(value: Any, kind: str) -> Any:
    """A value of an expression of the type ``kind`` as JSON can hold it: money as text, instants as RFC 3339."""
    if isinstance(value, Decimal):
        return str(value)
    if kind == "time" and isinstance(value, int):
        return text_of(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def arguments_json(arguments: tuple[ArgumentTable, ...], case: Case, event: Mapping[str, Any], reveal: bool) -> str:
    """The arguments of an action as JSON; those that a private fact went into are masked unless revealed."""
    given = {
        each.name: MASK if each.private and not reveal else plain(each.function(case.facts, event, case), each.type)
        for each in arguments
    }
    return orjson.dumps(given).decode()


def _arguments(
    case: Case, arguments: tuple[ArgumentTable, ...], event: Mapping[str, Any], reveal: bool
) -> tuple[str, ...]:
    return (arguments_json(arguments, case, event, reveal),)


def _notice(stepper: Telling, case: Case, texts: Mapping[str, Template], reveal: bool) -> tuple[str, ...]:
    return (_json(stepper.notice(case, texts, reveal)),)


def assign_task(stepper: Telling, case: Case, state: LiveState, when: str) -> None:
    """Write who is to work on the case now: as an effect has assigned it."""
    if case.assigned is None:
        return
    (role, person), case.assigned = case.assigned, None
    data = {"state": state.name, "role": role or state.owner}
    if person is not None:
        data["person"] = stepper.shown_person(case, person)
    stepper.out.append(case.line(case.program.writer.fixed("task.assigned", **data), when))


def _json(value: str | None) -> str:
    return orjson.dumps(value).decode()
