"""The schema of a flow's file."""

from __future__ import annotations

from carepolicy.policy.schema.parts import NAME, Schema, keyed, listed, named, ref, root

SHARE = "a share, such as 95% or 0.95"
"""What a target is expected to be."""

WHO = ("customer", "staff", "system", "carrier", "partner", "other")
WAITERS = ("customer", "us", *WHO[1:])
"""Who may be said to wait; roles may as well."""


def _short_or(long: Schema, expected: str) -> Schema:
    """A name, or the long form of what it stands for."""
    pattern = {keyword: value for keyword, value in NAME.items() if keyword != "type"}
    return {**long, **pattern, "type": ["string", "object"], "errorMessage": expected}


_TELL = _short_or(
    keyed({"role": ref("name", "Who is told."), "say": ref("text", "What they are told.")}, ["role"]),
    "a role, or {role: …, say: …}",
)
_OPEN = _short_or(
    keyed(
        {
            "flow": ref("name", "The flow of which a case is opened."),
            "on": ref("name", "The event that starts it, where the flow has several starts."),
            "keep_time": {
                "type": "boolean",
                "errorMessage": "true or false",
                "description": "Hand the original receipt time on.",
            },
        },
        ["flow"],
    ),
    "a flow, or {flow: …, on: …}",
)
_RAISE = keyed(
    {
        "event": ref("name", "The event that is raised."),
        "subject": ref("expression", "Whom it is about."),
        "data": named(ref("expression"), "expressions by the fact they give", "What it carries.", "fact"),
    },
    ["event", "subject"],
)
_EXTEND = keyed(
    {
        "clock": ref("name", "The clock that gets more time."),
        "by": ref("limit", "How much more."),
        "at_most": {
            "type": "integer",
            "minimum": 1,
            "errorMessage": "a whole number",
            "description": "How often in one case.",
        },
    },
    ["clock", "by"],
)
_ARGUMENTS = {
    **named(ref("expression"), "arguments and their expressions, or {}", names="name"),
    "type": ["object", "null"],
}

_EFFECTS: dict[str, Schema] = {
    "set": ref("set", "Facts that change, and to what."),
    "send": ref("names", "Message templates that the customer is sent."),
    "tell": ref("tell", "Internal notices to roles."),
    "request": ref("request", "Commands to services."),
    "open": ref("open", "Cases of other flows for the same subject."),
    "assign": {
        "type": "string",
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$",
        "description": "The role, or the fact that names a person, that the case is given to.",
        "errorMessage": "a role, or a fact that names a person",
        "patternErrorMessage": "a role is written like_this, a fact like customer.account_owner",
    },
    "raise": ref("raise", "Events for another key."),
    "extend": ref("extend", "More time on running clocks."),
}

_EFFECTS_ONLY = keyed(_EFFECTS, (), "effects, such as {send: auto_reply}")

_PEOPLE: dict[str, Schema] = {
    "title": ref("text", "What people call it."),
    "steps": ref("texts", "What to do, in order."),
    "say": ref("text", "What to say."),
    "never": ref("text", "What not to say."),
    "note": ref("text", "Why, for the chart and the audit."),
}

_TRANSITION = keyed(
    {
        "when": ref("expression", "The transition is taken only where this holds."),
        "to": ref("name", "The next state; without it the case stays."),
        **_EFFECTS,
        "spends": ref("expression", "Money that it gives away; the state's owner must have the authority: for it."),
        **_PEOPLE,
        "answer": ref("text", "The answer to the state's question that leads this way."),
        "draw": {"enum": ["arrow", "chip"], "description": "How the chart shows it.", "errorMessage": "arrow or chip"},
    },
)
_WAY = "a state's name, or {to: …, when: …}, or a list of these"


def _transitions(name: str, transition: Schema) -> dict[str, Schema]:
    short = _short_or(transition, _WAY)
    return {f"{name}_one": short, name: listed(short, "string", "object", expected=_WAY, name=f"{name}_one")}


_EXCEPT = {
    **_TRANSITION,
    "properties": {**_TRANSITION["properties"], "except": ref("names", "Where it does not hold.")},
}

_EVENT: Schema = {
    **keyed(
        {
            "title": ref("text", "What happens, in words."),
            "by": {"enum": list(WHO), "description": "Whose act it is.", "errorMessage": "one who acts"},
            "carries": keyed(
                {"required": ref("facts", "Facts that it must bear."), "optional": ref("facts", "Facts it may bear.")},
                (),
                "the facts it bears, such as {required: [customer.email]}",
            ),
        },
        (),
        "an event, such as {title: The customer writes, by: customer}",
    ),
    "type": ["object", "null"],
}

_CHOICE = keyed(
    {
        "when": ref("expression", "The limit holds where this does."),
        "is": ref("limit"),
        "rolls": ref("rolls"),
    },
    ["is"],
    "{when: …, is: …}",
)

