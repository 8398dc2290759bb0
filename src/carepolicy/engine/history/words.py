"""What happened to a case, in words: one line a record, with times as the organisation's clocks show them."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from carepolicy.engine.history.cases import ENDED, LATE, PAUSED, RUNNING, ClockView
from carepolicy.engine.instants import datetime_of, parse
from carepolicy.engine.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.machine.program import Bundle


class Titles:
    """The titles of a set; where it is not known, or has not what is asked about, names stand for themselves."""

    def __init__(self, bundle: Bundle | None = None) -> None:
        programs = () if bundle is None else bundle.programs
        self._flows = {each.flow: each.title for each in programs}
        self._states = {(each.flow, state.name): state.title for each in programs for state in each.states}
        self._clocks = {(each.flow, clock.name): clock.title for each in programs for clock in each.clocks}
        self._events = {(each.flow, name): told.title for each in programs for name, told in each.happenings.items()}
        self._roles: Mapping[str, str] = {} if bundle is None else bundle.role_titles

    def flow(self, name: str) -> str:
        """``Answer an e-mail (email_inquiry)``."""
        return _both(self._flows.get(name), name)

    def state(self, flow: str, name: str) -> str:
        """``Late - apologise first (overdue)``."""
        return _both(self._states.get((flow, name)), name)

    def state_said(self, flow: str, name: str) -> str:
        """A state amid other words: its title in quotes."""
        return _quoted(self._states.get((flow, name)), name)

    def clock(self, flow: str, name: str) -> str:
        """``First answer``."""
        return self._clocks.get((flow, name)) or name

    def clock_said(self, flow: str, name: str) -> str:
        """A clock amid other words: its title in quotes."""
        return _quoted(self._clocks.get((flow, name)), name)

    def role(self, name: str) -> str:
        """``Care team lead``."""
        return self._roles.get(name) or name

    def cause(self, flow: str, trigger: str) -> str:
        """Why a case moved: ``on "The customer writes again"``, ``as "First answer" is late``."""
        if trigger == "after":
            return "as its time was up"
        clock, _, what = trigger.rpartition(".")
        if (flow, clock) in self._clocks and what in HAPPENS:
            return f"as {self.clock_said(flow, clock)} {HAPPENS[what]}"
        return f"on {_quoted(self._events.get((flow, trigger)), trigger)}"


def _both(title: str | None, name: str) -> str:
    if title and title.lower() == name.replace("_", " "):
        return title
    return f"{title} ({name})" if title else name


def _quoted(title: str | None, name: str) -> str:
    return name if not title or title == name else f'"{title}"'


NAMES = Titles()
"""No titles at all: what is named is told by its name."""


DAYS = "business_days"
_OF_BASIS = {"business_time": " of business time", DAYS: "", "elapsed": ""}
_CLOCKS = {
    "started": "starts", "resumed": "goes on", "restarted": "starts anew", "paused": "is paused",
    "warned": "warns", "late": "is late", "met": "is met", "ended": "ends", "cancelled": "is cancelled",
    "extended": "has a new limit",
}  # fmt: skip
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def time_in_words(at: int, zone: tzinfo) -> str:
    """``Fri 2026-03-06 16:30`` in ``zone``, with seconds where there are some. ``at`` is microseconds since 1970."""
    try:
        local = datetime_of(at).astimezone(zone)
    except OverflowError:
        return "out of all years"
    seconds = f":{local.second:02}" if local.second or local.microsecond else ""
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[local.weekday()]} {local:%Y-%m-%d %H:%M}{seconds}"


def due_in_words(due: str, zone: tzinfo) -> str:
    """The due time of a record, in words."""
    return time_in_words(parse(due), zone)


def length_in_words(seconds: float, basis: str) -> str:
    """``2 h 15 min of business time``, ``1 d 4 h``, ``1.5 business days``: the two largest units that are there."""
    if basis == DAYS:
        number = f"{seconds / _DAY:.2f}".rstrip("0").rstrip(".")
        return f"{number} business day{'' if number == '1' else 's'}"
    whole = int(seconds)
    days, rest = divmod(whole, _DAY) if basis == "elapsed" else (0, whole)
    hours, rest = divmod(rest, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (left, "s")) if count]
    return (" ".join(parts[:2]) or "0 min") + _OF_BASIS.get(basis, "")


def clock_in_words(clock: ClockView, zone: tzinfo) -> str:
    """How a clock stands: ``running, due Fri 2026-03-06 16:30, 2 h of 3 h of business time used``."""
    paused_late = clock.status == PAUSED and clock.late
    parts = [f"{PAUSED}, and late" if paused_late else clock.status]
    if clock.due is not None and clock.status in (RUNNING, LATE):
        parts.append(f"{'was' if clock.late else ''} due {due_in_words(clock.due, zone)}".lstrip())
    if clock.status == ENDED and clock.over is not None:
        parts.append(f"{length_in_words(clock.over, clock.basis)} over")
    used = length_in_words(clock.used, clock.basis)
    limit = "no limit" if clock.limit is None else length_in_words(clock.limit, clock.basis)
    if clock.status not in (RUNNING, LATE):
        parts.append(f"{used} used, limit {limit}")
    elif clock.used:
        parts.append(f"{used} used at {time_in_words(parse(clock.at), zone)}, limit {limit}")
    else:
        parts.append(f"limit {limit}")
    return ", ".join(parts)


def record_in_words(record: Record, zone: tzinfo, titles: Titles = NAMES) -> str:
    """What a record says, without its time."""
    data, flow = record.data, record.flow or ""
    if record.kind.startswith("clock."):
        said = titles.clock_said(flow, data["clock"])
        return _clock(record.kind.removeprefix("clock."), said, data, zone)
    if record.kind.startswith("event."):
        event = data["event"].get("type") or "an event"
        return f"{event} {record.kind.removeprefix('event.')}: {data['reason']} ({data['code']})"
    return _of_case(record.kind, flow, data, titles)


def _of_case(kind: str, flow: str, data: Any, titles: Titles) -> str:
    match kind:
        case "case.opened":
            return f"opened in {titles.state_said(flow, data['state'])}"
        case "case.moved":
            before, after = titles.state_said(flow, data["from"]), titles.state_said(flow, data["to"])
            return f"{before} -> {after}, {titles.cause(flow, data['on'])}"
        case "case.closed":
            return f"closed in {titles.state_said(flow, data['state'])}: {data['outcome']}"
        case "task.assigned":
            person = f" ({data['person']})" if data.get("person") else ""
            return f"task for {titles.role(data['role'] or 'nobody')}{person}"
        case "message.requested":
            title = f': "{data["subject"]}"' if data.get("subject") else ""
            return f"message {data['template']} by {data['channel'] or 'no channel'}{title}"
        case "notice.requested":
            return f"{titles.role(data['role'])} is told: {data['text']}"
        case _:
            given = ", ".join(f"{name}={value}" for name, value in data.get("with", {}).items())
            return f"action {data['action']} is asked for" + (f" ({given})" if given else "")


def _clock(what: str, title: str, data: Any, zone: tzinfo) -> str:
    said = f"clock {title} {_CLOCKS[what]}"
    if what in ("met", "ended", "paused", "cancelled"):
        said += f", {length_in_words(data['used'], data['basis'])} used"
    if what == "ended" and "over" in data:
        said += f", {length_in_words(data['over'], data['basis'])} over"
    if "due" in data:
        said += f", {'was' if what == 'late' else ''} due {due_in_words(data['due'], zone)}".replace(",  ", ", ")
    if "reason" in data:
        said += f": {data['reason']}"
    return said


HAPPENS = {"late": "is late", "warned": "warns", "met": "is met"}
