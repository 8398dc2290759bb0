"""What happened to a case, in words: one line a record, with times as the organisation's clocks show them.

Words are those of a translation that whoever asks brings along; English where none is.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.words import weekday_in_words
from carepolicy.engine.history.cases import CANCELLED, ENDED, LATE, MET, PAUSED, RUNNING, ClockView
from carepolicy.engine.instants import datetime_of, parse
from carepolicy.engine.record import Record
from carepolicy.translations import COLON, ENGLISH, Translation, msg, msgs, pmsg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.machine.program import Bundle

IN_ENGLISH = Translation(ENGLISH)

_BY_ITSELF = msg("as its time was up")
_HAPPENS = {"late": msg("as {} is late"), "warned": msg("as {} warns"), "met": msg("as {} is met")}
_ON = msg("on {}")
_QUOTED = msg('"{}"')


class Titles:
    """The titles of a set in a language, and the language's words; where the set is not known, or has not what is asked
    about, names stand for themselves."""

    def __init__(
        self,
        bundle: Bundle | None = None,
        words: Translation = IN_ENGLISH,
        outcomes: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        programs = () if bundle is None else bundle.programs
        self.words = words
        self._outcomes = outcomes or {}
        self._flows = {each.flow: each.title for each in programs}
        self._states = {(each.flow, state.name): state.title for each in programs for state in each.states}
        self._clocks = {(each.flow, clock.name): clock.title for each in programs for clock in each.clocks}
        self._events = {(each.flow, name): told.title for each in programs for name, told in each.happenings.items()}
        self._roles: Mapping[str, str] = {} if bundle is None else bundle.role_titles

    def say(self, phrase: str, *parts: object) -> str:
        """A phrase of ours in the language, filled in."""
        return self.words.gettext(phrase).format(*parts)

    def pair(self, what: str, told: str) -> str:
        """``what: told``, with the colon of the language."""
        return f"{what}{self.words.gettext(COLON)} {told}"

    def flow(self, name: str) -> str:
        """``Answer an e-mail (email_inquiry)``."""
        return _both(self._flows.get(name), name)

    def flow_alone(self, name: str) -> str:
        """``Answer an e-mail``."""
        return self._flows.get(name) or name

    def state(self, flow: str, name: str) -> str:
        """``Late - apologise first (overdue)``."""
        return _both(self._states.get((flow, name)), name)

    def state_alone(self, flow: str, name: str) -> str:
        """``Late - apologise first``."""
        return self._states.get((flow, name)) or name

    def state_said(self, flow: str, name: str) -> str:
        """A state amid other words: its title in quotes."""
        return self._quoted(self._states.get((flow, name)), name)

    def outcome(self, flow: str, state: str, name: str) -> str:
        """How a case ended in a final state, in words where the language has some."""
        return self._outcomes.get((flow, state), name)

    def clock(self, flow: str, name: str) -> str:
        """``First answer``."""
        return self._clocks.get((flow, name)) or name

    def clock_said(self, flow: str, name: str) -> str:
        """A clock amid other words: its title in quotes."""
        return self._quoted(self._clocks.get((flow, name)), name)

    def role(self, name: str) -> str:
        """``Care team lead``."""
        return self._roles.get(name) or name

    def cause(self, flow: str, trigger: str) -> str:
        """Why a case moved: ``on "The customer writes again"``, ``as "First answer" is late``."""
        if trigger == "after":
            return self.say(_BY_ITSELF)
        clock, _, what = trigger.rpartition(".")
        if (flow, clock) in self._clocks and what in _HAPPENS:
            return self.say(_HAPPENS[what], self.clock_said(flow, clock))
        return self.say(_ON, self._quoted(self._events.get((flow, trigger)), trigger))

    def _quoted(self, title: str | None, name: str) -> str:
        return name if not title or title == name else self.say(_QUOTED, title)


def _both(title: str | None, name: str) -> str:
    if title and title.lower() == name.replace("_", " "):
        return title
    return f"{title} ({name})" if title else name


NAMES = Titles()
"""No titles at all: what is named is told by its name."""


DAYS = "business_days"
_OF_BUSINESS_TIME = msg("{} of business time")
UNITS = {"d": msg("{} d"), "h": msg("{} h"), "min": msg("{} min"), "s": msg("{} s")}
_BUSINESS_DAYS = msgs("{} business day", "{} business days")
_OUT_OF_ALL_YEARS = msg("out of all years")
_STATUS = {
    RUNNING: pmsg("clock", "running"), PAUSED: pmsg("clock", "paused"), LATE: pmsg("clock", "late"),
    MET: pmsg("clock", "met"), ENDED: pmsg("clock", "ended late"), CANCELLED: pmsg("clock", "cancelled"),
}  # fmt: skip
_PAUSED_LATE = pmsg("clock", "paused, and late")
_DUE, _WAS_DUE = msg("due {}"), msg("was due {}")
_OVER, _USED, _NO_LIMIT, _LIMIT = msg("{} over"), msg("{} used"), msg("no limit"), msg("limit {}")
_USED_OF, _USED_AT = msg("{} used, limit {}"), msg("{} used at {}, limit {}")
_CLOCKS = {
    "started": msg("clock {} starts"), "resumed": msg("clock {} goes on"), "restarted": msg("clock {} starts anew"),
    "paused": msg("clock {} is paused"), "warned": msg("clock {} warns"), "late": msg("clock {} is late"),
    "met": msg("clock {} is met"), "ended": msg("clock {} ends"), "cancelled": msg("clock {} is cancelled"),
    "extended": msg("clock {} has a new limit"),
}  # fmt: skip
_CASES = {
    "opened": msg("opened in {}"), "moved": msg("{} -> {}, {}"), "closed": msg("closed in {}: {}"),
    "task": msg("task for {}"), "message": msg("message {} by {}"), "told": msg("{} is told: {}"),
    "action": msg("action {} is asked for"),
}  # fmt: skip
_NOBODY, _NO_CHANNEL, _AN_EVENT = msg("nobody"), msg("no channel"), msg("an event")
_EVENTS = {
    "rejected": msg("{} rejected: {} ({})"), "unexpected": msg("{} unexpected: {} ({})"),
    "duplicate": msg("{} duplicate: {} ({})"),
}  # fmt: skip
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def time_in_words(at: int, zone: tzinfo, words: Translation = IN_ENGLISH) -> str:
    """``Fri 2026-03-06 16:30`` in ``zone``, with seconds where there are some. ``at`` is microseconds since 1970."""
    try:
        local = datetime_of(at).astimezone(zone)
    except OverflowError:
        return words.gettext(_OUT_OF_ALL_YEARS)
    seconds = f":{local.second:02}" if local.second or local.microsecond else ""
    return f"{weekday_in_words(local.weekday(), words)} {local:%Y-%m-%d %H:%M}{seconds}"


def due_in_words(due: str, zone: tzinfo, words: Translation = IN_ENGLISH) -> str:
    """The due time of a record, in words."""
    return time_in_words(parse(due), zone, words)


def length_in_words(seconds: float, basis: str, words: Translation = IN_ENGLISH) -> str:
    """``2 h 15 min of business time``, ``1 d 4 h``, ``1.5 business days``: the two largest units that are there."""
    if basis == DAYS:
        number = f"{seconds / _DAY:.2f}".rstrip("0").rstrip(".")
        return words.counted(_BUSINESS_DAYS).format(number)
    whole = int(seconds)
    days, rest = divmod(whole, _DAY) if basis == "elapsed" else (0, whole)
    hours, rest = divmod(rest, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    counts = [(count, unit) for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (left, "s")) if count]
    told = " ".join(words.gettext(UNITS[unit]).format(count) for count, unit in counts[:2] or [(0, "min")])
    return words.gettext(_OF_BUSINESS_TIME).format(told) if basis == "business_time" else told


def status_in_words(status: str, words: Translation = IN_ENGLISH) -> str:
    """Whether a clock runs: ``running``, ``paused``, ``late`` …"""
    return words.gettext(_STATUS[status])


def clock_in_words(clock: ClockView, zone: tzinfo, words: Translation = IN_ENGLISH) -> str:
    """How a clock stands: ``running, due Fri 2026-03-06 16:30, 2 h of 3 h of business time used``."""

    def say(phrase: str, *told: str) -> str:
        return words.gettext(phrase).format(*told)

    paused_late = clock.status == PAUSED and clock.late
    parts = [say(_PAUSED_LATE) if paused_late else status_in_words(clock.status, words)]
    if clock.due is not None and clock.status in (RUNNING, LATE):
        parts.append(say(_WAS_DUE if clock.late else _DUE, due_in_words(clock.due, zone, words)))
    if clock.status == ENDED and clock.over is not None:
        parts.append(say(_OVER, length_in_words(clock.over, clock.basis, words)))
    used = length_in_words(clock.used, clock.basis, words)
    limit = say(_NO_LIMIT) if clock.limit is None else length_in_words(clock.limit, clock.basis, words)
    if clock.status not in (RUNNING, LATE):
        parts.append(say(_USED_OF, used, limit))
    elif clock.used:
        parts.append(say(_USED_AT, used, time_in_words(parse(clock.at), zone, words), limit))
    else:
        parts.append(say(_LIMIT, limit))
    return ", ".join(parts)


def record_in_words(record: Record, zone: tzinfo, titles: Titles = NAMES) -> str:
    """What a record says, without its time."""
    data, flow = record.data, record.flow or ""
    if record.kind.startswith("clock."):
        return _clock(record.kind.removeprefix("clock."), titles.clock_said(flow, data["clock"]), data, zone, titles)
    if record.kind.startswith("event."):
        event = data["event"].get("type") or titles.say(_AN_EVENT)
        return titles.say(_EVENTS[record.kind.removeprefix("event.")], event, data["reason"], data["code"])
    return _of_case(record.kind, flow, data, titles)


def _of_case(kind: str, flow: str, data: Any, titles: Titles) -> str:
    match kind:
        case "case.opened":
            return titles.say(_CASES["opened"], titles.state_said(flow, data["state"]))
        case "case.moved":
            before, after = titles.state_said(flow, data["from"]), titles.state_said(flow, data["to"])
            return titles.say(_CASES["moved"], before, after, titles.cause(flow, data["on"]))
        case "case.closed":
            ended = titles.outcome(flow, data["state"], data["outcome"])
            return titles.say(_CASES["closed"], titles.state_said(flow, data["state"]), ended)
        case "task.assigned":
            person = f" ({data['person']})" if data.get("person") else ""
            whose = titles.role(data["role"]) if data["role"] else titles.say(_NOBODY)
            return titles.say(_CASES["task"], whose) + person
        case "message.requested":
            said = titles.say(_CASES["message"], data["template"], data["channel"] or titles.say(_NO_CHANNEL))
            return titles.pair(said, titles.say(_QUOTED, data["subject"])) if data.get("subject") else said
        case "notice.requested":
            return titles.say(_CASES["told"], titles.role(data["role"]), data["text"])
        case _:
            given = ", ".join(f"{name}={value}" for name, value in data.get("with", {}).items())
            return titles.say(_CASES["action"], data["action"]) + (f" ({given})" if given else "")


def _clock(what: str, title: str, data: Any, zone: tzinfo, titles: Titles) -> str:
    words = titles.words
    said = [titles.say(_CLOCKS[what], title)]
    if what in ("met", "ended", "paused", "cancelled"):
        said.append(titles.say(_USED, length_in_words(data["used"], data["basis"], words)))
    if what == "ended" and "over" in data:
        said.append(titles.say(_OVER, length_in_words(data["over"], data["basis"], words)))
    if "due" in data:
        said.append(titles.say(_WAS_DUE if what == "late" else _DUE, due_in_words(data["due"], zone, words)))
    told = ", ".join(said)
    return titles.pair(told, data["reason"]) if "reason" in data else told
