"""The language of staff files: who works in which role, how long work takes, and which way cases go, for
`carepolicy simulate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from carepolicy.policy.language.flow import SHARE, SHARE_SCHEMA
from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    called,
    derived,
    key,
    limit,
    located,
    mapping,
    name_of,
    named,
)
from carepolicy.policy.language.shapes import FACT, NAME, TEXT, Either, Named, Scalar, Several, choice
from carepolicy.policy.limit import LimitText
from carepolicy.policy.node import Node
from carepolicy.policy.places import At

SPREADS = ("exponential", "lognormal", "fixed")
"""How lengths of time may lie about their mean."""

MOST_PEOPLE = 10_000

_SHARE = Scalar("", SHARE_SCHEMA, lambda node: _share(node))
_PLACE = Scalar(
    "",
    {
        "type": "string",
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$",
        "errorMessage": "a flow, or a state of one",
        "patternErrorMessage": "a flow is written like complaint, a state of one like complaint.decided",
    },
)
_STATE = Scalar(
    "",
    {
        "type": "string",
        "pattern": r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
        "errorMessage": "a state of a flow",
        "patternErrorMessage": "a state of a flow is written like complaint.decided",
    },
)
_DAYS = "days, such as 2026-08-03, 2026-08-03/2026-08-14, or a list of these"
_AWAY = Several(
    Scalar(
        "",
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$",
            "errorMessage": _DAYS,
            "patternErrorMessage": "days are written like 2026-12-24, or 2026-08-03/2026-08-14",
        },
    ),
    ("string",),
    _DAYS,
)


def _share(node: Node) -> float:
    text = node.text().strip()
    share = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    if share > 1:
        node.fault("CP112", f'"{text}" is not {SHARE}: it must be at most 100%')
    return share


def _away(node: Node) -> Iterator[tuple[date, date]]:
    for said in node.each("away"):
        first, slash, last = said.text().partition("/")
        start = said.date(first)
        end = said.date(last) if slash else start
        if start is not None and end is not None:
            if end < start:
                said.fault("CP114", f"{last} is before {first}", "the first day comes first")
            yield start, end


def _absent(about: str) -> Any:
    return key(_SHARE, about, missing=0.0, otherwise="never", example="8%", rank=2)


@mapping("a person, such as {does: [email_inquiry], away: 2026-08-03/2026-08-14}", piece="person", nullable=True)
class StaffPerson(Mapped):
    """One person of a role, who does only some of its work, or is away on known days."""

    name: str = called()
    does: tuple[str, ...] = key(
        Several(_PLACE, ("string",), "a flow or a state of one (complaint.decided), or a list of these"),
        "The flows, or states, whose work this person can do.", missing=(), otherwise="all of the role's",
        example="[email_inquiry, complaint.decided]", rank=0,
    )  # fmt: skip
    away: tuple[tuple[date, date], ...] = key(
        _AWAY, "Days on which the person is away.", read=lambda node, name: tuple(_away(node)),
        example="2026-08-03/2026-08-14", codes=("CP114",), rank=1,
    )  # fmt: skip
    absent: float | None = key(
        _SHARE, "The share of days on which the person is away, besides those.", otherwise="as for the role",
        example="5%", rank=2,
    )  # fmt: skip
    at: At = located()


@mapping("a role's staff, such as {people: 3, absent: 8%}", piece="staff_role")
class StaffRole(Mapped):
    """Who works in a role."""

    name: str = called()
    people: int = key(
        Scalar(
            "",
            {"type": "integer", "minimum": 0, "maximum": MOST_PEOPLE, "errorMessage": "a whole number of people"},
            lambda node: node.data,
        ),
        "How many people can do all of the role's work, besides those of persons.", missing=0, example="3", rank=0,
    )  # fmt: skip
    persons: Mapping[str, StaffPerson] = named(
        StaffPerson, "people and what they do", "People of whom more is said.", names=None,
        example="{Aoife: {does: email_inquiry}}", rank=1,
    )  # fmt: skip
    absent: float = _absent("The share of days on which each of them is away.")
    calendar: str | None = name_of(
        "calendar", "The calendar of their hours.", otherwise="the role's", example="office", rank=3, unknown="CP296",
    )  # fmt: skip
    first: Mapping[str, str] = named(
        TEXT, "facts and the value that is served first", "Which cases are taken first; else the oldest work is.",
        names=FACT, example="{customer.tier: gold}", rank=4,
    )  # fmt: skip
    at: At = located()


@mapping("a length of time, such as {mean: 12 minutes, spread: lognormal, p90: 30 minutes}", piece="length")
class Length(Mapped):
    """How long something takes: its mean, and how single ones lie about that."""

    mean: LimitText = limit("The mean.", required=True, example="12 minutes", codes=("CP296",), rank=0)
    spread: str = key(
        choice(*SPREADS, expected="exponential, lognormal or fixed"), "How single lengths lie about the mean.",
        missing="exponential", otherwise="exponential", example="lognormal", rank=1,
    )  # fmt: skip
    p90: LimitText | None = limit(
        "What nine of ten do not exceed; of lognormal lengths.", example="30 minutes", codes=("CP296",), rank=2
    )
    at: At = derived(lambda node, name: node.at)


_LENGTH = Fields(Length)
_LENGTHS = Either(
    TEXT,
    _LENGTH,
    {
        "type": ["string", "object"],
        **{keyword: _LENGTH.body()[keyword] for keyword in ("properties", "required", "additionalProperties")},
        "errorMessage": "a length of time such as 12 minutes, or {mean: 12 minutes, spread: lognormal}",
    },
)


def _lengths(node: Node, under: str) -> Mapping[str, Length]:
    return {name: _length(said, name) for name, said in node.items(under)}


def _length(node: Node, name: str) -> Length:
    if isinstance(node.data, dict):
        made: Length = _LENGTH.read(node, name)
        return made
    return Length(mean=node.limit(), spread=SPREADS[0], p90=None, at=node.at)


def _taking(about: str, under: str, example: str) -> Any:
    return key(
        Named(_LENGTHS, "flows, or states of them, and lengths of time", _PLACE), about,
        read=lambda node, name: _lengths(node, under), example=example, codes=("CP296",), rank=1,
    )  # fmt: skip


_SHARES = Named(_SHARE, "values and their shares, such as {gold: 10%, standard: 90%}", TEXT, at_least=1)


@mapping(
    "a staff file: roles and their people, how long work takes, and which way cases go",
    "Who works in which role, and how long work takes, for `carepolicy simulate`.",
)
class StaffFile(Mapped):
    """Staff and their work. ``work`` and ``waits`` are by flow or flow.state, ``ways`` by flow.state and event."""

    roles: Mapping[str, StaffRole] = named(
        StaffRole, "roles and their staff", "Who works in each role; a role that is not named never lets work wait.",
        names=NAME, example="{care_agent: {people: 3, absent: 8%}}", rank=0, required=True, codes=("CP296",),
    )  # fmt: skip
    work: Mapping[str, Length] = _taking(
        "How long a person works at a case in a state.", "work", "{email_inquiry: 12 minutes}"
    )
    waits: Mapping[str, Length] = _taking(
        "How long it takes in a state until others act, such as the customer.", "waits",
        "{email_inquiry.waiting_for_customer: 1 day}",
    )  # fmt: skip
    ways: Mapping[str, Mapping[str, float]] = key(
        Named(_SHARES, "states and the shares of their events", _STATE),
        "How often which event ends the work, or the wait, in a state; where the shares make less than 100%, nobody "
        "acts in the rest, and timers do.", missing=lambda node, name: {}, otherwise="all that staff may do alike",
        example="{email_inquiry.received: {reply_sent: 80%, more_info_asked: 20%}}", codes=("CP296",), rank=2,
    )  # fmt: skip
    facts: Mapping[str, Mapping[str, float]] = named(
        _SHARES, "facts and the shares of their values", "What cases are like.", names=FACT,
        otherwise="the defaults of facts", example="{customer.tier: {gold: 10%, standard: 90%}}", rank=3,
        codes=("CP296",),
    )  # fmt: skip
    at: At = located()
