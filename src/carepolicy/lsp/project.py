"""A policy set as an editor has it open: the saved files, the texts that are not saved yet, and what they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from carepolicy.cli.configuration import configured_layers
from carepolicy.editing.files import editable_files, kind_of
from carepolicy.editing.recheck import Rechecked
from carepolicy.lsp.mentions import Mention, mentions_of
from carepolicy.policy.composer import compose
from carepolicy.policy.files import ORGANISATION, file_at, layers_of
from carepolicy.policy.language.shapes import NAME_PATTERN
from carepolicy.policy.text import documents, text_of
from carepolicy.scenarios.names import names_of_policies, unknown_names
from carepolicy.scenarios.scenario import read_documents

if TYPE_CHECKING:
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Place, Source


def path_of(uri: str) -> str | None:
    """The path of a file's address; None of what is no file."""
    parts = urlsplit(uri)
    return os.path.abspath(url2pathname(unquote(parts.path))) if parts.scheme == "file" else None


def root_of(path: str) -> str | None:
    """The folder of the policy set that a file belongs to; None of a file that belongs to none."""
    if kind_of(path) is None:
        return None
    layers = configured_layers(os.path.dirname(os.path.abspath(path)))
    if any(os.path.abspath(path).startswith(layer + os.sep) for layer in layers):
        return os.pathsep.join(layers)
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isfile(os.path.join(folder, ORGANISATION)):
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
    return folder


class Project:
    """One policy set. ``unsaved`` are the texts of open files by their absolute paths."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.checked = Rechecked(root)
        self.unsaved: dict[str, str] = {}
        self._sources: dict[str, tuple[str, list[Source]]] = {}

    @property
    def policies(self) -> Policies | None:
        """The set as it was when it could last be read."""
        return self.checked.policies

    def findings(self) -> dict[str, list[Finding]]:
        """What is wrong, by absolute path: in all files of the set, and in the scenarios that are open."""
        unsaved = {self.checked.file(path): text.encode("utf-8", "replace") for path, text in self.unsaved.items()}
        found: dict[str, list[Finding]] = {}
        for finding in self.checked.check(date.today(), unsaved)[0]:
            found.setdefault(file_at(self.root, finding.place.file), []).append(finding)
        for path, text in self.unsaved.items():
            if kind_of(path) == "scenario":
                found.setdefault(path, []).extend(self._in_scenario(path, text))
        return found

    def _in_scenario(self, path: str, text: str) -> Iterator[Finding]:
        readable, wrong = text_of(text.encode("utf-8", "surrogatepass"), path)
        yield from wrong
        for part in read_documents(readable, path) if readable is not None else ():
            yield from part.findings
            if part.scenario is not None and part.source is not None and self.policies is not None:
                yield from unknown_names(part.source, names_of_policies(self.policies))

    def text(self, path: str) -> str:
        """The text of a file as the editor has it, else as it is saved; "" of one that cannot be read."""
        if path in self.unsaved:
            return self.unsaved[path]
        try:
            with open(path, encoding="utf-8", newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return ""

    def sources(self, path: str) -> list[Source]:
        """The documents of a file; of a text that cannot be read those of the last one that could."""
        text = self.text(path)
        known = self._sources.get(path)
        if known is None or known[0] != text:
            plain = text.removeprefix("\ufeff")
            parts = documents(plain) if kind_of(path) == "scenario" else [plain]
            read = [compose(part, path)[0] for part in parts]
            kept = [each for each in read if each is not None]
            self._sources[path] = known = (text, kept if len(kept) == len(parts) or known is None else known[1])
        return known[1]

    def mentions(self, path: str) -> list[Mention]:
        """What a file names."""
        kind = kind_of(path)
        return [] if kind is None else [each for source in self.sources(path) for each in mentions_of(source, kind)]

    def all_mentions(self) -> Mapping[str, list[Mention]]:
        """What each file of the set names, by absolute path."""
        return {
            os.path.abspath(path): self.mentions(os.path.abspath(path)) for path in editable_files(layers_of(self.root))
        }

    def mention_at(self, path: str, line: int, column: int) -> Mention | None:
        """The name at a place; lines and columns count from 1, and the place just behind a name is still its own."""
        return next(
            (e for e in self.mentions(path) if e.place.line == line and e.place.column <= column <= e.place.end_column),
            None,
        )

    def renamed(self, mention: Mention, new: str) -> dict[str, list[Place]]:
        """The places, by absolute path, at which a new name is to stand. Raises ``ValueError`` for a wrong one."""
        if re.fullmatch(NAME_PATTERN.strip("^$"), new) is None:
            raise ValueError("a name is written in small letters, digits and underscores: like_this")
        every = self.all_mentions()
        defined = (each for mentions in every.values() for each in mentions if each.defines)
        if any((each.kind, each.name, each.scope) == (mention.kind, new, mention.scope) for each in defined):
            raise ValueError(f'there is a {mention.kind} "{new}" already')
        places = {
            file: [each.place for each in mentions if each.what == mention.what] for file, mentions in every.items()
        }
        return {file: each for file, each in places.items() if each}
