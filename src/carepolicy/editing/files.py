"""Which files of a folder are policy files, and of which kind each is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from carepolicy.policy.files import ORGANISATION, REQUIREMENTS, SPLIT, listed

KINDS = {"flows": "flow", "messages": "messages", "scenarios": "scenario", "mappings": "mapping"}
"""Folders of a policy set, and what the files in them are."""


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """The kind of a policy file (flow, mapping, messages, organisation, requirements, scenario) by where it stands;
    None of any other."""
    folder, name = os.path.split(os.path.abspath(path))
    if not name.endswith(".yaml"):
        return None
    if name == ORGANISATION:
        return "organisation"
    if os.path.basename(folder) in KINDS:
        return KINDS[os.path.basename(folder)]
    if os.path.basename(os.path.dirname(folder)) == SPLIT:
        return KINDS[SPLIT]
    if name == REQUIREMENTS:
        return "requirements"
    return "scenario" if "scenarios" in folder.split(os.sep) else None


def editable_files(paths: Iterable[str]) -> Iterator[str]:
    """Every policy file that the paths name, each once: a file itself, and of a policy set all its files, sorted."""
    seen: set[str] = set()
    for path in paths:
        for each in _of_set(path) if os.path.isdir(path) else (path,):
            real = os.path.realpath(each)
            if real not in seen:
                seen.add(real)
                yield each


def _of_set(root: str) -> Iterator[str]:
    layer = not any(os.path.isfile(os.path.join(root, each, ORGANISATION)) for each in listed(root, folders=True))
    for folder, below, names in os.walk(root):
        below[:] = sorted(each for each in below if not each.startswith("."))
        within = layer and os.path.normpath(os.path.join(folder, os.pardir)) == os.path.normpath(root)
        if not _in_set(folder) and not within:
            continue
        for name in sorted(names):
            path = os.path.normpath(os.path.join(folder, name))
            if not name.startswith(".") and kind_of(path) is not None:
                yield path


def _in_set(folder: str) -> bool:
    """Whether a folder is a policy set, or one of those in which the files of a set stand."""
    if os.path.isfile(os.path.join(folder, ORGANISATION)):
        return True
    above = os.path.abspath(folder)
    while (name := os.path.basename(above)) and name not in KINDS:
        above = os.path.dirname(above)
    nested = above != os.path.abspath(folder) and name != "scenarios"
    if name == SPLIT and os.path.dirname(os.path.abspath(folder)) == above:
        nested = False
    return bool(name) and not nested and os.path.isfile(os.path.join(above, os.pardir, ORGANISATION))
