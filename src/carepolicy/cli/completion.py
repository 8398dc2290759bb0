"""``carepolicy completion``: the script that makes a shell complete commands and options; and what a shell completes
besides these and files: names of the set, and subjects of the store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from carepolicy.cli.configuration import POLICIES, POLICIES_VARIABLE, STORE
from carepolicy.cli.status import COMPLETION, NAME
from carepolicy.machine.bundle import PolicyErrors, load_bundle
from carepolicy.store.faults import NoStoreUrl, StoreFault
from carepolicy.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from carepolicy.machine.program import Bundle

MOST = 200
"""So many subjects are offered."""


@click.command(
    epilog='\b\nExamples:\n  eval "$(carepolicy completion bash)"\n'
    "  carepolicy completion fish > ~/.config/fish/completions/carepolicy.fish\n"
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print the completion script for SHELL, to be evaluated when the shell starts."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(script(click.get_current_context().find_root().command, {}, NAME, COMPLETION).source())


def flows(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Flows of the set that begin so, by the names of their files: a set with errors is completed too."""
    try:
        files = sorted(os.listdir(os.path.join(_root(context), "flows")))
    except OSError:
        return []
    names = [file.removesuffix(".yaml") for file in files if file.endswith(".yaml")]
    return [name for name in names if name.startswith(incomplete)]


def calendars(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Calendars of the set that begin so; none of a set that cannot be read."""
    return _of_set(context, incomplete, lambda bundle: bundle.calendars)


def events(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Types of events that a flow of the set knows."""
    return _of_set(context, incomplete, lambda bundle: (name for each in bundle.programs for name in each.events))


def facts(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Facts that the event brings, each with its sign of equality, and behind it the choices that there are."""
    bundle = _bundle(context)
    if bundle is None:
        return []
    name, sign, begun = incomplete.partition("=")
    if sign:
        fact = bundle.facts.get(name)
        values = () if fact is None else ("true", "false") if fact.type == "flag" else fact.of
        return [f"{name}={value}" for value in values if value.startswith(begun)]
    carried = bundle.carries.get(context.params.get("type_") or "", tuple(bundle.facts))
    return [f"{each}=" for each in sorted(carried) if each.startswith(name)]


def states(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """States of the flow that --flow names, or of all."""
    flow = context.params.get("flow")

    def named(bundle: Bundle) -> Iterable[str]:
        return (state.name for each in bundle.programs if flow in (None, each.flow) for state in each.states)

    return _of_set(context, incomplete, named)


def roles(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Roles of the set."""
    return _of_set(context, incomplete, lambda bundle: bundle.role_titles)


def subjects(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Subjects of the store with open cases; none where there is no store, or it is busy."""
    from carepolicy.store.cases.search import names_beginning  # each command imports this module, few complete subjects

    try:
        store = open_store(context.params.get("store") or context.lookup_default("store") or STORE, False)
    except (StoreFault, NoStoreUrl):
        return []
    try:
        with store.reading() as transaction:
            found = names_beginning(transaction, incomplete, MOST)
    except StoreFault:
        return []
    finally:
        store.close()
    return [each for each in found if each.startswith(incomplete)]


def _of_set(context: click.Context, incomplete: str, names: Callable[[Bundle], Iterable[str]]) -> list[str]:
    bundle = _bundle(context)
    return [] if bundle is None else sorted({name for name in names(bundle) if name.startswith(incomplete)})


def _bundle(context: click.Context) -> Bundle | None:
    """The compiled set; None of a set that cannot be read."""
    try:
        return load_bundle(_root(context))
    except (PolicyErrors, OSError):
        return None


def _root(context: click.Context) -> str:
    said = context.params.get("policies") or os.environ.get(POLICIES_VARIABLE) or context.lookup_default("policies")
    return os.pathsep.join(said) if isinstance(said, (tuple, list)) else str(said or POLICIES)
