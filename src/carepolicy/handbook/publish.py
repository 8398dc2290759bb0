"""A site on the disk: written, or compared with what is there."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from carepolicy.handbook.site import MANIFEST

if TYPE_CHECKING:
    import os

    from carepolicy.handbook.site import Site

_CHART = re.compile(rb"<!-- chart -->.*?<!-- /chart -->", re.DOTALL)
_CHANGES = re.compile(rb"<!-- changes -->.*?<!-- /changes -->", re.DOTALL)
_COMPARED = (".html", ".dot", ".js", ".css")


def write(site: Site, folder: str | os.PathLike[str]) -> list[Path]:
    """Write every file of the site below ``folder``, and delete what an earlier handbook wrote there and this one not.

    The files that changed, new ones included. Files that no handbook wrote stay. Raises OSError.
    """
    root = Path(folder)
    for name in _written_before(root) - set(site.files):
        (root / name).unlink(missing_ok=True)
    changed: list[Path] = []
    for name, content in sorted(site.files.items()):
        path = root / name
        if _read(path) != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            changed.append(path)
    return changed


def stale(site: Site, folder: str | os.PathLike[str]) -> list[str]:
    """The files below ``folder`` that are not as the site says, by path: changed, missing, or left over.

    Pages, DOT files, scripts and styles are compared; pictures are not, since their bytes differ between
    versions of Graphviz, nor is what stands in a page for them; nor what changed since the last version, where
    the history that tells it is not there.
    """
    root = Path(folder)
    names = {name for name in site.files if name.endswith(_COMPARED)}

    def comparable(content: bytes | None) -> bytes | None:
        if content is None:
            return None
        kept = _CHART.sub(b"", content.replace(b"\r\n", b"\n"))
        return kept if site.history else _CHANGES.sub(b"", kept)

    found = {name for name in names if comparable(_read(root / name)) != comparable(site.files[name])}
    left = {name for name in _written_before(root) - names if name.endswith(_COMPARED) and (root / name).is_file()}
    return sorted(found | left)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _written_before(root: Path) -> set[str]:
    """The files that the list of an earlier handbook names; a name that leads out of the folder is none of ours."""
    text = (_read(root / MANIFEST) or b"").decode("utf-8", "replace")
    names = (line.strip() for line in text.splitlines())
    return {name for name in names if name and _is_inside(name)}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name
