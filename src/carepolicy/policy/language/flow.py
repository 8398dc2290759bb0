"""The language of flows/*.yaml: events, clocks, states, and what leads from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from carepolicy.policy.language.effects import Effects
from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    Reader,
    called,
    derived,
    expression,
    flag,
    inlined,
    key,
    limit,
    located,
    mapping,
    name_of,
    named,
    names,
    passed_on,
    read_fields,
    requirement_ids,
    text,
    texts,
    title,
    words,
)
from carepolicy.policy.language.shapes import (
    COUNT,
    DATE,
    EXCEPTIONS,
    FACTS,
    LIMIT,
    NAME,
    SCALARS,
    TEXT,
    TRIGGER,
    VALUES,
    WORDS,
    Array,
    Either,
    Named,
    Scalar,
    Several,
    choice,
)
from carepolicy.policy.limit import FirstOfText, LimitText
from carepolicy.policy.node import CelText, Node, in_words
from carepolicy.policy.places import At
from carepolicy.translations import msg

OWNER = "owner"
"""The calendar of a clock that counts in the calendar of the state's owner."""

SHARE = "a share, such as 95% or 0.95"
SHARE_SCHEMA = {
    "type": ["number", "string"],
    "minimum": 0,
    "maximum": 1,
    "pattern": r"^\s*\d{1,3}(\.\d+)?\s*%\s*$",
    "errorMessage": SHARE,
    "patternErrorMessage": "a share is written like 95% or 0.95",
}
"""What a target is expected to be."""

WHO = ("customer", "staff", "system", "carrier", "partner", "other")
CLOCK_EVENTS = ("warned", "late", "met")
"""What a clock tells of itself, after its name and a dot."""
EVERY = "every"
"""What a state starts on in a flow whose cases are opened by time."""
WAITERS = ("customer", "us", *WHO[1:])
"""Who may be said to wait; roles may as well."""


@mapping("the facts it bears, such as {required: [customer.email]}")
class Carried(Mapped):
    """The facts that an event bears."""

    required: tuple[str, ...] = key(
        FACTS, "Facts that it must bear.", missing=(), example="[customer.email]", unknown="CP226", codes=("CP412",)
    )
    optional: tuple[str, ...] = key(FACTS, "Facts it may bear.", missing=(), example="[customer.tier]", unknown="CP226")


def _carried(name: str) -> Reader:
    def read(node: Node, under: str) -> tuple[str, ...]:
        carries = node.find("carries")
        return carries.texts(name) if carries is not None else ()

    return read


@mapping("an event, such as {title: The customer writes, by: customer}", piece="event", nullable=True)
class Event(Mapped):
    """What may happen in a flow. ``by``: customer, staff, system, carrier, partner or other."""

    name: str = called()
    title: str = title("What happens, in words.", example="The customer writes", codes=("CP801", "CP803"))
    by: str = key(
        choice(*WHO, expected="one who acts"), "Whose act it is.", missing="other", otherwise="other",
        example="customer", rank=1, told=msg("comes from"),
    )  # fmt: skip
    required: tuple[str, ...] = key(
        Fields(Carried), "The facts that it bears.", key="carries", bare=True, read=_carried("required"),
        example="{required: [customer.email]}", rank=2, told=msg("carries"),
    )  # fmt: skip
    optional: tuple[str, ...] = derived(_carried("optional"))
    at: At = located()


_ROLLS = Scalar(
    "rolls",
    {
        "enum": ["next_business_day"],
        "errorMessage": "next_business_day",
        "description": "Moves a due time on a closed day to the next open one.",
    },
)


@mapping(
    "limits of which the first to fall due counts, such as {first_of: [3 business days, until order.ship_by]}",
    piece="first_of",
)
class FirstOf(Mapped):
    """Limits, each as if it were the only one, of which the first to fall due counts."""

    limits: tuple[LimitText, ...] = key(
        Array(LIMIT, "a list of two limits or more", at_least=2), "Limits of which the first to fall due counts.",
        key="first_of", required=True, hangs=True, example="[3 business days, until order.ship_by]",
        codes=("CP220", "CP221"),
    )  # fmt: skip


