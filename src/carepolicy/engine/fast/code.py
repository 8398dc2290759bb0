"""The text of a Python function, put together line by line, with the values that it refers to by names of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carepolicy.engine.record import ClockData, Record

if TYPE_CHECKING:
    from carepolicy.engine.clocks import LiveLimit
    from carepolicy.engine.program import LiveProgram


class Code:
    """The text of a function with a signature; ``values`` are its globals."""

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

    def record(self, kind: str, data: str) -> None:
        """Write a record; ``data`` is a Python expression."""
        made = f"{self.name(Record, 'record')}({self._program}, about, number, {kind!r}, when, {data})"
        self.add("number += 1", f"write({made})")

    def clock_record(self, kind: str, limit: LiveLimit, due: str, used: str) -> None:
        """Write a record of a clock's round under a limit; ``due`` and ``used`` are Python expressions."""
        told, known = self.name(limit.told, "told"), self.name(limit.told.limit, "most")
        self.record(kind, f"{self.name(ClockData, 'data')}({told}, {due}, {used}, {known})")

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
