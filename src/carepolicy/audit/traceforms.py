"""How nearly all programs write the traces and events of XES, as regular expressions; and what is wanted of them."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise, repeat
from typing import TYPE_CHECKING

from carepolicy.audit.blocks import Block

if TYPE_CHECKING:
    from carepolicy.audit.blocks import Row

CASE = "case:"
"""What the names of a trace's attributes begin with, beside those of its events."""

_PLAIN = r'[^"&<\x00-\x1f]*+'
"""What an attribute's value mostly is: it means what stands there."""

_VALUE = r'[^"<\x00-\x08\x0b\x0c\x0e-\x1f]*+'
"""What the value of an attribute is that nobody asks for; what stands for another text is looked at apart."""

BLANK = r"[ \t\n\r]*+"
OWN = rf'<[a-z]++ key="{_PLAIN}" value="{_PLAIN}"{BLANK}/>'

LONG = 1 << 17
"""A text of so many characters is worth that its shapes are looked at, where one as long has been read before it."""

SEEN = 1 << 15
"""So many characters of it are looked at."""

LESSONS = 4
"""So often the shapes of a log are looked at: again where most events have others than those that are known."""

SHAPES = 8
"""The most shapes that are taken together."""

SELDOM = 32
"""One event of so many must have a shape for it to be taken."""

Part = tuple[str, str, str]
"""What is written of an attribute before its value, its key, and what is written after its value."""

_PART = re.compile(rf'({BLANK}<[a-z]++ key="({_PLAIN})" value="){_VALUE}("{BLANK}/>)')


def _attributes_form(keys: Sequence[str]) -> str:
    """What some attributes are in any order, as nearly all programs write them: without others in them. Groups are the
    values of ``keys``."""
    known = "".join(rf'{re.escape(each)}" value="({_PLAIN})|' for each in keys)
    others = "|".join(rf'{re.escape(each)}"' for each in keys)
    unasked = f"(?!{others})" if keys else ""
    return rf'(?:{BLANK}<[a-z]++ key="(?:{known}{unasked}{_PLAIN}" value="{_VALUE})"{BLANK}/>)*{BLANK}'


def _shapes_in(text: str) -> Counter[tuple[Part, ...]]:
    """How the events of a text are written, and how many are written so: the parts that they have, in order."""
    shapes: Counter[tuple[Part, ...]] = Counter()
    for each in text.split("<event>")[1:]:
        event, end, _ = each.partition("</event>")
        found = _PART.split(event)
        if end and not any(found[:-1:4]) and not found[-1].strip():
            shapes[tuple(zip(found[1::4], found[2::4], found[3::4], strict=True))] += 1
    return shapes


def _merged(order: list[Part], shape: Sequence[Part]) -> list[Part] | None:
    """The parts of an order and of a shape in one order, that of the first where they differ; None where a key is
    written in two ways."""
    merged, at = [*order], 0
    for part in shape:
        if part not in merged:
            merged.insert(at, part)
        at = merged.index(part) + 1
    return merged if len({key for _, key, _ in merged}) == len(merged) else None


def _shaped(text: str, keys: Sequence[str]) -> tuple[str, list[str]] | None:
    """What events like most of a text are, each of its parts letter by letter and those that some lack as they may be
    there; and which of ``keys`` its groups are. None where they have no shape in common."""
    order: list[Part] = []
    taken: list[tuple[Part, ...]] = []
    shapes = _shapes_in(text)
    for shape, count in shapes.most_common(SHAPES):
        merged = _merged(order, shape)
        if merged is not None and count * SELDOM >= shapes.total():
            order = merged
            taken.append(shape)
    if not order:
        return None
    form = ""
    for part in order:
        before, key, after = part
        one = f"{re.escape(before)}{f'({_PLAIN})' if key in keys else _VALUE}{re.escape(after)}"
        form += one if all(part in shape for shape in taken) else f"(?:{one}|)"
    return form + BLANK, [key for _, key, _ in order if key in keys]


class _Form:
    """Takes an event, with what stands before it from the end of the trace before where it is the first of one: groups
    of the expression are whether it is, what the attributes ``heads`` of the trace are, and what those of the event are
    that the expression ``event`` takes: of ``keys`` those that are ``grouped``, in that order."""

    def __init__(self, heads: Sequence[str], keys: Sequence[str], event: str, grouped: Sequence[str]) -> None:
        head = f"/trace>{BLANK}<trace>(){_attributes_form(heads)}"
        self._expression = re.compile(f"<(?:{head}<)?+event>{event}</event>{BLANK}")
        self._step = self._expression.groups + 1
        first = 2 + len(heads)
        self._places = [
            *range(1, first), *(first + grouped.index(key) if key in grouped else None for key in keys)
        ]  # fmt: skip

    def split(self, text: str) -> tuple[list[str], list[list[str | None]]]:
        """What stands before each event that was taken, and behind the last; and as columns whether they are the first
        of a trace, the attributes ``heads``, and ``keys``."""
        found = self._expression.split(text)
        between = found[:: self._step]
        none: list[str | None] = [None] * (len(between) - 1)
        return between, [none if place is None else found[place :: self._step] for place in self._places]


