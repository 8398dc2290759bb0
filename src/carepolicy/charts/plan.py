"""What is on a chart, in words and in order, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.labels import Labels


@dataclass(frozen=True, slots=True)
class Target:
    """Where a way leads: a numbered step, or an end (``number`` None). ``sheet`` is set on other sheets."""

    state: str
    number: int | None
    title: str
    role: str | None
    good: bool
    sheet: int | None


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a card as drawn: ``arrow`` or a chip. ``asked``: it hangs on the question."""

    key: str
    text: str
    effects: str
    timer: bool
    asked: bool
    arrow: bool
    main: bool
    target: Target


@dataclass(frozen=True, slots=True)
class Card:
    """A step. ``band`` is the time limit in words; ``inside`` are things that happen without leaving it."""

    state: str
    number: int
    title: str
    role: str | None
    owner: str
    band: str
    say: str
    inside: tuple[str, ...]
    trigger: str
    question: str
    exits: tuple[Exit, ...]
    main: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """How a case comes to a card from outside of the sheet: by a start, from another sheet, from anywhere."""

    text: str
    state: str
    start: bool
    timer: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A transition that is told once for many steps: those of ``states``."""

    where: str
    text: str
    effects: str
    target: Target | None
    states: frozenset[str] = frozenset()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its cards in order, the entries into it, and the ends that are drawn as boxes."""

    page: int
    pages: int
    subtitle: str
    cards: tuple[Card, ...]
    entries: tuple[Entry, ...]
    ends: tuple[Target, ...]
    joins: frozenset[str]

    def notes(self, chart: Chart) -> tuple[Note, ...]:
        """The notes of a chart that hold at a step of this sheet."""
        here = {card.state for card in self.cards}
        return tuple(note for note in chart.notes if note.states & here)


@dataclass(frozen=True, slots=True)
class Mark:
    """An overlay for a coloured difference or for figures of an audit, by a step's name or the key of a way.

    ``word`` stands in the card before the title ("NEW"); ``line`` is the border's colour and ``style`` its
    kind (solid, dashed, dotted); ``rows`` are texts below the title, each on a ground colour.
    """

    word: str = ""
    line: str | None = None
    style: str = "solid"
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole flow as it is to be drawn; ``footer`` is printed on each sheet before the page number."""

    flow: str
    title: str
    footer: tuple[str, ...]
    labels: Labels
    language: str
    right_to_left: bool
    shades: Mapping[str, Shade]
    roles: Mapping[str, str]
    sheets: tuple[Sheet, ...]
    notes: tuple[Note, ...]
    marks: Mapping[str, Mark]
    legend: tuple[tuple[str, str], ...] = ()
    """What the marks mean, each a text and its ground; it stands before the page number."""
