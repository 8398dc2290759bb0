"""What a set says to people: every text by its path, and the same set with its texts in another language.

Which keys hold such texts is said by their declaration (``Key.said``). A text that a manager left out and that is made
of a name (the title of a state) is one too, since people read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from pathlib import Path as FilePath
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.policy.catalogue import read_catalogue
from carepolicy.policy.files import layers_of
from carepolicy.policy.language.common import taken_up
from carepolicy.policy.language.keys import Fields, form_of
from carepolicy.policy.language.kinds import KINDS, occurrences
from carepolicy.policy.language.shapes import VALUES, Key
from carepolicy.policy.limit import LimitError, parse_limit
from carepolicy.policy.node import Node, in_words
from carepolicy.policy.places import At, Path, Source
from carepolicy.policy.text import read_source
from carepolicy.translations import fallbacks, normalised

if TYPE_CHECKING:
    from carepolicy.policy.catalogue import Catalogue
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Flow, Organisation, Policies

FOLDER = "texts"


class Phrase(NamedTuple):
    """A text for people. ``path`` names it in catalogues (``flows.complaint.states.received.title``), ``at`` is where
    it stands, or what it is the title of; ``role`` says what is done with a translation."""

    path: str
    text: str
    at: At
    about: str
    role: str


TEXT_THERE, NAME_THERE, LEFT_OUT = "text", "name", "left out"
OF_CHOICE, OF_SETTING, NAMING_SETTING, OUTCOME = "of a choice", "of a setting", "naming a setting", "outcome"
"""Roles of phrases: a text, a key of a mapping, the title of what has none; and words beside what stays as it is: a
value that may be chosen, a setting's value and its name, the outcome of a final state."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z")
_ADDRESS = re.compile(r"(https?://|mailto:)\S+\Z")


def path_of(keys: Iterable[str | int]) -> str:
    """Keys as a path: ``states.received.steps.1``, ``facts[customer.tier].title``. Entries of lists count from 1.

    No two ways through a set have the same path.
    """
    said = ""
    for key in keys:
        name = str(key + 1) if isinstance(key, int) else key
        if _PLAIN.match(name):
            said += f".{name}" if said else name
        else:
            said += f"[{name.replace(']', ']]')}]"
    return said


def phrases_of(policies: Policies) -> tuple[Phrase, ...]:
    """Every text for people in a set, each path once, in the order of the set: its organisation, then flow by flow."""
    found: dict[str, Phrase] = {}
    for file in _files(policies):
        for phrase in phrases_in(policies.sources[file], _kind(file), file):
            found.setdefault(phrase.path, phrase)
    return tuple(found.values())


def _kind(file: str) -> str:
    return "flow" if file.startswith("flows/") else "organisation"


def phrases_in(source: Source, kind: str, file: str) -> Iterator[Phrase]:
    """Every text for people in one file of a set, which it knows by the name ``file``: its organisation or a flow."""
    data: Any = source.data
    above = ("flows", str(data["flow"])) if kind == "flow" else ()
    for here, path, key, _ in occurrences(kind, data):
        if isinstance(here.shape, Fields):
            yield from _left_out(source, here.shape, here.data, At(file, path), above)
        if key is None or not key.said or isinstance(here.data, (dict, list)) or here.data is None:
            continue
        at = At(file, path)
        if here.on_key:
            if key.said == VALUES:
                said = Phrase(path_of((*above, *path, "title")), in_words(here.data), at, key.about, NAMING_SETTING)
            else:
                said = Phrase(path_of((*above, *path, "term")), here.data, at, key.about, NAME_THERE)
        elif key.said == VALUES:
            found = _of_value(source, at, key, here.data, above)
            if found is None:
                continue
            said = found
        else:
            text = Node(source, at, here.data, []).text()
            said = Phrase(path_of((*above, *path)), text, at, key.about, TEXT_THERE)
        if said.text.strip() and not _ADDRESS.match(said.text):
            yield said


