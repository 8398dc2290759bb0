"""How a mapping of the language is declared: a frozen dataclass whose fields say what may stand under their keys.

    @mapping("a clock, such as {limit: 3 business hours, runs_in: [received]}", piece="clock")
    class Clock:
        name: str = called()
        runs_in: tuple[str, ...] = names("state", "States in which it runs.", required=True)

One such field is all that is said of a key. From it come its JSON Schema, how it is read into the model, its place in
the layout of files, what editors complete and rename, which names the check looks up, how a comparison of two sets
calls it, and its entry in docs/language.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field
from typing import Any, ClassVar, TypeVar, dataclass_transform

from carepolicy.policy.language.shapes import (
    EXPRESSION,
    FACT,
    FLAG,
    LIMIT,
    NAME,
    NAMES,
    TEXT,
    TEXTS,
    WORDS,
    Inside,
    Key,
    Named,
    Scalar,
    Schema,
    Shape,
)
from carepolicy.policy.node import Node, in_words
from carepolicy.translations import msg

Reader = Callable[[Node, str], Any]
"""Reads an attribute off the node of its mapping; the text is the name under which that mapping stands."""


class Mapped:
    """The base of every class that declares a mapping: they are dataclasses."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]


Class = TypeVar("Class", bound=Mapped)


@dataclass(frozen=True, eq=False)
class Form:
    """A mapping with known keys, as its class declares it.

    ``expected`` says in words what may stand here, ``readers`` how each attribute is read.
    """

    of: type[Mapped]
    expected: str
    description: str
    piece: str
    nullable: bool
    at_least: int
    keys: tuple[Key, ...]
    readers: dict[str, Reader]

    def variant(self, name: str) -> dict[str, Key]:
        """The keys that one variant of the mapping has."""
        return {each.name: each for each in self.keys if not each.only or name in each.only}


def in_order(names: Iterable[str], keys: Mapping[str, Key]) -> list[str]:
    """The keys of a mapping in the order of a file's layout; one without a rank stays behind the one before it."""
    known: dict[str, int] = {}
    rank = 0
    for name in names:
        key = keys.get(name)
        rank = known[name] = rank if key is None or key.rank is None else key.rank
    return sorted(known, key=lambda name: known[name])


_FORMS: dict[type[Mapped], Form] = {}


def form_of(kind: type[Mapped]) -> Form:
    """What the class of a mapping declares."""
    return _FORMS[kind]


@dataclass(frozen=True, eq=False)
class Fields(Shape):
    """A mapping with known keys; read as an object of its class.

    Where ``short`` names a key, a name alone stands for the mapping with that one key, and ``expected`` says so.
    """

    of: type[Mapped]
    variant: str = ""
    short: str = ""
    expected: str = ""
    piece: str = ""
    what: str = ""

    @property
    def keys(self) -> dict[str, Key]:
        """The keys that may stand here."""
        return form_of(self.of).variant(self.variant)

    def body(self) -> Schema:
        """The JSON Schema."""
        return self.described(form_of(self.of).description)

    def described(self, description: str) -> Schema:
        """The schema with words about it."""
        form = form_of(self.of)
        required = [name for name, key in self.keys.items() if key.required]
        expected = "" if self.short else form.expected
        made: Schema = {
            "type": ["object", "null"] if form.nullable else "object",
            "properties": {name: key.schema() for name, key in self.keys.items()},
            "additionalProperties": False,
            **({"required": required} if required else {}),
            **({"errorMessage": expected} if expected else {}),
            **({"description": description} if description else {}),
            **({"minProperties": form.at_least} if form.at_least else {}),
        }
        if self.short:
            made |= {keyword: value for keyword, value in NAME.body().items() if keyword != "type"}
            made |= {"type": ["string", "object"], "errorMessage": self.expected}
        return made

    def read(self, node: Node, name: str) -> Any:
        """What the model holds."""
        if self.short and not isinstance(node.data, dict):
            node = node.holding({self.short: node.data})
        return read_fields(self.of, node, name)

    def below(self) -> Iterator[Shape]:
        """The shapes of what stands in it."""
        yield from (key.shape for key in self.keys.values())

    def named(self) -> Iterator[str]:
        """Of what a name alone is the name, where one may stand in place of the mapping."""
        if self.short:
            yield from self.keys[self.short].shape.named()

    def inside(self, data: Any) -> Iterator[Inside]:
        """What stands under the keys that are known here."""
        keys = self.keys
        if self.short and not isinstance(data, dict):
            yield Inside(keys[self.short].shape, data, key=keys[self.short])
        for name, value in data.items() if isinstance(data, dict) else ():
            key = keys.get(name)
            if key is not None:
                yield Inside(key.shape, value, (name,), defines=key.shape.what if key.defines else "", key=key)


