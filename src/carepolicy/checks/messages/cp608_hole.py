"""CP608: a message or a notice tells a fact that may have no value."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.holes import first_of_each, holes_in
from carepolicy.checks.known import where_told
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Facts between braces, in each language, that may have no value where the text is sent."""
    for hole in first_of_each(holes_in(checked)):
        name, start, end, _ = hole.name
        fact = checked.organisation.facts.get(name)
        if hole.gapes and name in hole.spot.facts and not (fact is not None and fact.type == "flag"):
            place = checked.within(hole.at, hole.text, start, end)
            said = f"{name} may have no value where this is sent, {where_told(hole.spot)} ({hole.spot.flow.name})"
            hint = f'say what stands there then, as in {{{name} or "…"}}'
            yield Finding(CODE, said, place, hint, Severity.WARNING)


CODE = "CP608"
RULE = Rule(
    CODE,
    "message may have a hole where a fact has no value",
    'A fact without a value leaves a hole: "Hello {customer.name}," goes out as "Hello ,". Where this message is sent '
    "the fact is not required by every event that leads there, not set on every way, and has no default. Say what "
    'stands there then, in the language of the message: {customer.name or "customer"}; an empty text, "", is allowed '
    "where a hole does no harm. Or let the event require it, or send the message only on a way whose guard asks "
    "has(customer.name). A flag without a value is told as no. The texts of notices (`say:`) are looked at too.",
    "states:\n  received:\n    on:\n"
    '      first_reply.late: {to: overdue, tell: {role: care_lead, say: "Late: about {complaint.cause}"}}\n',
    "states:\n  received:\n    on:\n"
    "      first_reply.late:\n        to: overdue\n"
    "        tell: {role: care_lead, say: 'Late: about {complaint.cause or \"a cause not yet known\"}'}\n",
    find,
    Severity.WARNING,
)
