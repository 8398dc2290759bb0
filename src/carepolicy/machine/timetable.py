"""The calendars of a set, compiled, from the cache while organisation.yaml and what it imports are as they were."""

from __future__ import annotations

import marshal
import os
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.businesstime import Calendar, CalendarError, NeverOpen
from carepolicy.businesstime.zones import is_zone
from carepolicy.machine import cache
from carepolicy.machine.bundle import PolicyErrors
from carepolicy.policy.files import ORGANISATION, digest_of, layers_of
from carepolicy.policy.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Organisation

KIND = "timetable"


class Timetable(NamedTuple):
    """What ``due`` needs of an organisation. ``imported`` holds the digest of each file that a calendar imports.

    Calendars are packed one by one: who asks for one need not wait for the others.
    """

    timezone: str
    default: str | None
    packed: Mapping[str, bytes]
    settings: Mapping[str, str]
    imported: Mapping[str, str]

    def calendar(self, name: str) -> Calendar:
        """The calendar of a name that is in ``packed``."""
        return Calendar.unpacked(self.packed[name])


def timetable_of(root: str) -> Timetable:
    """The calendars of the set in ``root``. Raises ``PolicyErrors`` for errors of organisation.yaml."""
    layers = layers_of(root)
    digest = _digest(os.path.join(root, ORGANISATION)) if len(layers) == 1 else digest_of(root)
    body = cache.load(KIND, digest)
    if body is not None:
        kept = Timetable(*marshal.loads(body))
        if len(layers) > 1 or all(_digest(os.path.join(root, file)) == was for file, was in kept.imported.items()):
            return kept
    compiled = _compiled(root)
    plain: tuple[Any, ...] = compiled
    cache.store(KIND, digest, marshal.dumps(tuple(plain)))
    return compiled


def _compiled(root: str) -> Timetable:
    from carepolicy.checks import CheckedSet
    from carepolicy.checks.calendars.cp231_timezone import find as find_timezones
    from carepolicy.policy.load import load_policies

    policies, findings = load_policies(root)
    if policies is None:
        raise PolicyErrors(findings)
    organisation = policies.organisation
    if not is_zone(organisation.timezone):
        raise PolicyErrors(list(find_timezones(CheckedSet(policies, date.today()))))
    packed: dict[str, bytes] = {}
    for spec in organisation.calendars.values():
        try:
            packed[spec.name] = Calendar.from_spec(spec).packed()
        except CalendarError as fault:
            raise PolicyErrors(
                [Finding("CP232", fault.reason, policies.place(fault.at or spec.at), fault.hint)]
            ) from None
        except NeverOpen as fault:
            raise PolicyErrors([Finding("CP222", str(fault), policies.key_place(spec.at))]) from None
    return Timetable(
        organisation.timezone,
        organisation.calendar,
        packed,
        {name: str(setting.value) for name, setting in organisation.settings.items()},
        _imported(root, organisation) if len(layers_of(root)) == 1 else {},
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
