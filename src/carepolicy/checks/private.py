"""Private facts in texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.placeholders import PlaceholderError, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.model import Policies
    from carepolicy.policy.placeholders import Placeholder


def private_in(policies: Policies, text: str) -> Iterator[Placeholder]:
    """The placeholders of a text that stand for private facts; none of one whose braces are wrong."""
    if "{" not in text:
        return
    try:
        found = placeholders(text)
    except PlaceholderError:
        return
    facts = policies.organisation.facts
    yield from (each for each in found if each.name in facts and facts[each.name].private)
