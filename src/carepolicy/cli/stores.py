"""The store that a command works on: its option, and its faults as exit statuses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from carepolicy.cli.sets import Command, demand_folder
from carepolicy.cli.status import UNREACHABLE, USAGE, Refused

if TYPE_CHECKING:
    from carepolicy.store.contract import Store

STORE, STORE_VARIABLE = "sqlite:///care.db", "CAREPOLICY_STORE"
"""The store where no option names one, and the variable of the environment that may."""


def store_option(command: Command) -> Command:
    """``--store URL`` as the parameter ``store``."""
    import click

    return click.option(
        "--store",
        metavar="URL",
        envvar=STORE_VARIABLE,
        default=STORE,
        show_default=True,
        show_envvar=True,
        help="The store: sqlite:///FILE or postgresql://USER@HOST/NAME.",
    )(command)


def lateness_option(command: Command) -> Command:
    """``--lateness DURATION`` of live operation, as the parameter ``lateness``."""
    import click

    return click.option(
        "--lateness",
        metavar="DURATION",
        help="Wait so long for events that are told late, and sort them (30s, 5m, 2h).",
    )(command)


def yes_option(command: Command) -> Command:
    """``--yes``, as the parameter ``yes``."""
    import click

    return click.option("--yes", is_flag=True, help="Also what is more than a day ahead of the clock.")(command)


@contextmanager
def open_or_exit(url: str, create: bool = True, policies: str | None = None) -> Iterator[Store]:
    """The store of that URL. What is wrong with it, now or later, is told in a sentence and ends the command:
    with 2 where the URL, the file or the key is the wrong one, with 3 where the store cannot be worked with.

    A file is made only where there is a policy set in the folder ``policies`` to begin with.
    """
    from carepolicy.store import faults
    from carepolicy.store.open import open_store
    from carepolicy.store.url import SQLITE, is_shadow

    if policies is not None and url.startswith(SQLITE) and not os.path.exists(url.removeprefix(SQLITE)):
        demand_folder(policies)
    try:
        if is_shadow(url):
            raise Refused("this is where `carepolicy apply --shadow` tries a set; ask that command about it", USAGE)
        store = open_store(url, create)
        try:
            with _telling_damage(store):
                yield store
        finally:
            store.close()
    except (faults.NoStoreUrl, faults.NotAStore, faults.NewerSchema, faults.WrongKey, faults.NotInstalled) as fault:
        raise Refused(str(fault), USAGE) from None
    except faults.StoreFault as fault:
        raise Refused(str(fault), UNREACHABLE) from None


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
        raise Refused(f"the store is damaged: {words}; `carepolicy verify` says more. Restore it from a copy") from None


def _damage(store: Store) -> str | None:
    from carepolicy.store.records.verify import verify

    try:
        found = verify(store).faults
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError):
        return "it cannot be looked through"
    return found[0].in_words() if found else None
