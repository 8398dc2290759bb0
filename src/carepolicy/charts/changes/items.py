"""What is compared: the parts of a policy set, each as named aspects with a value and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from carepolicy.charts.text import clean
from carepolicy.charts.words import Words

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies

Key = tuple[str, ...]
"""Names a part in both sets: its kind first, then whatever it stands in."""

Aspect = tuple[Any, str]
"""A value that is compared, and the words in which it is told ("" for nothing)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a set. ``flow`` and ``state`` say where it stands ("" for nowhere of that kind)."""

    kind: str
    title: str
    flow: str = ""
    state: str = ""
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    runs_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sets, and how its parts are called in the language of the comparison.

    ``renamed`` maps names of its states, by flow, to what the other set calls them.
    """

    policies: Policies
    language: str
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def words(self, flow: Flow) -> Words:
        """The charts' words for one flow of this side."""
        return Words(self.policies, flow, self.language)

    def state(self, flow: str, name: str) -> str:
        """The name of a state as the newer set has it."""
        return self.renamed.get(flow, {}).get(name, name)


def text(value: str | None) -> Aspect:
    """An aspect that is a text for people."""
    said = clean(value or "")
    return said, said


def texts(values: tuple[str, ...]) -> Aspect:
    """An aspect that is a list of texts for people."""
    said = " / ".join(clean(value) for value in values)
    return said, said
