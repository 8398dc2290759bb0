"""Mappings of logs: each is read and checked against the policies whose events and facts it names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from carepolicy.guards.compiler import check_expression
from carepolicy.guards.scope import Scope
from carepolicy.policy.files import layers_of, listed
from carepolicy.policy.findings import Finding, quoted, unknown
from carepolicy.policy.language.keys import read_fields
from carepolicy.policy.language.organisation import Fact
from carepolicy.policy.load import read_apart
from carepolicy.policy.node import Node
from carepolicy.policy.places import At, Source

if TYPE_CHECKING:
    from carepolicy.policy.language.mapping import LogMapping
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Path

CODE = "CP295"
FOLDER = "mappings"


@dataclass(frozen=True, slots=True)
class MappingNames:
    """What a mapping may name: the events of each flow, and facts with what a choice chooses from (else nothing)."""

    events: Mapping[str, frozenset[str]]
    facts: Mapping[str, tuple[str, ...]]


def known_of(policies: Policies) -> MappingNames:
    """What the mappings of a set may name."""
    flows = {name: frozenset(flow.events) for name, flow in policies.flows.items()}
    return MappingNames(flows, {name: fact.of for name, fact in policies.organisation.facts.items()})


def mapping_files(root: str | os.PathLike[str]) -> dict[str, str]:
    """The mappings of a policy set by their names: files of the folder ``mappings`` of each layer."""
    found = {}
    for layer in layers_of(root):
        folder = os.path.join(layer, FOLDER)
        for name in listed(folder):
            if name.endswith(".yaml"):
                found[name.removesuffix(".yaml")] = os.path.join(folder, name)
    return found


def check_mappings(policies: Policies) -> Iterator[Finding]:
    """What is wrong with the mappings of a set. Places name files as the set names its own."""
    known = known_of(policies)
    for path in mapping_files(policies.root).values():
        name = path if len(layers_of(policies.root)) > 1 else os.path.relpath(path, policies.root).replace(os.sep, "/")
        yield from read_mapping(path, known, name)[1]


def read_mapping(path: str, known: MappingNames, name: str = "") -> tuple[LogMapping | None, list[Finding]]:
    """The mapping in a file, and what is wrong with it for a policy set. Findings call the file by ``name``, or its
    path."""
    made, source, findings = read_apart(path, "mapping", name or path)
    if source is None:
        return None, findings
    findings += _unfit(made, source, known)
    return (None, findings) if findings else (made, [])


def _unfit(made: LogMapping, source: Source, known: MappingNames) -> Iterator[Finding]:
    """What a mapping names that the policies do not have, and what it lacks."""
    flows = known.events
    events = {event for flow, each in flows.items() if made.flow in (None, flow) for event in each}
    if made.flow is not None and made.flow not in flows:
        yield unknown(CODE, "flow", made.flow, source.value(("flow",)), flows)
        return
    from_columns = made.events_from_columns.items()
    named: list[tuple[Path, str]] = [(("events_from_columns", each), said) for each, said in from_columns]
    if made.event is not None:
        named += [(("event", "values", value), said) for value, said in made.event.values.items()]
    for path, event in named:
        if event not in events:
            yield unknown(CODE, "event", event, source.value(path), events)
    for fact, of in made.facts.items():
        choices = known.facts.get(fact)
        if choices is None:
            yield unknown(CODE, "fact", fact, source.key(("facts", fact)), known.facts)
        elif choices:
            told: list[tuple[Path, str]] = [(("facts", fact, "values", each), said) for each, said in of.values.items()]
            told += [(("facts", fact, "others"), of.others)] if of.others is not None else []
            for path, said in told:
                if said not in choices:
                    yield unknown(CODE, f"value of {fact}", said, source.value(path), choices)
    zone = made.reads.timezone if made.reads is not None else None
    if zone is not None and zone not in available_timezones():
        yield unknown(CODE, "time zone", zone, source.value(("reads", "timezone")), available_timezones())
    yield from _unreadable_times(made, source)
    if made.event is None and not made.events_from_columns:
        hint = "say in which column events stand (event: {column: …}), or which columns hold instants"
        yield Finding(CODE, "nothing says what happened", source.value(()), hint)
    if made.event is not None and made.time is None and not _is_standard(made):
        hint = "say which column says when (time: …)"
        yield Finding(CODE, "nothing says when the events were", source.key(("event",)), hint)
    if made.where is not None:
        for fault in check_expression(made.where, column_scope(names_in(made.where)), "flag"):
            yield Finding(CODE, fault.message, source.value(("where",)), fault.hint or "")


def _unreadable_times(made: LogMapping, source: Source) -> Iterator[Finding]:
    """Ways to write times that read none."""
    of_facts = made.facts.items()
    said: list[tuple[Path, str | None]] = [(("facts", fact, "time_format"), of.time_format) for fact, of in of_facts]
    if made.reads is not None:
        said.append((("reads", "time_format"), made.reads.time_format))
    for path, form in said:
        if form is None or form in COUNTS:
            continue
        strange = [each for each in _LETTER.findall(form) if each not in _LETTERS]
        if strange or "%" not in form:
            what = f"%{strange[0]} means nothing in" if strange else "no letter of strptime stands in"
            hint = "a time is written like '%d.%m.%Y %H:%M'; or it is counted: unix, unix_ms, excel"
            yield Finding(CODE, f"{what} {quoted(form)}", source.value(path), hint)


COUNTS = ("unix", "unix_ms", "excel")
"""Ways to count times, in place of writing them."""

_LETTER = re.compile(r"%-?(.?)", re.DOTALL)
_LETTERS = frozenset("aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%")
"""What may stand behind a % where times are read."""


def _is_standard(made: LogMapping) -> bool:
    """Whether a log's format itself says when its events were."""
    return made.reads is not None and made.reads.format in ("xes", "ocel")


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_FUNCTIONS = frozenset(("true", "false", "null", "in", "has", "size", "matches", "startsWith", "endsWith", "contains"))


def names_in(expression: str) -> list[str]:
    """The columns that an expression names."""
    return [each for each in _WORD.findall(_QUOTED.sub("''", expression)) if each not in _FUNCTIONS]


def plain_name(column: str) -> str:
    """A column's name as expressions write it: with ``_`` in place of other signs."""
    return re.sub(r"[^A-Za-z0-9_]", "_", column)


def column_scope(columns: Sequence[str]) -> Scope:
    """What an expression over a row may name: its columns, all of them texts."""
    facts = {plain_name(each): _text_fact(plain_name(each)) for each in columns}
    return Scope(facts, {}, (), (), None)


def _text_fact(name: str) -> Fact:
    return read_fields(Fact, Node(Source("", "", {}, {}, {}), At(""), {"type": "text"}, []), name)
