"""CP245: what looks like a placeholder, and is printed as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity

_LOOKS = re.compile(
    r"\{\{\s*(?P<doubled>[\w.]+)\s*\}\}|\$\{\s*(?P<dollar>[\w.]+)\s*\}"
    r"|[\[<](?P<bracket>\w[\w. -]*)[\]>]|%(?P<percent>\w+)%"
)


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Names of facts in messages between two braces, after a $, or in brackets: ``{{customer.name}}``, ``[Name]``."""
    names = _names(checked)
    for messages in checked.messages.values():
        for message in messages.values():
            for key, text in (("subject", message.subject), ("text", message.text)):
                for found in _LOOKS.finditer(text):
                    kind = found.lastgroup or ""
                    meant = names.get(found[kind].lower())
                    if meant is not None and (kind != "dollar" or meant == found[kind]):
                        place = checked.within(message.at / key, text, found.start(), found.end())
                        said = _SAID.get(kind, "this is printed as it stands")
                        yield Finding(CODE, said, place, f"write {{{meant}}}", Severity.NOTE)


def _names(checked: CheckedSet) -> Mapping[str, str]:
    """The facts by what people call them: their names, the last part of these, and their titles."""
    facts = checked.organisation.facts
    found = {"case": "case", "organisation": "organisation"}
    for name, fact in facts.items():
        found |= {fact.title.lower(): name, name.rpartition(".")[2]: name}
    return {**found, **{name: name for name in facts}}


_SAID = {
    "doubled": "two braces print one: this name is printed, and not what it stands for",
    "dollar": "the $ is printed too",
}
CODE = "CP245"
RULE = Rule(
    CODE,
    "placeholder is printed as it stands",
    "A placeholder is a name between single braces, {customer.name}. Two braces print one, and names after a $, "
    "between [ ], < > or % % are printed as they stand, so that customers read them.",
    "language: en\nmessages:\n  auto_reply: {text: 'Dear {{customer.email}}, thank you.'}\n",
    "language: en\nmessages:\n  auto_reply: {text: 'Dear {customer.email}, thank you.'}\n",
    find,
    Severity.NOTE,
)