def read_fields(kind: type[Class], node: Node, name: str) -> Class:
    """The object of a class that a mapping describes, which stands under ``name``."""
    return kind(**{attribute: read(node, name) for attribute, read in form_of(kind).readers.items()})


@dataclass(frozen=True, eq=False)
class _FieldWords:
    """What a declaration says of a field, until its class is made: the shape, and the words about it; how it is read,
    where that is not by its shape; or the class whose keys the field passes on."""

    shape: Shape | None = None
    words: dict[str, Any] = field(default_factory=dict)
    missing: Any = None
    read: Reader | None = None
    inlined: type[Mapped] | None = None

    def keys(self, attribute: str) -> tuple[Key, ...]:
        """The keys, now that the name of the attribute is known."""
        if self.inlined is not None:
            return form_of(self.inlined).keys
        if self.shape is None:
            return ()
        name = self.words.get("key") or attribute
        words = {word: said for word, said in self.words.items() if word != "key"}
        return (Key(name=name, attribute=attribute, shape=self.shape, **{"aspect": name, **words}),)

    def reader(self, attribute: str) -> Reader:
        """How the attribute is read."""
        if self.read is not None:
            return self.read
        shape, missing = self.shape, self.missing
        if shape is None:
            raise TypeError(f"nothing says how {attribute} is read")
        name = self.words.get("key") or attribute

        def read(node: Node, under: str) -> Any:
            if name in node:
                return shape.read(node[name], name)
            return missing(node, under) if callable(missing) else missing

        return read


def key(
    shape: Shape, about: str, *, missing: Any = None, read: Reader | None = None, default: Any = MISSING, **words: Any
) -> Any:
    """A key with a value of some shape. ``words`` are the other fields of ``Key``, and ``key`` its name where that is
    not the attribute's.

    Where the key is left out the attribute is ``missing``, or what that makes of the mapping's node and name; ``read``
    reads it otherwise than its shape does. ``default`` is what it is in an object that is made by hand as well.
    """
    said = _FieldWords(shape, {**words, "about": about}, missing if default is MISSING else default, read)
    if default is MISSING:
        return field(metadata={"said": said})
    return field(metadata={"said": said}, default=default, kw_only=True)


def passed_on(shape: Shape, about: str, **words: Any) -> Any:
    """A key that no attribute of its own holds: another one's reader passes what it says on. It has no annotation."""
    return _FieldWords(shape, {**words, "about": about})


def text(about: str, *, missing: Any = "", **more: Any) -> Any:
    """A text; "" where it is left out."""
    return key(TEXT, about, missing=missing, **more)


def words(about: str, **more: Any) -> Any:
    """A text for people, in the set's first language: others stand in texts/."""
    return text(about, said=WORDS, **more)


def title(about: str = "What people call it.", **more: Any) -> Any:
    """What people call a thing: its name in words where it is left out."""
    usual = {"missing": _name_in_words, "otherwise": "its name in words", "told": msg("title"), "rank": 0}
    usual["said"] = WORDS
    return key(TEXT, about, **{**usual, **more})


def _name_in_words(node: Node, name: str) -> str:
    return in_words(name.replace(".", " "))


