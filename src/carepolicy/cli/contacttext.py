"""How ``carepolicy contact`` prints entries."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

from carepolicy.cli.spreadsheet import rows
from carepolicy.cli.terminal import plain
from carepolicy.engine.recordwords import time_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.engine.titles import Titles
    from carepolicy.store.privacy.contacts import Contact

FIELDS = ("time", "subject", "flow", "kind", "channel", "from", "to", "said", "state")


def printed(entries: Sequence[Contact], form: str, zone: ZoneInfo, titles: Titles) -> str:
    """Entries as text, as one object of JSON, or as CSV (RFC 4180) that no spreadsheet takes for formulas."""
    if form == "json":
        told = {"contacts": [each.as_dict() for each in entries]}
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        return "".join(rows((each.as_dict() for each in entries), FIELDS))
    if not entries:
        return f"nothing was said yet (times of {zone.key})\n"
    return "".join(_lines(each, zone, titles) for each in entries)


def _lines(entry: Contact, zone: ZoneInfo, titles: Titles) -> str:
    how = f" by {entry.channel}" if entry.channel else ""
    where = f"{entry.subject}, {titles.flow(entry.flow)}" if entry.flow else entry.subject
    state = f", {entry.state}" if entry.state else ""
    whom = f" to {entry.to}" if entry.to else ""
    head = f"{time_in_words(entry.time, zone)}  {entry.author}{whom}{how} ({where}{state})"
    said = [line for line in entry.said.splitlines() if line.strip()] or ["(no text)"]
    return plain(head) + "\n" + "".join(f"    {plain(line)}\n" for line in said)
