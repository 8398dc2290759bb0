"""CP253: a command that has a title, and that no flow sends."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.likeness import did_you_mean


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Names under ``commands:`` that no ``request:`` has."""
    sent = {request.action for _, effects, _ in checked.acts for request in effects.request}
    for name, command in checked.organisation.commands.items():
        if name not in sent:
            message, hint = f"no flow sends the command {name}", did_you_mean(name, sorted(sent))
            yield Finding(CODE, message, checked.key_place(command.at), hint, Severity.WARNING)


CODE = "CP253"
RULE = Rule(
    CODE,
    "command that no flow sends",
    "commands: in organisation.yaml says what staff call the commands that request: sends to services. A name that no "
    "flow sends is misspelt or left over, and its title is shown nowhere.",
    "commands:\n  close_projekt: {title: Close the project}\n",
    "commands:\n  close_project: {title: Close the project}\n",
    find,
    Severity.WARNING,
)
