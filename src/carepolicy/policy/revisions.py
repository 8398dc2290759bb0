"""A policy set as it stood in a git revision, laid out in a folder for as long as it is read."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from carepolicy.policy.files import LIBRARY, folder_meant, layered, layers_of

_SECONDS = 60
_VERSION = re.compile(r"^version:\s*(\d{1,9})\s*(?:#.*)?$", re.MULTILINE)


class NoRevision(ValueError):
    """There is no such folder and no such git revision, or the revision has no such folder; the text says which."""


@contextmanager
def folder_of(named: str, policies: str) -> Iterator[str]:
    """The folder of a set: ``named`` itself where it is one, else that of a git revision, until the block ends.

    ``library`` is the set that comes with carepolicy, as everywhere; ``REV`` is the folder ``policies`` in that
    revision, ``REV:FOLDER`` another one. Raises NoRevision.
    """
    meant = layered(layers_of(named))
    if all(map(os.path.isdir, layers_of(meant))):
        yield meant
        return
    revision, colon, folder = named.partition(":")
    with tempfile.TemporaryDirectory(prefix="carepolicy-") as place:
        layers = (folder,) if colon else layers_of(policies)
        if len(layers) == 1:
            _lay_out(revision, layers[0], place)
            yield place
            return
        yield layered([_layer_then(revision, layer, Path(place, str(n))) for n, layer in enumerate(layers)])


def _layer_then(revision: str, layer: str, place: Path) -> str:
    """A layer as it stood in a revision; the library, which is in no revision of ours, as it is."""
    if os.path.realpath(layer) == os.path.realpath(folder_meant(LIBRARY)):
        return layer
    place.mkdir()
    _lay_out(revision, layer, str(place))
    return str(place)


def before_versions(folder: str, versions: Mapping[str, int]) -> dict[str, str]:
    """The newest revision in which the flow in each file of a folder had another version than this; a file without one
    is left out. Git is asked four times, however many files there are.

    Raises NoRevision where git, or the whole history, is not there.
    """
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NoRevision("the repository has only part of its history")
    head = _versions_in(folder, dict.fromkeys(versions, "HEAD"))
    found = {name: "HEAD" for name, version in versions.items() if head.get(name, version) != version}
    changed = {name: f"{commit}^" for name, commit in _changes_of_version(folder).items() if name in versions}
    before = _versions_in(folder, {name: at for name, at in changed.items() if name not in found})
    return found | {name: changed[name] for name, version in before.items() if version != versions[name]}


def committed_on(root: str) -> date | None:
    """The day of the last commit that changed a set, the newest of its layers'; None where it has changed since.

    None, too, where git or the whole history is not there: no day can be told of such a set. The library below a set
    of ours is of no day: it comes with carepolicy.
    """
    layers = layers_of(root)
    days = [_committed_on(layer) for layer in layers]
    library = os.path.realpath(folder_meant(LIBRARY))
    if any(day is None and os.path.realpath(layer) != library for day, layer in zip(days, layers, strict=True)):
        return None
    return max((day for day in days if day is not None), default=None)


def _committed_on(folder: str) -> date | None:
    try:
        shallow = _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
        if shallow or _git(folder, "status", "--porcelain", "--", ".").strip():
            return None
        told = _git(folder, "log", "-n", "1", "--format=%cs", "--", ".").decode().strip()
    except NoRevision:
        return None
    return date.fromisoformat(told) if told else None


@dataclass(frozen=True, slots=True)
class LastChange:
    """A file in git: the day of its last change, None while it is being changed, and the commit that it came with."""

    last: date | None
    came: str


def days_of(folder: str) -> dict[str, LastChange]:
    """Every file below a folder that git knows, by its path from there.

    Raises NoRevision where git, or the whole history, is not there.
    """
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NoRevision("the repository has only part of its history")
    plain = ("-c", "core.quotePath=off")
    told = _git(folder, *plain, "log", "--format=%x09%H %cs", "--name-only", "--relative", "--", ".")
    edited = set(_git(folder, *plain, "diff", "HEAD", "--name-only", "--relative", "--", ".").decode().splitlines())
    found: dict[str, LastChange] = {}
    commit, day = "", ""
    for line in told.decode("utf-8", "replace").splitlines():
        if line.startswith("\t"):
            commit, _, day = line[1:].partition(" ")
        elif line:
            last = found[line].last if line in found else None if line in edited else date.fromisoformat(day)
            found[line] = LastChange(last, commit)
    return found


def _changes_of_version(folder: str) -> dict[str, str]:
    """The newest commit in which a line with a version changed, of each file that is in a folder."""
    told = _git(folder, "-c", "core.quotePath=off", "log", "--format=%x09%H", "-G", "^version:", "--name-only",
                "--relative", "--", ".").decode("utf-8", "replace")  # fmt: skip
    found: dict[str, str] = {}
    commit = ""
    for line in told.splitlines():
        if line.startswith("\t"):
            commit = line[1:]
        elif line:
            found.setdefault(line, commit)
    return found


def _versions_in(folder: str, revisions: Mapping[str, str]) -> dict[str, int]:
    """The version that each file says in its revision, where it is there and says one."""
    wanted = [(name, revision) for name, revision in revisions.items() if "\n" not in name]
    if not wanted:
        return {}
    asked = "".join(f"{revision}:./{name}\n" for name, revision in wanted).encode()
    told = io.BytesIO(_git(folder, "cat-file", "--batch", said=asked))
    found: dict[str, int] = {}
    for name, _ in wanted:
        kind, _, size = told.readline().rstrip(b"\n").rpartition(b" ")
        if not kind.endswith(b" blob"):
            if size.isdigit():
                told.read(int(size) + 1)
            continue
        version = _VERSION.search(told.read(int(size) + 1).decode("utf-8", "replace"))
        if version is not None:
            found[name] = int(version[1])
    return found


def _lay_out(revision: str, folder: str, place: str) -> None:
    there = folder if os.path.isdir(folder) else "."
    if _known(there, revision) is None:
        raise NoRevision(f'there is no folder "{revision}", and no git revision of that name')
    # Where the folder exists its place in the repository is asked of git, so that an absolute path works as well.
    inside = _git(there, "rev-parse", "--show-prefix").decode().strip() if there == folder else f"./{folder}/"
    try:
        tree = _git(there, "rev-parse", "--verify", "--end-of-options", f"{revision}:{inside.rstrip('/')}")
    except NoRevision:
        raise NoRevision(f'revision "{revision}" has no folder {folder}') from None
    top = _git(there, "rev-parse", "--show-toplevel").decode().strip()
    packed = _git(top, "archive", "--format=tar", tree.decode().strip().rpartition("\n")[2])
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            data = archive.extractfile(member) if member.isfile() else None
            if data is None or path.is_absolute() or ".." in path.parts:
                continue
            target = Path(place, *path.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data.read())


def _known(there: str, revision: str) -> str | None:
    try:
        return _git(there, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode()
    except NoRevision:
        return None


def _git(there: str, *arguments: str, said: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", there, *arguments],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            input=said,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NoRevision(f"git could not be asked: {problem}") from problem
    if done.returncode:
        raise NoRevision(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout
