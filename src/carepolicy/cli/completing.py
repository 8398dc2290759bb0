"""What a shell completes besides commands, options and files: flows of the set, codes, calendars."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click


def flows(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Flows of the set that begin so, by the names of their files: a set with errors is completed too."""
    root = context.params.get("policies") or os.environ.get("CAREPOLICY_POLICIES") or "policies"
    try:
        files = sorted(os.listdir(os.path.join(root, "flows")))
    except OSError:
        return []
    names = [file.removesuffix(".yaml") for file in files if file.endswith(".yaml")]
    return [name for name in names if name.startswith(incomplete)]


def codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Codes of findings that begin so."""
    from carepolicy.cli.pages import pages

    return [code for code in pages() if code.startswith(incomplete.upper())]


def calendars(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Calendars of the set that begin so; none of a set that cannot be read."""
    from carepolicy.machine.loading import PolicyErrors, load_bundle

    root = context.params.get("policies") or os.environ.get("CAREPOLICY_POLICIES") or "policies"
    try:
        return sorted(name for name in load_bundle(root).calendars if name.startswith(incomplete))
    except (PolicyErrors, OSError):
        return []
