"""My role: what one role does, hands on, gets and is told, over all flows, as a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.guide import guide_address
from carepolicy.handbook.home import calendar_pages, matrix_of
from carepolicy.handbook.promises import clock_anchor
from carepolicy.handbook.shares import share_of
from carepolicy.handbook.steps import anchor_of, limits_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.plan import Chart
    from carepolicy.handbook.book import Book
    from carepolicy.handbook.home import RoleRow
    from carepolicy.handbook.shares import HandOver, Notice
    from carepolicy.handbook.steps import FlowStep
    from carepolicy.policy.model import Flow


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A step of a flow: its number (None where a notice comes at many steps), its title, and its address."""

    number: int | None
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class HandedCase:
    """A case that goes from one role to another: at which step, upon what, to which step, and who the other is."""

    source: StepPlace
    text: str
    target: StepPlace
    other: str


@dataclass(frozen=True, slots=True)
class RoleNotice:
    """What a role is told, or that a case is given to it: where (None: at many steps), upon what, in which words."""

    place: StepPlace | None
    upon: str
    text: str
    in_hours: bool


@dataclass(frozen=True, slots=True)
class RoleClock:
    """A clock that runs at steps of the role: its title, its limits in words, and its address."""

    title: str
    limit: str
    address: str


@dataclass(frozen=True, slots=True)
class RolePart:
    """A role's part in one flow."""

    flow: str
    title: str
    page: str
    guide: str
    steps: tuple[FlowStep, ...]
    limits: tuple[RoleClock, ...]
    handed_in: tuple[HandedCase, ...]
    handed_on: tuple[HandedCase, ...]
    told: tuple[RoleNotice, ...]
    given: tuple[RoleNotice, ...]


@dataclass(frozen=True, slots=True)
class RolePage:
    """A role: who has it and how much it may decide on, when it is there, and its part in each flow.

    ``owns`` and ``stewards`` are flows by page and title, ``stands_in_for`` other roles by file and title.
    """

    row: RoleRow
    file: str
    shade: Shade | None
    hours: str
    owns: tuple[tuple[str, str], ...]
    stewards: tuple[tuple[str, str], ...]
    stands_in_for: tuple[tuple[str, str], ...]
    parts: tuple[RolePart, ...]


def role_file(role: str) -> str:
    """The file of a role's page in the folder of the roles."""
    return f"{identifier(role)}.html"


def role_pages(book: Book, charts: Mapping[str, Chart], steps: Mapping[str, Sequence[FlowStep]]) -> list[RolePage]:
    """A page for each role of the set. ``charts`` and ``steps`` are those of the book's flows, by name."""
    organisation = book.policies.organisation
    hours = {each.name: f"{each.title} – {each.hours}" for each in calendar_pages(book)}
    flows = list(book.policies.flows.values())
    found: list[RolePage] = []
    for row in matrix_of(book):
        role = organisation.roles[row.name]
        parts = (
            _part(book, flow, charts[flow.name], steps[flow.name], row.name)
            for flow, letters in zip(flows, row.letters, strict=True)
            if letters
        )
        found.append(
            RolePage(
                row=row,
                file=role_file(row.name),
                shade=next((chart.shades[row.name] for chart in charts.values() if row.name in chart.shades), None),
                hours=hours.get(role.calendar or organisation.calendar or "", ""),
                owns=tuple(_flow(book, flow) for flow in flows if flow.owner == row.name),
                stewards=tuple(_flow(book, flow) for flow in flows if flow.steward == row.name),
                stands_in_for=tuple(
                    (role_file(other.name), book.role(other.name))
                    for other in organisation.roles.values()
                    if other.deputy == row.name
                ),
                parts=tuple(part for part in parts if part is not None),
            )
        )
    return found


def _page(flow: Flow) -> str:
    return f"../flows/{identifier(flow.name)}.html"


def _flow(book: Book, flow: Flow) -> tuple[str, str]:
    return _page(flow), book.words(flow).flow_title(flow.name)


def _part(book: Book, flow: Flow, chart: Chart, steps: Sequence[FlowStep], role: str) -> RolePart | None:
    share = share_of(book, flow, chart, role)
    if not share:
        return None
    guide = f"../flows/{guide_address(flow.name)}"
    words = book.words(flow)
    numbers = {step.anchor: step.number for step in steps}
    mine = {card.state for card in share.cards}

    def place(state: str) -> StepPlace:
        anchor = anchor_of(state)
        return StepPlace(numbers.get(anchor), words.state(state), f"{guide}#{anchor}")

    def handed(each: HandOver) -> HandedCase:
        return HandedCase(place(each.source), each.text, place(each.target), each.other)

    def told(each: Notice) -> RoleNotice:
        at = place(each.state) if each.state is not None else None
        return RoleNotice(at, each.upon or words.labels.entering, clean(each.text), each.in_hours)

    clocks = [clock for clock in flow.clocks.values() if mine & set(clock.runs_in)]
    return RolePart(
        flow=flow.name,
        title=words.flow_title(flow.name),
        page=_page(flow),
        guide=guide,
        steps=tuple(step for step in steps if step.anchor in {anchor_of(state) for state in mine}),
        limits=tuple(
            RoleClock(
                words.clock(clock.name),
                limits_in_words(book, words, clock),
                f"{_page(flow)}#{clock_anchor(clock.name)}",
            )
            for clock in clocks
        ),
        handed_in=tuple(dict.fromkeys(map(handed, share.handed_in))),
        handed_on=tuple(dict.fromkeys(map(handed, share.handed_on))),
        told=tuple(told(each) for each in share.notices if not each.given),
        given=tuple(told(each) for each in share.notices if each.given),
    )
