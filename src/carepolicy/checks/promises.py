"""What is wrong with a time that a text promises in so many words: a clock has that time, or none has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.businesstime import Limit
    from carepolicy.checks.context import CheckedFlow, CheckedSet
    from carepolicy.checks.times import Duration
    from carepolicy.policy.model import Clock, Flow, State, Transition
    from carepolicy.policy.places import At

TYPED, UNTIED = "CP409", "CP416"
"""The codes of a time that a clock has, or belies, and of one that no clock has."""


class PromisedTime(NamedTuple):
    """A time that is promised in the name of some flows, in a text at an address. ``filled``: its placeholders are
    filled in; ``ours``: customers hear it, and it is not only what staff are to do."""

    flows: tuple[Flow, ...]
    found: Duration
    text: str
    at: At
    filled: bool
    ours: bool


def promised_times(checked: CheckedSet) -> Sequence[Finding]:
    """What is wrong with times that texts promise in so many words."""
    return checked.once(_promised_times)


def _promised_times(checked: CheckedSet) -> list[Finding]:
    return list(_wrong_times(checked))


def _wrong_times(checked: CheckedSet) -> Iterator[Finding]:
    """What is wrong with times in clocks' promises, and with those that messages and staff promise."""
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            yield from _in_promise(checked, clock)
    yield from (found for promise in _promises(checked) if (found := _judged(checked, promise)) is not None)


def _promises(checked: CheckedSet) -> Iterator[PromisedTime]:
    """Every time that a message, or what staff say, promises; in what staff are to do, also what only says by when."""
    for language, messages in checked.messages.items():
        for message in messages.values():
            flows = tuple(checked.senders.get(message.name, {}).values())
            for text, at in ((message.subject, message.at / "subject"), (message.text, message.at / "text")):
                for found in checked.times.durations(text, language) if flows else ():
                    if found.promised:
                        yield PromisedTime(flows, found, text, at, True, True)
    language = checked.organisation.languages[0]
    for one in checked.each.values():
        for text, at, ours in _of_staff(checked, one):
            for found in checked.times.durations(text, language):
                if found.promised or (found.within and not ours):
                    yield PromisedTime((one.flow,), found, text, at, False, ours)


def _of_staff(checked: CheckedSet, one: CheckedFlow) -> Iterator[tuple[str, At, bool]]:
    """What a flow is for, what staff are to do, say and never say; and whether customers hear it."""
    flow, known = one.flow, checked.sources[one.flow.at.file].values
    yield flow.purpose, flow.at / "purpose", False
    acting: list[State | Transition] = [*flow.states.values(), *(way.transition for way in one.ways)]
    for each in acting:
        yield each.say, each.at / "say", True
        yield each.never, each.at / "never", False
        steps = each.at / "steps"
        for number, step in enumerate(each.steps):
            yield step, steps / number if (steps / number).path in known else steps, False


def _in_promise(checked: CheckedSet, clock: Clock) -> Iterator[Finding]:
    limits = _limits(checked, clock)
    for found in checked.times.durations(clock.promise, checked.organisation.languages[0]):
        said = clock.promise[found.start : found.end]
        same = any(_alike(found.limit, each) for each in limits)
        if len(limits) < len(clock.limits) or (same and len(limits) > 1):
            continue  # one of several limits cannot be told by {limit} alone
        own = " or ".join(each.limit for each in clock.limits)
        text = f'"{said}" repeats the limit of the clock' if same else f'"{said}" is not the limit of the clock, {own}'
        place = checked.within(clock.at / "promise", clock.promise, found.start, found.end)
        new = "{limit}" if same else None
        yield Finding(TYPED, text, place, "write {limit}: it follows the clock", Severity.WARNING, new)


def _judged(checked: CheckedSet, promise: PromisedTime) -> Finding | None:
    """What is wrong with one time that is promised."""
    flows, text, found = promise.flows, promise.text, promise.found
    clocks = {name: clock for flow in flows for name, clock in flow.clocks.items()}
    shared = set.intersection(*(set(flow.clocks) for flow in flows))
    place = checked.within(promise.at, text, found.start, found.end)
    said = text[found.start : found.end]
    same = [name for name, clock in clocks.items() if any(_alike(found.limit, x) for x in _limits(checked, clock))]
    if same:
        name = f"{{clock.{same[0]}.limit}}"
        new = name if len(same) == 1 and same[0] in shared and promise.filled else None
        told = f'"{said}" repeats the limit of the clock "{same[0]}"'
        hint = f"write {name}: it follows the clock" if promise.filled else SPOKEN
        return Finding(TYPED, told, place, hint, Severity.WARNING, new)
    if not promise.ours:
        return None
    told = f'"{said}" is promised here, and no clock of {flows[0].name} has it'
    untied = Finding(UNTIED, told, place, "give the flow a clock that keeps it", Severity.NOTE)
    if not promise.filled or any(_alike(found.limit, each) for each in _others(checked, flows)):
        return untied
    near = [(name, each) for name, clock in clocks.items() if clock.promise
            for each in _limits(checked, clock) if _base(each) == _base(found.limit)]  # fmt: skip
    if len({name for name, _ in near}) != 1:
        return untied  # no clock, or several, might be meant
    name, limit = near[0]
    told = f'"{said}" is promised here, and the clock "{name}" has {limit}'
    return Finding(TYPED, told, place, f"write {{clock.{name}.limit}}: it follows the clock", Severity.WARNING)


def _limits(checked: CheckedSet, clock: Clock) -> list[Limit]:
    texts = (text for choice in clock.limits for text in choice.limit.all)
    return [limit for text in texts if (limit := checked.limit(text)) is not None]


def _others(checked: CheckedSet, flows: Iterable[Flow]) -> Iterator[Limit]:
    """Times of the flows, and of the settings, that no clock keeps."""
    texts: list[str] = [after.limit for flow in flows for state in flow.states.values() for after in state.after]
    texts += [str(each.value) for each in checked.organisation.settings.values()]
    yield from (limit for text in texts if (limit := checked.limit(text)) is not None)


def _alike(one: Limit, other: Limit) -> bool:
    return (one.kind, one.amount) == (other.kind, other.amount)


def _base(limit: Limit) -> str:
    return limit.unit.removeprefix("business ")


SPOKEN = "say it without the number: the clock's promise: tells it, and is shown beside this"
