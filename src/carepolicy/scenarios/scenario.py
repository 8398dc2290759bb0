"""Scenario files become scenarios: frozen steps with their places, every value still as it was written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.policy.composer import compose
from carepolicy.policy.files import ORGANISATION, read_bytes
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import At, Source
from carepolicy.policy.shape import check_shape
from carepolicy.policy.text import documents, text_of

if TYPE_CHECKING:
    from carepolicy.policy.places import Path

KIND = "scenario"
FOLDER = "scenarios"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be so: each key with its value as plain data."""

    wanted: Mapping[str, Any]
    at: At


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """What happens (an event, time that passes) and what is expected after it; texts are as written.

    ``data`` holds the event's values by dotted name, each as the text that was written or, where that is no
    single text, as plain data. ``line`` counts from 1.
    """

    number: int
    line: int
    at: At
    when: str | None = None
    event: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    flow: str | None = None
    id: str | None = None
    wait: str | None = None
    until: str | None = None
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. ``file`` can be opened from here; ``document`` counts those of one file from 0.

    ``given`` is the organisation's file where the scenario names one.
    """

    file: str
    document: int
    line: int
    title: str
    flow: str
    subject: str | None
    given: str | None
    covers: tuple[str, ...]
    steps: tuple[PlayedStep, ...]

    def in_pairs(self) -> Iterator[tuple[PlayedStep, PlayedStep | None]]:
        """Each step with the one that follows it."""
        return zip(self.steps, (*self.steps[1:], None), strict=True)


def scenario_files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """Every scenario file that the paths name: a file itself, the YAML files in a folder at any depth.

    A policy set stands for its folder ``scenarios``. Sorted within each path; hidden folders are left out.
    """
    for named in paths:
        path = os.fspath(named)
        if not os.path.isdir(path):
            yield path
            continue
        if os.path.isfile(os.path.join(path, ORGANISATION)):
            path = os.path.join(path, FOLDER)
        for folder, below, names in os.walk(path):
            below[:] = sorted(each for each in below if not each.startswith("."))
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".yaml"))


def files_of_layers(layers: Iterable[str]) -> list[str]:
    """The scenario files of a set of several layers: of those of one name below scenarios/ that of the uppermost; one
    that says `scenario:` and nothing else takes those below it away."""
    found: dict[str, str] = {}
    for layer in layers:
        folder = os.path.join(layer, FOLDER)
        for path in scenario_files([folder]) if os.path.isdir(folder) else ():
            found[os.path.relpath(path, folder)] = path
    return [path for _, path in sorted(found.items()) if not _takes_away(path)]


def _takes_away(path: str) -> bool:
    content, _ = read_bytes(path, path)
    lines = [line.partition(b"#")[0].strip() for line in (content or b"").splitlines()]
    return [line for line in lines if line] in ([b"scenario:"], [b"scenario: null"])


def set_of(path: str) -> str | None:
    """The folder of the policy set that a file stands in: the nearest one above it with organisation.yaml."""
    folder = os.path.abspath(os.path.dirname(path))
    while not os.path.isfile(os.path.join(folder, ORGANISATION)):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return os.path.relpath(folder) if os.path.dirname(path) and not os.path.isabs(path) else folder


def read_scenarios(path: str | os.PathLike[str]) -> list[Document]:
    """The documents of a file, and what is wrong with its text and shape. Never raises for what a file holds."""
    name = os.fspath(path)
    content, findings = read_bytes(path, name)
    text, findings = (None, findings) if content is None else text_of(content, name)
    return [Document(None, None, findings)] if text is None else list(read_documents(text, name))


def read_text(text: str, name: str) -> tuple[list[Scenario], list[Finding]]:
    """The scenarios of a text, which findings call ``name``, and what is wrong with it."""
    parts = list(read_documents(text, name))
    scenarios = [each.scenario for each in parts if each.scenario is not None]
    return scenarios, [finding for each in parts for finding in each.findings]


class Document(NamedTuple):
    """One document of a file: its text with places, the scenario where its shape is right, and what is wrong."""

    source: Source | None
    scenario: Scenario | None
    findings: list[Finding]


def read_documents(text: str, name: str) -> Iterator[Document]:
    """The documents of a text, which findings call ``name``."""
    for number, part in enumerate(documents(text)):
        source, wrong = _source(part, name)
        yield Document(source, _scenario(source, number) if source is not None and not wrong else None, wrong)


def _source(text: str, name: str) -> tuple[Source | None, list[Finding]]:
    source, findings = compose(text, name)
    return source, findings if source is None else check_shape(source, KIND)


def _scenario(source: Source, document: int) -> Scenario:
    data: Any = source.data
    root = At(source.file)
    covers = data.get("covers", [])
    return Scenario(
        file=source.file,
        document=document,
        line=source.key(("scenario",)).line,
        title=_text(source, ("scenario",)) or "",
        flow=data["flow"],
        subject=_text(source, ("subject",)),
        given=_text(source, ("given", "organisation")),
        covers=tuple(map(str, covers if isinstance(covers, list) else [covers])),
        steps=tuple(_step(source, root / "steps" / index, index + 1) for index in range(len(data["steps"]))),
    )


def _step(source: Source, at: At, number: int) -> PlayedStep:
    step: Any = source.data_at(at.path)
    expected = step.get("expect")
    return PlayedStep(
        number=number,
        line=source.value(at.path).line,
        at=at,
        when=_text(source, (*at.path, "at")),
        event=step.get("event"),
        data=dict(_flat(source, (*at.path, "data"), "")) if "data" in step else {},
        subject=_text(source, (*at.path, "subject")),
        flow=step.get("flow"),
        id=_text(source, (*at.path, "id")),
        wait=_text(source, (*at.path, "wait")),
        until=_text(source, (*at.path, "until")),
        expect=None if expected is None else _expectation(source, at / "expect"),
    )


def _expectation(source: Source, at: At) -> Expectation:
    wanted = dict(source.data_at(at.path))
    for key, value in wanted.items():
        path = (*at.path, key)
        if key in ("due", "facts"):
            wanted[key] = {name: _written(source, (*path, name)) for name in value}
        elif isinstance(value, str) and key not in ("state", "outcome"):
            wanted[key] = [value]
    return Expectation(wanted, at)


def _flat(source: Source, path: Path, prefix: str) -> Iterator[tuple[str, Any]]:
    """The values of an event by dotted name, however they were nested."""
    for key, value in source.data_at(path).items():
        if isinstance(value, dict):
            yield from _flat(source, (*path, key), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _written(source, (*path, key))


def _written(source: Source, path: Path) -> Any:
    """A value as the text that stands in the file, where it is a single one; nothing stays nothing."""
    value = source.data_at(path)
    if isinstance(value, list):
        return [_written(source, (*path, index)) for index in range(len(value))]
    return value if value is None or isinstance(value, dict) else source.written.get(path, str(value))


def _text(source: Source, path: Path) -> str | None:
    try:
        value = source.data_at(path)
    except KeyError:
        return None
    return None if value is None else source.written.get(path, str(value))