class Wanted:
    """What is wanted of traces: the attribute that names them, columns, and which part of several.

    One form takes events however their attributes stand; there is none where a name may be written in several ways. Of
    long logs another takes only events that are written like most of those that were seen, and so is quicker; what it
    takes the first takes to the same."""

    def __init__(self, name: str, columns: Sequence[str], part: int, of: int) -> None:
        self.name = name
        self.own = [each.removeprefix(CASE) if each.startswith(CASE) else None for each in columns]
        self.plain = [None if each.startswith(CASE) else each for each in columns]
        self._part, self._of = part, of
        self._heads = [*dict.fromkeys([name, *(each for each in self.own if each is not None)])]
        self._keys = [*dict.fromkeys(each for each in self.plain if each is not None)]
        self._any: _Form | None = None
        if not any(re.search(r"""[&<>"'\s]""", each) for each in (*self._heads, *self._keys)):
            self._any = _Form(self._heads, self._keys, _attributes_form(self._keys), self._keys)
        self._shaped: _Form | None = None
        self._lessons = LESSONS
        self._long = False
        own = rf'key="{re.escape(name)}"'
        named = rf'<trace>{BLANK}<string {own} value="({_PLAIN})"{BLANK}/>'
        others = rf'(?:{BLANK}<[a-z]++ (?!{own})key="{_PLAIN}" value="{_VALUE}"{BLANK}/>)*+'
        self.first = re.compile(rf"{named}{others}{BLANK}(?:<event>|</trace>|\Z)")

    def block(self, name: str | None, rows: list[Row]) -> Block:
        """The rows of one trace."""
        return Block.of([(name, rows)]) if rows else Block([name], [0], (), [()] * len(self.own))

    def read(self, text: str, first: int) -> tuple[Block | None, str | None]:
        """The first traces of a text, the rows of which have numbers from ``first``; and what remains, if anything."""
        if self._any is None:
            return None, text
        (begun, *found), whole = self._events(f"</trace>{text}", self._any)
        begins = [place for place, each in enumerate(begun) if each is not None]
        end, left = len(begun), None
        if not whole:  # what is before is whole, but for the last trace
            end = begins.pop() if begins else 0
            if not begins:
                return None, text
            at = 0
            for _ in begins:
                at = text.index("</trace>", at) + len("</trace>")
            left = text[at:]
        counts = [after - before for before, after in pairwise([*begins, end])]
        heads = [[column[each] for each in begins] for column in found[: len(self._heads)]]
        of_events = found[len(self._heads) :]
        values = [
            of_events[self._keys.index(key)][:end]
            if key is not None
            else [*chain.from_iterable(map(repeat, heads[self._heads.index(own or "")], counts))]
            for key, own in zip(self.plain, self.own, strict=True)
        ]
        return Block(heads[0], counts, range(first, first + end), values), left

    def _events(self, text: str, general: _Form) -> tuple[list[list[str | None]], bool]:
        """The columns of the events of a text up to where something else stands; and whether that is its end."""
        form = self._form_for(text) or general
        between, columns = form.split(text)
        if not any(between):
            return columns, True
        whole: list[list[str | None]] = [[] for _ in columns]
        at = others = 0
        for place, piece in enumerate(between):
            if not piece:
                continue
            finer, more = ([piece, ""], []) if form is general else general.split(piece)
            odd = next((number for number, each in enumerate(finer) if each), None)
            _extend(whole, (column[at:place] for column in columns))
            _extend(whole, (column[:odd] for column in more))
            if odd is not None:
                return whole, False
            others += len(finer) - 1
            at = place
        _extend(whole, (column[at:] for column in columns))
        if 2 * others > len(whole[0]):
            self._shaped = None
        return whole, True

    def _form_for(self, text: str) -> _Form | None:
        """The quicker form for a text, if there is one: it is made where the text is long, and not the first."""
        if self._shaped is None and self._lessons and len(text) >= LONG:
            if self._long:
                self._lessons -= 1
                shaped = _shaped(text[:SEEN], self._keys)
                self._shaped = None if shaped is None else _Form(self._heads, self._keys, *shaped)
            self._long = True
        return self._shaped

    def takes(self, name: str | None) -> bool:
        """Whether a trace of this name is of the part; those without one are of the first."""
        return self._of == 1 or (0 if name is None else zlib.crc32(name.encode())) % self._of == self._part


def _extend(columns: Iterable[list[str | None]], more: Iterable[list[str | None]]) -> None:
    """Add to each of some columns."""
    for column, each in zip(columns, more, strict=False):
        column += each
