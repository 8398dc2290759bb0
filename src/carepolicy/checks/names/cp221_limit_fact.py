"""CP221: a limit, or the start of a clock, that reads a fact which holds no time."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Facts of limits and of ``counts_from`` that are declared and are neither a time nor a date."""
    facts = checked.organisation.facts
    for name, place in _read_as_times(checked):
        fact = facts.get(name)
        if fact is not None and fact.type not in ("time", "date"):
            kind = f"{fact.type} of {fact.item}" if fact.item is not None else fact.type
            times = sorted(each.name for each in facts.values() if each.type in ("time", "date"))
            hint = f"facts that hold a time: {', '.join(times[:6])}" if times else "declare a fact of type time or date"
            yield Finding(CODE, f'"{name}" is a {kind}, and a limit needs a time or a date', place, hint)


def _read_as_times(checked: CheckedSet) -> Iterator[tuple[str, Place]]:
    for written in checked.limits:
        limit = checked.limit(written.text)
        for name in limit.reads if limit is not None else ():
            start = max(0, written.text.find(name))
            yield name, checked.inside(written.place, written.text, start, start + len(name))
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            if clock.counts_from is not None:
                yield clock.counts_from, checked.place(clock.at / "counts_from")


CODE = "CP221"
RULE = Rule(
    CODE,
    "limit needs a fact that holds a time",
    "`until FACT`, a length of time before or after a fact, and counts_from: read an instant or a date. The fact's "
    "type is time or date.",
    "clocks:\n  first_reply: {limit: until order.total}\n",
    "clocks:\n  first_reply: {limit: until order.ship_by}\n",
    find,
)
