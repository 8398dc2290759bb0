"""CP506: money that moves, and nothing says how much it may be at most."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.guards.compiler import Compiler
from carepolicy.guards.faults import ExpressionError
from carepolicy.guards.names import chain
from carepolicy.guards.parser import inside, parse
from carepolicy.guards.scope import Scope, scope_of
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Effects, Flow, Request, Transition
from carepolicy.policy.vocabulary import words


class Acting(NamedTuple):
    """Effects; the guard under which they happen; the guards of the ways before theirs, which did not hold; and the
    event that brings them."""

    effects: Effects
    when: str | None
    passed: tuple[str, ...]
    event: str | None


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Requests that pay or charge an amount which no setting, guard, order or ``spends`` bounds."""
    actions = {request.action for _, effects, _ in checked.acts for request in effects.request}
    moving = {action for action in actions if moves_money(action)}
    for flow in checked.flows.values():
        for acting in _acting(flow):
            for request in acting.effects.request:
                if request.action in moving:
                    yield from _of(checked, flow, acting, request)


def moves_money(action: str) -> bool:
    """Whether a command pays something out or charges it, by the words of its name.

    One that only tells of a payment (a reminder, a link, a report) does not.
    """
    said = words(action)
    if any(TELLS.match(word) for word in said):
        return False
    return any(PAYS.match(word) or CHARGES.match(word) for word in said)


def _of(checked: CheckedSet, flow: Flow, acting: Acting, request: Request) -> Iterator[Finding]:
    scope = scope_of(checked.organisation, flow, acting.event)
    fixed = _bounded(flow, acting, request, scope)
    if acting.effects.spends is not None:  # CP507 proves how much that is
        fixed |= amounts(acting.effects.spends, scope) or frozenset()
    named = {name: amounts(text, scope) for name, text in request.arguments.items()}
    if (
        all(each is None for each in named.values())
        and acting.effects.spends is None
        and not fixed
        and _gives(request.action)
    ):
        text = f"{request.action} moves money, and names no amount"
        hint = "name it, as in amount: order.total, under a guard that bounds it"
        yield Finding(CODE, text, checked.key_place(request.at), hint, Severity.WARNING)
    for name, text in request.arguments.items():
        for fact in sorted((named[name] or frozenset()) - fixed):
            at = request.at / name
            found = text.find(fact)
            place = checked.within(at, text, found, found + len(fact)) if found >= 0 else checked.place(at)
            message = f"{request.action} moves money, and nothing says how large {fact} may be"
            yield Finding(CODE, message, place, _hint(fact), Severity.WARNING)


def _gives(action: str) -> bool:
    """Whether a command surely pays out, so that it has an amount, named or not."""
    return any(GIVES.match(word) for word in words(action)) and moves_money(action)


def _hint(fact: str) -> str:
    return f"say spends: {fact}, and hold it by a guard within the authority: of whoever acts"


def _bounded(flow: Flow, acting: Acting, request: Request, scope: Scope) -> frozenset[str]:
    fixed = bounded_unless(acting.passed, scope)
    if acting.when is not None:
        fixed |= bounded_where(acting.when, scope)
    if any(CHARGES.match(word) for word in words(request.action)):
        # What a customer orders is what may be charged.
        named = (each for each in flow.events.values() if each.by == "customer")
        fixed |= {fact for event in named for fact in (*event.required, *event.optional)}
    return fixed


def _acting(flow: Flow) -> Iterator[Acting]:
    """Every group of effects of a flow that asks for something."""
    for state in flow.states.values():
        for effects in (state.enter, state.leave):
            if effects is not None and effects.request:
                yield Acting(effects, None, (), None)
        yield from _on(flow, state.on)
        for after in state.after:
            yield from _each(after.transitions, None)
    for phase in flow.phases.values():
        yield from _on(flow, phase.on)
    yield from _on(flow, flow.anywhere)


def _on(flow: Flow, on: Mapping[str, tuple[Transition, ...]]) -> Iterator[Acting]:
    for trigger, transitions in on.items():
        yield from _each(transitions, trigger if trigger in flow.events else None)


def _each(transitions: Sequence[Transition], event: str | None) -> Iterator[Acting]:
    passed: list[str] = []
    for each in transitions:
        if each.effects.request:
            yield Acting(each.effects, each.when, tuple(passed), event)
        if each.when is not None:
            passed.append(each.when)


_ABOVE = {"relation_gt": "relation_lt", "relation_ge": "relation_le"}
_UNDER = ("relation_lt", "relation_le")
_SIZES = ("money", "number")


def amounts(text: str, scope: Scope) -> frozenset[str] | None:
    """The money and numbers among the facts that an expression reads; None where it gives neither, or is wrong."""
    try:
        tree = parse(text)
    except ExpressionError:
        return None
    return _amounts(text, tree, scope)


def _amounts(text: str, part: Any, scope: Scope) -> frozenset[str] | None:
    """The same of a part of an expression."""
    compiler = Compiler(text, scope)
    try:
        piece = compiler.expr(part)
    except ExpressionError:
        return None
    if compiler.faults or piece.type.kind not in _SIZES:
        return None
    return frozenset(name for name in compiler.names.facts | compiler.names.event if scope.facts[name].type in _SIZES)


def bounded_where(guard: str, scope: Scope) -> frozenset[str]:
    """Facts that are no larger than something fixed wherever a guard holds."""
    return frozenset(_held_under(guard, scope, "conditionaland", _UNDER))


def bounded_unless(guards: Iterable[str], scope: Scope) -> frozenset[str]:
    """Facts that are no larger than something fixed wherever none of some guards holds."""
    over = tuple(_ABOVE)
    return frozenset(name for guard in guards for name in _held_under(guard, scope, "conditionalor", over))


def _held_under(guard: str, scope: Scope, joint: str, wanted: tuple[str, ...]) -> Iterator[str]:
    try:
        tree = parse(guard)
    except ExpressionError:
        return
    for part in _parts(inside(tree), joint):
        if part.data != "relation":
            continue
        left, right, sign = part.children[0].children[0], part.children[1], part.children[0].data
        for one, other, said in ((left, right, sign), (right, left, _turned(sign))):
            name = chain(inside(one))
            if name is not None and said in wanted and _amounts(guard, other, scope) == frozenset():
                yield name.removeprefix("event.")


def _parts(node: Any, joint: str) -> Iterator[Any]:
    """The parts that ``&&`` (or ``||``) joins, or the one part that there is."""
    if node.data == joint and len(node.children) == 2:
        yield from _parts(inside(node.children[0]), joint)
        yield from _parts(inside(node.children[1]), joint)
    else:
        yield node


def _turned(sign: str) -> str:
    """The sign that says the same with its sides changed."""
    turned = {**_ABOVE, **{under: above for above, under in _ABOVE.items()}}
    return turned.get(sign, sign)


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
    "it under one, its own or an earlier one that takes larger amounts elsewhere; or it says spends:, which "
    "guards hold within the authority: of whoever acts (CP507). A charge may also be what an event of the customer "
    "carries: they ordered it. A refund that names no amount is bounded by nothing. Otherwise a slip of the keyboard "
    "pays out any sum.",
    "states:\n  overdue:\n    on:\n      reply_sent: {to: answered, request: {refund_order: {amount: order.total}}}\n",
    "states:\n  overdue:\n    on:\n      reply_sent:\n"
    "        - {when: order.total <= settings.goodwill_limit, to: answered, "
    "request: {refund_order: {amount: order.total}}}\n"
    "        - {to: answered}\n",
    find,
    Severity.WARNING,
)
