"""The kinds of policy file: what stands in each, its JSON Schema for the check and for editors, and every place of
a file with what the language says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from carepolicy.policy.language.flow import Flow
from carepolicy.policy.language.keys import Fields
from carepolicy.policy.language.mapping import LogMapping
from carepolicy.policy.language.messages import Messages
from carepolicy.policy.language.organisation import Organisation
from carepolicy.policy.language.requirements import Requirements
from carepolicy.policy.language.scenario import ScenarioFile
from carepolicy.policy.language.shapes import Inside, Key, Schema, Shape
from carepolicy.policy.language.staff import StaffFile
from carepolicy.policy.places import At, Path, Source

KINDS = {
    "organisation": Fields(Organisation),
    "flow": Fields(Flow),
    "messages": Fields(Messages),
    "scenario": Fields(ScenarioFile),
    "requirements": Fields(Requirements),
    "mapping": Fields(LogMapping),
    "staff": Fields(StaffFile),
}
"""Kinds of policy file, and what stands in each."""

SCHEMAS = {kind: f"{kind}{'s' * (kind == 'scenario')}.schema.json" for kind in KINDS}
"""Kinds of policy file, and the name of each one's schema."""


@cache
def schema_of(kind: str) -> Schema:
    """The JSON Schema (draft 2020-12) of one kind of file."""
    document = KINDS[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://carepolicy.example/schemas/{SCHEMAS[kind]}",
        "title": f"carepolicy {kind}",
        **document.body(),
        "$defs": dict(sorted(document.pieces().items())),
    }


def schema_texts() -> dict[str, str]:
    """Every schema as its file in schemas/ holds it."""
    return {name: json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n" for kind, name in SCHEMAS.items()}


@cache
def keys_of(kind: str) -> tuple[Key, ...]:
    """Every key that may stand in a file of one kind, outermost first; those of a mapping once."""
    found: dict[tuple[type, str], Key] = {}
    waiting: list[Shape] = [KINDS[kind]]
    while waiting:
        shape = waiting.pop(0)
        if isinstance(shape, Fields):
            new = {(shape.of, name): key for name, key in shape.keys.items() if (shape.of, name) not in found}
            found |= new
            waiting += [key.shape for key in new.values()]
        else:
            waiting += shape.below()
    return tuple(found.values())


class Occurrence(NamedTuple):
    """A piece of a file's data, where it stands, and what the language says of it.

    ``key`` is that under which it stands, or the entry of a list or mapping does; ``scope`` the flow that is meant
    there, "" where none is.
    """

    inside: Inside
    path: Path
    key: Key | None
    scope: str


def occurrences(kind: str, data: Any) -> list[Occurrence]:
    """Everything that stands in a file of one kind, whatever its shape, as far as the language knows it; outermost
    first."""
    found: list[Occurrence] = []
    _below(found, Inside(KINDS[kind], data), (), None, "")
    return found


def _below(found: list[Occurrence], here: Inside, path: Path, key: Key | None, scope: str) -> None:
    found.append(Occurrence(here, path, key, scope))
    if here.on_key:
        return
    if isinstance(here.shape, Fields) and isinstance(here.data, dict):
        own = next((name for name, each in here.shape.keys.items() if each.scopes), "")
        scope = str(here.data.get(own, scope))
    for each in here.shape.inside(here.data):
        _below(found, each, (*path, *each.path), each.key or key, scope)


class Reference(NamedTuple):
    """A name of something that is given elsewhere, or a limit: where it stands, on a key or in a value, in which flow,
    and what is said of the key under which it does."""

    name: str
    at: At
    on_key: bool
    flow: str
    key: Key


def references(sources: Mapping[str, Source]) -> dict[str, list[Reference]]:
    """By what they are the names of ("role", "state" …), all names in the files of a set whose shape is right; all
    limits under "limit"."""
    found: dict[str, list[Reference]] = {}
    for file, source in sources.items():
        kind = {"flows": "flow", "messages": "messages"}.get(file.partition("/")[0], "organisation")
        for here, path, key, flow in occurrences(kind, source.data) if file.endswith(".yaml") else ():
            what, data = here.shape.what, here.data
            if what == "limit" and isinstance(data, int | float):  # true and false among them; a name is a text
                data = source.written.get(path, str(data))
            if what and key is not None and not here.defines and isinstance(data, str):
                found.setdefault(what, []).append(Reference(data, At(file, path), here.on_key, flow, key))
    return found
