"""CP311: a watch that counts what it brings about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.model import Watch


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Watches whose event leads, over what flows and other watches raise, to the event that they count."""
    for watch, way in feeding(checked):
        text = f'the watch "{watch.name}" feeds itself: {" → ".join(way)}'
        yield Finding(CODE, text, checked.place(watch.at / "raise"), HINT)


def feeding(checked: CheckedSet) -> Iterator[tuple[Watch, list[str]]]:
    """Each watch that feeds itself, and the events from what it raises to what it counts."""
    leads = _leads(checked)
    for watch in checked.organisation.watches.values():
        before: dict[str, str | None] = {watch.raises: None}
        waiting = [watch.raises]
        for event in waiting:
            for other in leads.get(event, ()):
                if other not in before:
                    before[other] = event
                    waiting.append(other)
        if watch.count in before:
            way: list[str] = []
            at: str | None = watch.count
            while at is not None:
                way.insert(0, at)
                at = before[at]
            yield watch, way


def _leads(checked: CheckedSet) -> Mapping[str, list[str]]:
    """The events that each event may bring about: what the flows that hear it raise, and the watches that count it."""
    found: dict[str, list[str]] = {}
    for flow in checked.flows.values():
        raised = list(dict.fromkeys(each.event for effects in effects_of(flow) for each in effects.raises))
        for event in flow.events if raised else ():
            found.setdefault(event, []).extend(raised)
    for watch in checked.organisation.watches.values():
        found.setdefault(watch.count, []).append(watch.raises)
    return found


HINT = "let it raise an event that it does not count, and that leads to none which it counts"
CODE = "CP311"
RULE = Rule(
    CODE,
    "watch feeds itself",
    "A watch raises an event when it has counted enough of another. Here the event that it raises is, or brings about, "
    "the one that it counts: once it has begun it would go on by itself, and every problem would look chronic. No set "
    "with such a watch can be run, so this cannot be allowed.",
    "watches:\n  repeated_cause: {count: chronic_problem_found, raise: chronic_problem_found}\n",
    "watches:\n  repeated_cause: {count: customer_wrote, raise: chronic_problem_found}\n",
    find,
)
