"""A folder becomes a policy set: every file read, its shape checked, the frozen model built."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from carepolicy.policy.files import (
    ORGANISATION,
    TEXTS,
    digest,
    layers_of,
    misplaced,
    organisation_meant,
    policy_files,
    read_bytes,
)
from carepolicy.policy.findings import Finding
from carepolicy.policy.language.common import taken_up
from carepolicy.policy.language.kinds import KINDS
from carepolicy.policy.layers import Addition, Laid, laid_over, laid_texts, told_as_additions, told_as_new
from carepolicy.policy.model import Flow, Message, Organisation, Policies
from carepolicy.policy.node import Node
from carepolicy.policy.ownwords import FOLDER as OWN_WORDS
from carepolicy.policy.ownwords import own_words
from carepolicy.policy.places import At, Place, Source
from carepolicy.policy.shape import check_shape
from carepolicy.policy.text import source_of

_LANGUAGES = frozenset({"languages", "languages+", "languages="})
"""The key that says in which languages a set is, as any layer may write it."""


class LayerPart(NamedTuple):
    """What one layer has of a file: which layer from below, how findings name the file, and its bytes."""

    layer: int
    file: str
    content: bytes


Parts = tuple[LayerPart, ...]


@dataclass(frozen=True, slots=True)
class MadeFile:
    """What was made of a file, and of what.

    ``content`` are its parts, and ``others`` the digest of all other files that it hangs on: while both are the same,
    nothing is read again. ``made`` is the organisation, the flow or the messages; ``taken`` a flow with what it takes
    up of what that organisation says once for all flows. ``parts`` are the sources of the layers, lowest first, and
    ``additions`` what only upper layers have.
    """

    content: Parts
    others: str
    source: Source | None
    findings: tuple[Finding, ...]
    made: Any
    taken: tuple[Organisation, Flow] | None = None
    parts: tuple[tuple[int, Source], ...] = ()
    additions: tuple[Addition, ...] = ()


Memory = dict[str, MadeFile]
"""By their names the files of one set that were read before: what is as it was is not read again."""


def load_policies(
    root: str | os.PathLike[str], memory: Memory | None = None, unsaved: Mapping[str, bytes] | None = None
) -> tuple[Policies | None, list[Finding]]:
    """The policy set in a folder, or None, and what is wrong with the text and the shape of its files.

    Findings name files relative to ``root``; of a set of several layers (see ``layers_of``) with the folder of the
    layer. They come from all files, also where the first is bad. Never raises for what the folder holds. ``memory`` is
    filled, and spares reading what did not change; ``unsaved`` are the contents of files as an editor has them, by the
    names that findings give them, which count in place of those on the disk.
    """
    layers = tuple({os.path.realpath(each): each for each in reversed(layers_of(root))}.values())[::-1]
    found = [_layer_of(number, folder, len(layers_of(root)) > 1, unsaved or {}) for number, folder in enumerate(layers)]
    loading = _Loading([parts for parts, _ in found], {} if memory is None else memory)
    findings = [*_twice(layers_of(root)), *(each for _, wrong in found for each in wrong)]
    policies = loading.policies(os.fspath(root), layers)
    findings += loading.findings
    findings.sort(key=lambda each: each.place)
    return (None if findings else policies), findings


def _layer_of(
    number: int, folder: str, named: bool, unsaved: Mapping[str, bytes]
) -> tuple[dict[str, LayerPart | None], list[Finding]]:
    """The files of one layer by their names in it, None of those that cannot be read, and what is wrong with them.
    ``named``: findings name its files with the folder."""

    def called(name: str) -> str:
        return os.path.join(folder, name).replace(os.sep, "/") if named else name

    parts: dict[str, LayerPart | None] = {}
    findings = misplaced(folder)
    misnamed = {each.place.file for each in findings}
    for name in policy_files(folder):
        if name in misnamed:
            continue
        content = unsaved.get(called(name))
        if content is None:
            content, wrong = read_bytes(os.path.join(folder, name), name)
            findings += wrong
        parts[name] = None if content is None else LayerPart(number, called(name), content)
    there = os.path.isdir(folder) if number else ORGANISATION in parts or organisation_meant(folder) is not None
    if not there:
        findings.append(_no_organisation(folder))
    if named:
        findings = [replace(each, place=each.place._replace(file=called(each.place.file))) for each in findings]
    return parts, findings


def _twice(layers: Sequence[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for layer in layers:
        real = os.path.realpath(layer)
        if real in seen:
            place = Place(os.path.join(layer, ORGANISATION), 1, 1, 1, 1)
            yield Finding("CP120", f"the layer {layer} is named twice", place, "name each layer once, the lowest first")
        seen.add(real)


class _Loading:
    """One set on its way from bytes to the model, and what was found wrong so far."""

    def __init__(self, layers: Sequence[Mapping[str, LayerPart | None]], memory: Memory) -> None:
        self.layers = layers
        self.contents = _by_name(layers)
        self.memory = memory
        self.findings: list[Finding] = []
        self.sources: dict[str, Source] = {}
        self.files: dict[str, Source] = {}
        self.parts: dict[str, tuple[tuple[int, Source], ...]] = {}
        self.additions: list[Addition] = []

    def policies(self, root: str, layers: Sequence[str]) -> Policies | None:
        """The set, or None where its organisation could not be built."""
        files = {name: parts[-1].content for name, parts in self.contents.items() if name.endswith(".ics") and parts}
        kept = self._kept(ORGANISATION, "organisation", files)
        organisation = kept.made if kept is not None else None
        if kept is not None and organisation is not None:
            self._leave_languages(kept, organisation.languages)
        flows, messages = self._flows(organisation), self._messages()
        if organisation is None:
            return None
        policies = Policies(
            root,
            organisation,
            flows,
            messages,
            self._digest(),
            self.sources,
            self._texts(),
            own_words=tuple(own_words(part.content, Path(part.file).stem) for part in self._own_words()),
            own_files={part.file: part.content for part in self._own_words()},
        )
        if len(layers) == 1:
            return policies
        return replace(policies, additions=tuple(self.additions), files=self.files, parts=self.parts)

    def _leave_languages(self, kept: MadeFile, languages: Sequence[str]) -> None:
        """Leave out what lower layers say in languages that an upper one has taken away by its ``languages:``."""
        saying = [layer for layer, source in kept.parts if _LANGUAGES & {path[0] for path in source.keys}]
        for name, parts in list(self.contents.items()):
            language = language_of(name)
            ours = {language, *(each for each in languages if each.startswith(f"{language}-"))}
            if (
                language
                and parts
                and saying
                and ours.isdisjoint(languages)
                and all(each.layer < saying[-1] for each in parts)
            ):
                del self.contents[name]

    def _texts(self) -> dict[str, bytes]:
        """The catalogues of texts; of several layers that have one of a language, as the upper ones say it."""
        found: dict[str, bytes] = {}
        for name, parts in self.contents.items():
            if name.startswith(f"{TEXTS}/") and name.count("/") == 1 and parts:
                found[name] = (
                    parts[0].content if len(parts) == 1 else laid_texts([each.content for each in parts], name)
                )
        return found

    def _digest(self) -> str:
        """That of the files, as ``digest_of`` tells it."""
        names = {
            name if len(self.layers) == 1 else f"layers/{number}/{name}": None if part is None else part.content
            for number, layer in enumerate(self.layers)
            for name, part in layer.items()
        }
        return digest(names)

    def _own_words(self) -> list[LayerPart]:
        """The files of carepolicy's own words in the languages in which the set has some; an upper layer's first."""
        names = [name for name in self.contents if name.startswith(f"{OWN_WORDS}/") and name.endswith(".po")]
        return [part for name in sorted(names) for part in reversed(self.contents[name])]

    def _kept(self, name: str, kind: str, files: Mapping[str, bytes] | None = None) -> MadeFile | None:
        """A file as it was read and made into a part of the model, now or before; None of one that is not there.

        ``files`` are those that go into it as well.
        """
        parts = self.contents.get(name)
        if not parts:
            return None
        others = digest(files) if files is not None else ""
        kept = self.memory.get(name)
        if kept is None or (kept.content, kept.others) != (parts, others):
            kept = self.memory[name] = _read(parts, name, kind, files, others)
        if kept.source is not None:
            self.sources[name] = kept.source
        self.files |= {source.file: source for _, source in kept.parts}
        self.parts[name] = kept.parts
        self.additions += kept.additions
        self.findings += kept.findings
        return kept

    def _flows(self, organisation: Organisation | None) -> dict[str, Flow]:
        flows: dict[str, Flow] = {}
        for name in self._in("flows"):
            kept = self._kept(name, "flow")
            if kept is not None and kept.made is None and kept.content[0].layer > 0:
                known = [Path(each).stem for each in self.layers[0] if each.startswith("flows/")]
                others = [each for each in self.findings if each not in kept.findings]
                self.findings = [*others, *told_as_new(Path(name).stem, kept.findings, known)]
            if kept is None or kept.made is None:
                continue
            flow, home = kept.made, f"flows/{kept.made.name}.yaml"
            if name != home and home in self.contents:
                hint = f"if {name} is a copy, take it away; else name the flow and the file anew, alike"
                self._fault(kept, "flow", "CP116", f'{home} holds a flow "{flow.name}" too', hint)
            elif name != home:
                said = f'the flow "{flow.name}" stands in {name}'
                self._fault(kept, "flow", "CP115", said, f"call the file {flow.name}.yaml, or the flow as the file")
            flows.setdefault(flow.name, self._taken(name, kept, organisation))
        return flows

    def _taken(self, name: str, kept: MadeFile, organisation: Organisation | None) -> Flow:
        """A flow with what it takes up of what is common; the same object as before where nothing changed."""
        flow: Flow = kept.made
        if organisation is None or organisation.common is None:
            return flow
        if kept.taken is None or kept.taken[0] is not organisation:
            kept = self.memory[name] = replace(kept, taken=(organisation, taken_up(flow, organisation.common)))
        return flow if kept.taken is None else kept.taken[1]

    def _messages(self) -> Mapping[str, Mapping[str, Message]]:
        """Messages by language. Those of a language stand in one file, or in several in a folder of its name."""
        messages: dict[str, dict[str, Message]] = {}
        for name in self._in("messages"):
            kept = self._kept(name, "messages")
            if kept is None or kept.made is None:
                continue
            language = kept.made.language
            split = name.count("/") > 1
            if language != (name.split("/")[1] if split else Path(name).stem):
                said = f'messages in "{language}" stand in {name}'
                hint = f"move it to messages/{language}/" if split else f"call the file {language}.yaml"
                self._fault(kept, "language", "CP115", said, hint)
            written = messages.setdefault(language, {})
            for template, message in kept.made.messages.items():
                if template in written and kept.source is not None:
                    said = f'{written[template].at.file} holds a message "{template}" too'
                    place = kept.source.key(message.at.path)
                    self.findings.append(Finding("CP116", said, place, "take one of the two away, or name it anew"))
                written.setdefault(template, message)
        return messages

    def _fault(self, kept: MadeFile, key: str, code: str, message: str, hint: str) -> None:
        if kept.source is not None:
            self.findings.append(Finding(code, message, kept.source.value((key,)), hint))

    def _in(self, folder: str) -> list[str]:
        return [name for name in self.contents if name.startswith(f"{folder}/") and name.endswith(".yaml")]


def read_apart(path: str, kind: str, name: str) -> tuple[Any, Source | None, list[Finding]]:
    """What a file of a kind says that is no part of a set, such as a mapping of a log, and its text; findings name it
    ``name``. Of a file that cannot be read, or that has not the shape of its kind, there are findings alone."""
    content, findings = read_bytes(path, name)
    if content is None:
        return None, None, findings
    source, findings = source_of(content, name)
    if source is not None:
        findings = check_shape(source, kind)
    if source is None or findings:
        return None, None, findings
    made = KINDS[kind].read(Node(source, At(name), source.data, findings), "")
    return made, source, findings


def language_of(name: str) -> str:
    """The language of a file of messages or of a catalogue, by its name; "" for another file."""
    folder, _, rest = name.partition("/")
    if folder == "messages" or (folder == TEXTS and "/" not in rest):
        return rest.partition("/")[0] if "/" in rest else Path(rest).stem
    return ""


def _by_name(layers: Sequence[Mapping[str, LayerPart | None]]) -> dict[str, Parts]:
    """The parts of each file, lowest first. Where there are several layers, messages of a language are one file."""
    found: dict[str, list[LayerPart]] = {}
    for layer in layers:
        for name, part in layer.items():
            home = name
            if len(layers) > 1 and name.startswith("messages/") and name.count("/") > 1:
                home = f"messages/{name.split('/')[1]}.yaml"
            found.setdefault(home, []).extend([] if part is None else [part])
    return {name: tuple(parts) for name, parts in found.items()}


def _read(parts: Parts, name: str, kind: str, files: Mapping[str, bytes] | None, others: str) -> MadeFile:
    """A file read: its source, what is wrong with it, and what is made of one whose shape is right."""
    read = [(part.layer, *source_of(part.content, part.file)) for part in parts]
    findings = [finding for _, _, wrong in read for finding in wrong]
    sources = tuple((layer, source) for layer, source, _ in read if source is not None)
    if findings or len(sources) < len(parts):
        return MadeFile(parts, others, sources[0][1] if len(parts) == 1 and sources else None, tuple(findings), None)
    laid = Laid(sources[0][1])
    for number, (layer, source) in enumerate(sources[1:], 1):
        findings += _same_messages(sources[:number], layer, source) if kind == "messages" else ()
        laid = laid_over(laid, source, KINDS[kind])
    findings += laid.findings
    findings += told_as_additions(laid, check_shape(laid.source, kind))
    made = None
    if not findings:
        made = KINDS[kind].read(Node(laid.source, At(name), laid.source.data, findings, files), "")
    added = _of_other_layers(laid, sources) if kind == "messages" else laid.added.values()
    return MadeFile(parts, others, laid.source, tuple(findings), made, None, sources, tuple(added))


def _of_other_layers(laid: Laid, sources: Sequence[tuple[int, Source]]) -> Iterator[Addition]:
    """The messages that only upper layers have. A layer may have several files of a language: they are beside each
    other, and nothing that one of them has is added to another."""
    layers = {source.file: layer for layer, source in sources}
    for each in laid.added.values():
        below = [source for layer, source in sources if layer < layers[each.place.file]]
        names = {str(path[1]) for source in below for path in source.keys if path[0] == "messages" and len(path) == 2}
        if below and each.name not in names:
            yield each._replace(known=tuple(sorted(names)))


def _same_messages(before: Sequence[tuple[int, Source]], layer: int, source: Source) -> Iterator[Finding]:
    """Messages that two files of one layer hold."""
    for other in (each for number, each in before if number == layer):
        for path, place in source.keys.items():
            if len(path) == 2 and path[0] == "messages" and path in other.keys:
                said = f'{other.file} holds a message "{path[1]}" too'
                yield Finding("CP116", said, place, "take one of the two away, or name it anew")


def _no_organisation(root: str | os.PathLike[str]) -> Finding:
    where = os.fspath(root)
    hint = "name the folder that holds organisation.yaml, flows/ and messages/"
    what = f"{where} has no {ORGANISATION}" if os.path.isdir(root) else f"there is no folder {where}"
    return Finding("CP115", what, Place(ORGANISATION, 1, 1, 1, 1), hint)
