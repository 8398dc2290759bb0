"""The files that a policy set consists of, their bytes, and a hash over them all; also files that were meant for the
set and have names by which nobody would find them. Nothing is parsed here."""

from __future__ import annotations

import os
import re
import stat
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.policy.findings import Finding

ORGANISATION = "organisation.yaml"
REQUIREMENTS = "requirements.yaml"
"""What the policies are to meet stands beside the organisation; it is no part of the set."""
FOLDERS = ("flows", "messages")
SPLIT = "messages"
"""The folder whose files may stand in a folder of their language: messages/en/orders.yaml."""
TEXTS = "texts"
"""The folder of catalogues: texts of the set, and in a folder of it carepolicy's own words, in other languages."""

LARGEST_FILE = 5_000_000
"""Bytes. A policy file of a large organisation has some 50,000."""


LIBRARY = "library"
"""Names the set that comes with carepolicy, where a folder of a set is named and none of that name is there."""

_LAYER = "layers/"
"""Where the files of each layer stand among those of a set that has several, and where a store lays them down."""


def layers_of(root: str | os.PathLike[str]) -> tuple[str, ...]:
    """The folders of a set, the lowest first: one, or several that are joined as paths are."""
    text = os.fspath(root)
    return (text,) if os.pathsep not in text or os.path.isdir(text) else tuple(text.split(os.pathsep))


def layered(folders: Iterable[str]) -> str:
    """The root of a set whose layers stand in these folders, the lowest first: what ``layers_of`` takes apart."""
    return os.pathsep.join(folder_meant(each) for each in folders)


def folder_meant(named: str) -> str:
    """A folder of a set as it is named: ``library`` comes with carepolicy, unless a folder here is called so."""
    if named != LIBRARY or os.path.isdir(named):
        return named
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    packed = os.path.join(here, LIBRARY)
    return packed if os.path.isdir(packed) else os.path.join(os.path.dirname(os.path.dirname(here)), "policies")


def as_named(root: str | os.PathLike[str]) -> str:
    """The root of a set as people name it: the one that comes with carepolicy is ``library``, wherever it stands."""
    library = folder_meant(LIBRARY)
    return os.pathsep.join(LIBRARY if layer == library else layer for layer in layers_of(root))


def file_at(root: str | os.PathLike[str], file: str) -> str:
    """Where a file stands as findings of a set name it: below its root; one of several layers is named from here."""
    return file if len(layers_of(root)) > 1 else os.path.join(root, file)


def is_set(root: str | os.PathLike[str]) -> bool:
    """Whether the lowest layer has an organisation.yaml."""
    return os.path.isfile(os.path.join(layers_of(root)[0], ORGANISATION))


def file_paths(root: str | os.PathLike[str]) -> dict[str, str]:
    """Where each file of a set stands, by its name in the set; of several layers, by ``layers/0/`` … and its name."""
    layers = layers_of(root)
    if len(layers) == 1:
        return {name: os.path.join(root, name) for name in policy_files(root)}
    return {
        f"{_LAYER}{number}/{name}": os.path.join(layer, name)
        for number, layer in enumerate(layers)
        for name in policy_files(layer)
    }


def laid_down(folder: str) -> str:
    """The root of a set whose files ``file_paths`` named and somebody wrote into a folder."""
    layers = listed(os.path.join(folder, _LAYER), folders=True)
    return layered(os.path.join(folder, _LAYER, each) for each in sorted(layers, key=int)) if layers else folder


def policy_files(root: str | os.PathLike[str]) -> list[str]:
    """The files that a policy set consists of, by their paths below ``root``, sorted.

    organisation.yaml, flows/*.yaml, messages/*.yaml and messages/*/*.yaml, the catalogues texts/*.po and
    texts/carepolicy/*.po, and the .ics files in the folder itself or in a folder in it, which calendars may import.
    Empty where there is no such folder.
    """
    found = [ORGANISATION] if os.path.exists(os.path.join(root, ORGANISATION)) else []
    for folder in ("", *listed(root, folders=True)):
        for name in listed(os.path.join(root, folder)):
            path = f"{folder}/{name}" if folder else name
            ours = (folder in FOLDERS and name.endswith(".yaml")) or (folder == TEXTS and name.endswith(".po"))
            if ours or name.endswith(".ics"):
                found.append(path)
        if folder == TEXTS:
            own = f"{TEXTS}/carepolicy"
            found += [f"{own}/{name}" for name in listed(os.path.join(root, own)) if name.endswith(".po")]
    for below in listed(os.path.join(root, SPLIT), folders=True):
        names = listed(os.path.join(root, SPLIT, below))
        found += [f"{SPLIT}/{below}/{name}" for name in names if name.endswith(".yaml")]
    return sorted(found)


def digest_of(root: str | os.PathLike[str]) -> str:
    """A hash over the names and bytes of a set's files, in hexadecimal digits. Reads, but parses nothing."""
    return digest({name: read_bytes(path, name)[0] for name, path in file_paths(root).items()})


