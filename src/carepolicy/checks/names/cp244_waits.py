"""CP244: a word under waits: that says of nobody that he waits."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.language.flow import WAITERS
from carepolicy.policy.likeness import did_you_mean, sole


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States that wait for a word that is neither known nor a role: with it no clock would be demanded any more."""
    known = (*WAITERS, *checked.organisation.roles)
    for flow in checked.flows.values():
        for state in flow.states.values():
            if state.waits is not None and state.waits not in known:
                hint = did_you_mean(state.waits, known)
                hint = hint if hint.startswith("did") else f"known here: {', '.join(WAITERS)}, or a role"
                place = checked.place(state.at / "waits")
                text = f"{quoted(state.waits)} is nobody who waits"
                yield Finding(CODE, text, place, hint, replacement=sole(state.waits, known))


CODE = "CP244"
RULE = Rule(
    CODE,
    "nobody who waits",
    "waits: says who waits in a state: customer (the customer waits for us, and a clock has to run), us (we wait), "
    "staff, carrier, partner, system, other, or a role. With any other word nobody would see that the customer waits.",
    "states:\n  answered: {waits: custommer}\n",
    "states:\n  answered: {waits: us}\n",
    find,
)
