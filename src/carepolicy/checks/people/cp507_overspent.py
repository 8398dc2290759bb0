"""CP507: a transition that may give away more than the one who acts may decide on."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.known import Spending, Spot, spots_in, where_told
from carepolicy.checks.rule import Rule
from carepolicy.guards.compiler import check_expression
from carepolicy.guards.scope import scope_of
from carepolicy.guards.words import case_in_words
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Role
from carepolicy.policy.node import CelText
from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Transitions with ``spends:``, in each state in which they may be taken, whose guards hold it not low enough."""
    told: set[At] = set()
    for spot in spots_in(checked):
        if spot.spending is not None and spot.at not in told:
            finding = _of(checked, spot, spot.spending)
            if finding is not None:
                told.add(spot.at)
                yield finding


def _of(checked: CheckedSet, spot: Spot, spending: Spending) -> Finding | None:
    role = checked.organisation.roles.get(spot.state.owner or spot.flow.owner)
    if role is None or role.authority is None:
        return None  # told by CP201 and CP508
    place = checked.place(spot.at / "spends")
    judged = _judged(checked, spot, spending, role)
    if judged is None or judged[0]:
        return None
    case = judged[1]
    title = f"{role.name}, who acts in {spot.state.name}, may give away {role.authority}"
    hint = f"bound it by a guard, as in when: {spending.amount} <= {role.authority}, and leave more to a role that may"
    if case is None:
        return Finding(CODE, f"{title}, and it is not proved that this is no more", place, hint, Severity.WARNING)
    where = f" where {case}" if case else ""
    return Finding(CODE, f"{title}, and this is more{where} ({where_told(spot)})", place, hint)


def _judged(checked: CheckedSet, spot: Spot, spending: Spending, role: Role) -> tuple[bool, str | None] | None:
    """Whether no case is given too much, and one that is, in words (None: it cannot be told); None of what cannot be
    read, which is told where it stands by the rules on expressions."""
    from carepolicy.guards.proof import TRUE, Ground, both, opposite

    guards, event = checked.guards, spot.flow.events.get(spot.trigger)
    scope = scope_of(checked.organisation, spot.flow, spot.trigger if event is not None else None)
    have = frozenset(name for name in scope.facts if name in spot.names)
    brings = frozenset(event.required if event is not None else ())
    ground = Ground(scope, have, brings, checked.unbound)
    over = CelText(f"({spending.amount}) > {role.authority}", spot.at / "spends")
    if guards.tree(over) is None or check_expression(over, scope, "flag"):
        return None
    when = TRUE if spending.when is None else guards.formula(spending.when, ground)
    passed = [guards.formula(each, ground) for each in spending.passed]
    more = guards.formula(over, ground)
    if when is None or more is None or None in passed:
        return None
    too_much = both(when, *(opposite(each) for each in passed if each is not None), more)
    if 0 in guards.judge((too_much,)).never:
        return True, None
    case = guards.judge((opposite(too_much),)).gap
    return False, None if case is None else case_in_words(case, scope)


CODE = "CP507"
RULE = Rule(
    CODE,
    "more may be given away than the role may",
    "A transition says by spends: how much it gives away, and the role that acts in its state (the state's owner, else "
    "the flow's) may decide on its authority: and no more. Here guards do not hold the amount within it; the message "
    "tells a case. Bound it on this way, and let a larger amount go another way, to a role that may. It is proved as "
    "CP307 is; what cannot be proved is a warning. When the case is live the engine refuses more (CP925).",
    "states:\n  received:\n    on:\n"
    "      reply_sent: {to: answered, spends: order.total, request: {refund_order: {amount: order.total}}}\n",
    "states:\n  received:\n    on:\n      reply_sent:\n"
    "        - {when: order.total <= settings.goodwill_limit, to: answered, spends: order.total, "
    "request: {refund_order: {amount: order.total}}}\n"
    "        - {to: overdue, tell: care_lead}\n",
    find,
)
