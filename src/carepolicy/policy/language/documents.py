"""The documents of a policy set: the four kinds of file, and the JSON Schema of each for the check and for editors."""

from __future__ import annotations

import json
from functools import cache

from carepolicy.policy.language.flow import Flow
from carepolicy.policy.language.keys import Fields
from carepolicy.policy.language.messages import Messages
from carepolicy.policy.language.organisation import Organisation
from carepolicy.policy.language.scenario import ScenarioFile
from carepolicy.policy.language.shapes import Schema

DOCUMENTS = {
    "organisation": Fields(Organisation),
    "flow": Fields(Flow),
    "messages": Fields(Messages),
    "scenario": Fields(ScenarioFile),
}
"""Kinds of policy file, and what stands in each."""

KINDS = {kind: f"{kind}{'s' * (kind == 'scenario')}.schema.json" for kind in DOCUMENTS}
"""Kinds of policy file, and the name of each one's schema."""


@cache
def schema_of(kind: str) -> Schema:
    """The JSON Schema (draft 2020-12) of one kind of file."""
    document = DOCUMENTS[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://carepolicy.example/schemas/{KINDS[kind]}",
        "title": f"carepolicy {kind}",
        **document.body(),
        "$defs": dict(sorted(document.pieces().items())),
    }


def schema_texts() -> dict[str, str]:
    """Every schema as its file in schemas/ holds it."""
    return {name: json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n" for kind, name in KINDS.items()}
