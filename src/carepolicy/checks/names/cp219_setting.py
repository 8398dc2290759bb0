"""CP219: a setting that organisation.yaml does not declare, in place of a limit."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.limit import setting_in


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``settings.NAME`` where a limit is expected. Guards and messages have rules of their own."""
    settings = checked.organisation.settings
    for written in checked.limits:
        name = setting_in(written.text)
        if name is not None and name not in settings:
            names = (f"settings.{each}" for each in settings)
            yield unknown(CODE, "setting", written.text.strip(), written.place, names)


CODE = "CP219"
RULE = Rule(
    CODE,
    "unknown setting",
    "settings.NAME stands for a number or text under settings: of organisation.yaml, which the owner decides.",
    "clocks:\n  first_reply: {limit: settings.first_answr}\n",
    "clocks:\n  first_reply: {limit: settings.first_answer}\n",
    find,
)
