"""The schema of a file of messages."""

from __future__ import annotations

from carepolicy.policy.schema.parts import Schema, keyed, named, ref, root

_MESSAGE = keyed(
    {
        "subject": ref("text", "The subject line, where the channel has one."),
        "text": ref(
            "text",
            "What the customer reads. {customer.name}, {clock.NAME.limit}, {case} and others are filled in; "
            '{customer.name or "customer"} says what stands there where there is no value.',
        ),
        "apologises": {
            "type": "boolean",
            "description": "Its text begs pardon for lateness: what the next message says after a broken promise.",
            "errorMessage": "true or false",
        },
    },
    ["text"],
    "a message, such as {subject: Your order, text: Dear customer …}",
)


def messages_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of messages/<language>.yaml."""
    body = keyed(
        {
            "language": ref("language", "The language's code: the name of this file."),
            "messages": named(_MESSAGE, "messages by name", "What customers are sent, by the template's name."),
        },
        ["language", "messages"],
        "messages in one language",
        "What customers are sent, in one language.",
    )
    return root("carepolicy messages", "messages.schema.json", body, {})