def texts(about: str, **more: Any) -> Any:
    """A text or several."""
    return key(TEXTS, about, missing=(), **more)


def requirement_ids(what: str) -> Any:
    """The ids of the requirements that a state, a clock or a message carries."""
    return key(
        TEXTS, f"Ids of the requirements that this {what} carries; `carepolicy coverage` looks for a scenario that "
        "shows it.", missing=(), default=(), example="[R49]", rank=4, told=msg("covers"),
    )  # fmt: skip


def name_of(what: str, about: str, **more: Any) -> Any:
    """The name of something that is given elsewhere: of a "state", a "role" …; None where it is left out."""
    return key((FACT if what == "fact" else NAME).of(what), about, **more)


def names(what: str, about: str, **more: Any) -> Any:
    """One name or several."""
    return key(NAMES.of(what), about, missing=(), **more)


def expression(about: str, **more: Any) -> Any:
    """An expression in CEL; None where it is left out."""
    return key(EXPRESSION, about, **more)


def limit(about: str, **more: Any) -> Any:
    """A limit; None where it is left out."""
    return key(LIMIT, about, **more)


def flag(about: str, *, missing: bool = False, **more: Any) -> Any:
    """True or false; false where it is left out."""
    return key(FLAG, about, missing=missing, **more)


def named(
    values: type[Mapped] | Shape,
    expected: str,
    about: str,
    *,
    names: Scalar | None = NAME,
    defines: str = "",
    **more: Any,
) -> Any:
    """A mapping from free names to values of a shape, or of the class of a mapping; empty where it is left out."""
    shape = values if isinstance(values, Shape) else Fields(values, piece=form_of(values).piece)
    at_least = more.pop("at_least", 0)
    return key(Named(shape, expected, names, defines, at_least), about, missing=lambda node, name: {}, **more)


def derived(read: Reader, *, default: Any = MISSING) -> Any:
    """No key: an attribute that is made of the node of the mapping and the name under which that stands."""
    said = _FieldWords(read=read)
    if default is MISSING:
        return field(metadata={"said": said})
    return field(metadata={"said": said}, default=default, kw_only=True)


def called() -> Any:
    """The name under which the mapping stands."""
    return derived(lambda node, name: name)


def located() -> Any:
    """Where the mapping stands."""
    return derived(lambda node, name: node.at)


def inlined(kind: type[Mapped]) -> Any:
    """An object whose keys stand among those of this mapping."""
    return field(metadata={"said": _FieldWords(read=lambda node, name: read_fields(kind, node, name), inlined=kind)})


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(
        key, text, words, title, texts, requirement_ids, name_of, names, expression, limit, flag, named, derived,
        called, located, inlined,
    ),
)  # fmt: skip
def mapping(
    expected: str = "", description: str = "", piece: str = "", nullable: bool = False, at_least: int = 0
) -> Callable[[type[Class]], type[Class]]:
    """Make a frozen dataclass of a class whose fields declare the keys of a mapping.

    ``expected`` says in words what may stand here, ``description`` what it is; ``piece`` is its name under ``$defs`` of
    a schema. ``nullable``: it may be left empty. ``at_least``: so many keys stand in it.
    """

    def declare(kind: type[Class]) -> type[Class]:
        said = {name: each for name, value in vars(kind).items() if (each := _said(value)) is not None}
        for name in [*said]:
            if name not in kind.__annotations__:
                delattr(kind, name)
        made = dataclass(frozen=True, slots=True)(kind)
        keys = tuple(key for attribute, each in said.items() for key in each.keys(attribute))
        readers = {attribute: said[attribute].reader(attribute) for attribute in made.__dataclass_fields__}
        _FORMS[made] = Form(made, expected, description, piece, nullable, at_least, keys, readers)
        return made

    return declare


def _said(value: object) -> _FieldWords | None:
    said = value.metadata["said"] if isinstance(value, Field) else value
    return said if isinstance(said, _FieldWords) else None
