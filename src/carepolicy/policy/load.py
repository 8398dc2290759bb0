"""A folder becomes a policy set: every file read, its shape checked, the frozen model built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from carepolicy.policy.files import ORGANISATION, TEXTS, digest, misplaced, organisation_meant, policy_files, read_bytes
from carepolicy.policy.findings import Finding
from carepolicy.policy.language.common import taken_up
from carepolicy.policy.language.kinds import KINDS
from carepolicy.policy.model import Flow, Message, Organisation, Policies
from carepolicy.policy.node import Node
from carepolicy.policy.places import At, Place, Source
from carepolicy.policy.shape import check_shape
from carepolicy.policy.text import source_of


@dataclass(frozen=True, slots=True)
class Kept:
    """What was made of a file with this content, and with the content of others whose digest is ``others``; ``made`` is
    the organisation, the flow, or the messages; ``taken`` a flow with what it takes up of what that organisation says
    once for all."""

    content: bytes
    others: str
    source: Source | None
    findings: tuple[Finding, ...]
    made: Any
    taken: tuple[Organisation, Flow] | None = None


Memory = dict[str, Kept]
"""By their names the files of one set that were read before: what is as it was is not read again."""


def load_policies(
    root: str | os.PathLike[str], memory: Memory | None = None, unsaved: Mapping[str, bytes] | None = None
) -> tuple[Policies | None, list[Finding]]:
    """The policy set in a folder, or None, and what is wrong with the text and the shape of its files.

    Findings name files relative to ``root``. They come from all files, also where the first is bad. Never
    raises for what the folder holds. ``memory`` is filled, and spares reading what did not change; ``unsaved`` are
    the contents of files as an editor has them, which count in place of those on the disk.
    """
    contents: dict[str, bytes | None] = {}
    findings = misplaced(root)
    misnamed = {each.place.file for each in findings}
    for name in policy_files(root):
        if name in misnamed:
            continue
        if unsaved is not None and name in unsaved:
            contents[name] = unsaved[name]
            continue
        contents[name], wrong = read_bytes(os.path.join(root, name), name)
        findings += wrong
    if ORGANISATION not in contents and organisation_meant(root) is None:
        findings.append(_no_organisation(root))
    loading = _Loading(contents, {} if memory is None else memory)
    policies = loading.policies(os.fspath(root))
    findings += loading.findings
    findings.sort(key=lambda each: each.place)
    return (None if findings else policies), findings


class _Loading:
    """One set on its way from bytes to the model, and what was found wrong so far."""

    def __init__(self, contents: Mapping[str, bytes | None], memory: Memory) -> None:
        self.contents = contents
        self.memory = memory
        self.findings: list[Finding] = []
        self.sources: dict[str, Source] = {}

    def policies(self, root: str) -> Policies | None:
        """The set, or None where its organisation could not be built."""
        files = {
            name: content for name, content in self.contents.items() if name.endswith(".ics") and content is not None
        }
        kept = self._kept(ORGANISATION, "organisation", files)
        organisation = kept.made if kept is not None else None
        flows, messages = self._flows(organisation), self._messages()
        if organisation is None:
            return None
        texts = {
            name: content
            for name, content in self.contents.items()
            if name.startswith(f"{TEXTS}/") and name.count("/") == 1 and content is not None
        }
        return Policies(root, organisation, flows, messages, digest(self.contents), self.sources, texts)

    def _kept(self, name: str, kind: str, files: Mapping[str, bytes] | None = None) -> Kept | None:
        """A file as it was read and made into a part of the model, now or before; None of one that is not there.

        ``files`` are those that go into it as well.
        """
        content = self.contents.get(name)
        if content is None:
            return None
        others = digest(files) if files is not None else ""
        kept = self.memory.get(name)
        if kept is None or (kept.content, kept.others) != (content, others):
            kept = self.memory[name] = _read(content, name, kind, files, others)
        if kept.source is not None:
            self.sources[name] = kept.source
        self.findings += kept.findings
        return kept

    def _flows(self, organisation: Organisation | None) -> dict[str, Flow]:
        flows: dict[str, Flow] = {}
        for name in self._in("flows"):
            kept = self._kept(name, "flow")
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

    def _taken(self, name: str, kept: Kept, organisation: Organisation | None) -> Flow:
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

    def _fault(self, kept: Kept, key: str, code: str, message: str, hint: str) -> None:
        if kept.source is not None:
            self.findings.append(Finding(code, message, kept.source.value((key,)), hint))

    def _in(self, folder: str) -> list[str]:
        return [name for name in self.contents if name.startswith(f"{folder}/") and name.endswith(".yaml")]


def _read(content: bytes, name: str, kind: str, files: Mapping[str, bytes] | None, others: str) -> Kept:
    """A file read: its source, what is wrong with it, and what is made of one whose shape is right."""
    source, findings = source_of(content, name)
    if source is not None:
        findings = check_shape(source, kind)
    made = None
    if source is not None and not findings:
        made = KINDS[kind].read(Node(source, At(name), source.data, findings, files), "")
    return Kept(content, others, source, tuple(findings), made)


def _no_organisation(root: str | os.PathLike[str]) -> Finding:
    where = os.fspath(root)
    hint = "name the folder that holds organisation.yaml, flows/ and messages/"
    what = f"{where} has no {ORGANISATION}" if os.path.isdir(root) else f"there is no folder {where}"
    return Finding("CP115", what, Place(ORGANISATION, 1, 1, 1, 1), hint)
