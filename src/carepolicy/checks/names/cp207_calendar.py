"""CP207: a calendar that organisation.yaml does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Calendars of the organisation, roles, channels, flows and clocks; a clock may say "owner"."""
    yield from checked.unknown_names(CODE, "calendar", checked.organisation.calendars)


CODE = "CP207"
RULE = Rule(
    CODE,
    "unknown calendar",
    "A calendar is declared under calendars: of organisation.yaml. A clock may also say `calendar: owner`, for the "
    "calendar of the role that owns the state.",
    "clocks:\n  first_reply: {calendar: ofice}\n",
    "clocks:\n  first_reply: {calendar: office}\n",
    find,
)
