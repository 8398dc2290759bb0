"""Transitions and effects as the model holds them: every short form becomes the long one."""

from __future__ import annotations

from carepolicy.policy.model import Effects, Extend, Open, Raise, Request, Tell, Transition
from carepolicy.policy.part import Part


def build_transitions(trigger: str, part: Part) -> tuple[Transition, ...]:
    """The transitions of one trigger: a state's name, one transition, or a list of these."""
    return tuple(_transition(trigger, each) for each in part.entries())


def _transition(trigger: str, part: Part) -> Transition:
    short = not isinstance(part.data, dict)
    return Transition(
        on=trigger,
        when=part.condition("when"),
        to=part.text() if short else part.maybe("to"),
        effects=build_effects(part),
        note=part.said("note"),
        answer=part.said("answer"),
        title=part.said("title"),
        draw=part.maybe("draw"),
        except_=part.texts("except"),
        at=part.at,
        steps=part.texts("steps"),
        say=part.said("say"),
        never=part.said("never"),
    )


def build_effects(part: Part) -> Effects:
    """The effects among the keys of a transition, an ``enter:`` or a ``leave:``; none of a state's mere name."""
    if not isinstance(part.data, dict):
        return Effects({}, (), (), (), (), None, (), (), part.at)
    return Effects(
        set={fact: each.expression() for fact, each in part.items("set")},
        send=part.texts("send"),
        tell=tuple(_tell(each) for each in part.each("tell")),
        request=tuple(_request(action, each) for action, each in part.items("request")),
        open=tuple(_open(each) for each in part.each("open")),
        assign=part.maybe("assign"),
        raises=tuple(_raise(each) for each in part.each("raise")),
        extend=tuple(_extend(each) for each in part.each("extend")),
        at=part.at,
        spends=None if (spends := part.find("spends")) is None else spends.expression(),
    )


def _tell(part: Part) -> Tell:
    if isinstance(part.data, dict):
        return Tell(part.said("role"), part.said("say"), part.at)
    return Tell(part.text(), "", part.at)


def _request(action: str, part: Part) -> Request:
    arguments = {name: part[name].expression() for name in part.data or ()}
    return Request(action, arguments, part.at)


def _open(part: Part) -> Open:
    if isinstance(part.data, dict):
        return Open(part.said("flow"), part.maybe("on"), bool(part.data.get("keep_time", False)), part.at)
    return Open(part.text(), None, False, part.at)


def _raise(part: Part) -> Raise:
    data = {fact: each.expression() for fact, each in part.items("data")}
    return Raise(part.said("event"), part["subject"].expression(), data, part.at)


def _extend(part: Part) -> Extend:
    return Extend(part.said("clock"), part["by"].limit(), part.data.get("at_most"), part.at)