def read_bytes(path: str | os.PathLike[str], name: str) -> tuple[bytes | None, list[Finding]]:
    """The bytes of an ordinary file that is not too large, or the reason why there are none."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None, [_fault("CP115", f"{name} is no ordinary file", name)]
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as problem:
        reason = (problem.strerror or "it cannot be read").lower()
        return None, [_fault("CP115", f"{name} cannot be read: {reason}", name)]
    if len(content) > LARGEST_FILE:
        message = f"{name} is larger than {LARGEST_FILE // 1_000_000} MB"
        return None, [_fault("CP106", message, name, "a policy file is text of some kilobytes; split this one")]
    return content, []


def _fault(code: str, message: str, name: str, hint: str = "") -> Finding:
    from carepolicy.policy.findings import Finding  # a set that is in the cache is hashed only
    from carepolicy.policy.places import Place

    return Finding(code, message, Place(name, 1, 1, 1, 1), hint)


def digest(contents: Mapping[str, bytes | None]) -> str:
    """A hash of names and contents; each is preceded by its length, so that no two sets run together."""
    made = blake2b(digest_size=20)
    for name, content in sorted(contents.items()):
        for piece in (name.encode("utf-8", "surrogateescape"), b"unreadable" if content is None else content):
            made.update(len(piece).to_bytes(8, "big"))
            made.update(piece)
    return made.hexdigest()


def listed(folder: str | os.PathLike[str], folders: bool = False) -> list[str]:
    """The names of the files (or folders) in a folder that are not hidden, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(each.name for each in entries if each.is_dir() == folders and not each.name.startswith("."))
    except OSError:
        return []


_ENDING = r"(?i:\.(yaml|yml|ymal|yalm|yam)(\.(txt|rtf|docx?|yaml|yml))?\Z)"
"""How names end that were meant to end in .yaml: as they should, misspelt, or with what an editor adds unasked."""

_ORGANISATION = ("organisation", "organization", "organisatie", "organización", "organizacion", "organisations")
_FOLDERS = {
    "flows": ("flow", "flowcharts", "flowchart", "charts", "abläufe", "ablaeufe", "ablauf", "flux", "flujos", "flujo"),
    "messages": ("message", "mesages", "messges", "nachrichten", "nachricht", "meldungen", "mensajes", "textos"),
}
_TEXTS = ("text", "translations", "translation", "locale", "locales", "po", "i18n", "texte", "textes", "traductions")
"""What people call these folders who do not know their names, in English, German, French and Spanish."""


def misplaced(root: str | os.PathLike[str]) -> list[Finding]:
    """A finding for each file that would be overlooked; one for all that stand in a folder that would be."""
    languages = [f"{SPLIT}/{each}" for each in listed(os.path.join(root, SPLIT), folders=True)]
    found = [each for folder in ("", *FOLDERS, *languages) for each in _misnamed(root, folder)]
    for folder in listed(root, folders=True):
        meant = _folder_meant(folder)
        names = _policies_in(os.path.join(root, folder)) if meant is not None else []
        if names:
            found.append(_overlooked(f"{folder}/{names[0]}", f"call the folder {meant}, or move its files to {meant}/"))
    found += _catalogues_misplaced(root)
    for folder, hint in (
        ("flows", "it must stand in flows/ itself"),
        *((each, f"it must stand in {each}/ itself") for each in languages),
    ):
        for below in listed(os.path.join(root, folder), folders=True):
            names = _policies_in(os.path.join(root, folder, below))
            found += [_overlooked(f"{folder}/{below}/{name}", hint) for name in names]
    return found


def _catalogues_misplaced(root: str | os.PathLike[str]) -> Iterator[Finding]:
    """Catalogues of texts that stand elsewhere than in texts/, or are called otherwise."""
    for folder in listed(root, folders=True):
        names = listed(os.path.join(root, folder))
        if folder == TEXTS:
            for name in names:
                stem, ending = os.path.splitext(name)
                if ending.lower() in (".po", ".pot", ".mo") and ending != ".po" and f"{stem}.po" not in names:
                    yield _overlooked(f"{TEXTS}/{name}", f"call it {stem}.po")
        elif folder.lower() == TEXTS or folder.lower() in _TEXTS:
            there = [name for name in names if name.lower().endswith(".po")]
            if there:
                yield _overlooked(f"{folder}/{there[0]}", f"call the folder {TEXTS}, or move its files to {TEXTS}/")


def organisation_meant(root: str | os.PathLike[str]) -> str | None:
    """The file that was meant to be organisation.yaml in a folder that has none; None where there is no such file."""
    return next((name for name in listed(root) if name != ORGANISATION and _is_organisation(name)), None)


def _misnamed(root: str | os.PathLike[str], folder: str) -> Iterator[Finding]:
    names = listed(os.path.join(root, folder))
    for name in names:
        path = f"{folder}/{name}" if folder else name
        meant = _name_meant(name)
        if meant is None or path in (ORGANISATION, REQUIREMENTS):
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
    ending = re.search(_ENDING, name)
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
    return _fault("CP115", f"{path} would be overlooked", path, hint)