def _of_value(source: Source, at: At, key: Key, value: object, above: Path) -> Phrase | None:
    """The words of a value: of a choice its name in words, of a setting its text unless that is a limit."""
    path = at.path
    text = Node(source, at, value, []).text()
    if path[0] == "facts":
        return Phrase(path_of((*path[:-1], text)), text.replace("_", " "), at, key.about, OF_CHOICE)
    if path[-1] == "final":
        return Phrase(path_of((*above, *path)), in_words(text), at, key.about, OUTCOME)
    if not isinstance(value, str):
        return None
    try:
        parse_limit(value)
    except LimitError:
        return Phrase(path_of(path), value, at, key.about, OF_SETTING)
    return None


def _left_out(source: Source, shape: Fields, data: Any, at: At, above: Path) -> Iterator[Phrase]:
    """Texts that are made of a name, since the manager left them out."""
    given = data if isinstance(data, dict) else {}
    if data is not None and not isinstance(data, dict):
        return
    path = at.path
    for name, key in shape.keys.items():
        if key.said and name not in given:
            read = form_of(shape.of).readers[key.attribute]
            text = read(Node(source, at, given, []), str(path[-1]) if path else "")
            if isinstance(text, str) and text:
                yield Phrase(path_of((*above, *path, name)), text, at / name, key.about, LEFT_OUT)


def outcome_of(policies: Policies, flow: str, state: str, final: str) -> str:
    """The outcome of a final state in words of the language of a set."""
    return said_at(policies, ("flows", flow, "states", state, "final"), in_words(final))


def scenario_phrases(policies: Policies) -> Iterator[Phrase]:
    """The titles of the scenarios beside a set, which its handbook tells, by flow."""
    layers = layers_of(policies.root)
    for layer in layers:
        for path in sorted((FilePath(layer) / "scenarios").glob("*.yaml")):
            source, _ = read_source(path, layer)
            data = source.data if source is not None else None
            for each in data if isinstance(data, list) else [data]:
                if source is not None and isinstance(each, dict) and str(each.get("flow")) in policies.flows:
                    title = str(each.get("scenario", ""))
                    at = At(source.file if len(layers) == 1 else str(FilePath(layer) / source.file))
                    if title.strip():
                        keys = scenario_keys(str(each["flow"]), title)
                        yield Phrase(path_of(keys), title, at, "What a scenario shows.", TEXT_THERE)


def scenario_keys(flow: str, title: str) -> Path:
    """The keys of the title of a scenario."""
    return ("flows", flow, "scenarios", title)


def catalogue_in(policies: Policies, file: str) -> tuple[Catalogue, list[Finding]]:
    """A catalogue of a set, by the name of its file, and what is wrong with it: read when it is first asked for, and
    kept with the set."""
    found = policies.catalogues.get(file)
    if found is None:
        found = policies.catalogues[file] = read_catalogue(policies.texts[file], file)
    return found


def catalogue_files(policies: Policies) -> dict[str, str]:
    """The files of a set's catalogues, by the tags of their languages."""
    return {normalised(PurePath(file).stem): file for file in policies.texts}


def catalogues_of(policies: Policies, language: str) -> list[Catalogue]:
    """The catalogues in which a text is looked for that is asked for in a language: its own, then that of the same
    language without a region (``pt`` for ``pt-BR``). None where the set itself is written in it."""
    files, written = catalogue_files(policies), normalised(policies.organisation.languages[0])
    tags = takewhile(lambda tag: tag != written, fallbacks(language))
    return [catalogue_in(policies, files[tag])[0] for tag in tags if tag in files]


def in_language(policies: Policies, language: str | None) -> Policies:
    """A set with its texts in a language, in which what has no translation stays as it is; the set as it is written
    where it has no catalogue of the language."""
    if not language or language == policies.language:
        return policies
    policies = policies if policies.written is None else policies.written
    if not policies.texts:
        return policies
    found = policies.spoken.get(language)
    if found is not None:
        return found
    catalogues = catalogues_of(policies, language)
    if not catalogues:
        return policies
    found = policies.spoken[language] = _translated(policies, language, catalogues)
    return found


