"""The policy set that a command works on: which folder, read or compiled, or a refusal that shows its errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from carepolicy.cli.status import USAGE, Refused

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies

Command = TypeVar("Command", bound=Callable[..., Any])

POLICIES, POLICIES_VARIABLE = "policies", "CAREPOLICY_POLICIES"
"""The folder of the policy set where no option names one, and the variable of the environment that may."""


def policies_option(command: Command) -> Command:
    """``--policies DIR``, the folder of the policy set, as the parameter ``policies``."""
    import click

    return click.option(
        "--policies",
        metavar="DIR",
        envvar=POLICIES_VARIABLE,
        default=POLICIES,
        show_default=True,
        show_envvar=True,
        type=click.Path(),
        help="The folder of the policy set.",
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """``--format``, one of ``formats`` of which the first is the default, as the parameter ``form``."""
    import click

    def option(command: Command) -> Command:
        return click.option(
            "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print."
        )(command)

    return option


def demand_folder(root: str) -> None:
    """Refuse a folder that is not there, or that is no policy set, before anything heavy is imported."""
    if not os.path.isdir(root):
        raise Refused(f"there is no folder {root}; name one with --policies, or make one with `carepolicy init {root}`")
    if not os.path.isfile(os.path.join(root, "organisation.yaml")):
        from carepolicy.policy.misplaced import organisation_meant

        meant = organisation_meant(root)
        hint = "`carepolicy init` makes a set" if meant is None else f"call {meant} organisation.yaml"
        raise Refused(f"{root} is no policy set: it has no organisation.yaml; {hint}")


def bundle_or_exit(root: str) -> Bundle:
    """The compiled set in a folder, from the cache where nothing changed; errors are shown and end the command."""
    demand_folder(root)
    from carepolicy.machine.bundle import PolicyErrors, load_bundle

    try:
        return load_bundle(root)
    except PolicyErrors as problem:
        refuse(root, problem.findings)


def policies_or_exit(root: str) -> Policies:
    """The checked set in a folder as its files say it; errors are shown and end the command."""
    demand_folder(root)
    from carepolicy.checks import check_folder
    from carepolicy.policy.findings import Severity

    policies, findings = check_folder(root)
    errors = [each for each in findings if each.severity is Severity.ERROR]
    if policies is None or errors:
        refuse(root, errors or findings)
    return policies


def earlier_or_exit(named: str, policies: str) -> Policies:
    """A set that is compared with another: a folder, or a git revision of the folder ``policies``.

    It is read and shaped but not checked, since the rules of today need not have held for it.
    """
    from carepolicy.policy.load import load_policies
    from carepolicy.policy.revisions import NoRevision, folder_of

    try:
        with folder_of(named, policies) as place:
            if not os.path.isfile(os.path.join(place, "organisation.yaml")):
                raise Refused(f"{named} is no policy set: it has no organisation.yaml")
            found, findings = load_policies(place)
            if found is None:
                refuse(place, findings)
    except NoRevision as problem:
        raise Refused(str(problem)) from None
    return found


def refuse(root: str, findings: Sequence[Finding]) -> NoReturn:
    """Show the errors of a set on stderr and end the command: what it was to work on cannot be used."""
    import click

    from carepolicy.cli.formats import reported, written

    click.echo(written(reported(root, findings), "text"), err=True, nl=False)
    count = f"{len(findings)} error{'' if len(findings) == 1 else 's'}"
    raise Refused(f"the policy set in {root} has {count}; `carepolicy check --policies {root}` shows them", USAGE)
