"""Small sets built by hand from plain data, for charts that the sample policies do not have."""

from __future__ import annotations

from datetime import date

from carepolicy.policy.language.organisation import HandbookPlace
from carepolicy.policy.model import (
    After,
    Clock,
    Effects,
    Event,
    Flow,
    LimitChoice,
    LimitText,
    Message,
    Open,
    Organisation,
    Phase,
    Policies,
    Role,
    Setting,
    State,
    Tell,
    Transition,
)
from carepolicy.policy.places import At

HERE = At("made.yaml")


def many(value):
    return () if value is None else tuple(value) if isinstance(value, list | tuple) else (value,)


def effects(data):
    tells = [tell if isinstance(tell, dict) else {"role": tell, "say": ""} for tell in many(data.get("tell"))]
    opened = [each if isinstance(each, dict) else {"flow": each} for each in many(data.get("open"))]
    return Effects(
        set=data.get("set", {}),
        send=many(data.get("send")),
        request=(),
        assign=data.get("assign"),
        raises=(),
        extend=(),
        tell=tuple(Tell(tell["role"], tell.get("say", ""), HERE) for tell in tells),
        open=tuple(Open(each["flow"], each.get("on"), False, HERE) for each in opened),
        at=HERE,
    )


def transitions(trigger, data):
    found = []
    for each in data if isinstance(data, list) else [data]:
        keys = {"to": each} if isinstance(each, str) else each
        found.append(
            Transition(
                on=trigger,
                when=keys.get("when"),
                to=keys.get("to"),
                effects=effects(keys),
                note="",
                answer=keys.get("answer", ""),
                title=keys.get("title", ""),
                draw=keys.get("draw"),
                except_=many(keys.get("except")),
                at=HERE,
            )
        )
    return tuple(found)


def handled(data):
    return {trigger: transitions(trigger, value) for trigger, value in (data or {}).items()}


def state(name, data):
    return State(
        name=name,
        title=data.get("title", ""),
        start_on=many(data.get("start_on")),
        owner=data.get("owner"),
        channel=None,
        steps=(),
        say=data.get("say", ""),
        never="",
        ask=data.get("ask", ""),
        note="",
        waits=None,
        enter=effects(data["enter"]) if "enter" in data else None,
        leave=effects(data["leave"]) if "leave" in data else None,
        on=handled(data.get("on")),
        final=data.get("final"),
        renamed_from=None,
        synonyms=(),
        after=tuple(After(limit, transitions(limit, value), HERE) for limit, value in data.get("after", {}).items()),
        at=HERE,
    )


def clock(name, data):
    limits = data["limit"] if isinstance(data["limit"], list) else [{"is": data["limit"]}]
    return Clock(
        name=name,
        title=data.get("title", ""),
        promise="",
        calendar=None,
        counts_from=None,
        never_pauses=None,
        limits=tuple(LimitChoice(each.get("when"), LimitText(each["is"]), None, HERE) for each in limits),
        target=None,
        runs_in=many(data.get("runs_in")),
        pauses_in=many(data.get("pauses_in")),
        again="restart",
        restarts_on=(),
        warn_at=many(data.get("warn_at")),
        at=HERE,
    )


def flow(data):
    name = data["flow"]
    return Flow(
        name=name,
        version=data.get("version", 1),
        title=data.get("title", ""),
        purpose=data.get("purpose", ""),
        owner=data.get("owner", "lead"),
        steward=None,
        covers=(),
        based_on="",
        valid_from=date(2026, 1, 5),
        calendar=None,
        subject=None,
        keep=None,
        every=data.get("every"),
        starting=None,
        promise=None,
        events={key: Event(key, title, "staff", (), (), HERE) for key, title in data.get("events", {}).items()},
        clocks={key: clock(key, value) for key, value in data.get("clocks", {}).items()},
        states={key: state(key, value) for key, value in data["states"].items()},
        anywhere=handled(data.get("anywhere")),
        phases={
            key: Phase(key, value.get("title", ""), many(value["states"]), handled(value.get("on")), HERE)
            for key, value in data.get("phases", {}).items()
        },
        moves_to={},
        synonyms=(),
        order=(),
        at=HERE,
    )


def policies(*flows, roles=None, facts=None, **more):
    """A set of flows. ``roles``: title by name, or (title, colour)."""
    made = {}
    for name, title in (roles or {"agent": "Care agent", "lead": "Care team lead"}).items():
        title, colour = title if isinstance(title, tuple) else (title, None)
        made[name] = Role(name, title, None, (), None, (), None, colour, HERE)
    organisation = Organisation(
        name=more.get("name", "Harbour & Finch"),
        timezone="Europe/London",
        languages=many(more.get("languages", "en")),
        calendar=None,
        calendars={},
        roles=made,
        away={},
        channels={},
        facts=facts or {},
        watches={},
        commands={},
        keep=None,
        retention={},
        glossary={},
        settings={key: Setting(key, value, HERE) for key, value in more.get("settings", {}).items()},
        palette=many(more.get("palette")),
        paper="A4",
        handbook=HandbookPlace(more["handbook"], HERE) if "handbook" in more else None,
        at=HERE,
    )
    texts = {"en": {key: Message(key, text, text, HERE) for key, text in more.get("messages", {}).items()}}
    read = {data["flow"]: flow(data) for data in flows}
    return Policies("policies", organisation, read, texts, "0123456789abcdef", {})


COMPLAINT_ROLES = {
    "desk": "Front desk",
    "specialist": "Complaint specialist",
    "manager": "Store manager",
    "warehouse": "Warehouse & refunds",
}