_LIMIT_OR_FIRST = Either(
    LIMIT,
    Fields(FirstOf),
    {
        **LIMIT.body(),
        "type": [*SCALARS, "object"],
        **{keyword: Fields(FirstOf).body()[keyword] for keyword in ("properties", "required", "additionalProperties")},
        "errorMessage": "a limit such as 3 business hours, or {first_of: […]}",
    },
)


def _limit_or_first(node: Node) -> LimitText:
    if isinstance(node.data, dict):
        return FirstOfText(each.limit() for each in node["first_of"].entries())
    return node.limit()


@mapping("{when: …, is: …}", piece="choice")
class LimitChoice(Mapped):
    """One entry of a clock's limits: ``limit`` (its text) holds where the guard ``when`` does."""

    when: CelText | None = expression("The limit holds where this does.", example='customer.tier == "gold"')
    limit: LimitText = key(
        _LIMIT_OR_FIRST, "The limit; or the first of several to fall due: {first_of: […]}.", key="is", required=True,
        hangs=True, read=lambda node, name: _limit_or_first(node["is"]), example="3 business hours",
    )  # fmt: skip
    rolls: str | None = key(
        _ROLLS, "What becomes of a due time on a closed day.", bare=True, otherwise="the clock's", codes=("CP408",),
        example="next_business_day",
    )  # fmt: skip
    calendar: str | None = name_of(
        "calendar", "The calendar it counts in; owner for that of the state's owner.", otherwise="the clock's",
        also=(OWNER,), example="office", codes=("CP222",), default=None, told=msg("calendar"),
    )  # fmt: skip
    at: At = located()


_LIMITS = Either(
    LIMIT,
    Array(Fields(LimitChoice, piece="choice")),
    {
        "type": [*SCALARS, "array", "object"],
        "items": Fields(LimitChoice, piece="choice").schema(),
        **{keyword: Fields(FirstOf).body()[keyword] for keyword in ("properties", "required", "additionalProperties")},
        "errorMessage": "a limit such as 3 business hours, a list of {when: …, is: …}, or {first_of: […]}",
    },
    Fields(FirstOf),
)


def _limits(node: Node, name: str) -> tuple[LimitChoice, ...]:
    limits, rolls = node["limit"], node.maybe("rolls")
    if not isinstance(limits.data, list):
        return (LimitChoice(when=None, limit=_limit_or_first(limits), rolls=rolls, at=limits.at),)
    choices = (read_fields(LimitChoice, each, name) for each in limits.entries())
    return tuple(each if each.rolls else replace(each, rolls=rolls) for each in choices)


