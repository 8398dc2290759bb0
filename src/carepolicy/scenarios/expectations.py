"""Each key of an expectation: what was so, and whether that is what was expected.

``state``, ``outcome``, ``due``, ``facts``, ``running``, ``paused`` and ``stopped`` speak of now. All others speak of
what happened since the expectation before; ``late`` holds for what became late then and for what is late still. A list
names what must be among it, and an empty list says that there was nothing; ``not_sent`` and ``not_told`` name what
must not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import NEVER
from carepolicy.policy.characters import MASK
from carepolicy.policy.likeness import did_you_mean
from carepolicy.scenarios.names import CLOCKS
from carepolicy.scenarios.stage import NONE, CannotPlay

if TYPE_CHECKING:
    from carepolicy.engine.case import Case
    from carepolicy.engine.record import Record
    from carepolicy.engine.round import Round
    from carepolicy.scenarios.play import Key, Play

NO_CASE = "no case"

_NAMED: dict[str, tuple[str, tuple[str, ...]]] = {
    "sent": ("message.requested", ("template",)),
    "told": ("notice.requested", ("role",)),
    "requested": ("action.requested", ("action",)),
    "assigned": ("task.assigned", ("role", "person")),
    "warned": ("clock.warned", ("clock",)),
    "late": ("clock.late", ("clock",)),
    "met": ("clock.met", ("clock",)),
    "cancelled": ("clock.cancelled", ("clock",)),
}
"""Keys that name things of records: the kind of record, and the fields that may be named."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One key that is otherwise than expected. ``name`` is the clock or fact that it is about, where it names one.

    ``actual`` may be printed; ``update`` is what to write in place of what was expected.
    """

    key: str
    name: str | None
    expected: Any
    actual: Any
    update: Any


def differences(play: Play, whose: Key, wanted: dict[str, Any]) -> Iterator[Mismatch]:
    """What of ``wanted`` is not so for the case ``whose``. Raises ``CannotPlay`` for what cannot be expected."""
    for key, value in wanted.items():
        if key == "due":
            yield from _due(play, whose, value)
        elif key == "facts":
            yield from _facts(play, whose, value)
        elif key in ("unexpected", "rejected"):
            happened = any(each.kind == f"event.{key}" for each in play.caused)
            if happened is not value:
                yield Mismatch(key, None, value, happened, happened)
        elif key in ("state", "outcome"):
            actual = _where(play, whose, key)
            if actual != value:
                yield Mismatch(key, None, value, actual, actual)
        else:
            yield from _names(play, whose, key, value)


def _where(play: Play, whose: Key, key: str) -> str:
    view = play.view(whose)
    if view is None:
        return NO_CASE
    return view.state if key == "state" else view.outcome or NONE


def _names(play: Play, whose: Key, key: str, wanted: list[str]) -> Iterator[Mismatch]:
    asked = key.removeprefix("not_")
    _demand_known(play, whose, asked, wanted)
    known, actual = _FOUND.get(asked, _recorded)(play, whose, asked)
    if key != asked:
        wrong = [each for each in wanted if each in known]
        if wrong:
            yield Mismatch(key, None, wanted, actual, [each for each in wanted if each not in known])
    elif not known.issuperset(wanted) or (not wanted and known):
        yield Mismatch(key, None, wanted, actual, actual)


def named(play: Play, whose: Key, key: str) -> list[str]:
    """The names that an expectation of the key could have, such as the messages that were sent."""
    return _FOUND.get(key, _recorded)(play, whose, key)[1]


Found = tuple[set[str], list[str]]
"""All names that would be right, and those to show."""


def _recorded(play: Play, whose: Key, key: str) -> Found:
    kind, fields = _NAMED[key]
    records = [each for each in _of(play, whose) if each.kind == kind]
    known = {each.data[field] for each in records for field in fields if each.data.get(field)}
    shown = list(dict.fromkeys(each.data[fields[0]] or NONE for each in records))
    if key == "late":
        shown += [
            name for name in _clocks(play, whose, lambda held: held is not None and held.late) if name not in shown
        ]
        known.update(shown)
    return known, shown


def _opened(play: Play, whose: Key, key: str) -> Found:
    flows = list(dict.fromkeys(each.flow for each in play.caused if each.kind == "case.opened"))
    return set(flows), flows


def _raised(play: Play, whose: Key, key: str) -> Found:
    return set(play.raised), list(dict.fromkeys(play.raised))


_STANDING: dict[str, Callable[[Round | None], bool]] = {
    "running": lambda held: held is not None and held.running,
    "paused": lambda held: held is not None and not held.running,
    "stopped": lambda held: held is None,
}
"""What the present round of a clock is like."""


def _standing(play: Play, whose: Key, key: str) -> Found:
    names = _clocks(play, whose, _STANDING[key])
    return set(names), names


_FOUND: dict[str, Callable[[Play, Key, str], Found]] = {
    "opened": _opened,
    "raised": _raised,
    **dict.fromkeys(_STANDING, _standing),
}


def _of(play: Play, whose: Key) -> list[Record]:
    return [each for each in play.caused if (each.flow, each.subject) == whose]


def _open_case(play: Play, whose: Key) -> Case | None:
    case = play.cases.get(whose)
    return None if case is None or case.closed else case


def _clocks(play: Play, whose: Key, holds: Callable[[Round | None], bool]) -> list[str]:
    """The clocks of a flow whose present round is so; a case that is closed, or that there is not, has none."""
    case = _open_case(play, whose)
    clocks = play.program(whose[0]).clocks
    return [each.name for each in clocks if holds(None if case is None else case.rounds[each.index])]


def _due(play: Play, whose: Key, wanted: dict[str, str]) -> Iterator[Mismatch]:
    _demand_known(play, whose, "due", wanted)
    case = _open_case(play, whose)
    for clock, text in wanted.items():
        held = None if case is None else case.round_of(clock)
        due = held.due if held is not None and held.running and held.due != NEVER else None
        expected = None if text == NONE else play.stage.instant(text)
        if due != expected:
            shown = NONE if due is None else play.stage.local(due)
            yield Mismatch("due", clock, text, shown, shown)


def _facts(play: Play, whose: Key, wanted: dict[str, Any]) -> Iterator[Mismatch]:
    case = play.cases.get(whose)
    for fact, text in wanted.items():
        expected = play.stage.held(fact, text)
        table = play.stage.bundle.facts[fact]
        value = None if case is None else case.facts.get(fact, table.default)
        if value != expected:
            shown = play.stage.shown(fact, value)
            hidden = table.private and value is not None
            yield Mismatch("facts", fact, MASK if table.private else text, MASK if hidden else shown, shown)


def _demand_known(play: Play, whose: Key, key: str, names: list[str] | dict[str, str]) -> None:
    """Refuse the name of a clock or message that the flow does not have: it could never be so, or never not."""
    program = play.program(whose[0])
    if key == "due" or key in CLOCKS:
        what, known = "clock", {each.name for each in program.clocks}
    elif key == "sent":
        what, known = "message", set(program.program.templates)
    elif key == "told":
        what, known = "role", set(play.stage.bundle.role_titles)
    elif key == "opened":
        what, known = "flow", set(play.programs)
    else:
        return
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise CannotPlay(f'{key}: the flow {whose[0]} has no {what} "{name}"' + (f"; {hint}" if hint else ""))
