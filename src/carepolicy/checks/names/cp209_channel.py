"""CP209: a channel or a language that organisation.yaml does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Channels of states, and languages of roles and of files of messages."""
    organisation = checked.organisation
    for role in organisation.roles.values():
        if role.language is not None and role.language not in organisation.languages:
            yield unknown(CODE, "language", role.language, checked.place(role.at / "language"), organisation.languages)
    yield from checked.unknown_names(CODE, "channel", organisation.channels)
    for language, messages in checked.messages.items():
        if language not in organisation.languages:
            file = next((each.at.file for each in messages.values()), None)
            if file is not None:
                place = checked.sources[file].value(("language",))
                yield unknown(CODE, "language", language, place, organisation.languages)


CODE = "CP209"
RULE = Rule(
    CODE,
    "unknown channel or language",
    "A state's channel is declared under channels:, and a role's language and that of a file of messages are among the "
    "languages: of organisation.yaml.",
    "states:\n  received: {channel: emial}\n",
    "states:\n  received: {channel: email}\n",
    find,
)
