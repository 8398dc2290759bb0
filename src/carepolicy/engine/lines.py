"""Bytes become numbered lines, in constant memory however long a line is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from carepolicy.engine.intake import LONGEST_LINE, MERGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

BLOCK = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Lines(Sequence[tuple[int, bytes]]):
    """Lines with their numbers, which follow each other from ``first``."""

    __slots__ = ("first", "texts")

    def __init__(self, first: int, texts: list[bytes]) -> None:
        self.first = first
        self.texts = texts

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Each number with its line."""
        return enumerate(self.texts, self.first)

    @overload
    def __getitem__(self, at: int) -> tuple[int, bytes]: ...

    @overload
    def __getitem__(self, at: slice) -> list[tuple[int, bytes]]: ...

    def __getitem__(self, at: int | slice) -> tuple[int, bytes] | list[tuple[int, bytes]]:
        """A line, or several, with the numbers."""
        return list(self)[at]


def numbered_lines(blocks: Iterable[bytes]) -> Iterator[Sequence[tuple[int, bytes]]]:
    """For each block of input the lines that it completes, numbered from 1; blank lines are left out.

    A line that is longer than an event may be is cut a little above that length, so that whoever reads
    it can tell that it is too long.
    """
    number = 1
    rest = b""
    first = True
    for read in blocks:
        block = read
        if first:
            first = False
            block = block.removeprefix(BYTE_ORDER_MARK)
        lines = block.split(b"\n")
        lines[0] = rest + lines[0] if len(rest) <= LONGEST_LINE else rest
        rest = lines.pop()[: LONGEST_LINE + 1]
        complete = Lines(number, lines)
        number += len(lines)
        # The least of all lines tells whether one may be blank: white space comes before all that an event begins with.
        plain = lines and min(lines)[:1] > b" "
        yield complete if plain else [each for each in complete if each[1].strip()]
    if rest.strip():
        yield [(number, rest)]


def tells_of_merges(file: IO[bytes]) -> bool:
    """Whether an event in what is left of a file may join two subjects. The file stands where it stood again."""
    sought, before, start = MERGE.encode(), b"", file.tell()
    while block := file.read(BLOCK):
        if sought in before + block:
            break
        before = block[1 - len(sought) :]
    file.seek(start)
    return bool(block)
