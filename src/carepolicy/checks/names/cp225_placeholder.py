"""CP225: a placeholder in a message or notice that stands for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.model import Flow
from carepolicy.policy.placeholders import INCLUDED, PlaceholderError, included_in, names_in
from carepolicy.policy.places import At


class Text(NamedTuple):
    """A text with placeholders, and the names that they may have there."""

    text: str
    at: At
    known: frozenset[str]


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Placeholders of messages, of notices to roles, and of a clock's promise."""
    for text, at, known in _texts(checked):
        try:
            named = names_in(text)
        except PlaceholderError as fault:
            yield Finding(CODE, fault.reason, checked.within(at, text, fault.start, fault.end))
            continue
        for name, start, end, _ in named:
            if name not in known:
                ends = sorted(each for each in known if each.startswith("clock.") and each.endswith(f".{name}"))
                finding = unknown(CODE, "placeholder", name, checked.within(at, text, start, end), known)
                yield replace(finding, hint=f"write which clock's: {', '.join(ends)}") if ends else finding


def _texts(checked: CheckedSet) -> Iterator[Text]:
    senders, anyones = checked.senders, _names(checked)
    parts = {language: frozenset(f"{INCLUDED}{name}" for name in texts) for language, texts in checked.messages.items()}
    taken = {each for texts in checked.messages.values() for one in texts.values() for each in included_in(one.text)}
    anywhere = frozenset().union(*(_clocks([flow]) for flow in checked.flows.values()))
    for flow, effects, _ in checked.acts:
        for tell in effects.tell:
            yield Text(tell.say, tell.at / "say", anyones | _clocks([flow]))
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            yield Text(clock.promise, clock.at / "promise", frozenset(("limit", "organisation")))
    for language, messages in checked.messages.items():
        for message in messages.values():
            flows = senders.get(message.name)
            known = anyones | (_clocks(flows.values()) if flows is not None else anywhere)
            yield Text(message.subject, message.at / "subject", known)
            others = frozenset() if message.name in taken else parts[language] - {f"{INCLUDED}{message.name}"}
            yield Text(message.text, message.at / "text", known | others)


def _names(checked: CheckedSet) -> frozenset[str]:
    organisation = checked.organisation
    channels = (f"channel.{name}.{what}" for name in organisation.channels for what in ("address", "hours"))
    settings = (f"settings.{name}" for name in organisation.settings)
    return frozenset(("case", "organisation", "flow.title", *organisation.facts, *settings, *channels))


def _clocks(flows: Iterable[Flow]) -> frozenset[str]:
    """The names of clocks that every one of ``flows`` has: a message is written once for all that send it."""
    each = [{f"clock.{name}.{what}" for name in flow.clocks for what in ("limit", "due")} for flow in flows]
    return frozenset(set.intersection(*each)) if each else frozenset()


CODE = "CP225"
RULE = Rule(
    CODE,
    "unknown placeholder",
    "Between braces in a message stands a fact, clock.NAME.limit or clock.NAME.due of every flow that sends it, "
    "case, organisation, flow.title, settings.NAME, channel.NAME.address, channel.NAME.hours, or message.NAME: the "
    "text of another message, which takes in none itself. Two braces, {{ and "
    '}}, print one. What has no value leaves a hole, but for an alternative: {customer.name or "customer"}. '
    "In a clock's promise {limit} is the clock's own. A limit may be told in a grammatical case, as in {limit:dative}.",
    "states:\n  received:\n"
    "    on: {first_reply.late: {to: overdue, tell: {role: care_lead, say: 'Late: {order.totl}'}}}\n",
    "states:\n  received:\n"
    "    on: {first_reply.late: {to: overdue, tell: {role: care_lead, say: 'Late: {order.total}'}}}\n",
    find,
)
