"""CP206: a message template that no file under messages/ holds."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Templates that are sent and are not written in the set's first language."""
    first = checked.organisation.languages[0] if checked.organisation.languages else ""
    written = checked.messages.get(first, {})
    for _, effects, _ in checked.acts:
        for number, name in enumerate(effects.send):
            if name in written:
                continue
            place = checked.place(effects.at / "send" / number)
            others = sorted(language for language, messages in checked.messages.items() if name in messages)
            if others:
                hint = f"it is written in {', '.join(others)} only"
                yield Finding(CODE, f'template "{name}" is not written in the first language, {first}', place, hint)
            else:
                yield unknown(CODE, "template", name, place, written)


CODE = "CP206"
RULE = Rule(
    CODE,
    "unknown template",
    "What send: names is a template under messages: of messages/LANGUAGE.yaml. It must be written at least in the "
    "first language of the set, which is sent where the customer's own is missing.",
    "states:\n  received:\n    enter: {send: auto_replay}\n",
    "states:\n  received:\n    enter: {send: auto_reply}\n",
    find,
)
