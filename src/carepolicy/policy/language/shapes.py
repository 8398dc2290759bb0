"""Shapes of values: what may stand somewhere in a policy file, its JSON Schema, and how it is read into the model.

No schema here uses ``anyOf``: keywords such as ``properties`` and ``pattern`` bind only values of their type, so that a
short form and a long form share one schema. That keeps validation cheap and its errors exact.

Besides the keywords of JSON Schema, ``errorMessage`` and ``patternErrorMessage`` (which editors know) say what is
expected in a manager's words, and a ``format`` marks a text that is read more exactly than a pattern could, by the
reader or a check: editors use the pattern, the check does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from carepolicy.policy.node import Node

Schema = dict[str, Any]

NAME_PATTERN = "^[a-z][a-z0-9_]*$"
FACT_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
TRIGGER_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
_DURATION = r"\d+(\.\d+)? ((business )?(second|minute|hour|day)|week|month|year)s?"
_FACT = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"


class Inside(NamedTuple):
    """A piece of data that stands in another: its shape, and the keys and indexes that lead to it.

    ``on_key``: it is the last of these keys, and not what that key leads to. ``key`` is what the language says of that
    key; None of a key that a writer chose, such as the name of a state. ``defines``: the kind of thing that gets its
    name here, "" for none.
    """

    shape: Shape
    data: Any
    path: tuple[str | int, ...] = ()
    on_key: bool = False
    defines: str = ""
    key: Key | None = None


class Shape:
    """What may stand somewhere."""

    piece: str
    """Its name under ``$defs`` of a schema; "" for what is written out wherever it is used."""

    what: str
    """Of what it is the name: "state", "role" …; "" for what names nothing."""

    def body(self) -> Schema:
        """The JSON Schema."""
        raise NotImplementedError

    def read(self, node: Node, name: str) -> Any:
        """What the model holds of a node of this shape; ``name`` is the key that leads to it."""
        raise NotImplementedError

    def below(self) -> Iterator[Shape]:
        """The shapes of what stands in it."""
        return iter(())

    def inside(self, data: Any) -> Iterator[Inside]:
        """What stands in some data of this shape, as far as the data have it."""
        return iter(())

    def named(self) -> Iterator[str]:
        """Of what names stand in it, outermost first; those in a mapping with known keys are its keys' own."""
        yield self.what
        for each in self.below():
            yield from each.named()

    def schema(self, description: str = "") -> Schema:
        """The schema, or a reference to it, with words of its own about this use of it."""
        if self.piece:
            return {"$ref": f"#/$defs/{self.piece}", **({"description": description} if description else {})}
        return self.described(description) if description else self.body()

    def described(self, description: str) -> Schema:
        """The schema with other words about it, which stand before those for who errs."""
        made: Schema = {}
        for keyword, value in self.body().items():
            if keyword == "errorMessage":
                made["description"] = description
            if keyword != "description":
                made[keyword] = value
        return made if "description" in made else {**made, "description": description}

    def pieces(self) -> dict[str, Schema]:
        """What has a name under ``$defs``, in this shape and below it."""
        found = {self.piece: self.body()} if self.piece else {}
        for each in self.below():
            found |= each.pieces()
        return found


LOOKED_UP = {
    "role": ("CP201",), "event": ("CP202",), "trigger": ("CP202", "CP205"), "state": ("CP203",), "fact": ("CP204",),
    "clock": ("CP205",), "message": ("CP206",), "calendar": ("CP207",), "flow": ("CP208",), "channel": ("CP209",),
    "assignee": ("CP218",), "waiter": ("CP244",), "limit": ("CP220",),
    "expression": ("CP210", "CP211", "CP212", "CP213", "CP214", "CP215", "CP216", "CP219"),
}  # fmt: skip
"""The codes of the check for what is named, and not known or not right, by what it is to be the name of."""


