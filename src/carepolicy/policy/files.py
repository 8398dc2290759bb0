"""The files that a policy set consists of, their bytes, and a hash over them all. Nothing is parsed here."""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.findings import Finding

ORGANISATION = "organisation.yaml"
FOLDERS = ("flows", "messages")

LARGEST_FILE = 5_000_000
"""Bytes. A policy file of a large organisation has some 50,000."""


def policy_files(root: str | os.PathLike[str]) -> list[str]:
    """The files that a policy set consists of, by their paths below ``root``, sorted.

    organisation.yaml, flows/*.yaml and messages/*.yaml, and the .ics files in the folder itself or in a
    folder in it, which calendars may import. Empty where there is no such folder.
    """
    found = [ORGANISATION] if os.path.exists(os.path.join(root, ORGANISATION)) else []
    for folder in ("", *listed(root, folders=True)):
        for name in listed(os.path.join(root, folder)):
            path = f"{folder}/{name}" if folder else name
            if name.endswith(".ics") or (folder in FOLDERS and name.endswith(".yaml")):
                found.append(path)
    return sorted(found)


def digest_of(root: str | os.PathLike[str]) -> str:
    """A hash over the names and bytes of a set's files, in hexadecimal digits. Reads, but parses nothing."""
    return digest({name: read_bytes(os.path.join(root, name), name)[0] for name in policy_files(root)})


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
    # Imported here, since most commands only ask for the digest of a sound set.
    from carepolicy.policy.findings import Finding
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
