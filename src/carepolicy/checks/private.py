"""Private facts in texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.placeholders import PlaceholderError, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.model import Policies
    from carepolicy.policy.placeholders import Name


def private_in(policies: Policies, text: str) -> Iterator[Name]:
    """The names in placeholders of a text that stand for private facts; none of one whose braces are wrong."""
    if "{" not in text:
        return
    try:
        found = names_in(text)
    except PlaceholderError:
        return
    facts = policies.organisation.facts
    yield from (each for each in found if each.name in facts and facts[each.name].private)