WORDS, VALUES = "words", "values"
"""How a key's texts are said in other languages: they are words, or values that have words."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Key:
    """All that is said of one key of a mapping.

    - ``attribute``: where the model holds it. ``otherwise``: in words, what holds where it is left out.
    - ``rank``: its place in the layout of a file. Keys of one rank stay as the writer had them; one without a rank
      stays behind the one before it.
    - ``defines``: it gives the file its own name. ``scopes``: it names the flow whose states and clocks are meant
      there.
    - ``unknown``: the code for an unknown name, where that is not the one of its kind (``LOOKED_UP``). ``also``: words
      that may stand in place of a name.
    - ``hangs``: the limit that it says may hang on a fact; any other is a length of time.
    - ``said``: its texts are words for people, and each language of the set has its own. VALUES: they are values too,
      which guards compare; the values stay, and only what people read is translated.
    - ``only``: the variants of the mapping that have the key, where not all do. ``codes``: those of the check that
      speak of it, besides those of its shape.
    """

    name: str
    attribute: str
    shape: Shape
    about: str
    required: bool = False
    otherwise: str = ""
    example: str = ""
    codes: tuple[str, ...] = ()
    unknown: str = ""
    rank: int | None = None
    told: str | None = None
    aspect: str
    said: str = ""
    only: tuple[str, ...] = ()
    bare: bool = False
    defines: bool = False
    scopes: bool = False
    also: tuple[str, ...] = ()
    hangs: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """Of what names stand below it, in its value or as the names of that."""
        return tuple(each for each in self.shape.named() if each)

    @property
    def told_by(self) -> tuple[str, ...]:
        """Every code of the check that speaks of it, sorted."""
        named = () if self.defines else self.named
        found = {self.unknown} if self.unknown else {code for what in named for code in LOOKED_UP.get(what, ())}
        return tuple(sorted({*found, *self.codes}))

    def schema(self) -> Schema:
        """The JSON Schema of its value; that of a ``bare`` one says no more about it than its shape does."""
        return self.shape.schema("" if self.bare else self.about)


@dataclass(frozen=True, eq=False)
class Scalar(Shape):
    """One value, as ``reader`` reads it."""

    piece: str
    written: Schema
    reader: Callable[[Node], Any] = Node.text
    what: str = ""

    def body(self) -> Schema:
        """The JSON Schema."""
        return self.written

    def read(self, node: Node, name: str) -> Any:
        """What the model holds."""
        return self.reader(node)

    def of(self, what: str) -> Scalar:
        """The same, where it is the name of something."""
        return replace(self, what=what)

    @property
    def inline(self) -> Scalar:
        """The same, written out wherever it is used."""
        return replace(self, piece="")


@dataclass(frozen=True, eq=False)
class Several(Shape):
    """An entry, of one of the JSON ``types``, or a list of them; read as a tuple."""

    entry: Shape
    types: tuple[str, ...]
    expected: str
    piece: str = ""
    what: str = ""

    def body(self) -> Schema:
        """The JSON Schema."""
        one = {keyword: value for keyword, value in self.entry.body().items() if keyword != "description"}
        return {**one, "type": [*self.types, "array"], "items": self.entry.schema(), "errorMessage": self.expected}

    def read(self, node: Node, name: str) -> tuple[Any, ...]:
        """What the model holds."""
        return tuple(self.entry.read(each, name) for each in node.entries())

    def below(self) -> Iterator[Shape]:
        """The shapes of what stands in it."""
        yield self.entry

    def inside(self, data: Any) -> Iterator[Inside]:
        """The entries, or the one."""
        if isinstance(data, list):
            yield from (Inside(self.entry, each, (number,)) for number, each in enumerate(data))
        else:
            yield Inside(self.entry, data)

    def of(self, what: str) -> Several:
        """The same, where its entries are names of something."""
        return replace(self, entry=replace(self.entry, what=what)) if isinstance(self.entry, Scalar) else self


@dataclass(frozen=True, eq=False)
class Array(Shape):
    """A list; read as a tuple."""

    entry: Shape
    expected: str = ""
    at_least: int = 0
    piece: str = ""
    what: str = ""
    last: bool = False

    def body(self) -> Schema:
        """The JSON Schema."""
        return {
            "type": "array",
            "items": self.entry.schema(),
            **({"minItems": self.at_least} if self.at_least else {}),
            **({"errorMessage": self.expected} if self.expected else {}),
        }

    def described(self, description: str) -> Schema:
        """The schema with words about it."""
        return {**self.body(), "description": description} if self.last else super().described(description)

    def read(self, node: Node, name: str) -> tuple[Any, ...]:
        """What the model holds."""
        return tuple(self.entry.read(each, name) for each in node.entries())

    def below(self) -> Iterator[Shape]:
        """The shapes of what stands in it."""
        yield self.entry

    def inside(self, data: Any) -> Iterator[Inside]:
        """The entries."""
        entries = enumerate(data) if isinstance(data, list) else ()
        yield from (Inside(self.entry, each, (number,)) for number, each in entries)


@dataclass(frozen=True, eq=False)
class Named(Shape):
    """A mapping from free names, of the shape ``names``, to values of one shape; read as a mapping.

    ``defines`` says what it gives names to: "state", "role" …; "" where its keys name what is given elsewhere.
    """

    values: Shape
    expected: str
    names: Scalar | None
    defines: str = ""
    at_least: int = 0
    nullable: bool = False
    piece: str = ""
    what: str = ""

    def body(self) -> Schema:
        """The JSON Schema."""
        return self.described("")

    def described(self, description: str) -> Schema:
        """The schema with words about it."""
        return {
            "type": ["object", "null"] if self.nullable else "object",
            **({"propertyNames": self.names.schema()} if self.names is not None else {}),
            "additionalProperties": self.values.schema(),
            "errorMessage": self.expected,
            **({"description": description} if description else {}),
            **({"minProperties": self.at_least} if self.at_least else {}),
        }

    def read(self, node: Node, name: str) -> Any:
        """What the model holds."""
        return {key: self.values.read(node[key], key) for key in node.data or ()}

    def below(self) -> Iterator[Shape]:
        """The shapes of what stands in it."""
        if self.names is not None:
            yield self.names
        yield self.values

    def inside(self, data: Any) -> Iterator[Inside]:
        """The names, and what each leads to."""
        for name, value in data.items() if isinstance(data, dict) else ():
            yield Inside(self.names or TEXT, name, (name,), True, self.defines)
            yield Inside(self.values, value, (name,))


@dataclass(frozen=True, eq=False)
class Either(Shape):
    """A plain value, or a mapping or list in its place; whoever declares it says how it is read. Where either may stand
    in its place, ``mapped`` is the mapping and ``long`` the list."""

    plain: Shape
    long: Shape
    written: Schema
    mapped: Shape | None = None
    piece: str = ""
    what: str = ""

    def body(self) -> Schema:
        """The JSON Schema."""
        return self.written

    def below(self) -> Iterator[Shape]:
        """The shapes of what stands in it."""
        yield self.long
        if self.mapped is not None:
            yield self.mapped

    def named(self) -> Iterator[str]:
        """Of what names stand in it."""
        yield from self.plain.named()
        for each in self.below():
            yield from each.named()

    def inside(self, data: Any) -> Iterator[Inside]:
        """The one or the other."""
        if self.mapped is not None and isinstance(data, dict):
            yield Inside(self.mapped, data)
            return
        yield Inside(self.long if isinstance(data, (dict, list)) else self.plain, data)


@dataclass(frozen=True, eq=False)
class FactValues(Scalar):
    """Values by the names of facts, each name whole or in pieces."""

    def inside(self, data: Any) -> Iterator[Inside]:
        """The names of facts that stand there whole."""
        names = data if isinstance(data, dict) else ()
        yield from (Inside(FACT, name, (name,), True) for name in names)


def _pattern(piece: str, pattern: str, expected: str, wrong: str, **more: Any) -> Scalar:
    written = {"type": "string", "pattern": pattern, "errorMessage": expected, "patternErrorMessage": wrong, **more}
    return Scalar(piece, written)


SCALARS = ("string", "number", "boolean")
_LIKE_THIS = "is written in small letters, digits and underscores: like_this"

NAME = _pattern("name", NAME_PATTERN, "a name", f"a name {_LIKE_THIS}")
FACT = _pattern(
    "fact", FACT_PATTERN, "the name of a fact", "the name of a fact has a dot and small letters: customer.tier"
).of("fact")
TRIGGER = _pattern(
    "trigger", TRIGGER_PATTERN, "an event", "an event is written like_this, a clock's event like first_reply.late"
).of("trigger")
TEXT = Scalar("text", {"type": [*SCALARS], "errorMessage": "a text"})
EXPRESSION = Scalar(
    "expression",
    {
        "type": [*SCALARS],
        "description": "An expression of the Common Expression Language (CEL) over facts, event.*, case.*, clock.*.",
        "errorMessage": 'an expression, such as customer.tier == "gold"',
    },
    Node.expression,
    "expression",
)
LIMIT = Scalar(
    "limit",
    {
        "type": [*SCALARS],
        "format": "carepolicy-limit",
        "pattern": rf"^\s*(settings\.[a-z][a-z0-9_]*|(less than )?({_DURATION}( (before|after) {_FACT})?"
        rf"|close of business day \d+|until {_FACT}))\s*$",
        "description": "20 seconds, 72 hours, 3 business hours, 2 business days, 1 month, close of business day 3, "
        "until order.ship_by, 1 business day before order.ship_by, less than 2 business days, settings.NAME.",
        "examples": [
            "3 business hours",
            "2 business days",
            "14 days",
            "close of business day 3",
            "until order.ship_by",
        ],
        "errorMessage": "a limit, such as 3 business hours",
        "patternErrorMessage": "a limit is written like 3 business hours, 14 days or until order.ship_by",
    },
    Node.limit,
    "limit",
)
DATE = Scalar(
    "date",
    {
        "type": "string",
        "format": "carepolicy-date",
        "pattern": r"^\d{4}-\d{2}-\d{2}$",
        "errorMessage": "a date, such as 2026-12-24",
        "patternErrorMessage": "a date is written like 2026-12-24",
    },
    Node.date,
)
HOURS = Several(
    Scalar(
        "",
        {
            "type": "string",
            "format": "carepolicy-hours",
            "pattern": r"^([01]?\d|2[0-3]):[0-5]\d\s*-\s*(([01]?\d|2[0-3]):[0-5]\d|24:00)$",
            "errorMessage": "hours, such as 09:00-17:30",
            "patternErrorMessage": "hours are written like 09:00-17:30; 24:00 ends a day",
        },
    ),
    ("string",),
    "hours such as 09:00-17:30, or a list of them",
    "hours",
)
DAYS = _pattern(
    "days",
    f"^{_DAY}(-{_DAY})?$",
    "a weekday",
    "weekdays are mon, tue, wed, thu, fri, sat, sun, or a range such as mon-thu",
    format="carepolicy-days",
)
PERIOD = _pattern(
    "period",
    r"^\d{2}-\d{2}/\d{2}-\d{2}$",
    "a part of every year",
    "a part of every year is its first and its last day, such as 05-01/08-31",
    format="carepolicy-period",
)
LANGUAGE = _pattern(
    "language", "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "a language", "a language is a code such as en or pt-BR"
)
EXCEPTIONS = Several(
    _pattern(
        "", r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$", "a flow, or a state of one",
        "a flow is written like complaint, a state of one like complaint.decided",
    ).of("exception"),
    ("string",),
    "a flow or a state of one (complaint.decided), or a list of these",
    "exceptions",
)  # fmt: skip
COLOUR = _pattern(
    "colour", "^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", "a colour", 'a colour is written "#0072b2", with quotes'
)
NAMES = Several(NAME.inline, ("string",), "a name, or a list of names", "names")
FACTS = Array(FACT.inline, "a list of facts", piece="facts")
TEXTS = Several(TEXT.inline, SCALARS, "a text, or a list of texts", "texts")


def choice(*values: str, expected: str, piece: str = "", **more: Any) -> Scalar:
    """One of some words."""
    return Scalar(piece, {**more, "enum": [*values], "errorMessage": expected})


FLAG = Scalar("", {"type": "boolean", "errorMessage": "true or false"}, lambda node: bool(node.data))
COUNT = Scalar("", {"type": "integer", "minimum": 1, "errorMessage": "a whole number"}, lambda node: node.data)
