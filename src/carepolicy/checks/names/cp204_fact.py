"""CP204: a fact that organisation.yaml does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Facts that are set, raised, counted by or from, that limit, or that hold an address; guards have other codes."""
    facts = checked.organisation.facts
    for name, place in _named(checked):
        if name not in facts:
            yield unknown(CODE, "fact", name, place, facts)


def _named(checked: CheckedSet) -> Iterator[tuple[str, Place]]:
    organisation = checked.organisation
    for watch in organisation.watches.values():
        yield watch.by, checked.place(watch.at / "by")
    for role in organisation.roles.values():
        yield from ((name, checked.place(role.at / "may_see" / number)) for number, name in enumerate(role.may_see))
    for channel in organisation.channels.values():
        if channel.to is not None:
            yield channel.to, checked.place(channel.at / "to")
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            if clock.counts_from is not None:
                yield clock.counts_from, checked.place(clock.at / "counts_from")
    for written in checked.limits:
        limit = checked.limit(written.text)
        for name in limit.reads if limit is not None else ():
            start = max(0, written.text.find(name))
            yield name, checked.inside(written.place, written.text, start, start + len(name))
    for _, effects, _ in checked.acts:
        yield from ((name, checked.key_place(effects.at / "set" / name)) for name in effects.set)
        for each in effects.raises:
            yield from ((name, checked.key_place(each.at / "data" / name)) for name in each.data)


CODE = "CP204"
RULE = Rule(
    CODE,
    "unknown fact",
    "Facts are declared once, with their type, under facts: of organisation.yaml, and named everywhere by their "
    "full dotted name.",
    "states:\n  received:\n    on: {reply_sent: {to: answered, set: {complaint.atempts: 0}}}\n",
    "states:\n  received:\n    on: {reply_sent: {to: answered, set: {complaint.attempts: 0}}}\n",
    find,
)
