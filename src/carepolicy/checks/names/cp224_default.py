"""CP224: a fact of which the default, or another key of its declaration, does not suit its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.addresses import spelled
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.model import Fact, Value
from carepolicy.policy.region import region_of


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Defaults that no event could bring, choices without anything to choose, and ``card:`` where no digits are."""
    for fact in checked.organisation.facts.values():
        if fact.default is not None:
            place = checked.place(fact.at / "default")
            if fact.type == "choice":
                if fact.default not in fact.of:
                    yield unknown(CODE, "choice", str(fact.default), place, fact.of)
            elif not is_of(checked, fact):
                yield Finding(CODE, f'the default of "{fact.name}" is no {fact.type}', place, HINTS.get(fact.type, ""))
        if (fact.type == "choice" or fact.item == "choice") and not fact.of:
            yield Finding(CODE, f'the choice "{fact.name}" has nothing to choose', checked.place(fact.at), OF)
        if fact.card_never and (fact.item or fact.type) not in ("text", "number", "email"):
            message = f'"card: never" stands at "{fact.name}", which is neither a text, an address nor a number'
            yield Finding(CODE, message, checked.place(fact.at / "card"), "take it out")


def is_of(checked: CheckedSet, fact: Fact) -> bool:
    """Whether the default of ``fact``, as the file says it, is of its type."""
    value = fact.default
    match fact.type:
        case "phone" | "email":
            return spelled(fact.type, str(value), region_of(checked.organisation)) is not None
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        case "money":
            return not isinstance(value, bool) and _is_amount(str(value))
        case "date":
            return _reads(date.fromisoformat, value)
        case "time":
            return _reads(datetime.fromisoformat, value) and datetime.fromisoformat(str(value)).tzinfo is not None
    return False


def _is_amount(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _reads(read: Callable[[str], object], value: Value) -> bool:
    try:
        read(str(value))
    except ValueError:
        return False
    return True


OF = "write of: [one, other]"
HINTS = {
    "text": "put quotes around it",
    "flag": "write true or false",
    "number": "write a number without quotes",
    "money": "write an amount such as 19.90",
    "date": "write a date that exists, as 2026-03-02",
    "time": "write an instant with its offset, as 2026-03-02T09:05:00+00:00",
    "phone": 'write a number with its country, as "+44 20 7946 0123"',
    "email": "write one address, as ada@example.org",
    "list": "a list has no default",
}
CODE = "CP224"
RULE = Rule(
    CODE,
    "default is not of the fact's type",
    "A fact's default stands in for a value that no event has brought yet, so it is of the fact's own type; that "
    "of a choice is one of its choices. `card: never` says that the digits of a text, an address of e-mail or a number "
    "are no card number: at other types it says nothing.",
    "facts:\n  customer.tier: {default: silver}\n",
    "facts:\n  customer.tier: {default: gold}\n",
    find,
)
