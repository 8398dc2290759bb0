"""``carepolicy store``: a store as a whole: a copy of it, that it was put back, and how it is doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.sets import Command, format_option
from carepolicy.cli.status import NO
from carepolicy.cli.stores import bundle_of, open_or_exit, store_option
from carepolicy.cli.terminal import plain
from carepolicy.cli.times import lateness_of, now_of, now_option, wall_clock
from carepolicy.engine.history.words import length_in_words, time_in_words
from carepolicy.store.backup import back_up, note_restore
from carepolicy.store.privacy.keys import source
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.status import status_of

if TYPE_CHECKING:
    from carepolicy.store.backup import Backup
    from carepolicy.store.status import Status

MEGABYTE = 1_000_000
BOUNDS = {
    "open": "open cases", "late": "late cases", "lag": "how long timers are overdue", "waiting": "requests that wait",
    "waiting-age": "the age of the oldest request that waits", "parked": "parked requests", "dead": "dead letters",
    "size": "megabytes",
}  # fmt: skip
"""What may have a bound, and what it is."""

LENGTHS = frozenset(("lag", "waiting-age"))
"""Of these, what is a length of time."""


@click.group(
    epilog="\b\nExamples:\n  carepolicy store backup /backups/care-2026-03-02.db\n"
    "  carepolicy store status --max-late 10 --max-lag 5m --max-parked 0\n"
)
def command() -> None:
    """Look after a store as a whole: copy it, put it back, and see how it is doing."""


@command.command(
    epilog="\b\nExamples:\n  carepolicy store backup /backups/care-2026-03-02.db\n"
    "  carepolicy store backup care.db.copy --store postgresql://care@db.example.org/care\n"
)
@click.argument("file", type=click.Path(dir_okay=False))
@store_option
@format_option("text", "json")
def backup(file: str, store: str, form: str) -> None:
    """Copy the store into FILE while it is at work, as it is at one instant.

    FILE is a store in SQLite, of a store in PostgreSQL too, and can be worked with as it is. It is whole or not there
    at all, for you alone to read, on the disk when this ends, and was verified. It must not be there before. What is
    private in it cannot be read without the key, which is not in it: keep that as well, elsewhere.
    """
    with open_or_exit(store, create=False) as opened:
        made = back_up(opened, file)
        vault = DataKeys(opened).vault_named()
    if form == "json":
        click.echo(orjson.dumps({**made._asdict(), "vault": vault}, option=orjson.OPT_INDENT_2))
    else:
        click.echo(_backup_text(made, vault), nl=False)


def _backup_text(made: Backup, vault: str | None) -> str:
    lines = [f"{made.path}: {made.size / MEGABYTE:,.1f} MB, {made.records:,} records, all as they were written"]
    if made.keys:
        lines.append(f"keep the key as well, elsewhere ({', '.join(made.keys)}, now in {source()}):")
        lines.append("without it what is private in the copy is lost, beside it the copy hides nothing")
    if vault is not None:
        lines.append(f"keep the newest copy of the vault, and no older one, elsewhere too: {vault}")
    lines.append("after putting it back: `carepolicy verify`; the policy files are in it, what a shadow tried is not")
    return "".join(plain(line) + "\n" for line in lines)


@command.command(
    epilog="\b\nExample:\n  cp /backups/care-2026-03-02.db care.db && carepolicy store restored && carepolicy verify\n"
)
@store_option
@format_option("text", "json")
def restored(store: str, form: str) -> None:
    """Say that the store was put back from a backup.

    What it writes from now on has ids that end with this instant (flow/subject/13.r20260302090000000), so that none is
    one that went out after the backup was made. Leave it out only where the very same events are fed again in the same
    order: then the same ids stand for the same records.
    """
    with open_or_exit(store, create=False) as opened:
        epoch = note_restore(opened, wall_clock())
    if form == "json":
        click.echo(orjson.dumps({"epoch": epoch}))
    else:
        click.echo(f"ids of records and requests end with {epoch} from now on")


def bounds_options(wanted: Command) -> Command:
    """``--max-late`` and the like, as parameters of those names."""
    for name, what in reversed(BOUNDS.items()):
        kind = str if name in LENGTHS else click.IntRange(0)
        metavar = "DURATION" if name in LENGTHS else "N"
        wanted = click.option(f"--max-{name}", type=kind, metavar=metavar, help=f"Bound of {what}.")(wanted)
    return wanted


@command.command(
    epilog="\b\nExamples:\n  carepolicy store status\n  carepolicy store status --format json\n"
    "  carepolicy store status --max-lag 5m --max-waiting-age 1h --max-parked 0 --max-dead 100\n"
)
@bounds_options
@now_option
@format_option("text", "json")
@store_option
def status(now: str | None, form: str, store: str, **bounds: str | int | None) -> None:
    """Say how the store is doing: cases, timers, outbox, dead letters, size.

    Exit status 1 means that something is past a bound, which is named.
    """
    most = {
        name: lateness_of(str(bound)) / 1_000_000 if name in LENGTHS else int(bound)
        for name in BOUNDS
        if (bound := bounds[f"max_{name.replace('-', '_')}"]) is not None
    }
    with open_or_exit(store, create=False) as opened:
        bundle, _ = bundle_of(opened)
        found = status_of(opened, now_of(now, bundle))
    past = _past(found, most)
    if form == "json":
        told = [{"what": name, "is": number, "most": most[name]} for name, number in past.items()]
        click.echo(orjson.dumps({**found.as_dict(), "past": told}, option=orjson.OPT_INDENT_2))
    else:
        click.echo(_status_text(found, ZoneInfo(bundle.timezone)), nl=False)
        for name, number in past.items():
            what = f"{BOUNDS[name]}: {_said(name, number)}, more than {_said(name, most[name])}"
            click.echo(f"past its bound: {what} (--max-{name})", err=True)
    if past:
        raise SystemExit(NO)


def _past(found: Status, most: Mapping[str, float]) -> dict[str, float]:
    """What is past its bound."""
    numbers = {**found.numbers, "size": found.size / MEGABYTE}
    return {name: numbers[name] for name, bound in most.items() if numbers[name] > bound}


def _said(name: str, number: float) -> str:
    return length_in_words(number, "elapsed") if name in LENGTHS else f"{number:,.0f}"


def _status_text(found: Status, zone: ZoneInfo) -> str:
    outbox = ", ".join(f"{count:,} {state}" for state, count in found.outbox.items())
    if found.waiting_age:
        outbox += f"; the oldest has waited {length_in_words(found.waiting_age, 'elapsed')}"
    due = "nothing is due" if found.next_due is None else f"next due {time_in_words(found.next_due, zone)}"
    if found.overdue:
        due = f"{found.overdue:,} overdue, the first by {length_in_words(found.lag, 'elapsed')}"
    dead = ", ".join(f"{count:,} {code}" for code, count in found.dead.items())
    rows = {
        "cases": f"{found.open:,} open, {found.late:,} late",
        "timers": due,
        "outbox": outbox,
        "dead letters": f"{sum(found.dead.values()):,}" + (f" ({dead})" if dead else ""),
        "records": f"{found.records:,}",
        "policies": f"{found.policies[:12]}, installed {time_in_words(found.installed, zone)}",
        "store": f"{found.size / MEGABYTE:,.1f} MB, tables of version {found.version}",
    }
    return "".join(plain(f"{name:<13}{value}") + "\n" for name, value in rows.items())
