"""One case of a flow, as the slow interpreter follows it: states, transitions, effects, timers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from oracle.clocks import Chosen, Clock, Round
from oracle.expressions import Expression
from oracle.hours import DAY, Hours
from oracle.limits import Limit, months_later, named_instant, read_limit, rest_from

if TYPE_CHECKING:
    from oracle.interpreter import Oracle

Data = dict[str, Any]
FINAL = "final"


@dataclass
class Timer:
    """Something that time brings about: a warning, a lateness, an ``after``."""

    at: int
    due: int
    order: tuple[int, int]
    strict: bool
    kind: str
    case: Case
    what: Any


@dataclass
class Case:
    """A case of a flow, and what it knows."""

    oracle: Oracle
    flow: Data
    subject: str
    state: str = ""
    entered: int = 0
    facts: Data = field(default_factory=dict)
    event: Data = field(default_factory=dict)
    clocks: list[Clock] = field(default_factory=list)
    visits: dict[str, int] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)
    channel: str = ""
    opening: list[Any] = field(default_factory=list)  # what `open:` asked for in the transition at hand
    unheard: list[Clock] = field(default_factory=list)  # late clocks of which no transition was taken
    fresh: list[Clock] = field(default_factory=list)  # those that fell late in the transition at hand
    now: int = 0

    @property
    def name(self) -> str:
        return str(self.flow["flow"])

    @property
    def here(self) -> Data:
        found: Data = self.flow["states"][self.state]
        return found

    # What guards and limits read

    def given(self, name: str) -> Any:
        if name.startswith("event."):
            return self.event.get(name.removeprefix("event."))
        return self.facts.get(name, self.oracle.default(name))

    def fact(self, name: str) -> Any:
        if name.startswith("case.visits."):
            return self.visits.get(name.removeprefix("case.visits."), 0)
        if name.startswith("clock."):
            held = next(each for each in self.clocks if each.name == name.split(".")[1]).round
            return held is not None and held.late
        return self.given(name)

    def told_fact(self, name: str) -> Any:
        """A fact as an event or a ``set`` gave it, without its default."""
        return self.facts.get(name)

    def evaluate(self, text: Any) -> Any:
        return Expression(str(text), self.fact, self.given).value()

    def holds(self, guard: str) -> bool:
        return self.evaluate(guard) is True

    def hours_of(self, name: str) -> Hours:
        if name == "owner":
            name = self.oracle.roles[self.here.get("owner", self.flow["owner"])]["calendar"]
        return self.oracle.hours[name or self.flow.get("calendar") or self.oracle.organisation["calendar"]]

    # Records

    def tell(self, kind: str, data: Data, at: int | None = None) -> None:
        self.oracle.record(kind, self.now if at is None else at, self.subject, data, self.name)

    def tell_clock(self, kind: str, clock: Clock, due: bool = True, **more: Any) -> None:
        self.tell(f"clock.{kind}", {**clock.told(self.now, self, due), **more})

    # Transitions

    def transition(self, key: str) -> Data | None:
        """The way taken for an event or a clock's event: a state's own, else its phase's, else one of ``anywhere``."""
        own = self.here.get("on", {})
        if key in own:
            return self.first(own[key])
        for phase in self.flow.get("phases", {}).values():
            if self.state in phase["states"] and key in phase.get("on", {}):
                return self.first(phase["on"][key])
        everywhere = self.flow.get("anywhere", {})
        if key in everywhere and FINAL not in self.here:
            ways = [each for each in ways_of(everywhere[key]) if self.state not in each.get("except", ())]
            return self.first(ways)
        return None

    def first(self, ways: Any) -> Data | None:
        return next((each for each in ways_of(ways) if "when" not in each or self.holds(each["when"])), None)

    def take(self, event: Data, facts: Data) -> None:
        """An event comes to the case."""
        before, self.event = self.facts, facts
        live = [each for each in self.clocks if each.round is not None]
        self.facts = {**before, **facts}
        way = self.transition(event["type"])
        restarts = [each for each in live if event["type"] in each.spec.get("restarts_on", ())]
        if way is None and not restarts:
            self.facts, self.event = before, {}
            reason = {"event": {"id": event["id"], "type": event["type"]}, "code": "CP910", "state": self.state}
            self.tell("event.unexpected", reason)
            return
        self.apply(way or {}, event["type"], restarts)
        self.event = {}

    def open(self, state: str, facts: Data) -> None:
        self.state, self.entered, self.facts = state, self.now, dict(facts)
        self.event = facts
        self.clocks = [Clock(name, spec) for name, spec in self.flow.get("clocks", {}).items()]
        self.visits[state] = 1
        self.channel = self.here.get("channel", "")
        self.tell("case.opened", {"state": state})
        for clock in self.clocks:
            self.follow_phase(clock, False)
        self.arrive({})
        self.settle_clocks()
        self.event = {}

    def apply(self, way: Data, on: str, restarts: list[Clock]) -> None:
        """Leave effects, the transition's own, clocks, effects on entering."""
        old, moves = self.state, "to" in way
        if moves:
            self.effects(self.here.get("leave", {}))
        self.effects(way)
        if "assign" in way and not moves:
            self.assigned(way)
        if moves:
            self.state, self.entered = way["to"], self.now
            self.fired = set()
            self.visits[self.state] = self.visits.get(self.state, 0) + 1
            self.channel = self.here.get("channel", self.channel)
            self.tell("case.moved", {"from": old, "to": self.state, "on": on})
        ended = []
        for clock in self.clocks:
            self.look_up(clock, clock in restarts)
            if self.follow_phase(clock, clock in restarts):
                ended.append(clock)
        if moves:
            self.arrive(way)
            self.settle_clocks()
            self.hear(ended)
        else:
            self.hear_fresh()

    def arrive(self, way: Data) -> None:
        if FINAL in self.here:
            self.effects(self.here.get("enter", {}))
            self.tell("case.closed", {"state": self.state, "outcome": self.here[FINAL]})
            return
        if "owner" in self.here or "assign" in way:
            self.assigned(way)
        self.effects(self.here.get("enter", {}))

    def assigned(self, way: Data) -> None:
        role = self.oracle.who_is_there(way.get("assign") or self.here["owner"], self.now)
        self.tell("task.assigned", {"state": self.state, "role": role})

    def settle_clocks(self) -> None:
        """What ``enter:`` set may change limits again."""
        for clock in self.clocks:
            self.look_up(clock)
            if clock.round is None and FINAL not in self.here:
                self.follow_phase(clock, False)

    def hear(self, ended: list[Clock]) -> None:
        """The new state hears what was met by the move, and lateness that nobody heard before."""
        for clock in ended:
            if FINAL not in self.here:
                self.hear_one(clock, "met")
        self.hear_late()

    def hear_fresh(self) -> None:
        """The state hears the lateness that has just come to be."""
        fresh, self.fresh = self.fresh, []
        for clock in fresh:
            if clock in self.unheard:
                self.hear_one(clock, "late")

    def hear_late(self) -> None:
        self.fresh = []
        for clock in list(self.unheard):
            if FINAL in self.here:
                return
            if clock in self.unheard and self.hear_one(clock, "late"):
                return

    def hear_one(self, clock: Clock, what: str) -> bool:
        """A clock's event; whether a transition was taken for it."""
        key = f"{clock.name}.{what}"
        way = self.transition(key)
        if what == "late":
            self.unheard = [each for each in self.unheard if each is not clock]
            if way is None:
                self.unheard.append(clock)
        if way is None:
            return False
        self.apply(way, key, [])
        if what == "late" and "to" not in way:
            self.hear_late()
        return True

    # Clocks

    def look_up(self, clock: Clock, restarts: bool = False) -> None:
        """A limit is looked up again where facts changed."""
        held = clock.round
        if held is None or held.late:
            return
        chosen = clock.choose(self)
        if chosen is None:
            self.tell_clock("cancelled", clock, due=False)
            self.lay_down(clock)
            return
        reads = clock.facts_read(self)
        read_anew, held.facts_read = reads != held.facts_read, reads
        runs = FINAL not in self.here and clock.phase(self.state) == "running"
        if chosen.owners and (not runs or (restarts and not read_anew)):
            chosen = replace(chosen, hours=held.owner_hours or held.chosen.hours)
        changed, moved = chosen.limits != held.chosen.limits, self.changes(clock, chosen)
        if moved or chosen.hours is not held.chosen.hours:
            clock.change(self.now, chosen)
        if moved or read_anew:
            clock.note(self.now, self)
            held.late_in_pause = clock.is_past(self.now, self)
        if moved and (changed or held.running):
            self.tell_clock("extended", clock)

    def changes(self, clock: Clock, chosen: Chosen) -> bool:
        """Whether what holds now is another limit, or falls due at another time."""
        held = clock.round
        assert held is not None
        if chosen.limits != held.chosen.limits:
            return True
        trial = replace(held, stretches=[replace(each) for each in held.stretches])
        before, clock.round = held, trial
        clock.change(self.now, chosen)
        due = clock.due(self.now, self)
        clock.round = before
        only = chosen.limits[0] if len(chosen.limits) == 1 else None  # of several, lengths among them move in a pause
        return due != held.due_then if held.running or (only is not None and only.fact) else False

    def lay_down(self, clock: Clock) -> None:
        """The round is over."""
        held = clock.round
        assert held is not None
        held.stop(self.now)
        clock.kept, clock.round = held, None
        self.unheard = [each for each in self.unheard if each is not clock]

    def end(self, clock: Clock) -> bool:
        """The round ends; whether it was met."""
        held = clock.round
        assert held is not None
        if not held.late and not held.running:
            clock.note(self.now, self)
        if not held.late and clock.is_past(self.now, self):
            self.fall_late(clock)
        if held.late:
            self.tell_clock("ended", clock, due=False, over=max(held.used(self.now) - held.used_when_due, Fraction(0)))
        else:
            self.tell_clock("met", clock, due=False)
        self.lay_down(clock)
        return not held.late

    def fall_late(self, clock: Clock) -> None:
        held = clock.round
        assert held is not None
        if not held.running:
            clock.note(self.now, self)
        due = clock.due(self.now, self) if held.past_due is None or held.running else held.past_due
        assert due is not None
        held.late, held.late_due = True, due
        self.tell_clock("late", clock)
        held.used_when_due = held.used(self.now) - self.used_between(clock, due)
        self.unheard.append(clock)
        self.fresh.append(clock)

    def used_between(self, clock: Clock, due: int) -> Fraction:
        """What has been used since the due instant."""
        held = clock.round
        assert held is not None
        if held.limit.timed:
            return Fraction(self.now - due)
        hours = held.chosen.hours
        if held.limit.measure == "closings":
            return Fraction(hours.closings(due, self.now, held.day_zero()) * DAY)
        return hours.counted(held.limit.measure, due, self.now)

    def follow_phase(self, clock: Clock, restart: bool) -> bool:
        """The clock does what the state wants of it; whether a round was met."""
        phase = "stopped" if FINAL in self.here else clock.phase(self.state)
        held = clock.round
        if phase == "stopped":
            return held is not None and self.end(clock)
        running = phase == "running"
        if held is not None and restart:
            if held.late:
                self.end(clock)
                clock.forget()
                held, running = None, True
            else:
                self.restart(clock, held, phase)
        if held is None:
            chosen = clock.choose(self) if running else None
            if chosen is not None:
                begun = clock.begin(self.now, chosen, self)
                clock.note(self.now, self)
                future = {"code": "CP922"} if begun.counts_from_future else {}
                self.tell_clock("started", clock, **future)
                held = begun
        if held is None:
            return False
        if phase == "running":
            held.owner_hours = self.hours_of("owner")
        if phase == "paused" and held.running:
            due = None if held.late else clock.due(self.now, self)
            held.past_due = due if due is not None and due < self.now else None
            held.stop(self.now)
            self.tell_clock("paused", clock)
            held.late_in_pause = not held.late and (held.late_in_pause or clock.is_past(self.now, self))
        elif phase == "running" and not held.running:
            if not held.late:
                chosen = clock.choose(self)
                if chosen is not None:
                    clock.change(self.now, chosen)
            held.go_on(self.now, self.hours_of_owner(clock, held) if held.late else held.chosen.hours)
            if not held.late:
                clock.note(self.now, self)
            self.tell_clock("resumed", clock)
        elif phase == "running":
            self.count_in_calendar_of_owner(clock, held)
        return False

    def restart(self, clock: Clock, held: Round, phase: str) -> None:
        running = held.running
        held.stretches.clear()
        held.warned, held.extras, held.started = set(), [], self.now
        chosen = clock.choose(self)
        if running and phase == "running" and chosen is not None:
            held.chosen = replace(held.chosen, hours=chosen.hours if held.chosen.owners else held.chosen.hours)
            held.first_hours = chosen.hours
        if running:
            held.go_on(self.now, held.chosen.hours)
        clock.note(self.now, self)
        held.late_in_pause = held.late_in_pause and clock.is_past(self.now, self)
        self.tell_clock("restarted", clock)

    def count_in_calendar_of_owner(self, clock: Clock, held: Round) -> None:
        """A late round is not looked up any more, but goes on in the calendar of who has the case now."""
        hours = self.hours_of_owner(clock, held)
        if held.late and hours is not held.stretches[-1].hours:
            held.stop(self.now)
            held.go_on(self.now, hours)

    def hours_of_owner(self, clock: Clock, held: Round) -> Hours:
        if held.chosen.owners:
            return self.hours_of("owner")
        return held.stretches[-1].hours if held.stretches else held.chosen.hours

    # Effects

    def effects(self, said: Data) -> None:
        for name, text in said.get("set", {}).items():
            value = self.evaluate(text)
            self.facts[name] = value
            if value is None:
                del self.facts[name]
        for each in listed(said.get("send", [])):
            self.send(each)
        for each in listed(said.get("tell", [])):
            told = {"role": each} if isinstance(each, str) else {"role": each["role"], "text": self.fill(each["say"])}
            opening = self.opening_for(each) if isinstance(each, dict) and "in_hours" in each else self.now
            if opening > self.now:
                self.oracle.waiting.append(Timer(opening, opening, (-2, 0), False, "told", self, told))
            else:
                self.tell("notice.requested", told)
        for action, given in said.get("request", {}).items():
            values = {name: self.evaluate(text) for name, text in given.items()}
            self.tell("action.requested", {"action": action, "with": values})
        for each in listed(said.get("extend", [])):
            self.extend(each)
        for each in listed(said.get("raise", [])):
            self.raise_event(each)
        for each in listed(said.get("open", [])):
            self.opening.append(each)

    def opening_for(self, said: Data) -> int:
        """When a notice is told that waits for the hours of its role."""
        role, organisation = self.oracle.roles[said["role"]], self.oracle.organisation
        return self.oracle.hours[role.get("calendar", organisation["calendar"])].opening(self.now)

    def extend(self, said: Data) -> None:
        clock = next(each for each in self.clocks if each.name == said["clock"])
        held = clock.round
        if held is None or held.late or clock.extensions >= int(said.get("at_most", clock.extensions + 1)):
            return
        clock.extensions += 1
        held.extras.append(read_limit(said["by"]))
        clock.note(self.now, self)
        self.tell_clock("extended", clock)

    def raise_event(self, said: Data) -> None:
        """An event for another key; what has no value is not in it."""
        values = {name: self.evaluate(text) for name, text in said.get("data", {}).items()}
        given = {name: value for name, value in values.items() if value is not None}
        key = self.evaluate(said["subject"])
        self.oracle.raised.append({"type": said["event"], "id": None, "subject": key, "at": self.now, "data": given})

    def send(self, template: str) -> None:
        said = self.oracle.messages[template]
        data = {
            "template": template,
            "channel": self.channel or None,
            "language": "en",
            "to": self.given("customer.email") if self.channel else None,
            "subject": self.fill(said["subject"]),
            "text": self.fill(said["text"]),
        }
        if self.channel == "email" and (answered := self.fact("mail.message_id")) is not None:
            data["in_reply_to"] = answered
        self.tell("message.requested", data)

    def fill(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            found = self.fact(match[1])
            return "" if found is None else str(found)

        return re.sub(r"{([a-z_.]+)}", value, text)

    # Time

    def timers(self) -> Iterator[Timer]:
        for number, clock in enumerate(self.clocks):
            held = clock.round
            if held is None or held.late:
                continue
            for at, mark in clock.warnings(self.now, self):
                yield Timer(max(at, self.now), at, (number, 0), False, "warned", self, (clock, mark))
            due = clock.due(self.now, self)
            if due is not None and held.running:
                yield Timer(max(due, self.now), due, (number, 1), held.limit.strict, "late", self, clock)
            elif due is not None and held.late_in_pause:
                yield Timer(self.now, min(due, self.now - 1), (number, 1), False, "late", self, clock)
        for number, key in enumerate(self.here.get("after", {})):
            due = self.after_due(read_limit(key))
            if key not in self.fired and due is not None:
                strict = key.startswith("less than ")
                yield Timer(max(due, self.now), due, (len(self.clocks) + number, 0), strict, "after", self, key)

    def after_due(self, limit: Limit) -> int | None:
        hours = self.hours_of("")
        if limit.fact:
            return named_instant(limit, self.fact(limit.fact), hours)
        if limit.measure == "month":
            return months_later(hours, self.entered, limit.amount)
        return rest_from(limit, hours, self.entered, Fraction(limit.amount), hours.day_of(self.entered))

    def fire(self, timer: Timer) -> None:
        self.now = timer.at
        if timer.kind == "warned":
            clock, mark = timer.what
            clock.round.warned.add(mark)
            self.tell_clock("warned", clock)
            way = self.transition(f"{clock.name}.warned")
            if way is not None:
                self.apply(way, f"{clock.name}.warned", [])
        elif timer.kind == "late":
            self.fall_late(timer.what)
            self.hear_fresh()
        else:
            self.fired.add(timer.what)
            way = self.first(self.here["after"][timer.what])
            if way is not None:
                self.apply(way, "after", [])


def ways_of(said: Any) -> list[Data]:
    return [{"to": each} if isinstance(each, str) else each for each in listed(said)]


def listed(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]
