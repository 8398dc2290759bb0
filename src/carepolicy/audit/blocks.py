"""Rows of a log as columns, those of many subjects together: so they are read, mapped and handed to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress, islice, repeat
from typing import Any, TypeVar

Row = tuple[Any, ...]
"""A row: its number, a hash of all its columns, and the values of the columns that were asked for, as texts or None."""

Some = TypeVar("Some")

TOGETHER = 1_000
"""So many rows are brought together at least, where there are so many."""


class Block:
    """Rows of some subjects, each with its rows beside each other, as columns: what the subjects are called, how many
    rows each has, and of all rows their ``numbers``, hashes (None where they have none), and the ``values`` of each
    column that was asked for."""

    __slots__ = ("counts", "hashes", "names", "numbers", "values")

    def __init__(
        self, names: Sequence[str | None], counts: Sequence[int], numbers: Sequence[int],
        values: Sequence[Sequence[str | None]], hashes: Sequence[Any] | None = None,
    ) -> None:  # fmt: skip
        self.names = names
        self.counts = counts
        self.numbers = numbers
        self.values = values
        self.hashes = hashes

    @classmethod
    def of(cls, groups: Sequence[tuple[str | None, Sequence[Row]]]) -> Block:
        """The rows of some subjects, of which there is one at least."""
        numbers, hashes, *values = zip(*chain.from_iterable(rows for _, rows in groups), strict=True)
        return cls([name for name, _ in groups], [len(rows) for _, rows in groups], numbers, values, hashes)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.numbers)

    def groups(self) -> Iterator[tuple[str | None, list[Row]]]:
        """The name of each subject, and its rows."""
        rows = zip(self.numbers, repeat(None) if self.hashes is None else self.hashes, *self.values, strict=False)
        for name, length in zip(self.names, self.counts, strict=True):
            yield name, [*islice(rows, length)]

    def begins(self) -> list[int]:
        """Where the rows of each subject begin, and where those of the last end."""
        return [*accumulate(self.counts, initial=0)]

    def by_row(self, several: Iterable[Some]) -> Iterator[Some]:
        """For each row what there is of its subject, of which there is one of each."""
        return chain.from_iterable(map(repeat, several, self.counts))

    def only(self, wanted: Sequence[bool]) -> Block:
        """The rows of those subjects that are wanted."""
        each = [*self.by_row(wanted)]
        return Block(
            [*compress(self.names, wanted)], [*compress(self.counts, wanted)], [*compress(self.numbers, each)],
            [[*compress(column, each)] for column in self.values],
        )  # fmt: skip


def of_groups(groups: Iterable[tuple[str | None, Sequence[Row]]]) -> Iterator[Block]:
    """The rows of subjects, in blocks that are not small; what has no rows is left out where nothing else remains."""
    for some in _together(groups, lambda group: len(group[1])):
        if any(rows for _, rows in some):
            yield Block.of(some)


def of_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same rows, of which none have hashes, in blocks that are not small."""
    for some in _together(blocks, len):
        yield some[0] if len(some) == 1 else Block(
            [*chain.from_iterable(each.names for each in some)],
            [*chain.from_iterable(each.counts for each in some)],
            [*chain.from_iterable(each.numbers for each in some)],
            [[*chain.from_iterable(columns)] for columns in zip(*(each.values for each in some), strict=True)],
        )  # fmt: skip


def _together(several: Iterable[Some], rows_of: Callable[[Some], int]) -> Iterator[list[Some]]:
    """As many at a time as have ``TOGETHER`` rows at least, and then the rest."""
    some: list[Some] = []
    rows = 0
    for each in several:
        some.append(each)
        rows += rows_of(each)
        if rows >= TOGETHER:
            yield some
            some, rows = [], 0
    if some:
        yield some
