"""How far a run over an input has come, as it is kept with each transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

import orjson

from carepolicy.engine.instants import NEVER
from carepolicy.store.rows import InputRow


@dataclass(slots=True)
class Progress:
    """``line`` is the last line that was taken. ``events``, ``records`` and ``lates`` count from the first line on,
    ``tally`` what was not taken, by its code. A *stretch* is what is read from one end of the input to the next (an
    input may grow): it ``begins`` behind a line, with so many records and dead letters ``before`` it; ``ends``
    counts the ends before it. ``ended`` says that what falls due at the end was fired and written out as well.

    ``fingerprint`` is that of the first ``length`` bytes, by which the input is known again. ``last`` is a digest of
    the last line that was taken, ``open_end`` says that it had no line break yet: where it has grown, it is taken
    again, and its records and dead letters of before are those up to ``mark`` and ``letters_mark``. ``alone`` are lines
    that were taken beside all shares. ``behind`` and ``letters_behind`` are lines that its files had from elsewhere.
    ``reader`` is who reads it, or did last."""

    line: int = 0
    latest: int = -NEVER
    events: int = 0
    records: int = 0
    lates: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    begins: int = 0
    before: int = 0
    letters_before: int = 0
    letters: int = 0
    ends: int = 0
    ended: bool = False
    fingerprint: str = ""
    length: int = 0
    last: str = ""
    open_end: bool = False
    mark: int = NEVER
    letters_mark: int = NEVER
    alone: int = 0
    behind: int = 0
    letters_behind: int = 0
    reader: str = ""

    def row(self, input: int, share: int) -> InputRow:
        """The row that keeps it."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "line"}
        return InputRow(input, share, self.line, orjson.dumps(kept))


def progress_of(row: InputRow | None) -> Progress:
    """What a row has kept; the beginning where there is none."""
    if row is None:
        return Progress()
    kept = orjson.loads(row.state)
    return Progress(line=row.line, **{**kept, "tally": Counter(kept["tally"])})
