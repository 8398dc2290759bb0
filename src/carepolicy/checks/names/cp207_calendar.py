"""CP207: a calendar that organisation.yaml does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.pointing import unknown
from carepolicy.checks.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import At

OWNER = "owner"
"""A clock may count in the calendar of the state's owner."""


def find(policies: Policies) -> Iterator[Finding]:
    """Calendars of the organisation, roles, channels, flows and clocks."""
    known = policies.organisation.calendars
    for name, at, also in _named(policies):
        if name is not None and name not in known and name not in also:
            yield unknown(CODE, "calendar", name, policies.place(at), (*known, *also))


def _named(policies: Policies) -> Iterator[tuple[str | None, At, tuple[str, ...]]]:
    organisation = policies.organisation
    yield organisation.calendar, organisation.at / "calendar", ()
    for role in organisation.roles.values():
        yield role.calendar, role.at / "calendar", ()
    for channel in organisation.channels.values():
        yield channel.calendar, channel.at / "calendar", ()
    for flow in policies.flows.values():
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
