"""``carepolicy stream``: events that come in without end, on a cluster."""

from __future__ import annotations

import os

import click

from carepolicy.cli.sets import bundle_or_exit, policies_option
from carepolicy.cli.status import UNREACHABLE, CommandError, note
from carepolicy.cli.times import lateness_of


@click.command(
    epilog="Examples: carepolicy stream --from incoming --to records --checkpoint state --late 1h, "
    "carepolicy stream --from kafka://broker:9092/events --to s3a://shop/records --checkpoint s3a://shop/state, "
    "carepolicy stream --to records --list"
)
@click.option(
    "--from", "source", metavar="FOLDER|kafka://HOST:PORT/TOPIC",
    help="Where CloudEvents come from: files of lines of JSON that appear in a folder, or a topic of Kafka.",
)  # fmt: skip
@click.option("--to", "records", metavar="FOLDER", required=True, help="Where files of records go.")
@click.option(
    "--checkpoint",
    metavar="FOLDER",
    help="Where the stream remembers cases and what it has read; it goes on from there.",
)
@policies_option
@click.option("--engine", type=click.Choice(("spark",)), default="spark", show_default=True, help="What runs it.")
@click.option(
    "--late", metavar="DURATION", default="1h", show_default=True,
    help="Let timers wait so long for events that come late.",
)  # fmt: skip
@click.option(
    "--files", metavar="N", type=click.IntRange(1), help="Take so many files at a time; default: all that are there."
)
@click.option("--once", is_flag=True, help="End when what is there now is done.")
@click.option("--list", "lists", is_flag=True, help="Print the files of --to that count, in their order, and end.")
def command(
    source: str | None, records: str, checkpoint: str | None, policies: str, engine: str, late: str,
    files: int | None, once: bool, lists: bool,
) -> None:  # fmt: skip
    """Run events through the policies as they come in, with the cases kept by Spark.

    It ends by Ctrl-C, and goes on from its --checkpoint, also after it was killed: each event has happened once, and
    each record is written once. Time is that of the events: what falls due happens when the latest event is --late
    past it.

    Flows that hear what others raise, or are keyed by a fact, and watches take what they hear when its time has
    passed.
    """
    from carepolicy.spark.session import SparkFault
    from carepolicy.spark.stream import Stream, files_of, streamed

    try:
        if lists:
            for name in files_of(records):
                click.echo(name)
            return
        if source is None or checkpoint is None:
            raise click.UsageError("a stream needs --from and --checkpoint", click.get_current_context())
        if "://" not in source and not os.path.isdir(source):
            raise CommandError(f"{source}: there is no such folder")
        bundle = bundle_or_exit(policies)
        stream = Stream(source, records, checkpoint, lateness_of(late) // 1_000, files or 0, once)
        time = streamed(bundle, stream)
    except SparkFault as fault:
        raise CommandError(str(fault), UNREACHABLE) from None
    if time is not None:
        note(f"what falls due before {time} has happened")
