"""The stage on which a command plays scenarios of one flow, or a refusal that shows why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.cli.sets import demand_folder, refuse
from carepolicy.cli.status import Refused

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow
    from carepolicy.scenarios.stage import Stage


def stage_or_exit(policies: str, flow: str) -> tuple[Stage, Flow]:
    """The stage of the set in the folder ``policies``, and its flow of that name."""
    demand_folder(policies)
    from carepolicy.machine.bundle import PolicyErrors
    from carepolicy.policy.findings import did_you_mean
    from carepolicy.scenarios.stage import stage_for

    try:
        stage = stage_for(policies)
    except PolicyErrors as problem:
        refuse(policies, problem.findings)
    if flow not in stage.policies.flows:
        hint = did_you_mean(flow, stage.policies.flows)
        raise Refused(f'there is no flow "{flow}"' + (f"; {hint}" if hint else ""))
    return stage, stage.policies.flows[flow]
