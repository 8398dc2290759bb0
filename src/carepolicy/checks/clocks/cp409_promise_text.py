"""CP409: a text that says a time in so many words, where a clock has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carepolicy.checks.durations import durations
from carepolicy.checks.limits import limit_of
from carepolicy.checks.pointing import within
from carepolicy.checks.rule import Rule
from carepolicy.checks.walk import acts, ways
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.businesstime import Limit
    from carepolicy.checks.durations import Duration
    from carepolicy.policy.model import Clock, Flow, Policies, State, Transition
    from carepolicy.policy.places import At


class Promise(NamedTuple):
    """A time that is promised in the name of some flows, in a text at an address. ``filled``: its placeholders are
    filled in; ``ours``: customers hear it, and it is not only what staff are to do."""

    flows: tuple[Flow, ...]
    found: Duration
    text: str
    at: At
    filled: bool
    ours: bool


def find(policies: Policies) -> Iterator[Finding]:
    """Times in clocks' promises, and times that messages and staff promise, which a clock of the flow has or belies."""
    for flow in policies.flows.values():
        for clock in flow.clocks.values():
            yield from _in_promise(policies, clock)
    for said in promises(policies):
        finding = judged(policies, said)
        if finding is not None and finding.code == CODE:
            yield finding


def promises(policies: Policies) -> Iterator[Promise]:
    """Every time that a message, or what staff say, promises; in what staff are to do, also what only says by when."""
    senders: dict[str, dict[str, Flow]] = {}
    for flow, effects, _ in acts(policies):
        for template in effects.send:
            senders.setdefault(template, {})[flow.name] = flow
    for language, messages in policies.messages.items():
        for message in messages.values():
            flows = tuple(senders.get(message.name, {}).values())
            for text, at in ((message.subject, message.at / "subject"), (message.text, message.at / "text")):
                for found in durations(text, language) if flows else ():
                    if found.promised:
                        yield Promise(flows, found, text, at, True, True)
    language = policies.organisation.languages[0]
    for flow in policies.flows.values():
        for text, at, ours in _of_staff(policies, flow):
            for found in durations(text, language):
                if found.promised or (found.within and not ours):
                    yield Promise((flow,), found, text, at, False, ours)


def _of_staff(policies: Policies, flow: Flow) -> Iterator[tuple[str, At, bool]]:
    """What a flow is for, what staff are to do, say and never say; and whether customers hear it."""
    yield flow.purpose, flow.at / "purpose", False
    acting: list[State | Transition] = [*flow.states.values()]
    acting += [way.transition for way in ways(policies) if way.flow is flow]
    for each in acting:
        yield each.say, each.at / "say", True
        yield each.never, each.at / "never", False
        steps, known = each.at / "steps", policies.sources[flow.at.file].values
        for number, step in enumerate(each.steps):
            yield step, steps / number if (steps / number).path in known else steps, False


def _in_promise(policies: Policies, clock: Clock) -> Iterator[Finding]:
    limits = _limits(policies, clock)
    for found in durations(clock.promise, policies.organisation.languages[0]):
        said = clock.promise[found.start : found.end]
        same = any(_alike(found.limit, each) for each in limits)
        if len(limits) < len(clock.limits) or (same and len(limits) > 1):
            continue  # one of several limits cannot be told by {limit} alone
        own = " or ".join(each.limit for each in clock.limits)
        text = f'"{said}" repeats the limit of the clock' if same else f'"{said}" is not the limit of the clock, {own}'
        place = within(policies, clock.at / "promise", clock.promise, found.start, found.end)
        new = "{limit}" if same else None
        yield Finding(CODE, text, place, "write {limit}: it follows the clock", Severity.WARNING, new)


def judged(policies: Policies, promise: Promise) -> Finding | None:
    """What is wrong with one time that is promised."""
    flows, text, found = promise.flows, promise.text, promise.found
    clocks = {name: clock for flow in flows for name, clock in flow.clocks.items()}
    shared = set.intersection(*(set(flow.clocks) for flow in flows))
    place = within(policies, promise.at, text, found.start, found.end)
    said = text[found.start : found.end]
    same = [name for name, clock in clocks.items() if any(_alike(found.limit, x) for x in _limits(policies, clock))]
    if same:
        name = f"{{clock.{same[0]}.limit}}"
        new = name if len(same) == 1 and same[0] in shared and promise.filled else None
        told = f'"{said}" repeats the limit of the clock "{same[0]}"'
        hint = f"write {name}: it follows the clock" if promise.filled else SPOKEN
        return Finding(CODE, told, place, hint, Severity.WARNING, new)
    if not promise.ours:
        return None
    told = f'"{said}" is promised here, and no clock of {flows[0].name} has it'
    untied = Finding(UNTIED, told, place, "give the flow a clock that keeps it", Severity.NOTE)
    if not promise.filled or any(_alike(found.limit, each) for each in _others(policies, flows)):
        return untied
    near = [(name, each) for name, clock in clocks.items() if clock.promise
            for each in _limits(policies, clock) if _base(each) == _base(found.limit)]  # fmt: skip
    if len({name for name, _ in near}) != 1:
        return untied  # no clock, or several, might be meant
    name, limit = near[0]
    told = f'"{said}" is promised here, and the clock "{name}" has {limit}'
    return Finding(CODE, told, place, f"write {{clock.{name}.limit}}: it follows the clock", Severity.WARNING)


def _limits(policies: Policies, clock: Clock) -> list[Limit]:
    return [limit for choice in clock.limits if (limit := limit_of(policies, choice.limit)) is not None]


def _others(policies: Policies, flows: Iterable[Flow]) -> Iterator[Limit]:
    """Times of the flows, and of the settings, that no clock keeps."""
    texts: list[str] = [after.limit for flow in flows for state in flow.states.values() for after in state.after]
    texts += [str(each.value) for each in policies.organisation.settings.values()]
    yield from (limit for text in texts if (limit := limit_of(policies, text)) is not None)


def _alike(one: Limit, other: Limit) -> bool:
    return (one.kind, one.amount) == (other.kind, other.amount)


def _base(limit: Limit) -> str:
    return limit.unit.removeprefix("business ")


SPOKEN = "say it without the number: the clock's promise: tells it, and is shown beside this"
UNTIED = "CP416"
CODE = "CP409"
RULE = Rule(
    CODE,
    "promised time is typed, not the clock's",
    "A text tells the customer a time in so many words, and a clock has this time, or another. When the clock changes, "
    "the text would go on saying the old one. Numbers come from the clock: {clock.NAME.limit} in messages, {limit} in "
    'a clock\'s own promise. Only times are read that the sentence says are ours ("we answer within …"), in messages '
    "and in what staff say:, in English, French, German, Spanish, Italian, Portuguese, Polish and Dutch; in steps:, "
    "never: and purpose: also those that only say by when. What customers may do, or are asked to do, is no promise.",
    "clocks:\n  first_reply: {promise: We answer e-mails within 3 business hours., limit: 3 business hours}\n",
    'clocks:\n  first_reply: {promise: "We answer e-mails within {limit}.", limit: 3 business hours}\n',
    find,
    Severity.WARNING,
)
