"""The calendars of a set, compiled, from the cache while organisation.yaml and what it imports are as they were."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from carepolicy.cli.sets import demand_folder, refuse
from carepolicy.machine import cache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime import Calendar
    from carepolicy.policy.model import Organisation

KIND = "calendars"
ORGANISATION = "organisation.yaml"


@dataclass(frozen=True, slots=True)
class Timetable:
    """What ``due`` needs of an organisation. ``imported`` holds the digest of each file that a calendar imports."""

    timezone: str
    default: str | None
    calendars: Mapping[str, Calendar]
    titles: Mapping[str, str]
    settings: Mapping[str, str]
    imported: Mapping[str, str]


def timetable_of(root: str) -> Timetable:
    """The calendars of the set in ``root``. Errors of organisation.yaml are shown and end the command."""
    demand_folder(root)
    digest = _digest(os.path.join(root, ORGANISATION))
    kept = cache.load(KIND, digest)
    if isinstance(kept, Timetable) and all(
        _digest(os.path.join(root, file)) == was for file, was in kept.imported.items()
    ):
        return kept
    compiled = _compiled(root)
    cache.store(KIND, digest, compiled)
    return compiled


def _compiled(root: str) -> Timetable:
    from carepolicy.businesstime import Calendar, CalendarError
    from carepolicy.checks.cp211_timezone import RULE as TIMEZONE
    from carepolicy.checks.cp211_timezone import is_zone
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.load import load_policies

    policies, findings = load_policies(root)
    if policies is None:
        refuse(root, findings)
    organisation = policies.organisation
    if not is_zone(organisation.timezone):
        refuse(root, list(TIMEZONE.find(policies)))
    compiled: dict[str, Calendar] = {}
    for spec in organisation.calendars.values():
        try:
            compiled[spec.name] = Calendar.from_spec(spec)
        except CalendarError as fault:
            refuse(root, [Finding("CP212", fault.reason, policies.place(fault.at or spec.at), fault.hint)])
    return Timetable(
        organisation.timezone,
        organisation.calendar,
        compiled,
        {name: spec.title for name, spec in organisation.calendars.items()},
        {name: str(setting.value) for name, setting in organisation.settings.items()},
        _imported(root, organisation),
    )


def _imported(root: str, organisation: Organisation) -> dict[str, str]:
    files = {file.path for spec in organisation.calendars.values() for file in spec.imports}
    return {file: _digest(os.path.join(root, file)) for file in sorted(files)}


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return blake2b(file.read(), digest_size=16).hexdigest()
    except OSError:
        return ""
