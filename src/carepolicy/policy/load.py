"""A folder becomes a policy set: every file read, its shape checked, the frozen model built."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from carepolicy.policy.findings import Finding, did_you_mean
from carepolicy.policy.places import At, Place
from carepolicy.policy.reading import read_bytes, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Flow, Message, Policies
    from carepolicy.policy.part import Part
    from carepolicy.policy.places import Source

ORGANISATION = "organisation.yaml"
FOLDERS = ("flows", "messages")


def policy_files(root: str | os.PathLike[str]) -> list[str]:
    """The files that a policy set consists of, by their paths below ``root``, sorted.

    organisation.yaml, flows/*.yaml and messages/*.yaml, and the .ics files in the folder itself or in a
    folder in it, which calendars may import. Empty where there is no such folder.
    """
    found = [ORGANISATION] if os.path.exists(os.path.join(root, ORGANISATION)) else []
    for folder in ("", *_listed(root, folders=True)):
        for name in _listed(os.path.join(root, folder)):
            path = f"{folder}/{name}" if folder else name
            if name.endswith(".ics") or (folder in FOLDERS and name.endswith(".yaml")):
                found.append(path)
    return sorted(found)


def digest_of(root: str | os.PathLike[str]) -> str:
    """A hash over the names and bytes of a set's files, in hexadecimal digits. Reads, but parses nothing."""
    return _digest({name: read_bytes(os.path.join(root, name), name)[0] for name in policy_files(root)})


def load_policies(root: str | os.PathLike[str]) -> tuple[Policies | None, list[Finding]]:
    """The policy set in a folder, or None, and what is wrong with the text and the shape of its files.

    Findings name files relative to ``root``. They come from all files, also where the first is bad. Never
    raises for what the folder holds.
    """
    contents: dict[str, bytes | None] = {}
    findings = _misplaced(root)
    for name in policy_files(root):
        contents[name], wrong = read_bytes(os.path.join(root, name), name)
        findings += wrong
    if ORGANISATION not in contents:
        findings.append(_no_organisation(root))
    loading = _Loading(contents)
    policies = loading.policies(os.fspath(root))
    findings += loading.findings
    findings.sort(key=lambda each: each.place)
    return (None if findings else policies), findings


class _Loading:
    """One set on its way from bytes to the model, and what was found wrong so far."""

    def __init__(self, contents: Mapping[str, bytes | None]) -> None:
        self.contents = contents
        self.findings: list[Finding] = []
        self.sources: dict[str, Source] = {}

    def policies(self, root: str) -> Policies | None:
        """The set, or None where its organisation could not be built."""
        # Digests are wanted without the model; this keeps their command quick to start.
        from carepolicy.policy.build_organisation import build_organisation
        from carepolicy.policy.model import Policies

        files = {
            name: content for name, content in self.contents.items() if name.endswith(".ics") and content is not None
        }
        part = self._part(ORGANISATION, "organisation")
        organisation = build_organisation(part, files) if part is not None else None
        flows, messages = self._flows(), self._messages()
        if organisation is None:
            return None
        return Policies(root, organisation, flows, messages, _digest(self.contents), self.sources)

    def _part(self, name: str, kind: str) -> Part | None:
        """The whole of a file, or None where its text or shape is wrong."""
        from carepolicy.policy.part import Part
        from carepolicy.policy.shape import check_shape

        content = self.contents.get(name)
        if content is None:
            return None
        source, findings = source_of(content, name)
        if source is not None:
            findings = check_shape(source, kind)
            self.sources[name] = source
        self.findings += findings
        return None if source is None or findings else Part(source, At(name), source.data, self.findings)

    def _flows(self) -> dict[str, Flow]:
        from carepolicy.policy.build_flow import build_flow

        flows: dict[str, Flow] = {}
        for name in self._in("flows"):
            part = self._part(name, "flow")
            if part is None:
                continue
            flow = build_flow(part)
            if flow.name in flows:
                part["flow"].fault("CP116", f'{flows[flow.name].at.file} holds a flow "{flow.name}" too', "rename one")
            elif flow.name != _stem(name):
                part["flow"].fault(
                    "CP115", f'the flow "{flow.name}" stands in {name}', f'name it "{_stem(name)}", or the file'
                )
            flows.setdefault(flow.name, flow)
        return flows

    def _messages(self) -> dict[str, Mapping[str, Message]]:
        from carepolicy.policy.build_organisation import build_messages

        messages: dict[str, Mapping[str, Message]] = {}
        for name in self._in("messages"):
            part = self._part(name, "messages")
            if part is None:
                continue
            language, templates = build_messages(part)
            if language != _stem(name):
                part["language"].fault(
                    "CP115", f'messages in "{language}" stand in {name}', "the file bears its language's name"
                )
            messages.setdefault(language, templates)
        return messages

    def _in(self, folder: str) -> list[str]:
        return [name for name in self.contents if name.startswith(f"{folder}/") and name.endswith(".yaml")]


def _digest(contents: Mapping[str, bytes | None]) -> str:
    """A hash of names and contents; each is preceded by its length, so that no two sets run together."""
    digest = blake2b(digest_size=20)
    for name, content in sorted(contents.items()):
        for piece in (name.encode("utf-8", "surrogateescape"), b"unreadable" if content is None else content):
            digest.update(len(piece).to_bytes(8, "big"))
            digest.update(piece)
    return digest.hexdigest()


def _listed(folder: str | os.PathLike[str], folders: bool = False) -> list[str]:
    """The names of the files (or folders) in a folder that are not hidden, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(each.name for each in entries if each.is_dir() == folders and not each.name.startswith("."))
    except OSError:
        return []


def _stem(name: str) -> str:
    return Path(name).stem


def _no_organisation(root: str | os.PathLike[str]) -> Finding:
    where = os.fspath(root)
    hint = "name the folder that holds organisation.yaml, flows/ and messages/"
    what = f"{where} has no {ORGANISATION}" if os.path.isdir(root) else f"there is no folder {where}"
    return Finding("CP115", what, Place(ORGANISATION, 1, 1, 1, 1), hint)


def _misplaced(root: str | os.PathLike[str]) -> list[Finding]:
    """Files that would be overlooked: with the ending .yml, or flows and messages beside their folder."""
    found = []
    for folder in ("", *FOLDERS):
        for name in _listed(os.path.join(root, folder)):
            path = f"{folder}/{name}" if folder else name
            stem, ending = os.path.splitext(name)
            if ending.lower() in (".yml", ".yaml") and ending != ".yaml":
                found.append(
                    Finding("CP115", f"{path} would be overlooked", Place(path, 1, 1, 1, 1), f"call it {stem}.yaml")
                )
            elif not folder and ending == ".yaml" and name != ORGANISATION:
                hint = (
                    did_you_mean(name, [ORGANISATION])
                    if stem[:3] == "org"
                    else "flows stand in flows/, messages in messages/"
                )
                found.append(Finding("CP115", f"{path} would be overlooked", Place(path, 1, 1, 1, 1), hint))
    return found
