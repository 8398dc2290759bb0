"""Installed policy sets: the store keeps the files of each, so that a case can live on by those it began under."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.engine.program import LiveProgram
from carepolicy.machine import cache
from carepolicy.machine.bundle import KIND, compile_folder, from_bytes, load_bundle, to_bytes
from carepolicy.policy.files import policy_files
from carepolicy.store.faults import NotInstalled

if TYPE_CHECKING:
    from carepolicy.engine.program import LiveProgram
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Transaction, VersionRow


class Installed(NamedTuple):
    """A policy set of a store. ``number`` is what cases name it by."""

    number: int
    bundle: Bundle


def present(transaction: Transaction) -> VersionRow:
    """The policy set that events are taken by. Raises ``NotInstalled``."""
    versions = transaction.versions()
    if not versions:
        raise NotInstalled("the store has no policy set yet; `carepolicy event` and `carepolicy run` install the first")
    return versions[-1]


def files_of(root: str) -> dict[str, bytes]:
    """The files of the policy set in a folder, by their paths in it."""
    found = {}
    for name in policy_files(root):
        with open(os.path.join(root, name), "rb") as file:
            found[name] = file.read()
    return found


def install_folder(transaction: Transaction, root: str, now: int) -> Installed:
    """Install the policy set in a folder. Raises ``PolicyErrors`` where it has errors."""
    bundle = load_bundle(root)
    return Installed(transaction.install(bundle.digest, now, files_of(root)), bundle)


def load_version(transaction: Transaction, version: VersionRow) -> Installed:
    """An installed policy set, compiled: from the cache, or from its files."""
    kept = cache.load(KIND, version.digest)
    if kept is not None:
        return Installed(version.id, from_bytes(kept))
    import tempfile

    with tempfile.TemporaryDirectory(prefix="carepolicy-") as folder:
        for path, content in transaction.policy_files(version.id).items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)
        bundle = compile_folder(folder)
    cache.store(KIND, version.digest, to_bytes(bundle))
    return Installed(version.id, bundle)


def older_sets(transaction: Transaction, number: int) -> list[Installed]:
    """The sets, other than that of a number, by which open cases still live."""
    in_use = {*transaction.versions_in_use()} - {number}
    return [load_version(transaction, each) for each in transaction.versions() if each.id in in_use]


def with_older(bundle: Bundle, older: list[Installed]) -> Bundle:
    """``bundle`` with the facts and events of older sets by which cases still live."""
    facts = {name: fact for each in older for name, fact in each.bundle.facts.items()}
    carries: dict[str, tuple[str, ...]] = {}
    for each in (*(one.bundle for one in older), bundle):
        for event, carried in each.carries.items():
            carries[event] = tuple(dict.fromkeys((*carries.get(event, ()), *carried)))
    return bundle._replace(facts={**facts, **bundle.facts}, carries=carries)


def older_programs(installed: Installed, current: list[LiveProgram], places: dict[str, int]) -> list[LiveProgram]:
    """The programs of an older set, ready to step cases that live by them; none of them opens a case.

    Each stands in the place of the flow's present program, and is asked only about events that this
    one does not declare. ``places`` grows by the flows that are gone.
    """
    known = {program.flow: program for program in current}
    found: list[LiveProgram] = []
    for program in installed.bundle.programs:
        place = places.setdefault(program.flow, len(places))
        live = LiveProgram(place, program, installed.bundle, opens=False)
        if program.flow in known:
            live.events = live.events - known[program.flow].events
            live.stratum = known[program.flow].stratum
            live.key = known[program.flow].key
        found.append(live)
    return found
