"""``carepolicy verify``: whether all that a store holds is there, and as it was written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import orjson

from carepolicy.cli.sets import format_option
from carepolicy.cli.status import NO, USAGE, CommandError
from carepolicy.cli.stores import open_or_exit, store_option
from carepolicy.cli.terminal import plain, progress
from carepolicy.cli.times import wall_clock
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.records.checkpoint import CHECKPOINT, NotSigned, checkpoint_of, faults_since, opened, proven
from carepolicy.store.records.verify import to_verify, verify

if TYPE_CHECKING:
    from carepolicy.store.contract import Store
    from carepolicy.store.records.verify import Discrepancy, Verified

PATH = click.Path()
WORTH_A_BAR = 20_000
"""So many records take about a second."""
VAULT = "vault:"
"""What stands before the name of a table of the vault."""


@click.command(
    epilog="\b\nExamples:\n  carepolicy verify --store sqlite:///care.db --format json\n"
    "  carepolicy verify --head > checkpoint.json    # keep it elsewhere\n"
    "  carepolicy verify --against checkpoint.json\n"
    "  carepolicy verify --proof proof.json --public-key KEY\n"
)
@click.option("--head", is_flag=True, help="Print a signed checkpoint of what stands, to be kept elsewhere.")
@click.option("--against", metavar="FILE", type=PATH, help="Also hold the store against a checkpoint of before.")
@click.option("--proof", metavar="FILE", type=PATH, help="Check what `case history --proof` printed; needs no store.")
@click.option("--public-key", "public", metavar="KEY", help="Who must have signed: the public key of a checkpoint.")
@store_option
@format_option("text", "json")
def command(head: bool, against: str | None, proof: str | None, public: str | None, store: str, form: str) -> None:
    """Find what was altered, put in or lost in a store since it was written.

    Each row bears a mac, and each table a sum over its rows, by a key that only who has the store's key can use.
    Exit status 1 means that something is not as it was written; each fault is named.
    """
    if head + (against is not None) + (proof is not None) > 1:
        raise click.UsageError("--head, --against and --proof exclude each other", click.get_current_context())
    if public is not None and against is None and proof is None:
        raise click.UsageError("--public-key goes with --against or --proof", click.get_current_context())
    if proof is not None:
        _check(proof, public, form)
        return
    said = None if against is None else _opened(against, public)
    with open_or_exit(store, create=False) as opened:
        with progress("verify", to_verify(opened) if sys.stderr.isatty() else 0, WORTH_A_BAR) as told:
            verified = verify(opened, told)
        if not any(fault.kind == "damaged" for fault in verified.faults):
            verified.faults.extend(_of_vault(opened))
        if said is not None and not any(fault.kind == "damaged" for fault in verified.faults):
            verified.faults.extend(faults_since(opened, said))
        if head and not verified.faults:
            click.echo(orjson.dumps(checkpoint_of(opened, wall_clock())))
            return
    _tell(verified, form)
    if verified.faults:
        raise SystemExit(NO)


def _of_vault(store: Store) -> list[Discrepancy]:
    """What is wrong with the vault that has the data keys of a store."""
    keys = DataKeys(store)
    if not keys.has_vault():
        return []
    return [fault._replace(table=f"{VAULT} {fault.table}".rstrip()) for fault in verify(keys.vault()).faults]


def _opened(path: str, public: str | None) -> dict[str, Any]:
    try:
        said = opened(_read(path), CHECKPOINT)
    except NotSigned as fault:
        raise CommandError(f"{path}: {fault}", NO) from None
    _demand(path, said["public_key"], public)
    return said


def _check(path: str, public: str | None, form: str) -> None:
    try:
        found = proven(_read(path))
    except NotSigned as fault:
        raise CommandError(f"{path}: {fault}", NO) from None
    _demand(path, found.public_key, public)
    if form == "json":
        click.echo(orjson.dumps(found._asdict(), option=orjson.OPT_INDENT_2))
        return
    click.echo(plain(f"{found.records:,} records of {found.subject}, as they stood at {found.time}"))
    click.echo(f"signed by {found.public_key}" + ("" if public else "; is that the store's public key?"))


def _demand(path: str, signed_by: str, public: str | None) -> None:
    if public is not None and public.strip() != signed_by:
        raise CommandError(f"{path}: it was signed by {signed_by}, which is another key", NO)


def _read(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as fault:
        raise CommandError(f"{path} cannot be read: {fault.strerror}", USAGE) from None


def _tell(verified: Verified, form: str) -> None:
    if form == "json":
        told = {"records": verified.records, "faults": [each._asdict() for each in verified.faults]}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    for fault in verified.faults:
        click.echo(plain(fault.in_words()))
    many = len(verified.faults)
    found = f"{many:,} fault{'s' * (many > 1)}" if many else "all as they were written"
    click.echo(f"{verified.records:,} records, and all that stands beside them: {found}", err=bool(many))
