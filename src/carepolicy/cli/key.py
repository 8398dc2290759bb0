"""``carepolicy key``: the keys that seal private facts."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from carepolicy.cli.status import NO, CommandError, say
from carepolicy.cli.stores import open_or_exit, store_option
from carepolicy.cli.terminal import progress
from carepolicy.cli.times import wall_clock
from carepolicy.store.privacy import rotation
from carepolicy.store.privacy.keys import (
    STORES,
    VARIABLE,
    fingerprint,
    from_file,
    given_keys,
    key_file,
    keys_of,
    new_key,
    rotating_keys,
    source,
)
from carepolicy.store.privacy.seal import DataKeys

if TYPE_CHECKING:
    from carepolicy.store.contract import Store

WORTH = 5_000
"""So many sealed things are worth a bar."""


@click.group(
    epilog="\b\nExamples:\n  carepolicy key show\n  carepolicy key rotate\n"
    "  CAREPOLICY_KEY=NEW,OLD carepolicy key rotate\n"
)
def command() -> None:
    """Look after the keys that seal private facts in the store.

    They are in CAREPOLICY_KEY (several with commas between: the first seals, all open), else in a key file
    that is made, for its owner alone, at the first use: CAREPOLICY_KEY_FILE, else carepolicy/key in the user's
    folder of settings. Keep a copy of it apart from copies of the store: without the key, what is private is gone.
    """


@command.command(epilog="\b\nExample:\n  carepolicy key new\n")
def new() -> None:
    """Print a new key, for CAREPOLICY_KEY."""
    click.echo(new_key())


@command.command(epilog="\b\nExample:\n  carepolicy key show --store sqlite:///care.db\n")
@store_option
def show(store: str) -> None:
    """Say where the keys come from, and by their fingerprints which of them the store was sealed with.

    Exit status 2 means that the store was sealed with none of them.
    """
    with open_or_exit(store, create=False) as opened:
        used = keys_of(opened)
        vault = DataKeys(opened).vault_named()
        have = [fingerprint(each) for each in given_keys()]
    click.echo(f"keys come from {source()}" + ("" if have else ", which is not there yet"))
    for number, each in enumerate(have):
        said = ("seals, " if number == 0 else "opens, ") + ("used in the store" if each in used else "not in the store")
        click.echo(f"  {each}  {said}")
    for each in used:
        if each not in have:
            click.echo(f"  {each}  used in the store, but not here")
    click.echo(f"data keys are in {vault or 'the store'}")
    if used and not set(used) & set(have):
        raise CommandError("the store was sealed with another key; put it back, or name it in CAREPOLICY_KEY")


@command.command(epilog="\b\nExample:\n  carepolicy key lost --yes\n")
@click.option("--yes", is_flag=True, help="It is meant.")
@store_option
def lost(yes: bool, store: str) -> None:
    """Give up data keys that are lost, with their vault or since a copy of it was put back that was too old.

    What they sealed counts as erased from then on, and the store goes on with the vault that is there, or a new one.
    """
    if not yes:
        raise CommandError("what is private is then gone, even if the vault is found again: add --yes if it is meant")
    with open_or_exit(store, create=False) as opened:
        sealer = DataKeys(opened)
        if not sealer.has_vault():
            raise CommandError("the data keys are in the store itself; none can be lost", NO)
        count = sealer.give_up()
    click.echo(f"{count:,} data key{'' if count == 1 else 's'} given up; what they sealed counts as erased")


@command.command(
    epilog="\b\nExamples:\n  carepolicy key rotate\n  carepolicy key rotate --drop-old\n"
    "  CAREPOLICY_KEY=NEW,OLD carepolicy key rotate\n"
)
@click.option("--drop-old", is_flag=True, help="Take old keys out of the key file; other stores may still need them.")
@store_option
def rotate(drop_old: bool, store: str) -> None:
    """Seal everything private in the store anew, with a new key.

    With a key file the new key is made and put in front of the old one, which stays there until --drop-old.
    With CAREPOLICY_KEY, put the new key in front yourself. It may be interrupted at any time and run again.
    """
    if drop_old and not from_file():
        raise CommandError(f"--drop-old is for a key file; take the old key out of {VARIABLE} yourself")
    with open_or_exit(store, create=False) as opened:
        if not from_file() and len(given_keys()) < 2:
            raise CommandError(f"put a new key in front: {VARIABLE}=NEW,OLD; `carepolicy key new` makes one")
        told = "waiting for a rotation of the same keys to end"
        with rotating_keys(lambda: say(told)) if from_file() else nullcontext():
            _rotate(opened, drop_old)


def _rotate(opened: Store, drop_old: bool) -> None:
    done, dropped = rotation.rotate(opened, wall_clock(), drop_old, lambda total: progress("Sealing", total, WORTH))
    click.echo(f"{done:,} sealed anew with the first key of {source()}")
    if dropped is None:
        if len(given_keys()) > 1:
            click.echo("the old key is not needed for this store any more")
        return
    if dropped.keys:
        click.echo(f"{dropped.keys} old key{'' if dropped.keys == 1 else 's'} dropped")
    if dropped.needed_by:
        raise CommandError(
            f"{', '.join(dropped.needed_by)} still needs an old key, which stays: rotate there too; if it is gone for "
            f"good, take its line out of {key_file()}{STORES}",
            NO,
        )