@mapping("a clock, such as {limit: 3 business hours, runs_in: [received]}", piece="clock")
class Clock(Mapped):
    """A promise in time. ``target`` is a share from 0 to 1; ``calendar`` a name, "owner" or None."""

    name: str = called()
    title: str = title(example="First answer", codes=("CP803",))
    promise: str = words(
        "The promise in words; {limit} stands for the limit.", example="An answer within {limit}.",
        codes=("CP225", "CP409"), rank=1, told=msg("promise"),
    )  # fmt: skip
    limits: tuple[LimitChoice, ...] = key(
        _LIMITS, "A limit, or a list of limits of which the first that holds wins.", key="limit", required=True,
        hangs=True, read=_limits,
        example='[{when: customer.tier == "gold", is: 3 business hours}, {is: 1 business day}]',
        codes=("CP220", "CP221", "CP222", "CP412", "CP414"), rank=2,
    )  # fmt: skip
    runs_in: tuple[str, ...] = names(
        "state", "States in which it runs.", required=True, example="[received]", codes=("CP234", "CP402", "CP403"),
        rank=3, told=msg("runs in"),
    )  # fmt: skip
    pauses_in: tuple[str, ...] = names(
        "state", "States in which it stands still.", example="[waiting_for_customer]", codes=("CP234", "CP407"), rank=3,
        told=msg("stands still in"),
    )  # fmt: skip
    again: str = key(
        choice("restart", "continue", expected="restart or continue"),
        "What happens when it starts after it was stopped.", missing="restart", otherwise="restart", example="continue",
        rank=3, told=msg("when it starts again"),
    )  # fmt: skip
    restarts_on: tuple[str, ...] = names(
        "event", "Events that begin it anew while it runs.", example="[customer_wrote]", rank=3,
        told=msg("begins anew when"),
    )  # fmt: skip
    warn_at: tuple[str, ...] = texts(
        "When it warns: after a share of the limit, so long before it is due, or after so much time.",
        example="[75%, 30 business minutes before, 2 hours]", codes=("CP235",), rank=4, told=msg("warns at"),
    )  # fmt: skip
    target: float | None = key(
        Scalar("", SHARE_SCHEMA, lambda node: _share(node)),
        "The share of all rounds that must be in time; 80% with a limit of 20 seconds is 80 % in 20 seconds.",
        example="95%", rank=4, told=msg("in time"),
    )  # fmt: skip
    calendar: str | None = name_of(
        "calendar", "The calendar it counts in; owner for that of the state's owner.", otherwise="the flow's",
        also=(OWNER,), example="owner", codes=("CP222",), rank=3, told=msg("calendar"),
    )  # fmt: skip
    counts_from: str | None = name_of(
        "fact", "A fact that holds the instant from which the first round counts.",
        otherwise="the instant at which it starts", example="order.ship_by", codes=("CP221", "CP412"), rank=3,
        told=msg("counts from"),
    )  # fmt: skip
    rolls = passed_on(
        _ROLLS, "What becomes of a due time on a closed day.", bare=True, otherwise="it stays",
        example="next_business_day", codes=("CP408",), told=msg("on a closed day"),
    )  # fmt: skip
    never_pauses: str | None = words(
        "Why it must never pause, such as law.", missing=None, example="the law gives 14 days", codes=("CP407",),
        rank=3, told=msg("never stands still"),
    )  # fmt: skip
    at: At = located()
    covers: tuple[str, ...] = requirement_ids("clock")


def _share(node: Node) -> float | None:
    """A share from 0 to 1, written as a percentage or as a number."""
    if not isinstance(node.data, str):
        return float(node.data)
    share = Decimal(node.data.strip().removesuffix("%").strip()) / 100
    if share > 1:
        node.fault("CP112", f'"{node.data}" is more than all cases', "a share is at most 100%")
    return float(share)


_WAY = "a state's name, or {to: …, when: …}, or a list of these"


@mapping()
class Transition(Mapped):
    """One arrow. ``on`` is its trigger: an event, ``CLOCK.late`` (…), or the limit of an ``after``.

    ``to`` None means that the case stays, without leaving and entering again. ``except_`` is used
    under ``anywhere`` only: the states in which it does not hold; in ``common`` flows and FLOW.STATE.
    """

    on: str = called()
    when: CelText | None = expression(
        "The transition is taken only where this holds.", otherwise="always", example='customer.tier == "gold"',
        codes=("CP307", "CP308", "CP309"), rank=0, told=msg("condition"),
    )  # fmt: skip
    to: str | None = name_of(
        "state", "The next state; without it the case stays.", otherwise="the case stays", example="answered", rank=1,
        told=msg("leads to"),
    )  # fmt: skip
    effects: Effects = inlined(Effects)
    title: str = words("What people call it.", example="Answer it", rank=3, told=msg("title"))
    steps: tuple[str, ...] = texts(
        "What to do, in order.", said=WORDS, default=(), example="[Look at the order, Write the answer]", rank=3,
        told=msg("what to do"),
    )  # fmt: skip
    say: str = words(
        "What to say.", default="", example="We are sorry.", codes=("CP225",), rank=3, told=msg("what to say")
    )
    never: str = words(
        "What not to say.", default="", example="Do not promise a date.", rank=3,
        told=msg("what never to say"),
    )  # fmt: skip
    note: str = words("Why, for the chart and the audit.", example="The law asks for it.", rank=3, told=msg("why"))
    answer: str = words(
        "The answer to the state's question that leads this way.", example="Yes", rank=3, told=msg("answer")
    )
    draw: str | None = key(
        choice("arrow", "chip", expected="arrow or chip"), "How the chart shows it.", otherwise="as the chart has room",
        example="chip", rank=3,
    )  # fmt: skip
    except_: tuple[str, ...] = names(
        "state", "Where it does not hold.", key="except", only=("anywhere",), example="[answered]", rank=1,
        told=msg("not at"),
    )  # fmt: skip
    excepted = passed_on(
        EXCEPTIONS, "Flows that do not take it up, and states (FLOW.STATE) where it does not hold.", key="except",
        only=("common",), example="[feedback_survey, email_inquiry.answered]", codes=("CP203", "CP208"), rank=1,
    )  # fmt: skip
    at: At = located()


