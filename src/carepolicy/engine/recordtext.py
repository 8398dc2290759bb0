"""The texts of records: one line of JSON each, of which most is known before the case and written once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from carepolicy.machine.program import Program

SPECVERSION = "1.0"


def quoted(text: str) -> str:
    """``text`` as a JSON string."""
    return orjson.dumps(text).decode()


def inside(text: str) -> str:
    """``text`` as it stands inside of a JSON string."""
    return orjson.dumps(text).decode()[1:-1]


def slug(name: str) -> str:
    """A name as part of a URI reference: lower case, runs of other characters as one hyphen."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "organisation"


class _NumberTexts(dict[int, str]):
    """Numbers as texts, each that is below ``SMALL`` worked out once: it takes longer than all the rest of a record."""

    def __missing__(self, number: int) -> str:
        text = str(number)
        if 0 <= number < SMALL:
            self[number] = text
        return text


SMALL = 4096
number_text = _NumberTexts()


class Form(NamedTuple):
    """The two stretches of a record's text that are known before the case: from behind its sequence in the id
    to its subject, and its data to the end of the line (fields still open are ``%s``)."""

    kind: str
    data: str


class Writer:
    """Forms of the records of one flow. ``tail`` is the stretch from the time to the sequence."""

    def __init__(self, organisation: str, program: Program) -> None:
        self._source = quoted("/carepolicy/" + slug(organisation))
        self.tail = f'","flow":{quoted(program.flow)},"flowversion":{program.version},"sequence":'

    def form(self, kind: str, data: str) -> Form:
        """The form of records of ``kind``; ``data`` is the JSON of their data, fields still open as ``%s``."""
        return Form(f'","source":{self._source},"type":"carepolicy.{kind}","subject":', f',"data":{data}}}\n')

    def fixed(self, kind: str, **data: object) -> Form:
        """The form of records of ``kind`` whose data is known beforehand; it has no open fields."""
        return self.form(kind, orjson.dumps(data).decode())


def opened(name: str, value: str) -> str:
    """The beginning of data that bears a known value first: ``{"clock":"first_reply",``."""
    return f"{{{quoted(name)}:{quoted(value)},".replace("%", "%%")
