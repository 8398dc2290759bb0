"""Staff files: each is read and checked against the policies whose roles, states and events it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.limit import BUSINESS_TIME, ELAPSED
from carepolicy.policy.load import read_apart
from carepolicy.policy.places import Source

if TYPE_CHECKING:
    from carepolicy.policy.language.staff import Length, StaffFile
    from carepolicy.policy.limit import LimitText
    from carepolicy.policy.places import Path

CODE = "CP296"

NEARLY = 1e-6
"""So far from 100 % may shares be together, since they are written in decimals."""


@dataclass(frozen=True, slots=True)
class StaffNames:
    """What a staff file may name: roles, calendars, of each flow the states with the events that move a case from
    there, and facts with what a choice chooses from (else nothing)."""

    roles: Collection[str]
    calendars: Collection[str]
    flows: Mapping[str, Mapping[str, Collection[str]]]
    facts: Mapping[str, tuple[str, ...]]


def read_staff(path: str, known: StaffNames) -> tuple[StaffFile | None, list[Finding]]:
    """The staff file at a path, and what is wrong with it for a policy set."""
    made, source, findings = read_apart(path, "staff", path)
    if source is None:
        return None, findings
    findings += _unfit(made, source, known)
    return (None, findings) if findings else (made, [])


def _unfit(made: StaffFile, source: Source, known: StaffNames) -> Iterator[Finding]:
    yield from _unfit_roles(made, source, known)
    for key, lengths in (("work", made.work), ("waits", made.waits)):
        for place, length in lengths.items():
            yield from _unknown_place(place, source, (key, place), known, True)
            yield from _unfit_length(length, source, (key, place))
    for place, shares in made.ways.items():
        path = ("ways", place)
        wrong = [*_unknown_place(place, source, path, known, True)]
        yield from wrong
        if not wrong:
            flow, _, state = place.partition(".")
            events = known.flows[flow][state]
            for event in shares:
                if event not in events:
                    yield unknown(CODE, f"event of {place}", event, source.key((*path, event)), events)
        yield from _unfit_sum(shares, source, path, False)
    for fact, shares in made.facts.items():
        choices = known.facts.get(fact)
        if choices is None:
            yield unknown(CODE, "fact", fact, source.key(("facts", fact)), known.facts)
            continue
        for value in shares:
            if choices and value not in choices:
                yield unknown(CODE, f"value of {fact}", value, source.key(("facts", fact, value)), choices)
        yield from _unfit_sum(shares, source, ("facts", fact), True)


def _unfit_roles(made: StaffFile, source: Source, known: StaffNames) -> Iterator[Finding]:
    for name, role in made.roles.items():
        path: Path = ("roles", name)
        if name not in known.roles:
            yield unknown(CODE, "role", name, source.key(path), known.roles)
        if role.calendar is not None and role.calendar not in known.calendars:
            yield unknown(CODE, "calendar", role.calendar, source.value((*path, "calendar")), known.calendars)
        if not role.people and not role.persons:
            yield Finding(CODE, f"nobody works as {name}", source.key(path), "say how many: people: 3")
        for fact, value in role.first.items():
            choices = known.facts.get(fact)
            at = (*path, "first", fact)
            if choices is None:
                yield unknown(CODE, "fact", fact, source.key(at), known.facts)
            elif choices and value not in choices:
                yield unknown(CODE, f"value of {fact}", value, source.value(at), choices)
        for person, each in role.persons.items():
            said = source.data_at(("roles", name, "persons", person, "does")) if each.does else ()
            for number, place in enumerate(each.does):
                at = (*path, "persons", person, "does", *((number,) if isinstance(said, list) else ()))
                yield from _unknown_place(place, source, at, known, False)


def _unknown_place(place: str, source: Source, path: Path, known: StaffNames, on_key: bool) -> Iterator[Finding]:
    """Where a flow, or a state of one, is not known."""
    flow, dot, state = place.partition(".")
    at = source.key(path) if on_key else source.value(path)
    if flow not in known.flows:
        yield unknown(CODE, "flow", flow, at, known.flows)
    elif dot and state not in known.flows[flow]:
        yield unknown(CODE, f"state of {flow}", state, at, known.flows[flow])


def _unfit_length(length: Length, source: Source, path: Path) -> Iterator[Finding]:
    whole = isinstance(source.data_at(path), dict)
    told: list[tuple[LimitText | None, Path]] = [(length.mean, (*path, "mean") if whole else path)]
    told.append((length.p90, (*path, "p90")))
    for text, at in told:
        if text is None:
            continue
        if text.limit is None:
            reason = text.fault.reason if text.fault is not None else f"{text} is a setting"
            yield Finding(CODE, reason, source.value(at), "a length of time is written like 12 minutes")
        elif text.limit.kind not in (ELAPSED, BUSINESS_TIME) or not text.limit.amount or text.limit.strict:
            yield Finding(
                CODE, f'"{text}" is no length of time that work or a wait takes', source.value(at),
                "write it like 12 minutes, 2 hours or 3 business hours",
            )  # fmt: skip
    if (length.p90 is not None) != (length.spread == "lognormal"):
        hint = "say p90, what nine of ten do not exceed" if length.p90 is None else "p90 is of spread: lognormal"
        yield Finding(CODE, f"{length.spread} lengths {'lack' if length.p90 is None else 'have no'} p90",
                      source.value(path), hint)  # fmt: skip
    elif length.p90 is not None and length.p90.limit is not None and length.mean.limit is not None:
        ratio = length.p90.limit.amount / length.mean.limit.amount if length.mean.limit.amount else 1.0
        if not HALF <= ratio <= MOST:
            hint = f"p90 lies between {HALF:g} and {MOST:g} times the mean"
            yield Finding(CODE, "no lognormal lengths have this mean and p90", source.value((*path, "p90")), hint)


HALF, MOST = 1.0, 2.27
"""Between which multiples of its mean the 90th percentile of a lognormal length lies that is skewed as work is: at most
exp(1.2816² / 2)."""


def _unfit_sum(shares: Mapping[str, float], source: Source, path: Path, whole: bool) -> Iterator[Finding]:
    total = sum(shares.values())
    if total > 1 + NEARLY or (whole and total < 1 - NEARLY):
        hint = "they make 100% together" if whole else "they make at most 100% together"
        yield Finding(CODE, f"these shares make {total:.4%} together".replace(".0000", ""), source.key(path), hint)
