"""The command line of ``carepolicy event``, read without click where it can be read in one way only.

To import click and its like takes as long as to take an event into a store. So a line that has nothing but words and
whole options with their values is read here; all else, as ``--help`` or a misspelt option, is left to click. Both
read such a line alike, which tests/cli/test_cli_plainly.py holds.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from carepolicy.cli.configuration import configuration
from carepolicy.cli.sets import POLICIES, POLICIES_VARIABLE
from carepolicy.cli.stores import STORE, STORE_VARIABLE

SOURCE = "/carepolicy/cli"
"""Where an event comes from that does not say it."""

_VALUED = frozenset(("--at", "--id", "--source", "--lateness", "--store", "--policies"))
_QUIET = frozenset(("-q", "--quiet"))
_YES = "--yes"


class Asked(NamedTuple):
    """An event as it was typed: the parameters of the command by their names."""

    type_: str
    subject: str | None
    data: tuple[str, ...]
    at: str | None
    identity: str | None
    source: str
    lateness: str | None
    yes: bool
    store: str
    policies: str
    quiet: bool


def plain_event(arguments: list[str]) -> Asked | None:
    """What ``event TYPE SUBJECT [KEY=VALUE]...`` asks for; None where click is to read it."""
    if arguments[:1] != ["event"]:
        return None
    words: list[str] = []
    given: dict[str, str] = {}
    quiet = yes = False
    rest = iter(arguments[1:])
    for each in rest:
        if not each.startswith("-"):
            words.append(each)
        elif each in _QUIET:
            quiet = True
        elif each == _YES:
            yes = True
        else:
            value = next(rest, "-")
            if each not in _VALUED or not value or value.startswith("-"):
                return None
            given[each] = value
    known = configuration()
    if "event" in known.data:
        return None
    policies = given.get("--policies") or os.environ.get(POLICIES_VARIABLE) or known.text("policies") or POLICIES
    if len(words) < 2 or (os.path.exists(policies) and not os.access(policies, os.R_OK)):
        return None
    type_, subject, *data = words
    store = given.get("--store") or os.environ.get(STORE_VARIABLE) or known.text("store") or STORE
    return Asked(
        type_, subject, tuple(data), given.get("--at"), given.get("--id"), given.get("--source", SOURCE),
        given.get("--lateness"), yes, store, policies, quiet,
    )  # fmt: skip
