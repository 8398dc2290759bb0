"""The schema of a scenario's file."""

from __future__ import annotations

from carepolicy.policy.schema.parts import Schema, keyed, named, ref, root

_VALUE: Schema = {"type": ["string", "number", "boolean", "array", "object", "null"]}

_EXPECT = keyed(
    {
        "state": ref("name", "The state that the case is in."),
        "outcome": ref("name", "The outcome of a case that is closed."),
        "due": named(ref("text"), "clocks and when they fall due", "When each clock falls due."),
        **{
            key: ref("names", description)
            for key, description in {
                "sent": "Messages that were sent in the step before.",
                "not_sent": "Messages that were not sent in the step before.",
                "told": "Roles that were told in the step before.",
                "not_told": "Roles that were not told in the step before.",
                "requested": "Commands that were asked for in the step before.",
                "opened": "Flows of which a case was opened in the step before.",
                "raised": "Events that were raised in the step before.",
                "assigned": "Roles that the case was given to in the step before.",
                "warned": "Clocks that warned in the step before.",
                "late": "Clocks that are late.",
                "met": "Clocks that were met in the step before.",
                "running": "Clocks that run.",
                "paused": "Clocks that stand still.",
                "stopped": "Clocks that are stopped.",
                "cancelled": "Clocks that were cancelled in the step before.",
            }.items()
        },
        "facts": named(_VALUE, "facts and their values", "Values of facts.", "fact"),
        "unexpected": {
            "type": "boolean",
            "description": "The event before had no transition here.",
            "errorMessage": "true or false",
        },
        "rejected": {
            "type": "boolean",
            "description": "The event before was rejected.",
            "errorMessage": "true or false",
        },
    },
    (),
    "what is expected, such as {state: answered, sent: [apology]}",
)

_STEP: Schema = {
    **keyed(
        {
            "at": ref("text", "When: 2026-03-06 15:30, in the organisation's time zone where no offset is written."),
            "event": ref("trigger", "What happens."),
            "data": {"type": "object", "description": "What the event carries.", "errorMessage": "facts and values"},
            "subject": ref("text", "Whom it is about, where a scenario has several subjects."),
            "flow": ref("name", "The flow whose case is expected to be so, where there are several."),
            "id": ref("text", "The event's id, for scenarios on duplicates."),
            "wait": ref("limit", "Let so much time pass."),
            "until": ref("text", "Let time pass until then."),
            "expect": ref("expect", "What must be so now."),
        },
        (),
        "a step: {at: …, event: …}, {wait: …} or {expect: {…}}",
    ),
    "minProperties": 1,
}

_BODY = keyed(
    {
        "scenario": ref("text", "What it shows, as a sentence."),
        "given": keyed(
            {"organisation": ref("text", "The organisation's file; by default that of the set it stands in.")},
            (),
            "{organisation: organisation.yaml}",
        ),
        "flow": ref("name", "The flow that it tests."),
        "subject": ref("text", "Whom it is about."),
        "covers": ref("texts", "Ids of the requirements that it tests."),
        "steps": {
            "type": "array",
            "items": ref("step"),
            "minItems": 1,
            "errorMessage": "a list of steps",
            "description": "What happens, and what must be so.",
        },
    },
    ["scenario", "flow", "steps"],
    "a scenario: its sentence, flow and steps",
    "A test that a manager can read and write.",
)


def scenario_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of scenarios/*.yaml."""
    return root("carepolicy scenario", "scenarios.schema.json", _BODY, {"expect": _EXPECT, "step": _STEP})
