"""``--reveal --as ROLE``: who may see what is private."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from carepolicy.cli.completing import roles
from carepolicy.cli.sets import Command
from carepolicy.cli.status import Refused

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.privacy.seal import Reader


def reveal_options(wanted: Command) -> Command:
    """``--reveal`` and ``--as ROLE``, as the parameters ``reveal`` and ``role``."""
    wanted = click.option(
        "--as", "role", metavar="ROLE", shell_complete=roles, help="Who reads: sees what may_see: of the role lists."
    )(wanted)
    return click.option("--reveal", is_flag=True, help="Show private facts, as far as the role of --as may see them.")(
        wanted
    )


def reader_of(bundle: Bundle, reveal: bool, role: str | None) -> Reader:
    """Who reads. Refuses a role that is none, or that may see nothing."""
    from carepolicy.policy.findings import did_you_mean
    from carepolicy.store.privacy.seal import NOBODY, Reader

    if role is not None and role not in bundle.may_see:
        raise Refused(f'there is no role "{role}"; {did_you_mean(role, bundle.may_see)}')
    if not reveal:
        return NOBODY
    if role is None:
        raise Refused("--reveal needs to know who reads: add --as ROLE")
    if not bundle.may_see[role]:
        raise Refused(
            f"{role} may see nothing that is private; may_see: of a role in organisation.yaml lists what it may"
        )
    return Reader(bundle.may_see[role])
