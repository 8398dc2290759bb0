"""JSON Schemas of the policy files: one source for the check, for editors and for schemas/."""

from __future__ import annotations

import json

from carepolicy.policy.schema.flow import flow_schema
from carepolicy.policy.schema.messages import messages_schema
from carepolicy.policy.schema.organisation import organisation_schema
from carepolicy.policy.schema.parts import Schema
from carepolicy.policy.schema.scenarios import scenario_schema

KINDS = {
    "organisation": ("organisation.schema.json", organisation_schema),
    "flow": ("flow.schema.json", flow_schema),
    "messages": ("messages.schema.json", messages_schema),
    "scenario": ("scenarios.schema.json", scenario_schema),
}
"""Kinds of policy file: the name of each one's schema, and the function that makes it."""


def schemas() -> dict[str, Schema]:
    """Every JSON Schema (draft 2020-12) by its file name."""
    return {name: make() for name, make in KINDS.values()}


def schema_texts() -> dict[str, str]:
    """Every schema as its file in schemas/ holds it."""
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas().items()}
