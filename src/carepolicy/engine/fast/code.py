"""The text of a Python function that does a move: its lines, the names that it needs, and how it writes records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import HOUR, hour_text, rest_text
from carepolicy.engine.record import (
    SMALL,
    ClockData,
    Passage,
    Record,
    Written,
    line_of,
    number_text,
    render,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.engine.case import LiveProgram, Steps
    from carepolicy.engine.record import Known
    from carepolicy.engine.round import LiveLimit

_SMALL_NUMBERS = [number_text[number] for number in range(SMALL)]
"""Texts of numbers: of a list Python takes one quicker than of what knows all of them."""

_MARK = "\0"
"""Stands around an expression in a text. In JSON it stands nowhere."""

_join = "".join


class Code:
    """The text of a function with a signature, which writes records as values; ``values`` are its globals."""

    def __init__(self, signature: str) -> None:
        self._signature = signature
        self._lines: list[str] = []
        self._indent = 1
        self.values: dict[str, Any] = {}

    def name(self, value: Any, hint: str) -> str:
        """The name under which the function finds ``value``."""
        for name, known in self.values.items():
            if known is value:
                return name
        name = f"{hint}_{len(self.values)}"
        self.values[name] = value
        return name

    def add(self, *lines: str) -> None:
        """Add lines at the present depth."""
        self._lines.extend("    " * self._indent + line for line in lines)

    def when(self) -> str:
        """The text of the time, as an expression."""
        return "when"

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Lines that are added inside stand one level deeper."""
        self._indent += 1
        yield
        self._indent -= 1

    def begin_records(self, program: LiveProgram) -> None:
        """From here the function has at hand what all records of the case at this instant have in common."""
        self._program = self.name(program.id, "program")
        self.add(
            "out = stepper.out",
            "write = out.append",
            "rounds = case.rounds",
            "about = case.subject",
            "number = case.sequence",
        )

    def record(self, kind: str, data: Known) -> None:
        """Write a record whose data is known."""
        self._make(kind, self.name(data, "data"))

    def clock_record(self, kind: str, limit: LiveLimit, due: str | None, used: str) -> None:
        """Write a record of a clock's round under a limit; ``due`` and ``used`` are Python expressions."""
        told, known = self.name(limit.told, "told"), self.name(limit.told.limit, "most")
        self._make(kind, f"{self.name(ClockData, 'clock_data')}({told}, {due}, {used}, {known})")

    def _make(self, kind: str, data: str) -> None:
        made = f"{self.name(Record, 'record')}({self._program}, about, number, {kind!r}, when, {data})"
        self.add("number += 1", f"write({made})")

    def call(self, *lines: str) -> None:
        """Call something that may write records of the case itself."""
        self.add("case.sequence = number", *lines, "number = case.sequence")

    def end_records(self) -> None:
        """Note the number of the last record in the case."""
        self.add("case.sequence = number")

    def text(self) -> str:
        """The whole text."""
        return "\n".join((f"def {self._signature}:", *self._lines, ""))

    def function(self) -> Any:
        """The function, compiled."""
        space = dict(self.values)
        exec(compile(self.text(), f"<{self._signature}>", "exec"), space)
        return space[self._signature.partition("(")[0]]


Begin = Callable[[str], Code]
"""Makes a function with a signature that has no lines yet."""


class LineCode(Code):
    """The same, with records that are written as lines, put together of all that is known of them beforehand.

    What is written in any case is one text (``_said``, with marks around expressions). What is written in a branch is
    added to a variable, which is an expression in that text.
    """

    def begin_records(self, program: LiveProgram) -> None:
        """From here the function has at hand what all records of the case at this instant have in common."""
        self._of = program.id
        self._said = ""
        self._depth = self._indent
        self._most = SMALL - 8 * (len(program.clocks) + 1)
        self._variables = 0
        self.add("out = stepper.out", "rounds = case.rounds", "about = case.about")
        self.add("number = written = case.sequence")
        self._choose_numbers()
        self._begin = len(self._lines)

    def _choose_numbers(self) -> None:
        small, any_number = self.name(_SMALL_NUMBERS, "small"), self.name(number_text, "numbers")
        self.add(f"texts = {small} if number < {self._most} else {any_number}")

    def record(self, kind: str, data: Known) -> None:
        """Write a record whose data is known."""
        if self._indent > self._depth:
            self.add("number += 1", "text = texts[number]")
            self._add_to_variable(self._joined(self._line(kind, "text", data.json)))
        else:
            number = f"number_{self._said.count(_MARK)}"
            self.add("number += 1", f"{number} = texts[number]")
            self._said += self._line(kind, number, data.json)

    def clock_record(self, kind: str, limit: LiveLimit, due: str | None, used: str) -> None:
        """Write a record of a clock's round under a limit; ``due`` and ``used`` are Python expressions."""
        self.add("number += 1", "text = texts[number]")
        told = None
        if due is not None:
            self.add(f"hour, rest = divmod({due}, {HOUR})")
            hours, rests = self.name(hour_text, "hours"), self.name(rest_text, "rests")
            told = f"{_marked(f'{hours}[hour]')}{_marked(f'{rests}[rest]')}"
        data = limit.told.text(told, used if used.isdigit() else _marked(f"str({used})"))
        self._add_to_variable(self._joined(self._line(kind, "text", data)))

    def _line(self, kind: str, number: str, data: str) -> str:
        return line_of(self._of, _marked("about"), _marked(number), kind, _marked("when"), data)

    def _joined(self, text: str) -> str:
        """An expression for a text with marks around expressions."""
        parts = (part if place % 2 else repr(part) for place, part in enumerate(text.split(_MARK)))
        return f"{self.name(_join, 'join')}(({', '.join(part for part in parts if part != repr(''))},))"

    def _add_to_variable(self, text: str) -> None:
        """Add what an expression tells to a variable, after all that was written before."""
        said = f"said_{self._variables}"
        if not self._said.endswith(_marked(said)):
            self._variables += 1
            said = f"said_{self._variables}"
            self._lines.insert(self._begin, "    " * self._depth + f'{said} = ""')
            self._said += _marked(said)
        self.add(f"{said} += {text}")

    def call(self, *lines: str) -> None:
        """Call something that may write records of the case itself: in a branch they are lines at once, elsewhere they
        stand behind what was written before."""
        if self._indent > self._depth:
            self.add("case.sequence = number", "mark = len(out)", *lines, "number = case.sequence")
            self._add_to_variable(f"{self.name(_taken_back, 'taken_back')}(out, mark)")
        else:
            self._write()
            self.add("case.sequence = number", *lines, "number = written = case.sequence")
        self._choose_numbers()

    def end_records(self) -> None:
        """Write the records, and note the number of the last one in the case."""
        self._write()
        self.add("case.sequence = number")

    def _write(self) -> None:
        if self._said:
            of, passage = self.name(self._of, "program"), self.name(Passage, "passage")
            told = f"case.subject, number, when, {self._joined(self._said)}, number - written"
            self.add(f"out.append({passage}({of}, {told}))")
            self._said = ""


def begin_for(stepper: Steps) -> Begin:
    """How functions of a stepper's programs begin: they write records as values or lines, or tell its hearer."""
    if stepper.hearer is not None:
        return stepper.hearer.code
    return LineCode if stepper.as_lines else Code


def _marked(expression: str) -> str:
    return f"{_MARK}{expression}{_MARK}"


def _taken_back(out: list[Written], mark: int) -> str:
    """The lines of what was written since there were so many records, which are there no longer."""
    text = "".join(render(out[mark:]))
    del out[mark:]
    return text
