"""The language of messages/<language>.yaml, or of several files in messages/<language>/: what customers are sent."""

from __future__ import annotations

from collections.abc import Mapping

from carepolicy.policy.language.keys import Mapped, called, flag, key, located, mapping, named, requirement_ids, text
from carepolicy.policy.language.shapes import LANGUAGE
from carepolicy.policy.places import At
from carepolicy.translations import msg


@mapping("a message, such as {subject: Your order, text: Dear customer …}")
class Message(Mapped):
    """A template in one language; ``{placeholders}`` are still in ``subject`` and ``text``."""

    name: str = called()
    subject: str = text(
        "The subject line, where the channel has one.",
        example="Your e-mail of {case}",
        codes=("CP225", "CP602", "CP608"),
        rank=0,
        told=msg("subject"),
    )
    title: str = text(
        "What staff call it, where the channel has no subject line.",
        example="We missed your call",
        default="",
        otherwise="its name in words",
        rank=0,
        told=msg("title"),
    )
    text: str = text(
        "What the customer reads. {customer.name}, {clock.NAME.limit}, {case} and others are filled in; "
        '{customer.name or "customer"} says what stands there where there is no value, and {message.signature} is the '
        "text of another message.",
        required=True,
        example="We have your e-mail, {case}, and answer within {clock.first_reply.limit}.",
        codes=("CP225", "CP608", "CP609"),
        rank=2,
        told=msg("text"),
    )
    at: At = located()
    covers: tuple[str, ...] = requirement_ids("message")
    apologises: bool = flag(
        "Its text begs pardon for lateness: what the next message says after a broken promise.",
        default=False,
        otherwise="false",
        example="true",
        codes=("CP603",),
        rank=1,
        told=msg("apologises"),
    )


@mapping("messages in one language", "What customers are sent, in one language.")
class Messages(Mapped):
    """A file of messages."""

    language: str = key(
        LANGUAGE, "The language's code: the name of this file.", required=True, example="en", codes=("CP209",), rank=0
    )
    messages: Mapping[str, Message] = named(
        Message,
        "messages by name",
        "What customers are sent, by the template's name.",
        defines="message",
        required=True,
        example="{auto_reply: {subject: We have your e-mail, text: We answer soon.}}",
        codes=("CP601", "CP605"),
        rank=1,
    )
