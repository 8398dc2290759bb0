"""CP409: a text that says a time in so many words, where a clock has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.durations import durations
from carepolicy.checks.limits import limit_of
from carepolicy.checks.pointing import within
from carepolicy.checks.rule import Rule
from carepolicy.checks.walk import acts
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.businesstime import Limit
    from carepolicy.checks.durations import Duration
    from carepolicy.policy.model import Clock, Flow, Policies
    from carepolicy.policy.places import At


def find(policies: Policies) -> Iterator[Finding]:
    """Times in clocks' promises, and times that messages promise, which a clock of the sending flows has or belies."""
    for flow in policies.flows.values():
        for clock in flow.clocks.values():
            yield from _in_promise(policies, clock)
    senders: dict[str, dict[str, Flow]] = {}
    for flow, effects, _ in acts(policies):
        for template in effects.send:
            senders.setdefault(template, {})[flow.name] = flow
    for language, messages in policies.messages.items():
        for message in messages.values():
            flows = list(senders.get(message.name, {}).values())
            for text, at in ((message.subject, message.at / "subject"), (message.text, message.at / "text")):
                for found in durations(text, language) if flows else ():
                    finding = _in_message(policies, flows, found, text, at) if found.promised else None
                    if finding is not None:
                        yield finding


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


def _in_message(policies: Policies, flows: list[Flow], found: Duration, text: str, at: At) -> Finding | None:
    """What is wrong with one time that a message promises."""
    clocks = {name: clock for flow in flows for name, clock in flow.clocks.items()}
    shared = set.intersection(*(set(flow.clocks) for flow in flows))
    place = within(policies, at, text, found.start, found.end)
    said = text[found.start : found.end]
    same = [name for name, clock in clocks.items() if any(_alike(found.limit, x) for x in _limits(policies, clock))]
    if same:
        name = f"{{clock.{same[0]}.limit}}"
        new = name if len(same) == 1 and same[0] in shared else None
        told = f'"{said}" repeats the limit of the clock "{same[0]}"'
        return Finding(CODE, told, place, f"write {name}: it follows the clock", Severity.WARNING, new)
    if any(_alike(found.limit, each) for each in _others(policies, flows)):
        return None
    near = [(name, each) for name, clock in clocks.items() if clock.promise
            for each in _limits(policies, clock) if _base(each) == _base(found.limit)]  # fmt: skip
    if len({name for name, _ in near}) != 1:
        return None  # no clock, or several, might be meant
    name, limit = near[0]
    told = f'"{said}" is promised here, and the clock "{name}" has {limit}'
    return Finding(CODE, told, place, f"write {{clock.{name}.limit}}: it follows the clock", Severity.WARNING)


def _limits(policies: Policies, clock: Clock) -> list[Limit]:
    return [limit for choice in clock.limits if (limit := limit_of(policies, choice.limit)) is not None]


def _others(policies: Policies, flows: Iterable[Flow]) -> Iterator[Limit]:
    """Times of the flows, and of the settings, that no clock keeps."""
    texts = [after.limit for flow in flows for state in flow.states.values() for after in state.after]
    texts += [str(each.value) for each in policies.organisation.settings.values()]
    yield from (limit for text in texts if (limit := limit_of(policies, text)) is not None)


def _alike(one: Limit, other: Limit) -> bool:
    return (one.kind, one.amount) == (other.kind, other.amount)


def _base(limit: Limit) -> str:
    return limit.unit.removeprefix("business ")


CODE = "CP409"
RULE = Rule(
    CODE,
    "promised time is typed, not the clock's",
    "A text tells the customer a time in so many words, and a clock has this time, or another. When the clock changes, "
    "the text would go on saying the old one. Numbers come from the clock: {clock.NAME.limit} in messages, {limit} in "
    'a clock\'s own promise. In messages only times are read that the sentence says are ours ("we answer within …"), '
    "in English, French, German, Spanish and Dutch.",
    "clocks:\n  first_reply: {promise: We answer e-mails within 3 business hours., limit: 3 business hours}\n",
    'clocks:\n  first_reply: {promise: "We answer e-mails within {limit}.", limit: 3 business hours}\n',
    find,
    Severity.WARNING,
)
