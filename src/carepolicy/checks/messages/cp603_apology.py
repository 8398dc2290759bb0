"""CP603: we are late, and the next message does not apologise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.lateness import owing, steps
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.lateness import Step
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Place


def find(policies: Policies) -> Iterator[Finding]:
    """Messages of a transition that is taken when a promise is broken, none of which apologises."""
    for flow in policies.flows.values():
        if not any(clock.promise for clock in flow.clocks.values()):
            continue
        all_steps = steps(flow)
        owed = owing(flow, all_steps)
        for step in all_steps:
            if step.late or step.source.name in owed:
                yield from _of(policies, step)


def _of(policies: Policies, step: Step) -> Iterator[Finding]:
    sent = [name for name in step.sends() if any(name in texts for texts in policies.messages.values())]
    if not sent or any(_apologises(policies, name) for name in sent):
        return
    partly = [name for name in sent if _marked(policies, name)]
    if partly:
        text = f'"{partly[0]}" apologises in {" and ".join(_marked(policies, partly[0]))} only'
        hint = "write the apology in every language, and mark each by apologises: true"
    else:
        text = f'we are late, and "{sent[0]}" does not apologise'
        sorry = next(
            (name for texts in policies.messages.values() for name in texts if _apologises(policies, name)), None
        )
        other = f'send one that does, such as "{sorry}"' if sorry is not None else "send one that does"
        hint = f"{other}; it is marked by apologises: true"
    yield Finding(CODE, text, _place(policies, step, (partly or sent)[0]), hint, Severity.WARNING)


def _place(policies: Policies, step: Step, name: str) -> Place:
    """Where a step sends a message; where it leads, if the message is sent on leaving or entering a state."""
    effects = step.transition.effects
    if name in effects.send:
        return policies.place(effects.at / "send" / effects.send.index(name))
    return policies.place(step.transition.at / "to")


def _marked(policies: Policies, name: str) -> list[str]:
    """The languages in which a message is marked as an apology."""
    return [language for language, texts in policies.messages.items() if name in texts and texts[name].apologises]


def _apologises(policies: Policies, name: str) -> bool:
    """Whether a message is an apology in every language in which it is written."""
    return len(_marked(policies, name)) == sum(name in texts for texts in policies.messages.values())


CODE = "CP603"
RULE = Rule(
    CODE,
    "late without an apology",
    "Who was kept waiting hears an apology first. The next message after a clock with a promise: is late apologises: "
    "what is sent on CLOCK.late, or where a guard says clock.NAME.late, or in a state that is entered only when we "
    "are late and in which nothing was sent yet. A template that does so is marked by apologises: true, in every "
    "language. A clock without promise: (an inner target, or the customer's own time) is no matter of this rule.",
    "states:\n  overdue:\n    on: {reply_sent: {to: answered, send: closing_for_now}}\n",
    "states:\n  overdue:\n    on: {reply_sent: {to: answered, send: apology_for_delay}}\n",
    find,
    Severity.WARNING,
)
