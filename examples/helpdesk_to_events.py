"""Turn a help desk's log (XES, plain or gzipped) into CloudEvents for the policies in examples/helpdesk.

    python examples/helpdesk_to_events.py helpdesk.xes.gz > events.jsonl

One trace is one ticket. What is known of a ticket travels with its first event, and again with any event
at which it changes. The file is read as a stream, one trace at a time; tickets are then put in order.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, cast

SOURCE = "/helpdesk"
NAME, TIME = "concept:name", "time:timestamp"
EVENTS = {
    "Insert ticket": "ticket_inserted",
    "Assign seriousness": "seriousness_assigned",
    "Take in charge ticket": "taken_in_charge",
    "Wait": "put_on_hold",
    "Require upgrade": "upgrade_required",
    "Create SW anomaly": "anomaly_created",
    "Resolve SW anomaly": "anomaly_resolved",
    "Schedule intervention": "intervention_scheduled",
    "VERIFIED": "marked_verified",
    "RESOLVED": "marked_resolved",
    "INVALID": "marked_invalid",
    "DUPLICATE": "marked_duplicate",
    "Resolve ticket": "ticket_resolved",
    "Closed": "ticket_closed",
}
"""By activity: the event. All fourteen activities of the log are here, in the order in which a ticket goes its way."""

FACTS = {
    "service_level": "ticket.service_level",
    "seriousness_2": "ticket.seriousness",
    "workgroup": "ticket.workgroup",
    "org:resource": "ticket.person",
    "customer": "customer.account",
}
"""By attribute of the log: the fact. ``seriousness`` is not among them: it is the same all through the log."""

CHOICES = {"ticket.service_level": "level", "ticket.seriousness": "degree"}

Attributes = dict[str, str]


def traces(file: IO[bytes]) -> Iterator[tuple[str, list[Attributes]]]:
    """Each trace's name and its events, read as a stream. Raises ET.ParseError for what is no XML."""
    for _, element in ET.iterparse(file):
        if _local(element) == "trace":
            name = next((each.get("value", "") for each in element if each.get("key") == NAME), "")
            if not name:
                raise ValueError(f"a trace has no {NAME}")
            events = [
                {each.get("key", ""): each.get("value", "") for each in event}
                for event in element
                if _local(event) == "event"
            ]
            yield name, events
            element.clear()


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def events_of(ticket: str, recorded: Iterable[Attributes]) -> Iterator[dict[str, object]]:
    """The CloudEvents of one ticket, by time; equal times keep the order of the log.

    Raises KeyError for an activity that the log is not known to have: nothing is left out in silence.
    """
    known: dict[str, str] = {}
    in_order = sorted(enumerate(recorded), key=lambda each: (_instant(each[1][TIME]), each[0]))
    for number, (_, attributes) in enumerate(in_order, 1):
        said = _facts(attributes)
        changed = {fact: value for fact, value in said.items() if known.get(fact) != value}
        known.update(said)
        event: dict[str, object] = {
            "specversion": "1.0",
            "id": f"{ticket}/{number}",
            "source": SOURCE,
            "type": EVENTS[attributes[NAME]],
            "subject": ticket,
            "time": _instant(attributes[TIME]).isoformat(),
        }
        if changed:
            event["data"] = changed
        yield event


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _facts(attributes: Attributes) -> dict[str, str]:
    facts = {fact: attributes[key] for key, fact in FACTS.items() if attributes.get(key)}
    for fact, word in CHOICES.items():
        if fact in facts:
            facts[fact] = f"{word}_{facts[fact].rpartition(' ')[2]}"
    return facts


def converted(path: str) -> Iterator[dict[str, object]]:
    """The CloudEvents of a log, by ticket and then by time."""
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        tickets = {_subject(name): events for name, events in traces(cast("IO[bytes]", file))}
    if not tickets:
        raise ValueError("it holds no trace")
    for ticket in sorted(tickets):
        yield from events_of(ticket, tickets[ticket])


def _subject(name: str) -> str:
    return name.lower().replace(" ", "-")


def main(arguments: list[str]) -> int:
    """Read the file that is named, write JSON lines on stdout."""
    if len(arguments) != 1:
        print("usage: python helpdesk_to_events.py LOG.xes[.gz] > events.jsonl", file=sys.stderr)
        return 2
    try:
        for event in converted(arguments[0]):
            print(json.dumps(event, separators=(",", ":")))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has had enough, as `head` does. Python must not find that out again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ET.ParseError, gzip.BadGzipFile, EOFError, zlib.error) as problem:
        return _refuse(f"{arguments[0]} is no XES log, or is cut short: {problem}")
    except KeyError as problem:
        return _refuse(
            f"{arguments[0]} has an event without {problem}, or an activity of that name that is not known here"
        )
    except (OSError, ValueError) as problem:
        return _refuse(f"{arguments[0]}: {getattr(problem, 'strerror', None) or problem}")
    return 0


def _refuse(reason: str) -> int:
    print(f"helpdesk_to_events: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
