"""CP506: money that moves, and nothing says how much it may be at most."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from carepolicy.checks.bounds import amounts, bounded_unless, bounded_where
from carepolicy.checks.naming import words
from carepolicy.checks.pointing import within
from carepolicy.checks.rule import Rule
from carepolicy.guards.scopes import scope_of
from carepolicy.named import NamedTuple
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from carepolicy.guards import Scope
    from carepolicy.policy.model import Effects, Flow, Policies, Request, State, Transition


class Acting(NamedTuple):
    """Effects, the guard under which they happen, those that did not hold before, the event that brings them, and
    the roles of whom one acts then."""

    effects: Effects
    when: str | None
    passed: tuple[str, ...]
    event: str | None
    roles: tuple[str | None, ...]


def find(policies: Policies) -> Iterator[Finding]:
    """Requests that pay or charge an amount which no setting, guard, order or authority bounds."""
    for flow in policies.flows.values():
        for acting in _acting(flow):
            for request in acting.effects.request:
                if moves_money(request.action):
                    yield from _of(policies, flow, acting, request)


@lru_cache(maxsize=5000)
def moves_money(action: str) -> bool:
    """Whether a command pays something out or charges it, by the words of its name.

    One that only tells of a payment (a reminder, a link, a report) does not.
    """
    said = words(action)
    if any(TELLS.match(word) for word in said):
        return False
    return any(PAYS.match(word) or CHARGES.match(word) for word in said)


def _of(policies: Policies, flow: Flow, acting: Acting, request: Request) -> Iterator[Finding]:
    if _decided_with_authority(policies, flow, acting):
        return
    scope = scope_of(policies.organisation, flow, acting.event)
    fixed = _bounded(flow, acting, request, scope)
    named = {name: amounts(text, scope) for name, text in request.arguments.items()}
    if all(each is None for each in named.values()) and not fixed and _gives(request.action):
        text = f"{request.action} moves money, and names no amount"
        hint = "name it, as in amount: order.total, under a guard that bounds it"
        yield Finding(CODE, text, policies.key_place(request.at), hint, Severity.WARNING)
    for name, text in request.arguments.items():
        for fact in sorted((named[name] or frozenset()) - fixed):
            at = request.at / name
            found = text.find(fact)
            place = within(policies, at, text, found, found + len(fact)) if found >= 0 else policies.place(at)
            message = f"{request.action} moves money, and nothing says how large {fact} may be"
            yield Finding(CODE, message, place, _hint(flow, acting, fact), Severity.WARNING)


def _gives(action: str) -> bool:
    """Whether a command surely pays out, so that it has an amount, named or not."""
    return any(GIVES.match(word) for word in words(action)) and moves_money(action)


def _hint(flow: Flow, acting: Acting, fact: str) -> str:
    guard = f"bound it by a guard, as in when: {fact} <= settings.LIMIT"
    if _by_staff(flow, acting):
        return f"{guard}, or say by authority: how much the role that decides may give"
    return guard


def _by_staff(flow: Flow, acting: Acting) -> bool:
    return acting.event is not None and flow.events[acting.event].by == "staff"


def _bounded(flow: Flow, acting: Acting, request: Request, scope: Scope) -> frozenset[str]:
    fixed = bounded_unless(acting.passed, scope)
    if acting.when is not None:
        fixed |= bounded_where(acting.when, scope)
    if any(CHARGES.match(word) for word in words(request.action)):
        # What a customer orders is what may be charged.
        named = (each for each in flow.events.values() if each.by == "customer")
        fixed |= {fact for event in named for fact in (*event.required, *event.optional)}
    return fixed


def _decided_with_authority(policies: Policies, flow: Flow, acting: Acting) -> bool:
    """Whether a person decides, whose role says up to what amount it may."""
    if not _by_staff(flow, acting):
        return False
    roles = policies.organisation.roles
    deciding = [roles[name] for name in acting.roles if name is not None and name in roles]
    return len(deciding) == len(acting.roles) and all(role.authority is not None for role in deciding)


def _acting(flow: Flow) -> Iterator[Acting]:
    """Every group of effects of a flow that asks for something."""
    for state in flow.states.values():
        for effects in (state.enter, state.leave):
            if effects is not None and effects.request:
                yield Acting(effects, None, (), None, (state.owner,))
        yield from _on(flow, state.on, [state])
        for after in state.after:
            yield from _each(after.transitions, None, (state.owner,))
    for phase in flow.phases.values():
        yield from _on(flow, phase.on, [flow.states[name] for name in phase.states if name in flow.states])
    yield from _on(flow, flow.anywhere, [state for state in flow.states.values() if state.final is None])


def _on(flow: Flow, on: Mapping[str, tuple[Transition, ...]], states: Sequence[State]) -> Iterator[Acting]:
    for trigger, transitions in on.items():
        event = trigger if trigger in flow.events else None
        yield from _each(transitions, event, tuple(state.owner for state in states))


def _each(transitions: Sequence[Transition], event: str | None, roles: tuple[str | None, ...]) -> Iterator[Acting]:
    passed: list[str] = []
    for each in transitions:
        if each.effects.request:
            yield Acting(each.effects, each.when, tuple(passed), event, roles)
        if each.when is not None:
            passed.append(each.when)


# Beginnings of words in English, French, German and Spanish, as they stand in names of commands.
PAYS = re.compile(
    "refund|reimburs|repay|payback|payout|pay$|pays$|payment|compensat|goodwill|cashback|voucher|credit"
    "|rembours|indemnis|dedommag|avoir$|verser|payer|paiement"
    "|erstatt|rueckerstatt|ruckerstatt|gutschrift|gutschein|kulanz|auszahl|zahl|entschaedig"
    "|reembols|devoluci|indemniz|compens|abono|abonar|pagar|pago"
)
GIVES = re.compile("refund|reimburs|repay|payout|rembours|erstatt|rueckerstatt|ruckerstatt|auszahl|reembols")
CHARGES = re.compile("charg|capture|debit|encaiss|preleve|abbuch|einzieh|einzug|belast|cobr")
TELLS = re.compile("remind|link|check|status|notif|report|record|mail|print|rappel|erinner|recordatorio")
CODE = "CP506"
RULE = Rule(
    CODE,
    "money without an authority limit",
    "A request whose name says that it pays or charges (refund, pay, compensate, goodwill, credit, charge, capture, "
    "and their like in French, German and Spanish) is bounded: its amount is a number or a setting; or a guard holds "
    "it under one, its own or an earlier one that takes larger amounts elsewhere; or a member of staff decides whose "
    "role has an authority:. A charge may also be what an event of the customer carries: they ordered it. "
    "A refund that names no amount is bounded by nothing. Otherwise a slip of the keyboard pays out any sum.",
    "states:\n  overdue:\n    on:\n      reply_sent: {to: answered, request: {refund_order: {amount: order.total}}}\n",
    "states:\n  overdue:\n    on:\n      reply_sent:\n"
    "        - {when: order.total <= settings.goodwill_limit, to: answered, "
    "request: {refund_order: {amount: order.total}}}\n"
    "        - {to: answered}\n",
    find,
    Severity.WARNING,
)
