"""What commands on a store have in common: the policy set that is installed there, and the time of day."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carepolicy.cli.sets import demand_folder, refuse
from carepolicy.cli.status import say

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.live.operation import Operation

SHOWN = 10


def wall_clock() -> int:
    """Now, in microseconds since 1970."""
    return time.time_ns() // 1_000


def operation_or_exit(store: Store, policies: str, reads: bool = False) -> tuple[Operation, Bundle]:
    """The installed set at work on a store; the one in the folder ``policies`` is installed where there is none. What
    only ``reads`` writes nothing to a store that has one."""
    from carepolicy.machine.bundle import PolicyErrors
    from carepolicy.store.faults import NotInstalled
    from carepolicy.store.live.operation import Operation

    operation = Operation(store, policies if os.path.isdir(policies) else None, wall_clock())
    try:
        bundle = operation.installed() if reads and operation.has_set() else operation.bundle()
    except NotInstalled:
        demand_folder(policies)
        raise
    except PolicyErrors as problem:
        refuse(policies, problem.findings)
    _warn_if_changed(bundle, policies)
    return operation, bundle


def differs(policies: str, digest: str) -> bool:
    """Whether a folder has a set, and another than that of a digest."""
    if not os.path.isfile(os.path.join(policies, "organisation.yaml")):
        return False
    from carepolicy.policy.files import digest_of

    return digest_of(policies) != digest


def _warn_if_changed(bundle: Bundle, policies: str) -> None:
    """Say so where the folder has other policies than those that are at work."""
    if differs(policies, bundle.digest):
        say(f"note: {policies} differs from the policies that are installed in the store, which count")


def tell_letters(letters: Sequence[str]) -> None:
    """Say what was not taken and why, to standard error."""
    if not letters:
        return
    import orjson

    for letter in letters[:SHOWN]:
        told = orjson.loads(letter)
        say(f"{told['code']} {told['reason']}")
    if len(letters) > SHOWN:
        say(f"{len(letters) - SHOWN:,} more were not taken")
