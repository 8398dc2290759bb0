"""CP307: an alternative that is never taken, since those before it take all its cases."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.alternatives import Alternatives, alternatives_in
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Ways and limits that are hidden in every state that tries them, and shared ways that no state tries."""
    for found in alternatives_in(checked):
        for index in range(len(found.each)):
            culprits = _hidden(found, index)
            if culprits is not None:
                yield _finding(checked, found, index, culprits)


def _hidden(found: Alternatives, index: int) -> tuple[int, ...] | None:
    """The indexes of what hides an alternative in the first state that tries it; none where no state does."""
    culprits: list[tuple[int, ...]] = []
    for tried, verdict in found.verdicts:
        if index in tried:
            by = verdict.hidden.get(tried.index(index))
            if by is None:
                return None
            culprits.append(tuple(tried[each] for each in by))
    if culprits:
        return culprits[0]
    return ()


def _finding(checked: CheckedSet, found: Alternatives, index: int, culprits: tuple[int, ...]) -> Finding:
    one = found.each[index]
    what = "limit" if found.kind == "limit" else "way"
    place = checked.place(one.at / "when" if one.when is not None else one.chosen)
    if not culprits:
        text = f"this way is never taken: every state handles {found.trigger} itself, or is excepted"
        return Finding(CODE, text, checked.key_place(found.at), "take it away here, or there", Severity.WARNING)
    lines = [checked.place(found.each[each].at).line for each in culprits]
    if any(found.each[each].when is None for each in culprits):
        text = f"this {what} is never taken: the one before it, on line {lines[-1]}, has no guard"
        return Finding(CODE, text, place, f"put the {what} without a guard last")
    if one.when is None:
        text = f"this {what} is never needed: the guards before it leave no case over"
        return Finding(CODE, text, place, "it does no harm; take it away if that is meant", Severity.NOTE)
    if len(culprits) == 1:
        when = found.each[culprits[0]].when or ""
        private = any(name in when for name, fact in checked.organisation.facts.items() if fact.private)
        said = "" if private else f" ({when})"
        text = f"this {what} is never taken: the one on line {lines[0]} takes all its cases{said}"
    else:
        text = f"this {what} is never taken: those before it, from line {lines[0]} on, take all its cases together"
    return Finding(CODE, text, place, f"put it before what hides it, or take it away; the first {what} that holds wins")


CODE = "CP307"
RULE = Rule(
    CODE,
    "alternative is hidden by an earlier one",
    "Alternatives are tried in order, and the first whose guard holds is taken. That guards overlap is normal; but "
    "here the earlier ones hold for every case for which this one does, so that it is never taken. A way of a phase, "
    "or of anywhere:, that every state handles itself is warned of. It is proved over the types of the facts: a choice "
    "has its values and no others, a comparison of a fact without a value is false, and what an event requires it "
    "brings. Guards that compare facts with each other, or calculate, are proved by the solver Z3 where it is "
    "installed (`pip install 'carepolicy[prove]'`). A last way without a guard that is never needed is a note.",
    "states:\n  waiting_for_customer:\n    on:\n      customer_wrote:\n"
    "        - {when: order.total > 50, to: received}\n"
    "        - {when: order.total > 100, to: received, assign: care_lead}\n"
    "        - {to: received}\n",
    "states:\n  waiting_for_customer:\n    on:\n      customer_wrote:\n"
    "        - {when: order.total > 100, to: received, assign: care_lead}\n"
    "        - {when: order.total > 50, to: received}\n"
    "        - {to: received}\n",
    find,
)
