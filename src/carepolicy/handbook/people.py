"""Who owns what: a RACI matrix of roles and flows, read off the flows themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from carepolicy.handbook.phrases import Book
    from carepolicy.policy.model import Flow


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role: its people and deputy, how much it may decide on, and its letters (of RACI) by flow."""

    name: str
    title: str
    people: str
    deputy: str
    authority: str
    letters: tuple[str, ...]


def matrix_of(book: Book) -> list[RoleRow]:
    """A row for each role, with a text of the letters A, R, C and I for each flow in the order of the files.

    A: owns the flow. R: owns a step. C: the flow's steward, or a role to whom its cases are given. I: is
    told. A role that answers or acts is not said to be told as well.
    """
    organisation = book.policies.organisation
    shares = [_shares(flow) for flow in book.policies.flows.values()]
    return [
        RoleRow(
            name=role.name,
            title=book.role(role.name),
            people=", ".join(clean(person) for person in role.people),
            deputy=book.role(role.deputy),
            authority="" if role.authority is None else _amount(book, role.authority),
            letters=tuple(_letters(role.name, share) for share in shares),
        )
        for role in organisation.roles.values()
    ]


def _shares(flow: Flow) -> dict[str, set[str]]:
    effects = list(effects_of(flow))
    return {
        "A": {flow.owner},
        "R": {state.owner for state in flow.states.values() if state.owner is not None},
        "C": {flow.steward or ""} | {each.assign for each in effects if each.assign is not None},
        "I": {tell.role for each in effects for tell in each.tell},
    }


def _letters(role: str, shares: dict[str, set[str]]) -> str:
    acts = "".join(letter for letter in "AR" if role in shares[letter])
    return acts or next((letter for letter in "CI" if role in shares[letter]), "")


def _amount(book: Book, amount: object) -> str:
    """A sum of money in the currency of the set's money facts, or a bare number where they have several."""
    from carepolicy.machine.locales import value_in_words

    currencies = {fact.currency for fact in book.policies.organisation.facts.values() if fact.type == "money"}
    currency = currencies.pop() if len(currencies) == 1 else None
    kind = "money" if currency is not None else "number"
    return value_in_words(amount, kind, currency, book.ui.language, book.policies.organisation.timezone)
