"""Files and folders that were meant for a policy set, and would be overlooked for what they are called."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from carepolicy.policy.files import FOLDERS, ORGANISATION, listed
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

Root = str | os.PathLike[str]

_ENDING = re.compile(r"\.(yaml|yml|ymal|yalm|yam)(\.(txt|rtf|docx?|yaml|yml))?\Z", re.IGNORECASE)
"""How names end that were meant to end in .yaml: as they should, misspelt, or with what an editor adds unasked."""

_ORGANISATION = ("organisation", "organization", "organisatie", "organización", "organizacion", "organisations")
_FOLDERS = {
    "flows": ("flow", "flowcharts", "flowchart", "charts", "abläufe", "ablaeufe", "ablauf", "flux", "flujos", "flujo"),
    "messages": ("message", "mesages", "messges", "nachrichten", "nachricht", "meldungen", "mensajes", "textos"),
}
"""What people call these folders who do not know their names, in English, German, French and Spanish."""


def misplaced(root: Root) -> list[Finding]:
    """A finding for each file that would be overlooked; one for all that stand in a folder that would be."""
    found = [each for folder in ("", *FOLDERS) for each in _misnamed(root, folder)]
    for folder in listed(root, folders=True):
        meant = _folder_meant(folder)
        names = _policies_in(os.path.join(root, folder)) if meant is not None else []
        if names:
            found.append(_overlooked(f"{folder}/{names[0]}", f"call the folder {meant}, or move its files to {meant}/"))
    for folder in FOLDERS:
        for below in listed(os.path.join(root, folder), folders=True):
            names = _policies_in(os.path.join(root, folder, below))
            found += [_overlooked(f"{folder}/{below}/{name}", f"it must stand in {folder}/ itself") for name in names]
    return found


def organisation_meant(root: Root) -> str | None:
    """The file that was meant to be organisation.yaml in a folder that has none; None where there is no such file."""
    return next((name for name in listed(root) if name != ORGANISATION and _is_organisation(name)), None)


def _misnamed(root: Root, folder: str) -> Iterator[Finding]:
    names = listed(os.path.join(root, folder))
    for name in names:
        path = f"{folder}/{name}" if folder else name
        meant = _name_meant(name)
        if meant is None or path == ORGANISATION:
            continue
        if not folder and _is_organisation(name):
            there = ORGANISATION in names
            yield _overlooked(path, f"{ORGANISATION} is there already" if there else f"call it {ORGANISATION}")
        elif meant != name:
            yield _overlooked(path, f"call it {meant}")
        elif not folder:
            yield _overlooked(path, "flows stand in flows/, messages in messages/")


def _name_meant(name: str) -> str | None:
    """The name that a file of policies should have; None of a file that was not meant as one."""
    ending = _ENDING.search(name)
    return None if ending is None else f"{name[: ending.start()]}.yaml"


def _is_organisation(name: str) -> bool:
    meant = _name_meant(name)
    return meant is not None and meant.removesuffix(".yaml").lower() in _ORGANISATION


def _folder_meant(name: str) -> str | None:
    if name in FOLDERS:
        return None
    plain = name.lower()
    return next((folder for folder, others in _FOLDERS.items() if plain == folder or plain in others), None)


def _policies_in(folder: str) -> list[str]:
    return [name for name in listed(folder) if _name_meant(name) is not None]


def _overlooked(path: str, hint: str) -> Finding:
    return Finding("CP115", f"{path} would be overlooked", Place(path, 1, 1, 1, 1), hint)
