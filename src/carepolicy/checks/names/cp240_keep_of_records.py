"""CP240: records that go before the facts that they tell of are erased, or before somebody may ask about them."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.limits import days_of, said
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``records`` of ``keep:`` beside how long facts are kept, by the organisation and by each flow."""
    organisation = checked.organisation
    text = organisation.retention.get("records")
    records = None if text is None else days_of(checked, text, organisation.calendar)
    if records is None:
        return
    place = checked.place(organisation.at / "keep" / "records")
    kept = {"facts of closed cases": organisation.keep}
    kept |= {f'facts of "{flow.name}"': flow.keep for flow in checked.flows.values() if flow.keep is not None}
    for what, limit in kept.items():
        days = None if limit is None else days_of(checked, limit, organisation.calendar)
        if days is not None and records < days:
            message = f"records go after {said(records)}, while {what} are to be kept for {said(days)}"
            yield Finding(CODE, message, place, "keep records at least as long as facts: what a case did stands there")


CODE = "CP240"
RULE = Rule(
    CODE,
    "records go before facts",
    "keep: says how long the facts of a closed case are kept, and how long its records. Facts of a closed case stand "
    "in its records and nowhere else: where records go sooner, the facts are gone with them, before their time.",
    "timezone: Europe/London\nkeep: {facts: 3 years, records: 1 year}\n",
    "timezone: Europe/London\nkeep: {facts: 3 years, records: 7 years}\n",
    find,
)