def said_at(policies: Policies, keys: Iterable[str | int], text: str) -> str:
    """A text of the set as it is written, in the language of this one; ``keys`` lead to it."""
    return policies.translations.get((path_of(keys), text), text) if policies.translations else text


def _translated(policies: Policies, language: str, catalogues: list[Catalogue]) -> Policies:
    told: dict[tuple[str, str], str] = {}
    for catalogue in reversed(catalogues):
        told |= {(each.context, each.text): each.translation for each in catalogue.alive if each.counts}
    unsaid: set[str] = set()
    made: dict[str, Any] = {}
    for file in _files(policies):
        source, kind = policies.sources[file], _kind(file)
        changes: list[tuple[Phrase, str]] = []
        for phrase in phrases_in(source, kind, file):
            text = told.get((phrase.path, phrase.text))
            if text is None:
                unsaid.add(phrase.text)
            elif phrase.role != OUTCOME:
                changes.append((phrase, text))
        made[file] = _rewritten(policies, file, kind, changes)
    organisation: Organisation = made[policies.organisation.at.file]
    common = organisation.common
    flows: dict[str, Flow] = {
        name: made[flow.at.file] if common is None else taken_up(made[flow.at.file], common)
        for name, flow in policies.flows.items()
    }
    return replace(
        policies,
        organisation=organisation,
        flows=flows,
        language=language,
        written=policies,
        translations=told,
        unsaid=frozenset(unsaid),
    )


def _files(policies: Policies) -> tuple[str, ...]:
    return (policies.organisation.at.file, *(flow.at.file for flow in policies.flows.values()))


def _rewritten(policies: Policies, file: str, kind: str, changes: list[tuple[Phrase, str]]) -> Any:
    """The organisation or the flow of a file, read anew with other texts in their places."""
    places: dict[Path, str] = {}
    names: dict[Path, str] = {}
    beside: dict[Phrase, str] = {}
    for phrase, text in changes:
        if phrase.role in (TEXT_THERE, LEFT_OUT):
            places[phrase.at.path] = text
        elif phrase.role == NAME_THERE:
            names[phrase.at.path] = text
        else:
            beside[phrase] = text
    source = policies.sources[file]
    data: Any = _with(source.data, places, names)
    files = {
        each.path: each.text.encode() for spec in policies.organisation.calendars.values() for each in spec.imports
    }
    written = replace(source, data=data)
    made = KINDS[kind].read(Node(written, At(file), data, [], files), "")
    return _with_words(made, beside) if beside else made


def _with(data: Any, places: Mapping[Path, str], names: Mapping[Path, str]) -> Any:
    """A copy of data with texts in these places and other keys for these; what lies beside them is not copied."""
    if () in places:
        return places[()]
    below: dict[str | int, tuple[dict[Path, str], dict[Path, str]]] = {}
    for kept, given in ((0, places), (1, names)):
        for path, text in given.items():
            below.setdefault(path[0], ({}, {}))[kept][path[1:]] = text
    if isinstance(data, list):
        return [_with(each, *below[number]) if number in below else each for number, each in enumerate(data)]
    made: dict[Any, Any] = {}
    for key, value in (data or {}).items():
        inner, renamed = below.pop(key, ({}, {}))
        name = renamed.pop((), key)
        made[key if name in made else name] = _with(value, inner, renamed) if inner or renamed else value
    for key, (inner, _) in below.items():
        made[key] = inner[()]
    return made


def _with_words(organisation: Any, told: Mapping[Phrase, str]) -> Any:
    """An organisation whose choices and settings have words of another language beside their values."""
    facts, settings = dict(organisation.facts), dict(organisation.settings)
    for phrase, text in told.items():
        name = str(phrase.at.path[1])
        if phrase.role == OF_CHOICE:
            fact = facts[name]
            value = fact.of[int(phrase.at.path[-1])]
            facts[name] = replace(fact, words=(*fact.words, (value, text)))
        elif phrase.role == NAMING_SETTING:
            settings[name] = replace(settings[name], title=text)
        else:
            settings[name] = replace(settings[name], words=text)
    return replace(organisation, facts=facts, settings=settings)
