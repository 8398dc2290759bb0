"""A policy file that comes from standard input: which file of a set it stands for, and what it holds."""

from __future__ import annotations

import re
import sys

import click

from carepolicy.cli.status import Refused

PIPE = "-"

stands_for_option = click.option(
    "--as", "stands_for", metavar="FILE", help="With -: the file of the set that standard input stands for."
)

_HEADS = (
    (re.compile(rb"^flow:\s*[\"']?([\w-]+)", re.MULTILINE), "flows/{}.yaml"),
    (re.compile(rb"^language:\s*[\"']?([\w-]+)", re.MULTILINE), "messages/{}.yaml"),
    (re.compile(rb"^(organisation|timezone|calendars|roles):", re.MULTILINE), "organisation.yaml"),
    (re.compile(rb"^(scenario):", re.MULTILINE), "scenarios/stdin.yaml"),
)
"""The key by which each kind of file is known, and where such a file stands."""


def piped(stands_for: str | None) -> tuple[str, bytes]:
    """The path below the set, and the content, of the file on standard input. ``stands_for`` is the path where it is
    known; else what the file says of itself tells it."""
    content = sys.stdin.buffer.read()
    if stands_for is not None:
        return stands_for, content
    for head, path in _HEADS:
        found = head.search(content)
        if found is not None:
            return path.format(found[1].decode()), content
    raise Refused(
        "it cannot be told which file of the set stands on standard input; say it, as in --as flows/returns.yaml"
    )
