"""How ``carepolicy outbox`` prints requests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

from carepolicy.cli.terminal import plain, width
from carepolicy.engine.recordwords import time_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.store.outbox.queue import Request

HEAD = ("id", "what", "for", "asked for", "state")


def printed(requests: Sequence[Request], form: str, zone: ZoneInfo) -> str:
    """Requests as text, as one object of JSON, or as an object a line."""
    if form == "json":
        told = {"requests": [each.as_dict() for each in requests]}
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "jsonl":
        return "".join(orjson.dumps(each.as_dict()).decode() + "\n" for each in requests)
    if not requests:
        return "nothing\n"
    rows = [HEAD, *(_row(each, zone) for each in requests)]
    wide = [max(width(row[place]) for row in rows) for place in range(len(HEAD))]
    lines = (
        "  ".join(cell + " " * (wide[place] - width(cell)) for place, cell in enumerate(row)).rstrip() for row in rows
    )
    return "\n".join(lines) + "\n"


def _row(request: Request, zone: ZoneInfo) -> tuple[str, ...]:
    data = request.data
    if request.kind == "message":
        what, whom = f"{data['template']} by {data['channel'] or 'no channel'}", data["to"] or "nobody"
    elif request.kind == "notice":
        what, whom = "notice", data["role"]
    else:
        what, whom = data["action"], "a service"
    cells = (request.id, what, whom, time_in_words(request.time, zone), _state(request, zone))
    return tuple(plain(each) for each in cells)


def _state(request: Request, zone: ZoneInfo) -> str:
    said = request.state
    if request.state == "leased":
        said += f" by {request.leased_by} (lease {request.lease}) until {time_in_words(request.ready, zone)}"
    elif request.state == "waiting" and request.ready:
        said += f" until {time_in_words(request.ready, zone)}"
    if request.state != "done" and request.attempts:
        said += f", {request.attempts} attempt{'' if request.attempts == 1 else 's'}"
    return said + (f": {request.fault}" if request.fault else "")
