"""The store that a command works on: its option, its faults as exit statuses, the set that is installed there, and who
may see what is private in it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

import click

from carepolicy.cli.completion import roles
from carepolicy.cli.configuration import STORE, STORE_VARIABLE
from carepolicy.cli.sets import demand_folder, refuse
from carepolicy.cli.status import UNREACHABLE, USAGE, CommandError, say
from carepolicy.cli.times import wall_clock
from carepolicy.machine import cache
from carepolicy.machine.bundle import PolicyErrors
from carepolicy.policy.files import digest_of, file_paths, is_set, layers_of
from carepolicy.policy.likeness import with_hint
from carepolicy.store import faults
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.privacy.seal import NOBODY, Reader
from carepolicy.store.url import SQLITE, is_shadow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from carepolicy.cli.sets import Command
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.privacy.seal import DataKeys

DIGEST = "digest"
"""What the cache calls digests of folders, by how the files in them look from outside."""

SETTLED = 5_000_000
"""Microseconds after which a file that is touched again looks otherwise than before, on any file system."""


def store_option(command: Command) -> Command:
    """``--store URL`` as the parameter ``store``."""
    return click.option(
        "--store",
        metavar="URL",
        envvar=STORE_VARIABLE,
        default=STORE,
        show_default=True,
        show_envvar=True,
        help="The store: sqlite:///FILE or postgresql://USER@HOST/NAME.",
    )(command)


def limit_option(what: str = "") -> Callable[[Command], Command]:
    """``--limit N``, as the parameter ``limit``; ``what`` is listed."""
    told = f"No more {what} than these." if what else "No more than these."
    return click.option("--limit", type=click.IntRange(1), help=told)


def reveal_options(wanted: Command) -> Command:
    """``--reveal`` and ``--as ROLE``, as the parameters ``reveal`` and ``role``."""
    wanted = click.option(
        "--as", "role", metavar="ROLE", shell_complete=roles, help="Who reads: sees what may_see: of the role lists."
    )(wanted)
    return click.option("--reveal", is_flag=True, help="Show private facts, as far as the role of --as may see them.")(
        wanted
    )


@contextmanager
def open_or_exit(url: str, create: bool = True, policies: str | None = None) -> Iterator[Store]:
    """The store of that URL. What is wrong with it, now or later, is told in a sentence and ends the command:
    with 2 where the URL, the file or the key is the wrong one, with 3 where the store cannot be worked with.

    A file is made only where there is a policy set in the folder ``policies`` to begin with.
    """
    if policies is not None and url.startswith(SQLITE) and not os.path.exists(url.removeprefix(SQLITE)):
        demand_folder(policies)
    try:
        if is_shadow(url):
            raise CommandError(
                "this is where `carepolicy apply --shadow` tries a set; ask that command about it", USAGE
            )
        store = open_store(url, create)
        try:
            with _telling_damage(store):
                yield store
        finally:
            store.close()
    except (faults.NoStoreUrl, faults.NotAStore, faults.NewerSchema, faults.WrongKey, faults.NotInstalled) as fault:
        raise CommandError(str(fault), USAGE) from None
    except faults.StoreFault as fault:
        raise CommandError(str(fault), UNREACHABLE) from None


@contextmanager
def _telling_damage(store: Store) -> Iterator[None]:
    """Who reads what somebody has written over a store stumbles somewhere. Then all of the store is looked at: where it
    is not as it was written, that is the reason; else it is a fault of ours."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError):
        words = _damage(store)
        if words is None:
            raise
        raise CommandError(
            f"the store is damaged: {words}; `carepolicy verify` says more. Restore it from a copy"
        ) from None


def _damage(store: Store) -> str | None:
    from carepolicy.store.records.verify import verify

    try:
        found = verify(store).faults
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError):
        return "it cannot be looked through"
    return found[0].in_words() if found else None


def operation_or_exit(store: Store, policies: str, reads: bool = False) -> tuple[Operation, Bundle]:
    """The installed set at work on a store; the one in the folder ``policies`` is installed where there is none. What
    only ``reads`` writes nothing to a store that has one."""
    operation = Operation(store, policies if os.path.isdir(layers_of(policies)[0]) else None, wall_clock())
    try:
        bundle = operation.installed() if reads and operation.has_set() else operation.bundle()
    except faults.NotInstalled:
        demand_folder(policies)
        raise
    except PolicyErrors as problem:
        refuse(policies, problem.findings)
    if differs(policies, bundle.digest):
        say(f"note: {policies} differs from the policies that are installed in the store, which count")
    return operation, bundle


def differs(policies: str, digest: str) -> bool:
    """Whether a folder has a set, and another than that of a digest."""
    return is_set(policies) and _digest(policies) != digest


def _digest(policies: str) -> str:
    """The digest of a set's files; from the cache where none was touched since it was worked out. To read and hash
    thirty flows in four languages takes as long as half of an event."""
    try:
        looks, touched = _looks(policies)
    except OSError:  # a link to nowhere, or a file that has just gone
        return digest_of(policies)
    kept = cache.load(DIGEST, looks)
    if kept is not None:
        return kept.decode()
    found = digest_of(policies)
    if touched < wall_clock() - SETTLED:  # else a file may be written again within the tick of the clock of files
        cache.store(DIGEST, looks, found.encode())
    return found


def _looks(policies: str) -> tuple[str, int]:
    """What changes whenever somebody touches a file of a set, and when that was last done, in microseconds."""
    looks, touched = blake2b(digest_size=20), 0
    for name, path in file_paths(policies).items():
        about = os.stat(path)
        touched = max(touched, about.st_ctime_ns // 1_000, about.st_mtime_ns // 1_000)
        told = (name, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        looks.update(repr(told).encode("utf-8", "surrogateescape"))
    return looks.hexdigest(), touched


def bundle_of(store: Store) -> tuple[Bundle, DataKeys]:
    """The installed set, and who opens what is private."""
    operation = Operation(store, None, wall_clock())
    return operation.installed(), operation.sealer


def reader_of(bundle: Bundle, reveal: bool, role: str | None) -> Reader:
    """Who reads. Refuses a role that is none, or that may see nothing."""
    if role is not None and role not in bundle.may_see:
        raise CommandError(with_hint(f'there is no role "{role}"', role, bundle.may_see))
    if not reveal:
        return NOBODY
    if role is None:
        raise CommandError("--reveal needs to know who reads: add --as ROLE")
    if not bundle.may_see[role]:
        raise CommandError(
            f"{role} may see nothing that is private; may_see: of a role in organisation.yaml lists what it may"
        )
    return Reader(bundle.may_see[role])
