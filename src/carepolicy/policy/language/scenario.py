"""The language of scenarios/*.yaml: what happens, step by step, and what must be so then."""

from __future__ import annotations

from typing import Any

from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    flag,
    key,
    limit,
    mapping,
    name_of,
    named,
    names,
    text,
    texts,
)
from carepolicy.policy.language.shapes import FACT, NAME, TEXT, TRIGGER, Array, FactValues, Scalar
from carepolicy.policy.limit import LimitText

_VALUE = Scalar("", {"type": ["string", "number", "boolean", "array", "object", "null"]}, lambda node: node.data)


@mapping("what is expected, such as {state: answered, sent: [apology]}", piece="expect")
class Expected(Mapped):
    """What must be so now."""

    state: str | None = name_of("state", "The state that the case is in.", example="answered")
    outcome: str | None = name_of("", "The outcome of a case that is closed.", example="resolved")
    due: dict[str, str] = named(
        TEXT, "clocks and when they fall due", "When each clock falls due.", names=NAME.of("clock"),
        example="{first_reply: 2026-03-06 16:30}",
    )  # fmt: skip
    sent: tuple[str, ...] = names("message", "Messages that were sent in the step before.", example="[auto_reply]")
    not_sent: tuple[str, ...] = names(
        "message", "Messages that were not sent in the step before.", example="[need_more]"
    )
    told: tuple[str, ...] = names("role", "Roles that were told in the step before.", example="[care_lead]")
    not_told: tuple[str, ...] = names("role", "Roles that were not told in the step before.", example="[care_lead]")
    requested: tuple[str, ...] = names("", "Commands that were asked for in the step before.", example="[charge_card]")
    opened: tuple[str, ...] = names(
        "flow", "Flows of which a case was opened in the step before.", example="[feedback_survey]"
    )
    raised: tuple[str, ...] = names("event", "Events that were raised in the step before.", example="[email_received]")
    assigned: tuple[str, ...] = names("", "Roles that the case was given to in the step before.", example="[care_lead]")
    warned: tuple[str, ...] = names("clock", "Clocks that warned in the step before.", example="[first_reply]")
    late: tuple[str, ...] = names("clock", "Clocks that are late.", example="[first_reply]")
    met: tuple[str, ...] = names("clock", "Clocks that were met in the step before.", example="[first_reply]")
    running: tuple[str, ...] = names("clock", "Clocks that run.", example="[first_reply]")
    paused: tuple[str, ...] = names("clock", "Clocks that stand still.", example="[first_reply]")
    stopped: tuple[str, ...] = names("clock", "Clocks that are stopped.", example="[first_reply]")
    cancelled: tuple[str, ...] = names(
        "clock", "Clocks that were cancelled in the step before.", example="[first_reply]"
    )
    facts: dict[str, Any] = named(
        _VALUE, "facts and their values", "Values of facts.", names=FACT, example="{customer.tier: gold}"
    )
    unexpected: bool = flag("The event before had no transition here.", otherwise="false", example="true")
    rejected: bool = flag("The event before was rejected.", otherwise="false", example="true")


@mapping("a step: {at: …, event: …}, {wait: …} or {expect: {…}}", piece="step", at_least=1)
class ScenarioStep(Mapped):
    """One step: something happens, time passes, or something must be so."""

    at: str | None = text(
        "When: 2026-03-06 15:30, in the organisation's time zone where no offset is written.", missing=None,
        otherwise="at once", example="2026-03-06 15:30", rank=0,
    )  # fmt: skip
    event: str | None = key(TRIGGER.of("event"), "What happens.", example="email_received", rank=1)
    data: dict[str, Any] = key(
        FactValues("", {"type": "object", "errorMessage": "facts and values"}, lambda node: node.data),
        "What the event carries.", example="{customer.email: ann@example.org}", rank=2,
    )  # fmt: skip
    subject: str | None = text(
        "Whom it is about, where a scenario has several subjects.", missing=None, otherwise="the scenario's",
        example="E-2", rank=2,
    )  # fmt: skip
    flow: str | None = name_of(
        "flow", "The flow whose case is expected to be so, where there are several.", otherwise="the scenario's",
        scopes=True, example="email_inquiry", rank=2,
    )  # fmt: skip
    id: str | None = text("The event's id, for scenarios on duplicates.", missing=None, example="e-1", rank=2)
    wait: LimitText | None = limit("Let so much time pass.", example="3 business hours", rank=0)
    until: str | None = text("Let time pass until then.", missing=None, example="2026-03-09 09:00", rank=0)
    expect: Expected | None = key(
        Fields(Expected, piece="expect"), "What must be so now.", example="{state: answered}", rank=3
    )


@mapping("{organisation: organisation.yaml}")
class Given(Mapped):
    """What a scenario stands on."""

    organisation: str | None = text(
        "The organisation's file; by default that of the set it stands in.", missing=None,
        otherwise="that of the set it stands in", example="organisation.yaml",
    )  # fmt: skip


@mapping("a scenario: its sentence, flow and steps", "A test that a manager can read and write.")
class ScenarioFile(Mapped):
    """One scenario."""

    scenario: str = text(
        "What it shows, as a sentence.", required=True, example="A customer gets an answer in time.", rank=0
    )
    given: Given | None = key(
        Fields(Given), "What it stands on.", bare=True, example="{organisation: organisation.yaml}", rank=1
    )
    flow: str = name_of("flow", "The flow that it tests.", required=True, scopes=True, example="email_inquiry", rank=1)
    subject: str | None = text("Whom it is about.", missing=None, otherwise="one subject", example="E-1", rank=1)
    covers: tuple[str, ...] = texts("Ids of the requirements that it tests.", example="[R07]", rank=1)
    steps: tuple[ScenarioStep, ...] = key(
        Array(Fields(ScenarioStep, piece="step"), "a list of steps", at_least=1, last=True),
        "What happens, and what must be so.", required=True,
        example="[{at: 2026-03-06 15:30, event: email_received}, {expect: {state: received}}]", rank=2,
    )  # fmt: skip
