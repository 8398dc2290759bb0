"""What scenarios of one policy set are played on: its bundle, its zone, and its values as a scenario writes them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.businesstime import LimitError, NeverOpen, OutOfRange, parse_limit
from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.facts import WrongValue, taker_of
from carepolicy.engine.instants import datetime_of, text_of
from carepolicy.machine.bundle import PolicyErrors, load_bundle
from carepolicy.policy.limit import setting_in
from carepolicy.policy.load import load_policies
from carepolicy.scenarios.names import names_of_bundle

if TYPE_CHECKING:
    from carepolicy.engine.case import LiveProgram
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.model import Policies
    from carepolicy.scenarios.names import ScenarioNames

FIRST, LAST = 1971, 2190
EARLIEST, LATEST = (microseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in (FIRST, LAST + 1))
"""Calendars know the years 1970 to 2200: there is room around for what a scenario's clocks add."""

NONE = "none"


class CannotPlay(Exception):
    """A step that cannot be played at all: a time that does not exist, a flow that the set does not have."""


class Stage:
    """One policy set, ready for its scenarios. Raises ``PolicyErrors`` where the set has errors."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.bundle: Bundle = load_bundle(root)
        self.zone = ZoneInfo(self.bundle.timezone)
        self.takers = {name: taker_of(fact) for name, fact in self.bundle.facts.items()}

    @cached_property
    def names(self) -> ScenarioNames:
        """What scenarios may name."""
        return names_of_bundle(self.bundle)

    @cached_property
    def policies(self) -> Policies:
        """The model of the set, which only settings, coverage and suggestions need."""
        policies, findings = load_policies(self.root)
        if policies is None:
            raise PolicyErrors(findings)
        return policies

    def instant(self, text: str) -> int:
        """The instant, in microseconds since 1970, of a time in a scenario; without an offset it is local.

        A local time that comes twice is the first of the two. Raises ``CannotPlay`` for one that never comes.
        """
        try:
            named = datetime.fromisoformat(text.strip())
        except ValueError:
            raise CannotPlay(f'"{text}" is no time; write it as 2026-03-06 15:30') from None
        if named.tzinfo is None:
            named = named.replace(tzinfo=self.zone)
            if named.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != named.replace(tzinfo=None):
                raise CannotPlay(f'"{text}" does not exist in {self.zone.key}: the clocks go forward over it')
        instant = microseconds(named)
        if not EARLIEST <= instant < LATEST:
            raise CannotPlay(f'"{text}" is too far away: scenarios play in the years {FIRST} to {LAST}')
        return instant

    def local(self, instant: int) -> str:
        """An instant as a scenario writes it: ``2026-03-06 15:30``, with seconds and an offset where they matter."""
        moment = datetime_of(instant).astimezone(self.zone)
        spec = "minutes" if not (moment.second or moment.microsecond) else "auto"
        plain = moment.replace(tzinfo=None, fold=0)
        clear = plain.replace(tzinfo=self.zone).utcoffset() == moment.utcoffset()
        return (plain if clear else moment).isoformat(" ", spec)

    def value(self, fact: str, written: Any) -> Any:
        """A value of a scenario as JSON for an event: of the type that its fact has, times with their offset.

        What is of no declared fact, or of the wrong type, stays as it was written, for the engine to refuse.
        """
        table = self.bundle.facts.get(fact)
        if written is None or table is None:
            return written
        if isinstance(written, list):
            return [self._single(table.item or "text", each) for each in written]
        return self._single(table.type, written)

    def _single(self, kind: str, written: Any) -> Any:
        if not isinstance(written, str):
            return written
        if kind == "flag":
            return {"true": True, "false": False}.get(written.lower(), written)
        if kind == "number":
            return _number(written)
        if kind == "time":
            try:
                return text_of(self.instant(written))
            except CannotPlay:
                return written
        return written

    def held(self, fact: str, written: Any) -> Any:
        """A value of a scenario as the engine holds it. Raises ``CannotPlay`` where it is not of the fact's type."""
        value = self.value(fact, written)
        if value is None:
            return None
        if fact not in self.takers:
            raise CannotPlay(f'there is no fact "{fact}"')
        try:
            return self.takers[fact](value)
        except WrongValue as fault:
            raise CannotPlay(f"{fact}: {fault}") from None

    def shown(self, fact: str, value: Any) -> Any:
        """A value that the engine holds as a scenario writes it."""
        table = self.bundle.facts.get(fact)
        if isinstance(value, (tuple, list)):
            return [self._shown(table.item if table is not None else None, each) for each in value]
        return self._shown(table.type if table is not None else None, value)

    def _shown(self, kind: str | None, value: Any) -> Any:
        if kind == "time" and isinstance(value, int):
            return self.local(value)
        if isinstance(value, Decimal):
            return str(value)
        return value if value is None or isinstance(value, (bool, int, float)) else str(value)

    def wait(self, now: int, written: str, program: LiveProgram, facts: dict[str, Any]) -> int:
        """The instant at which a wait that begins at ``now`` is over, in the calendar of the scenario's flow."""
        try:
            limit = parse_limit(written) if setting_in(written) is None else self.policies.organisation.limit(written)
        except LimitError as fault:
            raise CannotPlay(f"wait: {written}: {fault}") from None
        try:
            over = self.bundle.calendars[program.program.calendar].add_us(now, limit, facts)
        except (OutOfRange, NeverOpen):
            over = None
        if over is None or over >= LATEST:
            raise CannotPlay(f"wait: {written}: a fact that it reads has no value, or it never ends")
        return over


def _number(written: str) -> Any:
    try:
        return int(written)
    except ValueError:
        pass
    try:
        return float(written)
    except ValueError:
        return written


def stage_for(root: str) -> Stage:
    """The stage for the set in a folder; the same one while its path is the same, since sets are slow to load."""
    found = _stages.get(os.path.abspath(root))
    if found is None:
        found = _stages[os.path.abspath(root)] = Stage(root)
    return found


_stages: dict[str, Stage] = {}
