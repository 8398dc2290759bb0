"""What changed in a flow since its last version, as git has it, or since a set that is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from carepolicy.charts.changes import compare
from carepolicy.charts.changes.telling import word_of
from carepolicy.charts.changes.words import change_words
from carepolicy.policy.load import load_policies
from carepolicy.policy.revisions import NoRevision, before_version, folder_of

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies


@dataclass(frozen=True, slots=True)
class Since:
    """The changes of a flow: since which version, and pairs of kind, word and sentence."""

    version: int
    lines: tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class History:
    """Earlier sets of a policy set. ``known`` is False as soon as a flow's history could not be read.

    ``earlier`` is the set that all flows are compared with; without it each is compared with its last version in git.
    """

    policies: Policies
    earlier: Policies | None = None
    known: bool = True
    _read: dict[str, Policies | None] = field(default_factory=dict)
    _found: dict[str, Policies | None] = field(default_factory=dict)

    def since(self, flow: Flow, language: str) -> Since | None:
        """What changed in a flow since its last version; None where it has none, or none that can be read."""
        if self.earlier is None and flow.name not in self._found:
            self._found[flow.name] = self._before(flow)
        old = self.earlier if self.earlier is not None else self._found[flow.name]
        if old is None or flow.name not in old.flows:
            return None
        words = change_words(language)
        found = compare(old, self.policies, language).of(flow.name)
        told = (change for change in found if change.aspect != "version")
        lines = tuple((change.kind, word_of(words, change.kind), change.text) for change in told)
        return Since(old.flows[flow.name].version, lines)

    def _before(self, flow: Flow) -> Policies | None:
        root = self.policies.root
        try:
            revision = before_version(Path(root) / flow.at.file, flow.version)
            if revision is None:
                return None
            if revision not in self._read:
                with folder_of(revision, root) as folder:
                    self._read[revision] = load_policies(folder)[0]
        except NoRevision:
            self.known = False
            return None
        return self._read[revision]
