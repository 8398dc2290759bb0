"""What is surely known at each place of a flow: facts that have a value on every way there, and clocks that run.

A case knows what every event that led it here requires, what effects have set on every way, and what a guard that was
passed has asked. An event that takes a value away by saying ``null`` is left aside, and so are cases of older versions.
Names are those of ``guards.presence``, and ``clock.NAME.due`` and ``clock.NAME.limit``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.limit import Limit
    from carepolicy.policy.model import Clock, Effects, Fact, Flow, State, Transition
    from carepolicy.policy.places import At

Names = frozenset[str]
NONE: Names = frozenset()


class Spending(NamedTuple):
    """What a transition gives away, the guard under which it does, and those before it that did not hold."""

    amount: str
    when: str | None
    passed: tuple[str, ...]


class Spot(NamedTuple):
    """A guard, a group of effects, or what a transition gives away (``spending``), as it is come to in one state: what
    surely has a value there.

    ``names`` are known when the guard is read, or when the effects have set their facts; ``before`` before that.
    ``state`` is where the case is then, ``trigger`` what happened ("enter" and "leave" for these effects of it, "" for
    guards of limits), ``starts`` the clocks that start as soon as the effects are done.
    """

    flow: Flow
    state: State
    trigger: str
    at: At
    guard: str | None
    effects: Effects | None
    names: Names
    before: Names
    facts: Mapping[str, Fact]
    starts: Names
    spending: Spending | None = None

    def knows(self, name: str) -> bool:
        """Whether a name surely has a value here."""
        return has_value(self.facts, self.names, name)

    def values(self, checked: CheckedSet) -> Iterator[Value]:
        """The expressions of the effects, each with what is known when it is worked out."""
        if self.spending is not None:
            at = self.at / "spends"
            yield Value("spends", "spends", self.spending.amount, at, self.names)
        if self.effects is None:
            return
        names = self.before
        for fact, text in self.effects.set.items():
            yield Value("set", fact, text, self.effects.at / "set" / fact, names)
            names = _after_set(checked, names, fact, text)
        for asked_for in self.effects.request:
            for name, text in asked_for.arguments.items():
                yield Value("request", name, text, asked_for.at / name, names)
        for raised in self.effects.raises:
            yield Value("subject", "subject", raised.subject, raised.at / "subject", names)
            for fact, text in raised.data.items():
                yield Value(raised.event, fact, text, raised.at / "data" / fact, names)


class Value(NamedTuple):
    """An expression of effects, with its text and address, and whose value it is.

    ``kind``: spends, set, request, subject (for whom an event is raised), or the event that is to bring the value.
    """

    kind: str
    name: str
    text: str
    at: At
    names: Names


def has_value(facts: Mapping[str, Fact], names: Names, name: str) -> bool:
    """Whether a name has a value where ``names`` have one, or always."""
    if name in names or f"event.{name}" in names:
        return True
    fact = facts.get(name)
    if fact is not None:
        return fact.default is not None
    if name.startswith("event."):
        return name.removeprefix("event.") not in facts
    return not (name.startswith("clock.") and name.endswith((".left", ".due", ".limit")))


class KnownClock(NamedTuple):
    """A clock: whether it always has a limit, the facts that its limits wait for, and whether they hang on any."""

    clock: Clock
    always: bool
    waits: Names
    hangs: bool


class FlowWalk:
    """Goes through all flows until what is known in each state changes no more.

    ``known`` are the facts that a case surely has in each state that it can come to, by the names of flow and state.
    """

    def __init__(self, checked: CheckedSet) -> None:
        self.checked = checked
        self.facts = checked.organisation.facts
        self.declared = frozenset(self.facts)
        self.known: dict[tuple[str, str], Names] = {}
        self.waiting: list[tuple[Flow, State]] = []
        self.found: list[Spot] | None = None
        self.raised = {each.event for flow in checked.flows.values() for every in effects_of(flow)
                       for each in every.raises}  # fmt: skip
        self.taken_away = {name: _taken_away(checked, flow) for name, flow in checked.flows.items()}
        self.raised |= {watch.raises for watch in checked.organisation.watches.values()}
        self.clocks = {name: [self._counted(each) for each in flow.clocks.values()]
                       for name, flow in checked.flows.items()}  # fmt: skip
        self._settle()

    def _counted(self, clock: Clock) -> KnownClock:
        always = any(choice.when is None for choice in clock.limits)
        hangs = any(_awaits(self.checked, choice.limit) for choice in clock.limits)
        return KnownClock(clock, always, frozenset().union(*awaited(self.checked, clock)), hangs)

    def _settle(self) -> None:
        """Find what is known in each state: less each time that another way to it is found, so that it ends."""
        self._begin()
        while self.waiting:
            flow, state = self.waiting.pop()
            self._leave(flow, state)

    def spots(self) -> list[Spot]:
        """Every guard and every group of effects that a case can come to, once for each state in which it does."""
        self.found = []
        self._begin()
        for name, state in list(self.known):
            flow = self.checked.flows[name]
            self._leave(flow, flow.states[state])
            self._limits(flow, flow.states[state])
        return self.found

    def _begin(self) -> None:
        """Cases begin with what the events bring that open them."""
        opened = {each.flow for flow in self.checked.flows.values() for every in effects_of(flow)
                  for each in every.open}  # fmt: skip
        for flow in self.checked.flows.values():
            begun = False
            for state in flow.states.values():
                for event in state.start_on:
                    begun = True
                    self._enter(flow, None, state, self._brought(flow, event) & self.declared)
            if not begun and flow.states and flow.name not in opened:
                self._enter(flow, None, next(iter(flow.states.values())), NONE)

    def _brought(self, flow: Flow, trigger: str) -> Names:
        """The facts that surely come with an event, also as that of the event."""
        event = flow.events.get(trigger)
        if event is None:
            return NONE
        facts = {*event.required}
        if flow.subject is not None and flow.every is None and trigger not in self.raised:
            facts.add(flow.subject)
        return frozenset((*facts, *(f"event.{fact}" for fact in facts)))

    def _leave(self, flow: Flow, state: State) -> None:
        """Everything that may happen in a state."""
        if state.final is not None:
            return
        known, guards = self.known[flow.name, state.name], self.checked.guards
        ways = dict(self.checked.graphs[flow.name].ways[state.name])
        ways |= {f"after {after.limit}": after.transitions for after in state.after}
        for trigger, transitions in ways.items():
            names = known | self._brought(flow, trigger) | self._waited_for(flow, trigger)
            names |= self._of_clocks(flow, state, trigger, known, known)
            handled = frozenset().union(*(guards.asked(way.when) for way in transitions))
            for way in transitions:
                here = names
                if way.when is not None:
                    self._tell(flow, state, trigger, way.at, names | handled, guard=way.when)
                    here |= guards.where(way.when, True)
                    names |= guards.where(way.when, False)
                if way.effects.spends is not None:
                    passed = tuple(each.when for each in transitions[: transitions.index(way)] if each.when is not None)
                    spending = Spending(way.effects.spends, way.when, passed)
                    self._tell(flow, state, trigger, way.at, here, spending=spending)
                self._take(flow, state, trigger, way, here)

    def _limits(self, flow: Flow, state: State) -> None:
        """The guards of limits, of clocks that count in a state or stand still in it."""
        guards = self.checked.guards
        for clock in flow.clocks.values():
            if state.name in (*clock.runs_in, *clock.pauses_in):
                names = self.known[flow.name, state.name]
                handled = frozenset().union(*(guards.asked(choice.when) for choice in clock.limits))
                for choice in clock.limits:
                    if choice.when is not None:
                        self._tell(flow, state, "", choice.at, names | handled, guard=choice.when)
                        names |= guards.where(choice.when, False)

    def _take(self, flow: Flow, state: State, trigger: str, way: Transition, names: Names) -> None:
        """The effects of a transition, in the order in which they happen, and what follows."""
        names |= _due_where_late(flow, state, names)
        target = flow.states.get(way.to) if way.to is not None else None
        if target is None:
            after = self._act(flow, state, trigger, way.effects, names, NONE)
            self._arrive(flow, state, after & self.declared, way.effects)
            return
        starts = frozenset(
            clock.name
            for clock in flow.clocks.values()
            if target.name in clock.runs_in and state.name not in (*clock.runs_in, *clock.pauses_in)
        )
        if state.leave is not None:
            names = self._act(flow, state, "leave", state.leave, names, starts)
        names = self._act(flow, state, trigger, way.effects, names, starts)
        self._open(flow, way.effects, names)
        if state.leave is not None:
            self._open(flow, state.leave, names)
        self._enter(flow, state, target, names & self.declared)

    def _enter(self, flow: Flow, before: State | None, state: State, names: Names) -> None:
        """A case comes to a state, where its clocks run before the effects of entering it happen."""
        after = names
        if state.enter is not None:
            ran = names if before is None else self.known[flow.name, before.name] & names
            clocks = self._of_clocks(flow, state, "enter", names, ran, before)
            after = self._act(flow, state, "enter", state.enter, names | clocks, NONE)
        self._arrive(flow, state, after & self.declared, state.enter)

    def _arrive(self, flow: Flow, state: State, names: Names, effects: Effects | None) -> None:
        """After a step a case knows no more than it did on any other way to its state."""
        if effects is not None:
            self._open(flow, effects, names)
        key = flow.name, state.name
        if key not in self.known:
            self.known[key] = names
        elif not self.known[key] <= names:
            self.known[key] &= names
        else:
            return
        self.waiting.append((flow, state))

    def _open(self, flow: Flow, effects: Effects, names: Names) -> None:
        """Cases that are opened begin with the facts of the case that opens them."""
        if effects.open:
            names = (names & self.declared) - self.taken_away[flow.name]
        for each in effects.open:
            other = self.checked.flows.get(each.flow)
            if other is None:
                continue
            begins = [state for state in other.states.values() if state.start_on]
            chosen = [state for state in begins if each.on in state.start_on] or begins[:1]
            for state in chosen or list(other.states.values())[:1]:
                self._enter(other, None, state, names)

    def _act(self, flow: Flow, state: State, trigger: str, effects: Effects, names: Names, starts: Names) -> Names:
        """What is known when effects have set their facts."""
        before = names
        for fact, text in effects.set.items():
            names = _after_set(self.checked, names, fact, text)
        self._tell(flow, state, trigger, effects.at, names, effects=effects, before=before, starts=starts)
        return names

    def _tell(
        self, flow: Flow, state: State, trigger: str, at: At, names: Names, guard: str | None = None,
        effects: Effects | None = None, before: Names = NONE, starts: Names = NONE, spending: Spending | None = None,
    ) -> None:  # fmt: skip
        if self.found is not None:
            here = Spot(flow, state, trigger, at, guard, effects, names, before, self.facts, starts, spending)
            self.found.append(here)

    def _waited_for(self, flow: Flow, trigger: str) -> Names:
        """The facts without which a timer of a state, or a clock, would not have fallen due."""
        clock = flow.clocks.get(trigger.partition(".")[0])
        if trigger.startswith("after "):
            return self._reads(trigger.removeprefix("after ")) - self.taken_away[flow.name]
        if clock is None or trigger in flow.events or trigger.endswith(".met") or len(clock.limits) > 1:
            return NONE
        return self._reads(clock.limits[0].limit) - self.taken_away[flow.name]

    def _of_clocks(
        self, flow: Flow, state: State, trigger: str, names: Names, ran: Names, before: State | None = None
    ) -> Names:
        """What is known of clocks in a state: ``names`` by those that start in it now, ``ran`` by those that ran
        already, as they do but for what has come ``before`` it."""
        found: set[str] = set()
        for clock, always, waits, hangs in self.clocks[flow.name]:
            own = trigger in (f"{clock.name}.late", f"{clock.name}.warned")
            if always or own:
                found.add(f"clock.{clock.name}.limit")
            if state.name not in clock.runs_in or not (always or own):
                continue
            counted = trigger == "enter" and (before is None or before.name not in (*clock.runs_in, *clock.pauses_in))
            looked_up = own or not trigger.endswith((".met", ".late")) or not hangs
            if (looked_up and waits <= (names if counted else ran)) or (own and len(clock.limits) == 1):
                found |= {f"clock.{clock.name}.due", f"clock.{clock.name}.left"}
        return frozenset(found)

    def _reads(self, text: str) -> Names:
        return reads_of(self.checked, text)


def spots_in(checked: CheckedSet) -> Sequence[Spot]:
    """Every guard and every group of effects, once for each state in which a case comes to it."""
    return checked.once(_spots)


def known_in(checked: CheckedSet) -> Mapping[tuple[str, str], Names]:
    """The facts that a case surely has in each state that it can come to, by the names of flow and state."""
    return checked.once(FlowWalk).known


def _spots(checked: CheckedSet) -> list[Spot]:
    return checked.once(FlowWalk).spots()


def reads_of(checked: CheckedSet, text: str) -> Names:
    """The facts that a limit hangs on: without one of them it never falls due. The first to fall due of several hangs
    on those alone on which each of them does."""
    limit = checked.limit(text)
    return NONE if limit is None else frozenset.intersection(*_reads_of_each(checked, limit))


def _reads_of_each(checked: CheckedSet, limit: Limit) -> list[Names]:
    declared = checked.organisation.facts
    return [frozenset(fact for fact in each.reads if fact in declared) for each in limit.all]


def is_awaited(checked: CheckedSet, text: str, names: Names) -> bool:
    """Whether a limit may never fall due where ``names`` have a value: of several none then hangs on these alone."""
    limit = checked.limit(text)
    return limit is not None and not any(reads <= names for reads in _reads_of_each(checked, limit))


def _awaits(checked: CheckedSet, text: str) -> Names:
    """The facts of which all must have a value for a limit surely to fall due."""
    limit = checked.limit(text)
    each = [] if limit is None else _reads_of_each(checked, limit)
    return frozenset().union(*each) if all(each) else NONE


def awaited(checked: CheckedSet, clock: Clock) -> Iterator[Names]:
    """The facts that each limit of a clock hangs on, but for those of which its guard has asked, or one before it."""
    guards, asked_before = checked.guards, NONE
    for choice in clock.limits:
        here = asked_before if choice.when is None else asked_before | guards.where(choice.when, True)
        yield _awaits(checked, choice.limit) - here
        asked_before |= NONE if choice.when is None else guards.where(choice.when, False)


def _due_where_late(flow: Flow, state: State, names: Names) -> Names:
    """What is known of clocks of which a guard has asked: such a one has a round, and a due time where it runs."""
    found: set[str] = set()
    for clock in flow.clocks.values():
        if names & {f"clock.{clock.name}.late", f"clock.{clock.name}.left"}:
            found.add(f"clock.{clock.name}.limit")
            if state.name in clock.runs_in:
                found.add(f"clock.{clock.name}.due")
    return frozenset(found)


def _after_set(checked: CheckedSet, names: Names, fact: str, text: str) -> Names:
    """What is known after a fact was set: it has a value where the expression surely has one."""
    return names | {fact} if is_sure(checked, names, text) else names - {fact}


def is_sure(checked: CheckedSet, names: Names, text: str) -> bool:
    """Whether an expression surely has a value where ``names`` have one."""
    facts = checked.organisation.facts
    return checked.guards.is_sure(text, lambda name: has_value(facts, names, name))


def _taken_away(checked: CheckedSet, flow: Flow) -> Names:
    """The facts that effects of a flow set, perhaps to nothing."""
    return frozenset(
        fact for effects in effects_of(flow) for fact, text in effects.set.items() if not is_sure(checked, NONE, text)
    )


def where_told(spot: Spot) -> str:
    """A place in words: what happens, in which state."""
    match spot.trigger:
        case "":
            return f"in {spot.state.name}"
        case "enter" | "leave":
            return f"on {'entering' if spot.trigger == 'enter' else 'leaving'} {spot.state.name}"
    return f"{spot.trigger if spot.trigger.startswith('after ') else f'on {spot.trigger}'} in {spot.state.name}"