def ways(variant: str, piece: str) -> Several:
    """One transition of a variant, or several."""
    one = Fields(Transition, variant, "to", _WAY, f"{piece}_one")
    return Several(one, ("string", "object"), _WAY, piece)


TRANSITIONS = ways("transition", "transitions")
ANYWHERE = ways("anywhere", "anywhere")


class _After(Named):
    """Limits and where they lead."""

    def read(self, node: Node, name: str) -> tuple[After, ...]:
        """The transitions by their limit, in their order."""
        return tuple(
            After(LimitText(limit), self.values.read(node[limit], limit), node[limit].at) for limit in node.data
        )


@dataclass(frozen=True, slots=True)
class After:
    """Transitions that are tried when ``limit`` has passed since the state was entered."""

    limit: LimitText
    transitions: tuple[Transition, ...]
    at: At


@mapping("a state, such as {title: Answered, final: resolved}", piece="state")
class State(Mapped):
    """Where a case can be. ``final`` is the outcome of a final state, None in every other."""

    name: str = called()
    title: str = title(example="Waiting for the customer", codes=("CP801", "CP802", "CP803"))
    steps: tuple[str, ...] = texts(
        "What to do, in order.", said=WORDS, example="[Look at the order, Write the answer]", rank=3,
        told=msg("what to do"),
    )  # fmt: skip
    say: str = words("What to say.", example="We are sorry.", codes=("CP225",), rank=3, told=msg("what to say"))
    never: str = words("What not to say.", example="Do not promise a date.", rank=3, told=msg("what never to say"))
    note: str = words("Why, for the chart and the audit.", example="The law asks for it.", rank=3, told=msg("why"))
    ask: str = words(
        "The question that its guarded transitions answer.", example="Is it urgent?", rank=3,
        told=msg("question"),
    )  # fmt: skip
    start_on: tuple[str, ...] = names(
        "event", "Events that open a case here.", example="email_received", codes=("CP230", "CP243"), rank=1,
        told=msg("starts when"),
    )  # fmt: skip
    owner: str | None = name_of(
        "role", "The role that acts.", otherwise="the flow's", example="care_agent", codes=("CP501", "CP504"), rank=2,
        told=msg("owner"),
    )  # fmt: skip
    channel: str | None = name_of(
        "channel", "The channel that messages take.", example="email", rank=2, told=msg("channel")
    )
    waits: str | None = name_of(
        "waiter", "Whom it waits for: customer, us, carrier ...", example="customer", codes=("CP244", "CP401"), rank=2,
        told=msg("who waits"),
    )  # fmt: skip
    enter: Effects | None = key(
        Fields(Effects, piece="effects"), "Effects on entering.", example="{send: auto_reply}", rank=4
    )
    leave: Effects | None = key(
        Fields(Effects, piece="effects"), "Effects on leaving.", example="{tell: care_lead}", rank=4
    )
    on: Mapping[str, tuple[Transition, ...]] = named(
        TRANSITIONS, "events and where they lead, such as {reply_sent: answered}", "What happens on each event.",
        names=TRIGGER, example="{reply_sent: answered}", codes=("CP202", "CP205", "CP305"), rank=5,
    )  # fmt: skip
    after: tuple[After, ...] = key(
        _After(TRANSITIONS, "limits and where they lead, such as {7 days: closed}", LIMIT),
        "What happens when so much time has passed here.", missing=(), hangs=True, example="{7 days: answered}",
        codes=("CP220", "CP221", "CP310"), rank=5,
    )  # fmt: skip
    final: str | None = name_of(
        "", "The outcome of a case that ends here.", otherwise="no case ends here", example="resolved",
        codes=("CP303", "CP304"), rank=6, told=msg("outcome"), aspect="outcome", said=VALUES,
    )  # fmt: skip
    renamed_from: str | None = name_of(
        "", "What the state was called in the version before.", example="taken", codes=("CP233",), rank=6
    )
    synonyms: tuple[str, ...] = texts(
        "Words of customers for it, by which the handbook finds it: phrases with semicolons between, or a list.",
        said=WORDS, example="nobody answers; still waiting", rank=3, told=msg("also called"),
    )  # fmt: skip
    at: At = located()
    covers: tuple[str, ...] = requirement_ids("state")


