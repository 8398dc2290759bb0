"""CP247: what an upper layer adds, under a name that is nearly one of a layer below."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.likeness import sole


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Names that only an upper layer has, and that can only be meant for one that stands below."""
    for added in checked.policies.additions:
        meant = sole(added.name, added.known)
        if meant is not None:
            text = f'no layer below has a {added.what} "{added.name}": it is a new one'
            yield Finding(CODE, text, added.place, f'did you mean "{meant}"?', Severity.WARNING, replacement=meant)


CODE = "CP247"
RULE = Rule(
    CODE,
    "layer adds what is nearly there",
    "An upper layer gives a name that no layer below has, which adds something to the set: a role, a setting, a clock. "
    "But below there is one of almost the same name, and a value that was to change is still what it was.",
    "# mystore/organisation.yaml, over a set that has the setting goodwill_limit\nsettings: {goodwil_limit: 30}\n",
    "settings: {goodwill_limit: 30}\n",
    find,
    Severity.WARNING,
)
