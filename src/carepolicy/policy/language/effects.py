"""The language of effects: what happens besides a change of state."""

from __future__ import annotations

from collections.abc import Mapping

from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    called,
    derived,
    expression,
    key,
    limit,
    located,
    mapping,
    name_of,
    named,
    names,
    read_fields,
    words,
)
from carepolicy.policy.language.shapes import COUNT, EXPRESSION, FACT, NAME, Named, Scalar, Several
from carepolicy.policy.limit import LimitText
from carepolicy.policy.node import CelText, Node
from carepolicy.policy.places import At
from carepolicy.translations import msg

_IN_HOURS = "Outside of the hours of the role's calendar, or else the organisation's, it waits for the next opening."


@mapping()
class Tell(Mapped):
    """An internal notice to a role."""

    role: str = name_of("role", "Who is told.", required=True, example="care_lead")
    say: str = words("What they are told.", example="'{case} is late.'", codes=("CP225", "CP701"))
    at: At = located()
    in_hours: bool = key(
        Scalar(
            "",
            {"type": "boolean", "errorMessage": "true or false", "description": _IN_HOURS},
            lambda node: bool(node.data),
        ),
        _IN_HOURS, bare=True, default=False, otherwise="false", example="true",
    )  # fmt: skip


@mapping()
class Request(Mapped):
    """A command to a service; ``arguments`` are expressions."""

    action: str = called()
    arguments: Mapping[str, CelText] = derived(
        lambda node, name: {argument: node[argument].expression() for argument in node.data or ()}
    )
    at: At = located()


@mapping()
class Open(Mapped):
    """A case of another flow for the same subject, started by ``on`` where it has several starts."""

    flow: str = name_of("flow", "The flow of which a case is opened.", required=True, example="feedback_survey")
    on: str | None = name_of(
        "event", "The event that starts it, where the flow has several starts.", otherwise="its first start",
        example="survey_due", codes=("CP217",),
    )  # fmt: skip
    keep_time: bool = key(
        Scalar(
            "",
            {
                "type": "boolean",
                "errorMessage": "true or false",
                "description": "Hand the original receipt time on.",
            },
            lambda node: bool(node.data),
        ),
        "Hand the original receipt time on.", bare=True, missing=False, otherwise="false", example="true",
    )  # fmt: skip
    at: At = located()


@mapping()
class Raise(Mapped):
    """An event for another key: ``subject`` and the values of ``data`` are expressions."""

    event: str = name_of("event", "The event that is raised.", required=True, example="chronic_problem_found")
    subject: CelText = expression("Whom it is about.", required=True, example="complaint.cause")
    data: Mapping[str, CelText] = named(
        EXPRESSION, "expressions by the fact they give", "What it carries.", names=FACT,
        example="{complaint.cause: complaint.cause}", codes=("CP237",),
    )  # fmt: skip
    at: At = located()


@mapping()
class Extend(Mapped):
    """More time on a running clock, ``at_most`` so many times a case (None: no bound)."""

    clock: str = name_of("clock", "The clock that gets more time.", required=True, example="first_reply")
    by: LimitText = limit("How much more.", required=True, example="1 business day")
    at_most: int | None = key(
        Scalar("", {**COUNT.body(), "description": "How often in one case."}, COUNT.reader),
        "How often in one case.", bare=True, otherwise="without bound", example="2",
    )  # fmt: skip
    at: At = located()


@mapping("effects, such as {send: auto_reply}", piece="effects")
class Effects(Mapped):
    """What happens besides a change of state; ``set`` maps facts to expressions.

    ``spends`` is what a transition gives away, as an expression; effects of entering and leaving give nothing away.
    """

    set: Mapping[str, CelText] = key(
        Named(
            EXPRESSION, "facts and their expressions, such as {complaint.attempts: complaint.attempts + 1}", FACT,
            piece="set",
        ),
        "Facts that change, and to what.", missing=lambda node, name: {}, rank=2,
        example="{complaint.attempts: complaint.attempts + 1}",
        told=msg("notes down"),
    )  # fmt: skip
    send: tuple[str, ...] = names(
        "message", "Message templates that the customer is sent.", example="auto_reply", codes=("CP605",), rank=2,
        told=msg("sends"),
    )  # fmt: skip
    tell: tuple[Tell, ...] = key(
        Several(
            Fields(Tell, short="role", expected="a role, or {role: …, say: …, in_hours: …}"), ("string", "object"),
            "a role, or {role: …, say: …, in_hours: …}, or a list of these", "tell",
        ),
        "Internal notices to roles.", missing=(), example="{role: care_lead, say: '{case} is late.'}", rank=2,
        told=msg("tells"),
    )  # fmt: skip
    request: tuple[Request, ...] = key(
        Named(
            Named(EXPRESSION, "arguments and their expressions, or {}", NAME, nullable=True),
            "a command and its arguments, such as {charge_card: {amount: order.total}}", NAME, piece="request",
        ),
        "Commands to services.", read=lambda node, name: _requests(node), missing=(),
        example="{charge_card: {amount: order.total}}", rank=2, told=msg("does"),
    )  # fmt: skip
    open: tuple[Open, ...] = key(
        Several(
            Fields(Open, short="flow", expected="a flow, or {flow: …, on: …}"), ("string", "object"),
            "a flow, or {flow: …, on: …}, or a list of these", "open",
        ),
        "Cases of other flows for the same subject.", missing=(), example="feedback_survey", codes=("CP312",), rank=2,
        told=msg("starts"),
    )  # fmt: skip
    assign: str | None = key(
        Scalar(
            "",
            {
                "type": "string",
                "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$",
                "errorMessage": "a role, or a fact that names a person",
                "patternErrorMessage": "a role is written like_this, a fact like customer.account_owner",
            },
            what="assignee",
        ),
        "The role, or the fact that names a person, that the case is given to.", example="care_lead", rank=2,
        told=msg("goes to"),
    )  # fmt: skip
    raises: tuple[Raise, ...] = key(
        Several(Fields(Raise), ("object",), "{event: …, subject: …, data: …}, or a list of these", "raise"),
        "Events for another key.", key="raise", missing=(), codes=("CP223", "CP237", "CP311"),
        example="{event: chronic_problem_found, subject: complaint.cause, data: {complaint.cause: complaint.cause}}",
        rank=2, told=msg("reports"),
    )  # fmt: skip
    extend: tuple[Extend, ...] = key(
        Several(Fields(Extend), ("object",), "{clock: …, by: …, at_most: …}, or a list of these", "extend"),
        "More time on running clocks.", missing=(), example="{clock: first_reply, by: 1 business day, at_most: 2}",
        rank=2, told=msg("more time"),
    )  # fmt: skip
    at: At = located()
    spends: CelText | None = expression(
        "Money that it gives away; the state's owner must have the authority: for it.", default=None,
        only=("transition", "anywhere"), example="5", codes=("CP506", "CP507", "CP508"), rank=2,
        told=msg("gives away"),
    )  # fmt: skip


def _requests(node: Node) -> tuple[Request, ...]:
    return tuple(read_fields(Request, each, action) for action, each in node.items("request"))
