"""A slow interpreter of the policy language: a second opinion on every record of the engine.

It is written from LANGUAGE.md alone and shares no code with carepolicy: clocks keep the stretches in which they ran,
and count them again whenever something is asked of them. Where LANGUAGE.md is silent it reads as the engine does
(docs/decisions/):

- The records of a transition: leave effects, its own, ``case.moved``, clocks, ``task.assigned``, enter effects.
  Effects come as set, send, tell, request, extend, open; ``set`` one after another. Where the case stays, ``assign``
  comes before the clocks.
- Clock by clock, in the order of the file: its limit is looked up, then it is restarted, then it pauses, goes on or
  ends. What ``enter:`` set is looked up again; then the new state hears what was met, and lateness that nobody heard,
  the oldest first.
- A key of ``on:`` whose guards all fail is not handed on to a phase or to ``anywhere``: the event is unexpected.
- An ``after`` whose guard fails when it is due is over. One that waits for a fact is due at once where the instant is
  past.
- Timers are due in the order of their due times, also where these are past and all of them fire at once.
- ``open:`` is done at the end, with the facts that the case has then. Facts of an event are those of a case that the
  event opens.
- A late round that is restarted ends, and the next one starts, also where the state then lets it pause.
- A clock that pauses is late where it would be if it went on now; it is asked when its limit is looked up, or the
  round ends.
- ``at_most`` counts all extensions of the clock in the case. Time given stays with ``again: continue``, and is gone
  with a restart.
- A date falls due at its end in the zone of the clock's calendar. Rolling keeps the time of the day; what was given
  in another unit is added to the rolled time, and rolled again.
- A month is as long as it is in the zone in which it began to count, whoever owns the case later.
- A due time that is past is counted back from where the clock last went on.
- A notice that waits for an opening comes, at one instant, before all else of its flow, but after an event of it.
- A warning that would not come before the due time does not come.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from oracle.case import FINAL, Case, Data, Timer
from oracle.hours import Hours, instant, moment

MOST = 400  # timers between two events; the engine cuts what goes round for ever, which is no matter of the language


class GoesRound(Exception):
    """The set goes round and round by time alone, so that there is nothing to compare."""


def number_of(written: str) -> str:
    """A British number in E.164, as the random sets write them; ValueError for what is none."""
    digits = re.sub(r"\(0\)|[^0-9+]", "", written)
    digits = re.sub(r"^(\+44|0044|0)", "+44", digits)
    if not re.fullmatch(r"\+44[1-9][0-9]{9}", digits):
        raise ValueError(written)
    return digits


class Oracle:
    """A policy set and all that has happened under it."""

    def __init__(self, files: dict[str, str]) -> None:
        read = {name: yaml.load(text, yaml.CBaseLoader) for name, text in files.items()}
        self.organisation: Data = read["organisation.yaml"]
        self.messages: Data = read.get("messages/en.yaml", {}).get("messages", {})
        flows = [each for name, each in read.items() if name.startswith("flows/")]
        self.flows: dict[str, Data] = {each["flow"]: each for each in sorted(flows, key=lambda each: str(each["flow"]))}
        self.roles: Data = self.organisation["roles"]
        zone = self.organisation["timezone"]
        calendars = self.organisation["calendars"]
        self.hours = {name: Hours(each, ZoneInfo(each.get("timezone", zone))) for name, each in calendars.items()}
        self.cases: dict[str, dict[str, Case]] = {}
        self.seen: dict[str, int] = {}
        self.taken: set[str] = set()  # flows that the event at hand opens itself: `open:` finds their place taken
        self.ids: set[tuple[str, str]] = set()
        self.sequences: dict[tuple[str, str], int] = {}
        self.records: list[Data] = []
        self.raised: list[Data] = []
        self.waiting: list[Timer] = []  # notices for which an opening must come; their cases may be closed by then

    def default(self, name: str) -> Any:
        spec = self.organisation["facts"].get(name, {})
        return self.typed(name, spec["default"]) if "default" in spec else None

    def typed(self, name: str, value: Any) -> Any:
        """A fact's value as guards read it; ValueError where it is of another type."""
        kind = self.organisation["facts"][name]["type"]
        if kind == "number":
            if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
                raise ValueError(name)
            return int(value)
        if kind == "time":
            return instant(datetime.fromisoformat(value))
        if kind == "date":
            return date.fromisoformat(value)
        if kind == "phone":
            return number_of(str(value))
        if kind == "choice" and value not in self.organisation["facts"][name]["of"]:
            raise ValueError(name)
        if kind == "flag" and not isinstance(value, bool):
            raise ValueError(name)
        return value

    def who_is_there(self, role: str, at: int) -> str:
        """The role, or while everybody who has it is away, who stands in; the role again where nobody does."""
        today = moment(at).astimezone(ZoneInfo(self.organisation["timezone"])).date().isoformat()

        def is_away(person: str) -> bool:
            ranges = (str(each).partition("/") for each in self.organisation.get("away", {}).get(person, ()))
            return any(first <= today <= (last or first) for first, _, last in ranges)

        asked, left = [role], role
        while all(map(is_away, self.roles[left]["people"])):
            left = self.roles[left]["deputy"]
            if left in asked:
                return role
            asked.append(left)
        return left

    def record(self, kind: str, at: int, subject: str, data: Data, flow: str | None = None) -> None:
        record = {"type": f"carepolicy.{kind}", "time": at, "subject": subject, "data": data}
        if flow is not None:
            number = self.sequences.get((flow, subject), 0) + 1
            self.sequences[flow, subject] = number
            record |= {"flow": flow, "sequence": number}
        self.records.append(record)

    def run(self, events: list[Data], until: datetime) -> list[Data]:
        for event in events:
            self.take(event)
        before, self.records = self.records, []
        for subject in sorted(self.cases):
            self.pass_time(subject, instant(until), True)
        self.run_what_was_raised(instant(until))
        last = sorted(
            self.records,
            key=lambda each: (each["time"], each["subject"], each.get("flow", ""), each.get("sequence", 0)),
        )
        return before + last

    def run_what_was_raised(self, until: int) -> None:
        """The stratum above: its cases have other subjects, and hear only what was raised, in the order of time."""
        raised, self.raised = sorted(self.raised, key=lambda each: int(each["at"])), []
        for event in raised:
            self.deliver(event, event["at"], event["data"])
        for subject in sorted({each["subject"] for each in raised}):
            self.pass_time(subject, until, True)

    def take(self, event: Data) -> None:
        """One event of the log."""
        subject, kind, at = event["subject"], event["type"], instant(datetime.fromisoformat(event["time"]))
        refused = self.refuse(event, at)
        if refused is not None:
            what, code = refused
            about = {"event": {"id": event["id"], "type": kind}, "code": code}
            self.record(f"event.{what}", at, subject, about)
            return
        facts = {name: self.typed(name, value) for name, value in event.get("data", {}).items()}
        self.deliver(event, at, facts)

    def deliver(self, event: Data, at: int, facts: Data) -> None:
        """An event reaches the cases that are open when it comes, and opens those that start on it."""
        subject, kind = event["subject"], event["type"]
        self.pass_time(subject, at, False)
        self.seen[subject] = at
        open_before = dict(self.cases.get(subject, {}))
        starts = {name: start_of(flow, kind) for name, flow in self.flows.items() if kind in flow["events"]}
        self.taken = {name for name, start in starts.items() if start is not None and name not in open_before}
        for name, start in starts.items():
            if name in open_before:
                open_before[name].now = at
                open_before[name].take(event, facts)
                self.after_step(open_before[name])
            elif start is not None:
                self.taken.discard(name)
                self.open(name, subject, start, facts, at)
        if not any(name in open_before or start is not None for name, start in starts.items()):
            self.record("event.unexpected", at, subject, {"event": {"id": event["id"], "type": kind}, "code": "CP911"})
        self.pass_time(subject, at, False)

    def refuse(self, event: Data, at: int) -> tuple[str, str] | None:
        declared = [each["events"][event["type"]] for each in self.flows.values() if event["type"] in each["events"]]
        if not declared:
            return "rejected", "CP904"
        carried = {name for each in declared for name in each.get("carries", {}).get("optional", ())}
        for name, value in event.get("data", {}).items():
            if name not in carried:
                return "rejected", "CP905"
            try:
                found = self.typed(name, value)
            except ValueError:
                return "rejected", "CP906"
            spec = self.organisation["facts"][name]
            if ("min" in spec and found < int(spec["min"])) or ("max" in spec and found > int(spec["max"])):
                return "rejected", "CP926"
        key = event["source"], event["id"]
        if key in self.ids:
            return "duplicate", "CP909"
        self.ids.add(key)
        if at < self.seen.get(event["subject"], at):
            return "rejected", "CP908"
        return None

    def open(self, flow: str, subject: str, state: str, facts: Data, at: int) -> None:
        case = Case(self, self.flows[flow], subject, now=at)
        self.cases.setdefault(subject, {})[flow] = case
        case.open(state, facts)
        self.after_step(case)

    def after_step(self, case: Case) -> None:
        """Cases that were opened by the way, and the end of this one."""
        if FINAL in case.here and self.cases[case.subject].get(case.name) is case:
            del self.cases[case.subject][case.name]
        waiting, case.opening = case.opening, []
        for said in waiting:
            flow, on = (said, None) if isinstance(said, str) else (said["flow"], said.get("on"))
            if flow not in self.cases[case.subject] and flow not in self.taken:
                states = self.flows[flow]["states"].items()
                start = next(name for name, each in states if "start_on" in each and on in (None, each["start_on"]))
                self.open(flow, case.subject, start, case.facts, case.now)

    def pass_time(self, subject: str, until: int, whole: bool) -> None:
        """Timers up to an instant: before an event those due earlier, and strict ones; at the end all of them."""
        for _ in range(MOST):
            cases = self.cases.get(subject, {})
            for each in cases.values():
                each.now = max(each.now, self.seen.get(subject, 0))
            found = [timer for name in sorted(cases) for timer in cases[name].timers()]
            found += [timer for timer in self.waiting if timer.case.subject == subject]
            due = [each for each in found if each.due < until or (each.due == until and (whole or each.strict))]
            if not due:
                return
            first = min(due, key=lambda each: (each.due, each.case.name, each.order))
            self.seen[subject] = max(self.seen.get(subject, 0), first.at)
            if first.kind == "told":
                self.waiting.remove(first)
                self.record("notice.requested", self.seen[subject], subject, first.what, first.case.name)
                continue
            first.case.fire(first)
            self.after_step(first.case)
        raise GoesRound


def start_of(flow: Data, event: str) -> str | None:
    return next((state for state, each in flow["states"].items() if each.get("start_on") == event), None)
