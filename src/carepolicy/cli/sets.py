"""The policy set that a command works on: which folder, read or compiled, or a refusal that shows its errors; and a
file of a set that comes from standard input.

What reads policy files and checks them is imported by who does so: most commands find a compiled set in the cache."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from carepolicy.cli.configuration import POLICIES, POLICIES_VARIABLE
from carepolicy.cli.status import USAGE, CommandError
from carepolicy.machine.bundle import PolicyErrors, load_bundle
from carepolicy.policy.files import ORGANISATION, is_set, layered, layers_of, organisation_meant
from carepolicy.policy.likeness import did_you_mean
from carepolicy.translations import ENGLISH, Translation, primary_language, translation_of

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Flow, Policies
    from carepolicy.scenarios.stage import Stage

Command = TypeVar("Command", bound=Callable[..., Any])

PIPE = "-"

HEADS = (
    (rb"^flow:\s*[\"']?([\w-]+)", "flows/{}.yaml"),
    (rb"^language:\s*[\"']?([\w-]+)", "messages/{}.yaml"),
    (rb"^(organisation|timezone|calendars|roles):", ORGANISATION),
    (rb"^(scenario):", "scenarios/stdin.yaml"),
)
"""The key by which each kind of file is known, and where such a file stands."""


def policies_option(command: Command) -> Command:
    """``--policies DIR``, the folder of the policy set, as the parameter ``policies``: the root of a set of several
    layers where it is given more than once."""
    return click.option(
        "--policies",
        metavar="DIR",
        envvar=POLICIES_VARIABLE,
        default=(POLICIES,),
        show_default=POLICIES,
        show_envvar=True,
        multiple=True,
        type=click.Path(),
        callback=lambda context, parameter, value: layered(value),
        help="The folder of the policy set; given again, one that is laid over it.",
    )(command)


def quiet_option(command: Command) -> Command:
    """``--quiet`` of commands that print records, as the parameter ``quiet``."""
    return click.option("--quiet", "-q", is_flag=True, help="Do not print the records.")(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """``--format``, one of ``formats`` of which the first is the default, as the parameter ``form``."""

    def option(command: Command) -> Command:
        return click.option(
            "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print."
        )(command)

    return option


def language_option(help: str) -> Callable[[Command], Command]:
    """``--language TAG``, as the parameter ``language``."""
    return click.option("--language", metavar="TAG", help=help)


def demand_language(language: str | None, languages: Sequence[str], own: Sequence[str] = ()) -> None:
    """Refuse a language in which nothing is said: neither the texts of a set, nor ``own`` words of ours."""
    from carepolicy.machine.locales import nearest_language  # few commands are given a language

    known = [*dict.fromkeys((*languages, *own))]
    if language is not None and nearest_language(language, known) is None:
        hint = did_you_mean(language, known) or f"known here: {', '.join(known)}"
        raise CommandError(f'nothing is said in the language "{language}"; {hint}')


def words_in(root: str, language: str) -> Translation:
    """Words of ours in a language, those of the set in a folder before those of the package."""
    if primary_language(language) == ENGLISH:
        return Translation(ENGLISH)
    from carepolicy.policy.load import load_policies  # most sets are shown in English

    found, _ = load_policies(root)
    return translation_of(language, () if found is None else found.own_words)


def outcomes_in(root: str, language: str) -> dict[tuple[str, str], str]:
    """How cases end, in words, by flow and state, as the set in a folder says it in a language; empty where the set
    itself is written in it."""
    from carepolicy.policy.load import load_policies  # few commands are given a language
    from carepolicy.policy.phrases import in_language, outcome_of

    found, _ = load_policies(root)
    spoken = None if found is None else in_language(found, language)
    if spoken is None or spoken.written is None:
        return {}
    return {
        (flow.name, state.name): outcome_of(spoken, flow.name, state.name, state.final)
        for flow in spoken.flows.values()
        for state in flow.states.values()
        if state.final is not None
    }


def demand_folder(root: str) -> None:
    """Refuse a folder that is not there, or that is no policy set; of several layers the lowest is one."""
    layers = layers_of(root)
    for layer in layers[1:]:
        if not os.path.isdir(layer):
            raise CommandError(f"there is no folder {layer}; --policies names it as a layer of the set")
    if len(layers) > 1:
        root = layers[0]
    if not os.path.isdir(root):
        raise CommandError(
            f"there is no folder {root}; name one with --policies, or make one with `carepolicy init {root}`"
        )
    if not os.path.isfile(os.path.join(root, ORGANISATION)):
        meant = organisation_meant(root)
        hint = "`carepolicy init` makes a set" if meant is None else f"call {meant} organisation.yaml"
        raise CommandError(f"{root} is no policy set: it has no organisation.yaml; {hint}")


@contextmanager
def showing_errors(root: str) -> Iterator[None]:
    """Inside, a set is compiled: refuses a folder that has none, and shows errors of one, which end the command."""
    demand_folder(root)
    try:
        yield
    except PolicyErrors as problem:
        refuse(root, problem.findings)


def bundle_or_exit(root: str) -> Bundle:
    """The compiled set in a folder, from the cache where nothing changed; errors are shown and end the command."""
    with showing_errors(root):
        return load_bundle(root)


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
            if not is_set(place):
                raise CommandError(f"{named} is no policy set: it has no organisation.yaml")
            found, findings = load_policies(place)
            if found is None:
                refuse(place, findings)
    except NoRevision as problem:
        raise CommandError(str(problem)) from None
    return found


def show(findings: Sequence[Finding], root: str = "") -> None:
    """Show findings on stderr; their places name files of the set in ``root``, or as they can be opened from here."""
    from carepolicy.cli.formats import reported, written

    click.echo(written(reported(root, findings), "text"), err=True, nl=False)


def refuse(root: str, findings: Sequence[Finding]) -> NoReturn:
    """Show the errors of a set on stderr and end the command: what it was to work on cannot be used."""
    show(findings, root)
    count = f"{len(findings)} error{'' if len(findings) == 1 else 's'}"
    named = " ".join(f"--policies {each}" for each in layers_of(root))
    raise CommandError(f"the policy set in {root} has {count}; `carepolicy check {named}` shows them", USAGE)


def stage_or_exit(policies: str, flow: str) -> tuple[Stage, Flow]:
    """The stage of the set in the folder ``policies``, and its flow of that name."""
    from carepolicy.scenarios.stage import stage_for

    with showing_errors(policies):
        stage = stage_for(policies)
    if flow not in stage.policies.flows:
        hint = did_you_mean(flow, stage.policies.flows)
        raise CommandError(f'there is no flow "{flow}"' + (f"; {hint}" if hint else ""))
    return stage, stage.policies.flows[flow]


stands_for_option = click.option(
    "--as", "stands_for", metavar="FILE", help="With -: the file of the set that standard input stands for."
)


def piped(stands_for: str | None) -> tuple[str, bytes]:
    """The path below the set, and the content, of the file on standard input. ``stands_for`` is the path where it is
    known; else what the file says of itself tells it."""
    content = sys.stdin.buffer.read()
    if stands_for is not None:
        return stands_for, content
    for head, path in HEADS:
        found = re.search(head, content, re.MULTILINE)
        if found is not None:
            return path.format(found[1].decode()), content
    raise CommandError(
        "it cannot be told which file of the set stands on standard input; say it, as in --as flows/returns.yaml"
    )
