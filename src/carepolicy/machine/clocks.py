"""Clocks of a flow, compiled: in which state each runs, pauses or is stopped, and which limits it may have."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from carepolicy.businesstime import parse_limit
from carepolicy.guards import compile_expression
from carepolicy.guards.scopes import scope_of
from carepolicy.machine.program import ClockTable, LimitTable, Phase, WarnTable
from carepolicy.policy.settings import limit_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Clock, Flow, LimitChoice, Policies

OWNER = "owner"
"""The calendar of a clock that counts in the calendar of the state's owner."""


def compile_clocks(
    policies: Policies, flow: Flow, states: list[str], calendar: str, places: Mapping[tuple[str, ...], int]
) -> tuple[ClockTable, ...]:
    """The clocks of ``flow`` in the order of the file; ``calendar`` is the one of clocks that name none."""
    return tuple(
        ClockTable(
            name=clock.name,
            title=clock.title,
            limits=tuple(_limit(policies, flow, each) for each in clock.limits),
            phases=tuple(_phase(clock, state) for state in states),
            calendars=tuple(_calendar(policies, flow, clock, state, calendar) for state in states),
            goes_on=clock.again == "continue",
            restarts_on=frozenset(clock.restarts_on),
            warns=tuple(sorted((_warn(each) for each in clock.warn_at), key=lambda each: each.share)),
            counts_from=clock.counts_from,
            target=clock.target,
            place=places["clock", clock.name],
        )
        for clock in flow.clocks.values()
    )


def _limit(policies: Policies, flow: Flow, choice: LimitChoice) -> LimitTable:
    limit = parse_limit(limit_text(choice.limit, policies.organisation))
    if choice.when is None:
        return LimitTable(None, limit, choice.rolls is not None, frozenset(limit.reads))
    guard = compile_expression(choice.when, scope_of(policies.organisation, flow), "flag")
    return LimitTable(guard.function, limit, choice.rolls is not None, frozenset((*limit.reads, *guard.reads)))


def _phase(clock: Clock, state: str) -> Phase:
    if state in clock.runs_in:
        return Phase.RUNNING
    return Phase.PAUSED if state in clock.pauses_in else Phase.STOPPED


def _calendar(policies: Policies, flow: Flow, clock: Clock, state: str, default: str) -> str:
    if clock.calendar != OWNER:
        return clock.calendar or default
    owner = policies.organisation.roles.get(flow.states[state].owner or flow.owner)
    return owner.calendar if owner is not None and owner.calendar is not None else default


def _warn(text: str) -> WarnTable:
    return WarnTable(int(Fraction(text.strip().removesuffix("%").strip()) * 10_000))
