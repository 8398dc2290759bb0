"""Named tuples of ours do what those of `typing` do."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from typing import NamedTuple as OfTyping

import pytest

from carepolicy.named import NamedTuple


class Ours(NamedTuple):
    """A place on a chart."""

    name: str
    row: int = 1
    column: int = 2

    @property
    def place(self) -> tuple[int, int]:
        """Row and column."""
        return self.row, self.column


class Theirs(OfTyping):
    """A place on a chart."""

    name: str
    row: int = 1
    column: int = 2

    @property
    def place(self) -> tuple[int, int]:
        """Row and column."""
        return self.row, self.column


class Wider(Ours):
    """A class of its own."""


def said(ask: Callable[[Any], Any], kind: Any) -> Any:
    try:
        found = ask(kind)
    except TypeError:
        return TypeError
    return found if isinstance(found, str) or not isinstance(found, tuple) else tuple(found)


ASKED: dict[str, Callable[[Any], Any]] = {
    "by position": lambda kind: kind("a", 3, 4),
    "by name": lambda kind: kind(column=4, name="a"),
    "too few": lambda kind: kind(),
    "too many": lambda kind: kind("a", 3, 4, 5),
    "no such field": lambda kind: kind("a", depth=3),
    "a field": lambda kind: kind("a").column,
    "a method": lambda kind: kind("a").place,
    "fields": lambda kind: kind._fields,
    "defaults": lambda kind: kind._field_defaults,
    "for match": lambda kind: kind.__match_args__,
    "as a dictionary": lambda kind: kind("a")._asdict(),
    "replaced": lambda kind: kind("a")._replace(row=7),
    "made": lambda kind: kind._make(["a", 5, 6]),
    "made of too few": lambda kind: kind._make([]),
    "shown": lambda kind: repr(kind("a")).replace(kind.__name__, ""),
    "its document": lambda kind: kind.__doc__,
    "its module": lambda kind: kind.__module__,
    "its annotations": lambda kind: list(kind.__annotations__),
    "equal to a tuple": lambda kind: kind("a") == ("a", 1, 2),
    "hashed": lambda kind: hash(kind("a")),
    "no other attribute": lambda kind: hasattr(kind("a"), "__dict__"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_they_answer_as_those_of_typing(asked: str) -> None:
    assert said(ASKED[asked], Ours) == said(ASKED[asked], Theirs)


def test_a_field_that_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="Ours has no field depth"):
        Ours("a")._replace(depth=1)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_they_are_pickled(protocol: int) -> None:
    there = pickle.loads(pickle.dumps(Ours("a", 5), protocol))
    assert (type(there), there) == (Ours, Ours("a", 5))


def test_a_subclass_makes_its_own() -> None:
    class Narrow(NamedTuple):
        one: int

    class Below(Narrow):
        pass

    assert type(Below(1)) is Below  # before any of its parent was made
    assert type(Narrow(1)) is Narrow
    assert Wider("a").place == (1, 2)


def test_a_field_without_a_default_comes_first() -> None:
    with pytest.raises(TypeError, match="a field without a default"):

        class Wrong(NamedTuple):
            one: int = 1
            two: int
