"""CP704: the fact that holds Message-IDs of customers is of another type, or is not private."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.addresses import MAIL_ID
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``mail.message_id``, where it is declared."""
    fact = checked.organisation.facts.get(MAIL_ID)
    if fact is None:
        return
    right = "write {type: text, private: true, card: never}"
    if fact.type != "text":
        yield Finding(CODE, f'"{MAIL_ID}" is a text: the Message-ID of a mail', checked.place(fact.at / "type"), right)
    elif not fact.private or not fact.card_never:
        lacks = "private: it often tells whose mail it is" if not fact.private else "exempt: its digits are no card's"
        text = f'"{MAIL_ID}" is not {lacks}'
        yield Finding(CODE, text, checked.key_place(fact.at), right, Severity.WARNING)


CODE = "CP704"
RULE = Rule(
    CODE,
    "Message-ID of customers is not kept as one",
    "The fact mail.message_id may bring the Message-ID of the mail by which a customer writes, so that our answer is "
    "part of the same thread. It is a text; it is private, since it often holds a name or a machine of the customer's; "
    "and it says card: never, since digits of it that look like those of a card would be masked, and the thread lost.",
    "facts:\n  mail.message_id: {type: number}\n",
    "facts:\n  mail.message_id: {type: text, private: true, card: never}\n",
    find,
)