@mapping("a phase, such as {title: Open, states: [received]}", piece="phase")
class Phase(Mapped):
    """A box on the chart, and the transitions that its states share."""

    name: str = called()
    title: str = title(example="Open")
    states: tuple[str, ...] = names("state", "The states in it.", required=True, example="[received]", rank=1)
    on: Mapping[str, tuple[Transition, ...]] = named(
        TRANSITIONS, "events and where they lead", "Transitions that its states share.", names=TRIGGER,
        example="{reply_sent: answered}", codes=("CP202", "CP205"), rank=2,
    )  # fmt: skip
    at: At = located()


@mapping(
    "a flow: its name, version, owner, events and states",
    "One flow chart: events, clocks, states, and what leads from one to the next.",
)
class Flow(Mapped):
    """One flow chart. ``subject`` is the fact that keys its cases, or None for the event's subject;
    with ``every`` it is the subject itself for which cases are opened by time."""

    name: str = key(
        NAME.of("flow"), "The flow's name: that of its file.", key="flow", required=True, scopes=True, defines=True,
        example="email_inquiry", codes=("CP115", "CP116"), rank=0,
    )  # fmt: skip
    version: int = key(
        COUNT, "Counts up with each change that is applied.", required=True, example="1", codes=("CP233",), rank=1,
        told=msg("version"),
    )  # fmt: skip
    title: str = title(missing=lambda node, name: in_words(node.said("flow")), example="E-mail inquiry", rank=2)
    purpose: str = words("What it is for.", example="Every e-mail gets an answer.", rank=3, told=msg("purpose"))
    owner: str = name_of(
        "role", "The role that is accountable for the flow.", required=True, example="care_lead", rank=4,
        told=msg("owner"),
    )  # fmt: skip
    steward: str | None = name_of(
        "role", "The role that keeps it up to date.", example="care_agent", codes=("CP505",), rank=4,
        told=msg("steward"),
    )  # fmt: skip
    covers: tuple[str, ...] = texts(
        "Ids of the requirements that it meets.", example="[R07, R12]", rank=4, told=msg("covers")
    )
    based_on: str = words(
        "The law, contract or paper that it follows.", example="Consumer Contracts Regulations 2013", rank=4,
        told=msg("based on"),
    )  # fmt: skip
    valid_from: date | None = key(
        DATE, "The first day on which it holds.", example="2026-01-01", codes=("CP114",), rank=4,
        told=msg("valid from"),
    )  # fmt: skip
    calendar: str | None = name_of(
        "calendar", "The calendar of its clocks; the organisation's by default.", otherwise="the organisation's",
        example="office", rank=4, told=msg("calendar"),
    )  # fmt: skip
    subject: str | None = key(
        TEXT.of("fact"), "The fact that keys its cases; with every: the subject itself.",
        otherwise="the event's subject", example="complaint.cause", unknown="CP227", codes=("CP238",), rank=4,
        told=msg("subject"),
    )  # fmt: skip
    keep: LimitText | None = limit(
        "When a closed case's facts are erased.", otherwise="the organisation's", example="3 years", rank=4,
        told=msg("kept for"),
    )  # fmt: skip
    every: LimitText | None = limit(
        "Open a case each time that so much time has passed.", example="1 month", codes=("CP236",), rank=4,
        told=msg("every"),
    )  # fmt: skip
    starting: str | None = text(
        "The first instant at which every: opens a case.", missing=None, example="2026-01-01 09:00", codes=("CP236",),
        rank=4, told=msg("starting"),
    )  # fmt: skip
    promise: LimitText | None = limit(
        "The limit of the whole flow.", example="14 days", codes=("CP411",), rank=4, told=msg("promise")
    )
    synonyms: tuple[str, ...] = texts(
        "Words of customers for it, by which the handbook finds it: phrases with semicolons between, or a list.",
        said=WORDS, example="money back; send it back; refund", rank=4, told=msg("also called"),
    )  # fmt: skip
    events: Mapping[str, Event] = named(
        Event, "events by name", "What may happen.", defines="event", codes=("CP306",), rank=5,
        example="{email_received: {title: The customer writes, by: customer}}",
    )  # fmt: skip
    clocks: Mapping[str, Clock] = named(
        Clock, "clocks by name", "Promises in time.", defines="clock", rank=6,
        example="{first_reply: {limit: 3 business hours, runs_in: received}}",
    )  # fmt: skip
    states: Mapping[str, State] = named(
        State, "states by name", "Where a case can be.", defines="state", at_least=1, required=True, rank=7,
        example="{received: {title: Waiting for an answer, start_on: email_received}}", codes=("CP301", "CP302"),
    )  # fmt: skip
    anywhere: Mapping[str, tuple[Transition, ...]] = named(
        ANYWHERE, "events and where they lead",
        "What holds in every state that is not final and does not handle it itself.", names=TRIGGER,
        example="{reply_sent: {to: answered, except: [overdue]}}", codes=("CP202", "CP205"), rank=7,
    )  # fmt: skip
    phases: Mapping[str, Phase] = named(
        Phase, "phases by name", "Boxes on the chart, and transitions shared by their states.", defines="phase", rank=7,
        example="{open: {title: Open, states: [received]}}", told=msg("phases"),
    )  # fmt: skip
    takes_common: bool = flag(
        "false: it takes up nothing of what common: in organisation.yaml says once for every flow.", key="common",
        missing=True, default=True, otherwise="true", example="false", rank=7,
        told=msg("takes up what is common"),
    )  # fmt: skip
    moves_to: Mapping[str, str] = named(
        NAME.of("state"), "old states and new ones", "Where cases in a state that is gone move to.", rank=8,
        example="{taken: received}", codes=("CP233",), told=msg("open cases move"),
    )  # fmt: skip
    order: tuple[str, ...] = derived(lambda node, name: tuple(node.data))
    at: At = located()

    def triggers(self) -> tuple[str, ...]:
        """Every name that may stand as a key of ``on:``: events, then each clock's three events."""
        clock_events = (f"{clock}.{what}" for clock in self.clocks for what in CLOCK_EVENTS)
        return (*self.events, *clock_events)


def transitions_of(flow: Flow, state: str) -> dict[str, tuple[Transition, ...]]:
    """All transitions that may be taken in ``state``, by trigger, in the order in which they are tried.

    A trigger that the state handles itself is not looked up further, whether or not a guard of it
    holds; the same goes for phases before ``anywhere``. A final state has none. ``after`` is not in
    here: it belongs to the state alone.
    """
    here = flow.states[state]
    if here.final is not None:
        return {}
    found = dict(here.on)
    for phase in flow.phases.values():
        if state in phase.states:
            for trigger, transitions in phase.on.items():
                found.setdefault(trigger, transitions)
    for trigger, transitions in flow.anywhere.items():
        open_here = tuple(each for each in transitions if state not in each.except_)
        if open_here:
            found.setdefault(trigger, open_here)
    return found


def list_at(transitions: Iterable[Transition]) -> At:
    """The address to which the key leads under which some transitions stand: of one, or of the list of them."""
    at = next(iter(transitions)).at
    return At(at.file, at.path[:-1]) if isinstance(at.path[-1], int) else at