COMPLAINT = {
    "flow": "complaint",
    "version": 3,
    "title": "Handle a complaint",
    "owner": "manager",
    "events": {
        "complained": "A customer complains",
        "logged": "Log the complaint",
        "checked": "The facts are checked",
        "wrote": "Customer answers",
        "investigated": "The case is understood",
        "more": "Not enough facts: ask for more",
        "approved": "Approve",
        "declined": "Decline",
        "accepted": "Customer says yes",
        "refused": "Customer says no",
        "received": "Goods or money received",
    },
    "clocks": {
        "reply": {"title": "First reply", "limit": "4 hours", "runs_in": ["received"], "warn_at": ["80%"]},
        "answer": {"title": "Answer", "limit": "5 business days", "runs_in": ["investigate"], "pauses_in": ["waiting"]},
        "decision": {"title": "Decision", "limit": "1 business day", "runs_in": ["decides"]},
    },
    "states": {
        "received": {
            "title": "Complaint received",
            "start_on": "complained",
            "owner": "desk",
            "say": "Thank you for telling us. I have opened case {case}.",
            "on": {"logged": "check", "reply.late": "decides", "reply.warned": {"tell": "manager"}},
        },
        "check": {
            "title": "Check the facts",
            "owner": "desk",
            "say": "May I check your receipt and a photo?",
            "ask": "Is it ours, and is the file complete?",
            "on": {
                "checked": [
                    {
                        "when": "missing",
                        "to": "waiting",
                        "answer": "Something missing",
                        "title": "Ask for what is missing",
                    },
                    {"when": "ours", "to": "investigate", "answer": "Yes, all there", "title": "Hand over"},
                    {"to": "closed", "answer": "Not our product", "title": "Explain and close"},
                ]
            },
        },
        "waiting": {
            "title": "Waiting for customer",
            "owner": "desk",
            "say": "We need one photo to go on.",
            "on": {"wrote": "check"},
            "after": {"14 days": "closed"},
        },
        "investigate": {
            "title": "Investigate",
            "owner": "specialist",
            "ask": "Over £100 or unsafe?",
            "say": "I am looking into this myself. You hear from me by {clock.answer.due}.",
            "on": {
                "investigated": [
                    {"when": "big", "to": "decides", "answer": "Yes", "title": "Ask the manager"},
                    {"to": "offered", "answer": "No", "title": "Offer a remedy"},
                ],
                "more": "waiting",
                "answer.late": "decides",
            },
        },
        "decides": {
            "title": "Manager decides",
            "owner": "manager",
            "say": "My manager is looking at your case today.",
            "on": {"approved": "offered", "declined": "closed"},
        },
        "offered": {
            "title": "Remedy offered",
            "owner": "specialist",
            "say": "We can repair, replace or refund. Which suits you?",
            "on": {"accepted": "under_way", "refused": "decides"},
        },
        "under_way": {
            "title": "Remedy under way",
            "owner": "warehouse",
            "say": "Your refund is on its way.",
            "on": {"received": "solved"},
        },
        "closed": {"title": "Closed – no remedy", "final": "no_remedy"},
        "solved": {"title": "Closed – solved", "final": "resolved"},
    },
    "anywhere": {"withdrew": {"to": "closed"}},
}

EMAIL = {
    "flow": "email_inquiry",
    "version": 4,
    "title": "Answer an e-mail",
    "events": {
        "email_received": "An e-mail arrives",
        "reply_sent": "The agent sends the answer",
        "more_info_asked": "We ask the customer for more",
        "customer_wrote": "The customer writes again",
        "customer_withdrew": "The customer withdraws",
    },
    "clocks": {
        "first_reply": {
            "title": "First answer",
            "warn_at": ["50%", "80%"],
            "runs_in": ["received", "overdue"],
            "limit": [{"when": 'customer.tier == "gold"', "is": "1 business hour"}, {"is": "3 business hours"}],
            "pauses_in": ["waiting_for_customer"],
        },
    },
    "states": {
        "received": {
            "title": "E-mail waits for an answer",
            "start_on": "email_received",
            "owner": "agent",
            "say": "Thank you for writing. I have your order in front of me.",
            "on": {
                "reply_sent": "answered",
                "more_info_asked": {"to": "waiting_for_customer", "send": "more"},
                "first_reply.warned": {"tell": "lead"},
                "first_reply.late": {"to": "overdue", "tell": "lead"},
            },
        },
        "overdue": {
            "title": "Late - apologise first",
            "owner": "lead",
            "say": "I am sorry that we kept you waiting.",
            "on": {"reply_sent": {"to": "answered", "send": "apology"}},
        },
        "waiting_for_customer": {
            "title": "Waiting for the customer",
            "owner": "agent",
            "on": {"customer_wrote": "received"},
            "after": {"7 days": {"to": "closed_unanswered", "send": "closing"}},
        },
        "answered": {
            "title": "Answered",
            "owner": "agent",
            "on": {"customer_wrote": "received"},
            "after": {"2 business days": {"to": "closed", "open": "feedback_survey"}},
        },
        "closed": {"title": "Closed", "final": "resolved"},
        "closed_unanswered": {"title": "Closed without an answer from the customer", "final": "no_answer"},
    },
    "anywhere": {"customer_withdrew": {"to": "closed", "except": ["answered"]}},
    "phases": {"open": {"title": "Open", "states": ["received", "overdue", "waiting_for_customer"]}},
}


def complaint():
    return policies(COMPLAINT, roles=COMPLAINT_ROLES)


def email():
    return policies(EMAIL)