_CLOCK = keyed(
    {
        "title": ref("text", "What people call it."),
        "promise": ref("text", "The promise in words; {limit} stands for the limit."),
        "limit": {
            "type": ["string", "number", "boolean", "array"],
            "items": ref("choice"),
            "description": "A limit, or a list of limits of which the first that holds wins.",
            "errorMessage": "a limit such as 3 business hours, or a list of {when: …, is: …}",
        },
        "runs_in": ref("names", "States in which it runs."),
        "pauses_in": ref("names", "States in which it stands still."),
        "again": {
            "enum": ["restart", "continue"],
            "description": "What happens when it starts after it was stopped.",
            "errorMessage": "restart or continue",
        },
        "restarts_on": ref("names", "Events that begin it anew while it runs."),
        "warn_at": ref("texts", "Shares of the limit at which it warns, such as [50%, 80%]."),
        "target": {
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": 1,
            "pattern": r"^\s*\d{1,3}(\.\d+)?\s*%\s*$",
            "description": "The share of cases that must be in time.",
            "errorMessage": SHARE,
            "patternErrorMessage": "a share is written like 95% or 0.95",
        },
        "calendar": ref("name", "The calendar it counts in; owner for that of the state's owner."),
        "counts_from": ref("fact", "A fact that holds the instant from which the first round counts."),
        "rolls": ref("rolls"),
        "never_pauses": ref("text", "Why it must never pause, such as law."),
    },
    ["limit", "runs_in"],
    "a clock, such as {limit: 3 business hours, runs_in: [received]}",
)

_STATE = keyed(
    {
        **_PEOPLE,
        "ask": ref("text", "The question that its guarded transitions answer."),
        "start_on": ref("names", "Events that open a case here."),
        "owner": ref("name", "The role that acts."),
        "channel": ref("name", "The channel that messages take."),
        "waits": ref("name", "Whom it waits for: customer, us, carrier ..."),
        "enter": ref("effects", "Effects on entering."),
        "leave": ref("effects", "Effects on leaving."),
        "on": named(
            ref("transitions"),
            "events and where they lead, such as {reply_sent: answered}",
            "What happens on each event.",
            "trigger",
        ),
        "after": named(
            ref("transitions"),
            "limits and where they lead, such as {7 days: closed}",
            "What happens when so much time has passed here.",
            "limit",
        ),
        "final": ref("name", "The outcome of a case that ends here."),
        "renamed_from": ref("name", "What the state was called in the version before."),
        "synonyms": ref("texts", "Other words for it."),
    },
    (),
    "a state, such as {title: Answered, final: resolved}",
)

_PHASE = keyed(
    {
        "title": ref("text", "What people call it."),
        "states": ref("names", "The states in it."),
        "on": named(ref("transitions"), "events and where they lead", "Transitions that its states share.", "trigger"),
    },
    ["states"],
    "a phase, such as {title: Open, states: [received]}",
)

_BODY = keyed(
    {
        "flow": ref("name", "The flow's name: that of its file."),
        "version": {
            "type": "integer",
            "minimum": 1,
            "description": "Counts up with each change that is applied.",
            "errorMessage": "a whole number",
        },
        "title": ref("text", "What people call it."),
        "purpose": ref("text", "What it is for."),
        "owner": ref("name", "The role that is accountable for the flow."),
        "steward": ref("name", "The role that keeps it up to date."),
        "covers": ref("texts", "Ids of the requirements that it meets."),
        "based_on": ref("text", "The law, contract or paper that it follows."),
        "valid_from": ref("date", "The first day on which it holds."),
        "calendar": ref("name", "The calendar of its clocks; the organisation's by default."),
        "subject": ref("text", "The fact that keys its cases; with every: the subject itself."),
        "keep": ref("limit", "When a closed case's facts are erased."),
        "every": ref("limit", "Open a case each time that so much time has passed."),
        "starting": ref("text", "The first instant at which every: opens a case."),
        "promise": ref("limit", "The limit of the whole flow."),
        "synonyms": ref("texts", "Other words for it."),
        "events": named(ref("event"), "events by name", "What may happen."),
        "clocks": named(ref("clock"), "clocks by name", "Promises in time."),
        "states": {**named(ref("state"), "states by name", "Where a case can be."), "minProperties": 1},
        "anywhere": named(
            ref("anywhere"),
            "events and where they lead",
            "What holds in every state that is not final and does not handle it itself.",
            "trigger",
        ),
        "phases": named(ref("phase"), "phases by name", "Boxes on the chart, and transitions shared by their states."),
        "moves_to": named(ref("name"), "old states and new ones", "Where cases in a state that is gone move to."),
    },
    ["flow", "version", "owner", "states"],
    "a flow: its name, version, owner, events and states",
    "One flow chart: events, clocks, states, and what leads from one to the next.",
)


def flow_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a flow's file."""
    pieces = {
        "event": _EVENT,
        "choice": _CHOICE,
        "clock": _CLOCK,
        "state": _STATE,
        "phase": _PHASE,
        "rolls": {
            "enum": ["next_business_day"],
            "errorMessage": "next_business_day",
            "description": "Moves a due time on a closed day to the next open one.",
        },
        **_transitions("transitions", _TRANSITION),
        **_transitions("anywhere", _EXCEPT),
        "effects": _EFFECTS_ONLY,
        "set": named(
            ref("expression"),
            "facts and their expressions, such as {complaint.attempts: complaint.attempts + 1}",
            names="fact",
        ),
        "tell": listed(_TELL, "string", "object", expected="a role, or {role: …, say: …}, or a list of these"),
        "request": named(_ARGUMENTS, "a command and its arguments, such as {charge_card: {amount: order.total}}"),
        "open": listed(_OPEN, "string", "object", expected="a flow, or {flow: …, on: …}, or a list of these"),
        "raise": listed(_RAISE, "object", expected="{event: …, subject: …, data: …}, or a list of these"),
        "extend": listed(_EXTEND, "object", expected="{clock: …, by: …, at_most: …}, or a list of these"),
    }
    return root("carepolicy flow", "flow.schema.json", _BODY, pieces)
