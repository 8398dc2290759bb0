"""The text of a Python function, put together line by line, with the values that it refers to.

Texts of records stand in it as literals; anything else is handed in by a name of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carepolicy.engine.recordtext import number_text

if TYPE_CHECKING:
    from carepolicy.engine.live import LiveProgram


class Source:
    """Source of a function with a signature; ``values`` are its globals."""

    def __init__(self, signature: str) -> None:
        self._signature = signature
        self._head = ""
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
        self._head = f"{literal(program.head)}{{told}}/"
        self.add(
            "out = stepper.out",
            "write = out.append",
            "rounds = case.rounds",
            "told = case.told",
            "number = case.sequence",
            f'middle = f\'"{{told}}","time":"{{when}}{literal(program.tail)}\'',
        )

    def record(self, kind: str, data: str, *open_fields: str) -> None:
        """Write a record; ``data`` has a ``%s`` for each of the open fields, which are Python expressions."""
        self.add("number += 1", f"n = {self.name(number_text, 'texts')}[number]")
        self.add(f"write(f'{self._head}{{n}}{literal(kind)}{{middle}}{{n}}{filled(data, open_fields)}')")

    def call(self, *lines: str) -> None:
        """Call something that may write records of the case itself."""
        self.add("case.sequence = number", *lines, "number = case.sequence")

    def end_records(self) -> None:
        """Note the number of the last record in the case."""
        self.add("case.sequence = number")

    def text(self) -> str:
        """The whole source."""
        return "\n".join((f"def {self._signature}:", *self._lines, ""))

    def function(self) -> Any:
        """The function, compiled."""
        space = dict(self.values)
        exec(compile(self.text(), f"<{self._signature}>", "exec"), space)
        return space[self._signature.partition("(")[0]]


def literal(text: str) -> str:
    """``text`` as it must stand inside of an f-string in single quotes."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return plain.replace("{", "{{").replace("}", "}}")


def filled(data: str, fields: tuple[str, ...]) -> str:
    """A template with ``%s`` as the inside of an f-string, the fields in their places. Without fields it is none."""
    if not fields:
        return literal(data)
    parts = [literal(each.replace("%%", "%")) for each in data.split("%s")]
    return "".join(f"{part}{{{field}}}" for part, field in zip(parts, fields, strict=False)) + parts[-1]
