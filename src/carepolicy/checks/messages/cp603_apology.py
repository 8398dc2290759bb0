"""CP603: we are late, and the next message does not apologise."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.lateness import Taken, owing
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Messages of a transition that is taken when a promise is broken, none of which apologises."""
    for each in checked.each.values():
        if not any(clock.promise for clock in each.flow.clocks.values()):
            continue
        owed = owing(each.flow, each.taken)
        for taken in each.taken:
            if taken.late or taken.source.name in owed:
                yield from _of(checked, taken)


def _of(checked: CheckedSet, taken: Taken) -> Iterator[Finding]:
    sent = [name for name in taken.sends() if any(name in texts for texts in checked.messages.values())]
    if not sent or any(_apologises(checked, name) for name in sent):
        return
    partly = [name for name in sent if _marked(checked, name)]
    if partly:
        text = f'"{partly[0]}" apologises in {" and ".join(_marked(checked, partly[0]))} only'
        hint = "write the apology in every language, and mark each by apologises: true"
    else:
        text = f'we are late, and "{sent[0]}" does not apologise'
        sorry = next(
            (name for texts in checked.messages.values() for name in texts if _apologises(checked, name)), None
        )
        other = f'send one that does, such as "{sorry}"' if sorry is not None else "send one that does"
        hint = f"{other}; it is marked by apologises: true"
    yield Finding(CODE, text, _place(checked, taken, (partly or sent)[0]), hint, Severity.WARNING)


def _place(checked: CheckedSet, taken: Taken, name: str) -> Place:
    """Where a transition sends a message; where it leads, if the message is sent on leaving or entering a state."""
    effects = taken.transition.effects
    if name in effects.send:
        return checked.place(effects.at / "send" / effects.send.index(name))
    return checked.place(taken.transition.at / "to")


def _marked(checked: CheckedSet, name: str) -> list[str]:
    """The languages in which a message is marked as an apology."""
    return [language for language, texts in checked.messages.items() if name in texts and texts[name].apologises]


def _apologises(checked: CheckedSet, name: str) -> bool:
    """Whether a message is an apology in every language in which it is written."""
    return len(_marked(checked, name)) == sum(name in texts for texts in checked.messages.values())


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
