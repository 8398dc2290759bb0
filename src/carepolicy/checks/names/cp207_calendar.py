"""CP207: a calendar that organisation.yaml does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import At

OWNER = "owner"
"""A clock may count in the calendar of the state's owner."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Calendars of the organisation, roles, channels, flows and clocks."""
    known = checked.organisation.calendars
    for name, at, also in _named(checked):
        if name is not None and name not in known and name not in also:
            yield unknown(CODE, "calendar", name, checked.place(at), (*known, *also))


def _named(checked: CheckedSet) -> Iterator[tuple[str | None, At, tuple[str, ...]]]:
    organisation = checked.organisation
    yield organisation.calendar, organisation.at / "calendar", ()
    for role in organisation.roles.values():
        yield role.calendar, role.at / "calendar", ()
    for channel in organisation.channels.values():
        yield channel.calendar, channel.at / "calendar", ()
    for flow in checked.flows.values():
        yield flow.calendar, flow.at / "calendar", ()
        for clock in flow.clocks.values():
            yield clock.calendar, clock.at / "calendar", (OWNER,)


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
