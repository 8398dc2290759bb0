"""What changed in a set, and when: from its history in git, or from an earlier set that is named."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from carepolicy.charts.changes import compare
from carepolicy.charts.changes.difference import TEXTS, word_of
from carepolicy.charts.changes.words import change_words
from carepolicy.charts.text import identifier
from carepolicy.policy.files import ORGANISATION, file_at, layers_of
from carepolicy.policy.load import load_policies
from carepolicy.policy.revisions import LastChange, NoRevision, before_versions, committed_on, days_of, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carepolicy.charts.changes.difference import Change
    from carepolicy.charts.changes.items import Key
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Flow, Policies

_NOTES = frozenset({"version", "based_on", "covers", "synonyms"})
"""What is no matter of those who work by a flow: its version, which the page says, and what is of its makers."""

Lines = tuple[tuple[str, str, str], ...]
"""Changes as kind, word and sentence."""


@dataclass(frozen=True, slots=True)
class Since:
    """The changes of a flow since a version, None where the flow is new."""

    version: int | None
    lines: Lines


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """What changed in one flow, or in what all share, as the list of changes tells it.

    ``key`` names it in every language and on every page, for the marks of what has been read.
    """

    key: str
    title: str
    address: str
    version: str
    valid_from: str
    since: Since


@dataclass
class History:
    """Earlier sets of a policy set. ``known`` is False as soon as a flow's history could not be read.

    ``earlier`` is the set that all flows are compared with; without it each is compared with its last version in git.
    """

    policies: Policies
    earlier: Policies | None = None
    known: bool = True
    _read: dict[str, Policies | None] = field(default_factory=dict)
    _found: dict[Path, Mapping[str, str] | None] = field(default_factory=dict)
    _own: dict[str, frozenset[tuple[Key, str]]] = field(default_factory=dict)

    def since(self, flow: Flow, language: str) -> Since | None:
        """What changed in a flow since its last version; None where it has none, or none that can be read."""
        old = self.earlier if self.earlier is not None else self._before(flow)
        if old is None or flow.name not in old.flows:
            return Since(None, ()) if self._is_new(flow) else None
        found = compare(old, self.policies, language, (flow.name,)).of(flow.name)
        told = [each for each in found if each.aspect not in _NOTES and self._is_said(old, flow, each)]
        lines = self._lines(told, language)
        version = old.flows[flow.name].version
        return Since(version, lines) if lines or version != flow.version else None

    def _is_said(self, old: Policies, flow: Flow, change: Change) -> bool:
        """Whether a text changed in the words in which the policy is written, and not only in a translation of them."""
        if change.aspect not in TEXTS:
            return True
        if flow.name not in self._own:
            found = compare(old, self.policies, None, (flow.name,)).of(flow.name)
            self._own[flow.name] = frozenset((each.key, each.aspect) for each in found)
        return (change.key, change.aspect) in self._own[flow.name]

    def shared(self, language: str) -> Lines:
        """What changed in what all flows share since the earlier set that was named; nothing where none was."""
        if self.earlier is None:
            return ()
        return self._lines(compare(self.earlier, self.policies, language).of(""), language)

    def _lines(self, changes: Iterable[Change], language: str) -> Lines:
        words = change_words(language, self.policies.own_words)
        return tuple((change.kind, word_of(words, change.kind), change.text) for change in changes)

    def changed(self, flow: Flow) -> date | None:
        """The day on which a flow's file changed last; None where that is not known, or has no day yet."""
        found = self._days.get(self._path(flow))
        return None if found is None else found.last

    @cached_property
    def last_changed(self) -> date | None:
        """The day on which the set changed last; None where that is not known, or a file of it is being changed."""
        return committed_on(self.policies.root)

    def _is_new(self, flow: Flow) -> bool:
        """Whether a flow came after the set did."""
        if self.earlier is not None:
            return True
        first = self._days.get(os.path.realpath(os.path.join(layers_of(self.policies.root)[0], ORGANISATION)))
        own = self._days.get(self._path(flow))
        return first is not None and (own is None or own.came != first.came)

    def _path(self, flow: Flow) -> str:
        return os.path.realpath(file_at(self.policies.root, flow.at.file))

    @cached_property
    def _days(self) -> Mapping[str, LastChange]:
        """What git knows of the set's files, by where they stand."""
        found: dict[str, LastChange] = {}
        for layer in layers_of(self.policies.root):
            try:
                found |= {os.path.realpath(os.path.join(layer, name)): each for name, each in days_of(layer).items()}
            except NoRevision:
                continue
        return found

    def read(self) -> date | None:
        """Read now what is else read from git when it is first asked for; the day of the last change."""
        for flow in self.policies.flows.values():
            self.changed(flow)
            if self.earlier is None:
                self._before(flow)
        return self.last_changed

    def _before(self, flow: Flow) -> Policies | None:
        path = Path(file_at(self.policies.root, flow.at.file))
        if path.parent not in self._found:
            self._found[path.parent] = self._revisions(path.parent)
        revisions = self._found[path.parent]
        if revisions is None or path.name not in revisions:
            self.known = self.known and revisions is not None
            return None
        revision = revisions[path.name]
        try:
            if revision not in self._read:
                with folder_of(revision, self.policies.root) as folder:
                    self._read[revision] = load_policies(folder)[0]
        except NoRevision:
            self.known = False
            return None
        return self._read[revision]

    def _revisions(self, folder: Path) -> Mapping[str, str] | None:
        """The revision before the last version of each flow in a folder; None where that cannot be known."""
        paths = {Path(file_at(self.policies.root, flow.at.file)): flow.version for flow in self.policies.flows.values()}
        versions = {path.name: version for path, version in paths.items() if path.parent == folder}
        try:
            return before_versions(str(folder), versions)
        except NoRevision:
            return None


def entries_of(book: Book, history: History, found: Mapping[str, Since | None]) -> list[ChangeEntry]:
    """The changes that are ``found`` of flows, the newest first, and before them what all flows share."""
    words = change_words(book.language, book.policies.own_words)
    flows = [flow for flow in book.policies.flows.values() if found[flow.name] is not None]
    flows.sort(key=lambda flow: (flow.valid_from or date.min, flow.version), reverse=True)
    shared = history.shared(book.language)
    entries = (
        [ChangeEntry(f"shared@{book.policies.digest[:8]}", words.shared, "", "", "", Since(0, shared))]
        if shared
        else []
    )
    return entries + [entry_of(book, flow, since) for flow in flows if (since := found[flow.name]) is not None]


def entry_of(book: Book, flow: Flow, since: Since) -> ChangeEntry:
    """The changes of one flow."""
    return ChangeEntry(
        key=f"{flow.name}@{flow.version}",
        title=book.words(flow).flow_title(flow.name),
        address=f"flows/{identifier(flow.name)}.html",
        version=str(flow.version),
        valid_from=book.day(flow.valid_from) if flow.valid_from is not None else "",
        since=since,
    )
