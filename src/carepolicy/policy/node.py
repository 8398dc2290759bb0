"""A node of a source whose shape is known to be right: the builders of the model read through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.limit import LimitText
from carepolicy.policy.places import At, Source


class CelText(str):
    """A guard or another expression as it is written in a policy: its text in CEL, and where that stands.

    ``tree`` is what the guards' parser makes of it, once it was asked to: whoever hands the text on hands that on too.
    """

    __slots__ = ("at", "tree")

    at: At
    tree: Any

    def __new__(cls, text: str, at: At) -> CelText:
        """Put the text and its address together."""
        made = super().__new__(cls, text)
        made.at = at
        made.tree = None
        return made

    def __reduce__(self) -> tuple[type[CelText], tuple[str, At]]:
        return CelText, (str(self), self.at)


class Node:
    """A value of a source and its address. What it cannot say it reports in ``faults``, which all nodes share;
    ``files`` are those that the set may import, by their path."""

    __slots__ = ("at", "data", "faults", "files", "source")

    def __init__(
        self, source: Source, at: At, data: Any, faults: list[Finding], files: Mapping[str, bytes] | None = None
    ) -> None:
        self.source = source
        self.at = at
        self.data = data
        self.faults = faults
        self.files: Mapping[str, bytes] = files or {}

    def __contains__(self, key: str) -> bool:
        return isinstance(self.data, dict) and key in self.data

    def __getitem__(self, key: str | int) -> Node:
        return Node(self.source, self.at / key, self.data[key], self.faults, self.files)

    @property
    def top(self) -> Node:
        """The whole of the file."""
        return Node(self.source, At(self.at.file), self.source.data, self.faults, self.files)

    def holding(self, data: Any) -> Node:
        """The same node with other data: the long form of what was written short."""
        return Node(self.source, self.at, data, self.faults, self.files)

    def find(self, key: str) -> Node | None:
        """The node below ``key``, or None where the key is not there."""
        if key not in self:
            return None
        return self[key]

    def items(self, key: str) -> Iterator[tuple[str, Node]]:
        """The entries of the mapping below ``key``, none where it is not there."""
        if key in self:
            node = self[key]
            for name in node.data:
                yield name, node[name]

    def each(self, key: str) -> Iterator[Node]:
        """The entries of the list below ``key``, or the one value in place of a list, or none."""
        if key in self:
            yield from self[key].entries()

    def entries(self) -> Iterator[Node]:
        """The entries of a list, or the node itself where it is none."""
        if isinstance(self.data, list):
            for index in range(len(self.data)):
                yield self[index]
        else:
            yield self

    def text(self) -> str:
        """A scalar as it was written."""
        return self.data if isinstance(self.data, str) else self.source.written.get(self.at.path, str(self.data))

    def expression(self) -> CelText:
        """A scalar as an expression: numbers and booleans as CEL writes them."""
        written = self.text()
        if isinstance(self.data, bool):
            written = "true" if self.data else "false"
        elif isinstance(self.data, int) or (isinstance(self.data, float) and not written[:1].isdecimal()):
            written = repr(self.data)
        return CelText(written, self.at)

    def limit(self) -> LimitText:
        """A scalar as a limit."""
        return LimitText(self.text())

    def said(self, key: str, default: str = "") -> str:
        """The text below ``key``."""
        return self[key].text() if key in self else default

    def maybe(self, key: str) -> str | None:
        """The text below ``key``, or None."""
        return self[key].text() if key in self else None

    def texts(self, key: str) -> tuple[str, ...]:
        """The text or texts below ``key``."""
        return tuple(node.text() for node in self.each(key))

    def fault(self, code: str, message: str, hint: str = "", on_key: bool = False) -> None:
        """Report what is wrong with this node, or with the key that leads to it."""
        place = self.source.key(self.at.path) if on_key else self.source.value(self.at.path)
        self.faults.append(Finding(code, message, place, hint))

    def date(self, text: str | None = None, on_key: bool = False) -> date | None:
        """The date that this node (or ``text``, a piece of it) writes, or None and a fault."""
        said = self.text() if text is None else text
        try:
            # fromisoformat also takes 20261224 and 2026-W52-4, which people misread.
            if len(said) == 10 and said[4] == said[7] == "-" and said[5:7].isdecimal():
                return date.fromisoformat(said)
        except ValueError:
            pass
        from carepolicy.policy.vocabulary import days_meant

        meant = days_meant(said)
        hint = "a date is a day that exists, written like 2026-12-24" if meant is None else f"write {meant}"
        self.fault("CP114", f"{quoted(said)} is no date", hint, on_key)
        return None


def in_words(name: str) -> str:
    """The name of a thing as a title: ``waiting_for_customer`` is "Waiting for customer"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
