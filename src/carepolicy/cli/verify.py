"""``carepolicy verify``: whether the records of a store are all there, and as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from carepolicy.cli.sets import format_option
from carepolicy.cli.status import NO
from carepolicy.cli.stores import open_or_exit, store_option
from carepolicy.cli.terminal import plain

if TYPE_CHECKING:
    from carepolicy.store.verifying import Fault


@click.command(epilog="Example: carepolicy verify --store sqlite:///care.db --format json")
@store_option
@format_option("text", "json")
def command(store: str, form: str) -> None:
    """Find records that were altered, inserted or lost since they were written.

    Each record bears a hash over itself and the record before it. Exit status 1 means that some are not
    as they were written; each is named.
    """
    from carepolicy.store.verifying import Verifying

    found: list[Fault] = []
    with open_or_exit(store, create=False) as opened, opened.reading() as transaction:
        verifying = Verifying(transaction)
        for fault in verifying.faults():
            found.append(fault)
            if form == "text":
                click.echo(plain(_words(fault)))
    if form == "json":
        import orjson

        told = {"records": verifying.records, "faults": [each._asdict() for each in found]}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        many = f"{len(found):,} of them altered, inserted or missing" if found else "all as they were written"
        click.echo(f"{verifying.records:,} records: {many}", err=bool(found))
    if found:
        raise SystemExit(NO)


def _words(fault: Fault) -> str:
    if not fault.number:
        return f"{fault.kind}: {fault.words}"
    case = f"{fault.flow}/{fault.subject}" if fault.flow else f"{fault.subject}, of no case"
    return f"{fault.kind}: {case}, record {fault.number} {fault.words}"
