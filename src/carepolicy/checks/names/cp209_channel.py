"""CP209: a channel or a language that organisation.yaml does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Channels of states, and languages of files of messages."""
    organisation = checked.organisation
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
    "A state's channel is declared under channels:, and a file of messages is written in one of the languages: "
    "of organisation.yaml.",
    "states:\n  received: {channel: emial}\n",
    "states:\n  received: {channel: email}\n",
    find,
)
