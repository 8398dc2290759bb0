"""What is compared: the parts of a policy set, each as named aspects with a value and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from carepolicy.charts.text import clean
from carepolicy.charts.words import Words
from carepolicy.policy.language.keys import Key as LanguageKey
from carepolicy.policy.language.keys import Mapped, form_of, in_order
from carepolicy.policy.language.shapes import Array, Several

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


@dataclass(frozen=True, slots=True)
class Called:
    """How the things that keys name are called, by what they are ("role", "fact" …), and how a limit is told."""

    titles: Mapping[str, Callable[[str], str]]
    limit: Callable[[str], str]
    state: Callable[[str], str] = str
    """The name under which a state is compared."""

    def aspect(self, key: LanguageKey, value: Any) -> Aspect:
        """What a key says: what is compared, and its words."""
        shape = key.shape
        what = shape.entry.what if isinstance(shape, (Several, Array)) else shape.what
        if what == "limit":
            said = self.limit(value) if value else ""
            return said, said
        title = self.titles.get(what)
        if title is None:
            return texts(value) if isinstance(value, tuple) else text(None if value is None else str(value))
        if isinstance(value, tuple):
            compared = tuple(map(self.state, value)) if what == "state" else value
            return compared, ", ".join(map(title, value))
        return value, title(value) if value else ""


def aspects_of(thing: Mapped, called: Called) -> dict[str, Aspect]:
    """What the keys of a part say, in the order of a file, as far as that is no more than texts, names and limits;
    whoever knows more of the other keys puts that in their place."""
    form = form_of(type(thing))
    keys = {key.name: key for key in form.keys}
    told = [key for name in in_order(keys, keys) if (key := keys[name]).told and key.attribute in form.readers]
    values = {key: getattr(thing, key.attribute) for key in told}
    return {key.aspect: called.aspect(key, value) for key, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    """Whether a value is a text, a name, a number or nothing, or a list of names or texts."""
    if isinstance(value, tuple):
        return all(isinstance(each, str) for each in value)
    return not isinstance(value, (Mapping, Mapped))


def text(value: str | None) -> Aspect:
    """An aspect that is a text for people."""
    said = clean(value or "")
    return said, said


def texts(values: tuple[str, ...]) -> Aspect:
    """An aspect that is a list of texts for people."""
    said = " / ".join(clean(value) for value in values)
    return said, said
