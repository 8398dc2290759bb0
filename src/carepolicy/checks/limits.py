"""Every limit of a set, with the place of its text, and what became of ``settings.NAME`` in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carepolicy.businesstime import LimitError, parse_limit
from carepolicy.checks.walk import acts
from carepolicy.policy.settings import PREFIX, limit_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime import Limit
    from carepolicy.policy.model import Flow, Policies
    from carepolicy.policy.places import Place


class Written(NamedTuple):
    """A limit as the manager wrote it. ``plain`` ones are lengths of time that no fact can move."""

    text: str
    place: Place
    plain: bool
    what: str


def limits(policies: Policies) -> Iterator[Written]:
    """Every text of the set that is to be a limit."""
    organisation = policies.organisation
    if organisation.keep is not None:
        yield Written(organisation.keep, policies.place(organisation.keep_at), True, "keep")
    for name, text in organisation.retention.items():
        yield Written(text, policies.place(organisation.at / "keep" / name), True, f"keep of {name}")
    for watch in organisation.watches.values():
        yield Written(watch.within, policies.place(watch.at / "within"), True, "within")
    for flow in policies.flows.values():
        yield from _of_flow(policies, flow)
    for _, effects, _ in acts(policies):
        for each in effects.extend:
            yield Written(each.by, policies.place(each.at / "by"), True, "an extension")


def _of_flow(policies: Policies, flow: Flow) -> Iterator[Written]:
    for key, text in (("keep", flow.keep), ("every", flow.every), ("promise", flow.promise)):
        if text is not None:
            yield Written(text, policies.place(flow.at / key), True, key)
    for clock in flow.clocks.values():
        for choice in clock.limits:
            yield Written(choice.limit, policies.place(choice.at / "is"), False, "a limit")
    for state in flow.states.values():
        for after in state.after:
            yield Written(after.limit, policies.key_place(state.at / "after" / after.limit), False, "after")


def setting_of(policies: Policies, text: str) -> str | None:
    """The name of the setting that stands in place of a limit, whether or not there is one; None for any other text."""
    return text.strip().removeprefix(PREFIX) if text.strip().startswith(PREFIX) else None


def read(policies: Policies, written: Written) -> Limit | None:
    """The limit that a text says; None where it cannot be read."""
    return limit_of(policies, written.text)


def limit_of(policies: Policies, text: str) -> Limit | None:
    """The limit that a text, or the setting that it names, says; None where it cannot be read."""
    name = setting_of(policies, text)
    if name is not None and name not in policies.organisation.settings:
        return None
    try:
        return parse_limit(limit_text(text, policies.organisation))
    except LimitError:
        return None
