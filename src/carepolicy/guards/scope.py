"""What an expression may name where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Fact, Setting


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The names of one place: facts and settings by name, clocks, states, and the facts that the event at hand
    carries (None where there is no event, so that ``event.*`` names nothing)."""

    facts: Mapping[str, Fact]
    settings: Mapping[str, Setting]
    clocks: tuple[str, ...]
    states: tuple[str, ...]
    event: frozenset[str] | None
