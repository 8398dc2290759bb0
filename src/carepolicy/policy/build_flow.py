"""A flow as the model holds it."""

from __future__ import annotations

from decimal import Decimal

from carepolicy.policy.build_effects import build_effects, build_transitions
from carepolicy.policy.limit import LimitText
from carepolicy.policy.model import After, Clock, Event, Flow, LimitChoice, Phase, State
from carepolicy.policy.part import Part, in_words


def build_flow(part: Part) -> Flow:
    """The flow that the whole of its file describes."""
    name = part.said("flow")
    valid_from = part.find("valid_from")
    return Flow(
        name=name,
        version=part["version"].data,
        title=part.said("title", in_words(name)),
        purpose=part.said("purpose"),
        owner=part.said("owner"),
        steward=part.maybe("steward"),
        covers=part.texts("covers"),
        based_on=part.said("based_on"),
        valid_from=valid_from.date() if valid_from is not None else None,
        calendar=part.maybe("calendar"),
        subject=part.maybe("subject"),
        keep=part.maybe_limit("keep"),
        every=part.maybe_limit("every"),
        starting=part.maybe("starting"),
        promise=part.maybe_limit("promise"),
        events={key: _event(key, each) for key, each in part.items("events")},
        clocks={key: _clock(key, each) for key, each in part.items("clocks")},
        states={key: _state(key, each) for key, each in part.items("states")},
        anywhere={key: build_transitions(key, each) for key, each in part.items("anywhere")},
        phases={key: _phase(key, each) for key, each in part.items("phases")},
        moves_to={old: each.text() for old, each in part.items("moves_to")},
        synonyms=part.texts("synonyms"),
        order=tuple(part.data),
        at=part.at,
    )


def _event(name: str, part: Part) -> Event:
    carries = part.find("carries")
    return Event(
        name=name,
        title=part.said("title", in_words(name)),
        by=part.said("by", "other"),
        required=carries.texts("required") if carries is not None else (),
        optional=carries.texts("optional") if carries is not None else (),
        at=part.at,
    )


def _clock(name: str, part: Part) -> Clock:
    target = part.find("target")
    return Clock(
        name=name,
        title=part.said("title", in_words(name)),
        promise=part.said("promise"),
        limits=_limits(part["limit"], part.maybe("rolls")),
        runs_in=part.texts("runs_in"),
        pauses_in=part.texts("pauses_in"),
        again=part.said("again", "restart"),
        restarts_on=part.texts("restarts_on"),
        warn_at=part.texts("warn_at"),
        target=_share(target) if target is not None else None,
        calendar=part.maybe("calendar"),
        counts_from=part.maybe("counts_from"),
        never_pauses=part.maybe("never_pauses"),
        at=part.at,
    )


def _limits(part: Part, rolls: str | None) -> tuple[LimitChoice, ...]:
    if not isinstance(part.data, list):
        return (LimitChoice(None, part.limit(), rolls, part.at),)
    return tuple(
        LimitChoice(each.condition("when"), each["is"].limit(), each.maybe("rolls") or rolls, each.at)
        for each in part.entries()
    )


def _share(part: Part) -> float | None:
    """A share from 0 to 1, written as a percentage or as a number."""
    if not isinstance(part.data, str):
        return float(part.data)
    share = Decimal(part.data.strip().removesuffix("%").strip()) / 100
    if share > 1:
        part.fault("CP112", f'"{part.data}" is more than all cases', "a share is at most 100%")
    return float(share)


def _state(name: str, part: Part) -> State:
    enter, leave = part.find("enter"), part.find("leave")
    return State(
        name=name,
        title=part.said("title", in_words(name)),
        start_on=part.texts("start_on"),
        owner=part.maybe("owner"),
        channel=part.maybe("channel"),
        steps=part.texts("steps"),
        say=part.said("say"),
        never=part.said("never"),
        ask=part.said("ask"),
        note=part.said("note"),
        waits=part.maybe("waits"),
        enter=build_effects(enter) if enter is not None else None,
        leave=build_effects(leave) if leave is not None else None,
        on={trigger: build_transitions(trigger, each) for trigger, each in part.items("on")},
        after=tuple(
            After(LimitText(limit), build_transitions(limit, each), each.at) for limit, each in part.items("after")
        ),
        final=part.maybe("final"),
        renamed_from=part.maybe("renamed_from"),
        synonyms=part.texts("synonyms"),
        at=part.at,
    )


def _phase(name: str, part: Part) -> Phase:
    return Phase(
        name=name,
        title=part.said("title", in_words(name)),
        states=part.texts("states"),
        on={trigger: build_transitions(trigger, each) for trigger, each in part.items("on")},
        at=part.at,
    )
