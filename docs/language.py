"""Writes docs/language.md, the reference of the language, from its declaration: ``python docs/language.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from carepolicy.policy.language.keys import Fields, form_of
from carepolicy.policy.language.kinds import KINDS
from carepolicy.policy.language.shapes import Array, Key, Named, Scalar, Several, Shape

HERE = Path(__file__).parent / "language.md"

FILES = {
    "organisation": "organisation.yaml",
    "flow": "flows/NAME.yaml",
    "messages": "messages/LANGUAGE.yaml",
    "scenario": "scenarios/*.yaml",
    "requirements": "requirements.yaml",
    "mapping": "mappings/NAME.yaml",
    "staff": "staff.yaml, for `carepolicy simulate`",
}

HEAD = """\
# The language of policy files

Every key, made from its declaration in src/carepolicy/policy/language/ by `python docs/language.py`. The JSON Schemas
in schemas/ say the same to editors, and the tests run every example.

Of any key the check may tell [CP110](rules/CP110.md) (unknown key), [CP111](rules/CP111.md) (key is missing),
[CP112](rules/CP112.md) (value of the wrong kind) or [CP113](rules/CP113.md) (name that is not written as names are);
the last column has the other codes that speak of it. Keys in bold must be there. NAME is a name that the writer
chooses.
"""


def reference() -> str:
    """The whole reference."""
    return "\n".join([HEAD, *(line for kind in KINDS for line in _file(kind))])


def _file(kind: str) -> Iterator[str]:
    yield f"## {FILES[kind]}\n"
    yield f"{form_of(KINDS[kind].of).description}\n"
    for fields, where in sections(kind):
        if where:
            yield f"### `{where}`\n"
            expected = fields.expected or form_of(fields.of).expected
            if expected:
                yield f"{expected[:1].upper()}{expected[1:]}.\n"
        yield from _table(fields)


def sections(kind: str) -> Iterator[tuple[Fields, str]]:
    """Every mapping with known keys in a file of a kind, once, and where it stands: ``clocks: NAME:``."""
    seen: set[type] = set()
    waiting: list[tuple[Shape, str]] = [(KINDS[kind], "")]
    while waiting:
        shape, where = waiting.pop(0)
        if isinstance(shape, Named):
            where = f"{where} {'LIMIT' if shape.names and shape.names.what == 'limit' else 'NAME'}:"
        if not isinstance(shape, Fields):
            waiting += [(each, where) for each in shape.below()]
        elif shape.of not in seen:
            seen.add(shape.of)
            yield shape, where
            waiting += [(key.shape, f"{where} {name}:".strip()) for name, key in shape.keys.items()]


def _table(fields: Fields) -> Iterator[str]:
    yield "| Key | What it says | Value | Left out | Example | Checks |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for key in form_of(fields.of).keys:
        yield f"| {' | '.join(_row(key))} |"
    yield ""


def _row(key: Key) -> tuple[str, ...]:
    name = f"**`{key.name}`**" if key.required else f"`{key.name}`"
    about = f"{key.about}{_only(key)}"
    left_out = "must be there" if key.required else key.otherwise or "nothing"
    codes = ", ".join(f"[{code}](rules/{code}.md)" for code in key.told_by)
    return (
        name,
        _cell(about),
        _cell(" or ".join((value_of(key.shape), *key.also))),
        _cell(left_out),
        f"`{key.name}: {key.example}`",
        codes,
    )


def _only(key: Key) -> str:
    if not key.only:
        return ""
    if "transition" in key.only:
        return " Of a transition, not under enter: and leave:."
    return " Under anywhere: alone." if "anywhere" in key.only else " Under common: alone."


def value_of(shape: Shape) -> str:
    """What may stand somewhere, in words."""
    written = shape.body()
    if isinstance(shape, Scalar) and "enum" in written and len(written["enum"]) <= 7:
        return ", ".join(map(str, written["enum"]))
    if shape.what in THINGS:
        return f"the name of {THINGS[shape.what]}"
    if isinstance(shape, (Several, Array)) and shape.entry.what in THINGS:
        return f"the name of {THINGS[shape.entry.what]}, or a list of them"
    return str(written.get("errorMessage") or f"a list: {value_of(next(shape.below()))}")


_WHOLE = ("role", "event", "state", "fact", "clock", "message", "calendar", "flow", "channel")
THINGS = {what: f"{'an' if what == 'event' else 'a'} {what}" for what in _WHOLE}
"""What a name alone can be the name of."""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    HERE.write_text(reference(), encoding="utf-8")
