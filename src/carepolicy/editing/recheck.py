"""A set that is checked again and again: on every save, on every key that is pressed in an editor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carepolicy.checks import CheckedSet, findings_in, in_order
from carepolicy.policy.files import layers_of
from carepolicy.policy.load import Memory, load_policies

if TYPE_CHECKING:
    from datetime import date

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies


@dataclass(slots=True)
class Rechecked:
    """The set in the folder ``root``, of which only what changed is read again.

    ``policies`` is the set as it was when it could last be read, also while it cannot; an editor that completes
    names needs them most where a line is half written. ``checked`` is what was worked out for it.
    """

    root: str
    policies: Policies | None = None
    memory: Memory = field(default_factory=dict)
    checked: CheckedSet | None = None

    def check(self, today: date, unsaved: Mapping[str, bytes] | None = None) -> tuple[list[Finding], list[str]]:
        """All findings, and the files that were read, both by paths below the root.

        ``unsaved`` are contents of files, by the same paths, that count in place of those on the disk.
        """
        policies, findings = load_policies(self.root, self.memory, unsaved)
        if policies is None:
            return in_order(findings), sorted({each.place.file for each in findings})
        self.policies = policies
        self.checked = CheckedSet(policies, today, self.checked)
        return in_order((*findings, *findings_in(self.checked))), sorted(policies.files_read)

    def file(self, path: str | os.PathLike[str]) -> str:
        """How the findings name a file."""
        real = os.path.realpath(path)
        layers = layers_of(self.root)
        for layer in layers if len(layers) > 1 else ():
            top = os.path.realpath(layer)
            if real.startswith(top + os.sep):
                return os.path.join(layer, os.path.relpath(real, top)).replace(os.sep, "/")
        return os.path.relpath(real, os.path.realpath(self.root)).replace(os.sep, "/")
