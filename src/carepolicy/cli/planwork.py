"""What ``plan`` and ``apply`` have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from carepolicy.cli.living import wall_clock
from carepolicy.cli.sets import demand_folder, refuse
from carepolicy.cli.times import near_of

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.privacy.seal import DataKeys

Result = TypeVar("Result")


def bundle_of(store: Store) -> tuple[Bundle, DataKeys]:
    """The installed set, and who opens what is private."""
    from carepolicy.store.live.operation import Operation

    operation = Operation(store, None, wall_clock())
    return operation.installed(), operation.sealer


def moment(now: str | None, bundle: Bundle, far: bool = True) -> int:
    """The instant of ``--now``, or of the clock. What is more than a day ahead of that is refused unless ``far``."""
    clock = wall_clock()
    given = near_of(now, bundle, "--now", clock, far)
    return clock if given is None else given


def planned(policies: str, work: Callable[[], Result]) -> Result:
    """Do some work with the set in a folder; its errors are shown and end the command."""
    from carepolicy.machine.bundle import PolicyErrors

    demand_folder(policies)
    try:
        return work()
    except PolicyErrors as problem:
        refuse(policies, problem.findings)
