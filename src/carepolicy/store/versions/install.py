"""Installed policy sets: the store keeps the files of each, so that a case can live on by those it began under."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from carepolicy.engine.case import LiveProgram
from carepolicy.engine.program import live_program
from carepolicy.machine import cache
from carepolicy.machine.bundle import KIND, compile_folder, from_bytes, load_bundle, to_bytes
from carepolicy.policy.files import file_paths, laid_down
from carepolicy.store.faults import NotInstalled
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Transaction


class VersionRow(Struct, frozen=True):
    """A policy set that was installed: ``digest`` is that of its files. ``shadowed`` is not 0 while another set is
    tried beside the present one (see ``journal``); ``waiting`` is not 0 while single events are held back (see
    ``late``); ``restored`` is the number of the last restore (see ``backup``), 0 where there was none."""

    id: int
    digest: str
    installed: int
    shadowed: int
    waiting: int
    restored: int

    @property
    def epoch(self) -> str:
        """With what the ids end of all that the store writes since it was last put back."""
        return epoch_of(self.restored)


def epoch_of(restored: int) -> str:
    """With what ids end after the restore of that number; nothing where it is 0, and there was none."""
    return f".r{restored}" if restored else ""


class Installed(Struct, frozen=True):
    """A policy set of a store. ``number`` is what cases name it by."""

    number: int
    bundle: Bundle


def versions(transaction: Transaction) -> list[VersionRow]:
    """The policy sets that were installed, the present one last."""
    return [VersionRow(*each) for each in transaction.rows(statements.VERSIONS)]


def present(transaction: Transaction) -> VersionRow:
    """The policy set that events are taken by. Raises ``NotInstalled``."""
    installed = versions(transaction)
    if not installed:
        raise NotInstalled("the store has no policy set yet; `carepolicy event` and `carepolicy run` install the first")
    return installed[-1]


def in_use(transaction: Transaction) -> set[int]:
    """The numbers of the policy sets by which open cases live."""
    return {number for (number,) in transaction.rows(statements.VERSIONS_IN_USE)}


def older_sets(transaction: Transaction, number: int) -> list[Installed]:
    """The sets by which open cases live but the one of that number, compiled."""
    used = in_use(transaction) - {number}
    return [load_version(transaction, each) for each in versions(transaction) if each.id in used]


def install(transaction: Transaction, digest: str, installed: int, files: Mapping[str, bytes]) -> int:
    """Install a policy set; its number."""
    number: int = transaction.rows(statements.INSTALL, (digest, installed))[0][0]
    transaction.many(statements.INSTALL_FILE, [(number, path, content) for path, content in files.items()])
    return number


def installed_files(transaction: Transaction, version: int) -> dict[str, bytes]:
    """The files of an installed policy set."""
    return {path: bytes(content) for path, content in transaction.rows(statements.POLICY_FILES, (version,))}


def files_of(root: str) -> dict[str, bytes]:
    """The files of the policy set in a folder, by their names in the set: those of all layers where it has several."""
    found = {}
    for name, path in file_paths(root).items():
        with open(path, "rb") as file:
            found[name] = file.read()
    return found


def install_folder(transaction: Transaction, root: str, now: int) -> Installed:
    """Install the policy set in a folder. Raises ``PolicyErrors`` where it has errors."""
    bundle = load_bundle(root)
    return Installed(install(transaction, bundle.digest, now, files_of(root)), bundle)


def load_version(transaction: Transaction, version: VersionRow) -> Installed:
    """An installed policy set, compiled: from the cache, or from its files."""
    kept = cache.load(KIND, version.digest)
    if kept is not None:
        return Installed(version.id, from_bytes(kept))
    with as_folder(transaction, version) as folder:
        bundle = compile_folder(folder)
    cache.store(KIND, version.digest, to_bytes(bundle))
    return Installed(version.id, bundle)


@contextmanager
def as_folder(transaction: Transaction, version: VersionRow) -> Iterator[str]:
    """The files of an installed policy set in a folder, which is gone at the end of the block."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="carepolicy-") as folder:
        for path, content in installed_files(transaction, version.id).items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)
        yield laid_down(folder)


def with_older(bundle: Bundle, older: list[Installed]) -> Bundle:
    """``bundle`` with the facts and events of older sets by which cases still live."""
    facts = {name: fact for each in older for name, fact in each.bundle.facts.items()}
    carries: dict[str, tuple[str, ...]] = {}
    for each in (*(one.bundle for one in older), bundle):
        for event, carried in each.carries.items():
            carries[event] = tuple(dict.fromkeys((*carries.get(event, ()), *carried)))
    return replace(bundle, facts={**facts, **bundle.facts}, carries=carries)


def older_programs(installed: Installed, current: list[LiveProgram], places: dict[str, int]) -> list[LiveProgram]:
    """The programs of an older set, ready to step cases that live by them; none of them opens a case.

    Each stands in the place of the flow's present program, and is asked only about events that this
    one does not declare. ``places`` grows by the flows that are gone.
    """
    known = {program.flow: program for program in current}
    found: list[LiveProgram] = []
    for program in installed.bundle.programs:
        place = places.setdefault(program.flow, len(places))
        live = live_program(place, program, installed.bundle, opens=False)
        if program.flow in known:
            live.events = live.events - known[program.flow].events
            live.stratum = known[program.flow].stratum
            live.key = known[program.flow].key
        found.append(live)
    return found
