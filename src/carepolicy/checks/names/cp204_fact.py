"""CP204: a fact that organisation.yaml does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.limits import limits, read
from carepolicy.checks.pointing import inside, unknown
from carepolicy.checks.rule import Rule
from carepolicy.checks.walk import acts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Place


def find(policies: Policies) -> Iterator[Finding]:
    """Facts that are set, raised, counted by or from, that limit, or that hold an address; guards have other codes."""
    facts = policies.organisation.facts
    for name, place in _named(policies):
        if name not in facts:
            yield unknown(CODE, "fact", name, place, facts)


def _named(policies: Policies) -> Iterator[tuple[str, Place]]:
    organisation = policies.organisation
    for watch in organisation.watches.values():
        yield watch.by, policies.place(watch.at / "by")
    for role in organisation.roles.values():
        yield from ((name, policies.place(role.at / "may_see" / number)) for number, name in enumerate(role.may_see))
    for channel in organisation.channels.values():
        if channel.to is not None:
            yield channel.to, policies.place(channel.at / "to")
    for flow in policies.flows.values():
        for clock in flow.clocks.values():
            if clock.counts_from is not None:
                yield clock.counts_from, policies.place(clock.at / "counts_from")
    for written in limits(policies):
        limit = read(policies, written)
        for name in limit.reads if limit is not None else ():
            start = max(0, written.text.find(name))
            yield name, inside(policies, written.place, written.text, start, start + len(name))
    for _, effects, _ in acts(policies):
        yield from ((name, policies.key_place(effects.at / "set" / name)) for name in effects.set)
        for each in effects.raises:
            yield from ((name, policies.key_place(each.at / "data" / name)) for name in each.data)


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
