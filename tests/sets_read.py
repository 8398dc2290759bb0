"""Sets that tests read again and again are read and checked once in a process.

Hundreds of tests call commands on the shop's set, on the library, or on a copy of one with a line that is otherwise.
What the loader makes of a file is kept here by the bytes and the name of the file, and what the rules find in a set by
the set and the day, as an editor keeps it between two keys (``Memory`` of carepolicy.policy.load). READ_ANEW=1 in the
environment of the tests reads all anew; processes that tests start keep nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from carepolicy import checks
from carepolicy.checks import CheckedSet
from carepolicy.policy import load
from carepolicy.policy.findings import Finding
from carepolicy.policy.load import Parts
from carepolicy.policy.model import Policies

FILES, SETS = 400, 8
"""How many are kept."""

read, policies_of, findings_in = load._read, load._Loading.policies, checks.findings_in


@contextmanager
def sets_read_anew() -> Iterator[None]:
    """Inside, each set is read and checked whenever it is asked for."""
    with (
        mock.patch.object(load, "_read", read),
        mock.patch.object(load._Loading, "policies", policies_of),
        mock.patch.object(checks, "findings_in", findings_in),
    ):
        yield


class Kept:
    """The latest of what was made, by what it was made of."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.made: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self.made:
            self.made[key] = make()
        self.made.move_to_end(key)
        while len(self.made) > self.most:
            self.made.popitem(last=False)
        return self.made[key]


@contextmanager
def sets_read_once() -> Iterator[None]:
    """Inside, a set that is the same as before is neither read nor checked again."""
    files, sets, found = Kept(FILES), Kept(SETS), Kept(SETS)

    def read_once(parts: Parts, name: str, kind: str, beside: Any, others: str) -> load.MadeFile:
        made: load.MadeFile = files.get((parts, name, kind, others), lambda: read(parts, name, kind, beside, others))
        return made

    def policies_once(self: load._Loading, root: str, layers: Sequence[str]) -> Policies | None:
        def make() -> tuple[Policies | None, list[Finding], load.Memory]:
            return policies_of(self, root, layers), self.findings, {**self.memory}

        if self.memory:  # an editor's, which the tests of editors are about
            return policies_of(self, root, layers)
        contents = tuple(tuple(layer.items()) for layer in self.layers)
        policies, findings, memory = sets.get((root, contents), make)
        self.findings = [*findings]
        self.memory.update(memory)
        return policies

    def found_once(checked: CheckedSet) -> list[Finding]:
        key = (id(checked.policies), checked.today)
        _, findings = found.get(key, lambda: (checked.policies, findings_in(checked)))
        return [*findings]

    with (
        mock.patch.object(load, "_read", read_once),
        mock.patch.object(load._Loading, "policies", policies_once),
        mock.patch.object(checks, "findings_in", found_once),
    ):
        yield
