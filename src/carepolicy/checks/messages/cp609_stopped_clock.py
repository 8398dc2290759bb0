"""CP609: a message or a notice tells when a clock falls due that may not run then."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.holes import Hole, first_of_each, holes_in
from carepolicy.checks.known import known_in, where_told
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Clock


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Due times and limits between braces, in each language, of clocks that may have none where the text is sent."""
    for hole in first_of_each(holes_in(checked)):
        name, start, end, _ = hole.name
        clock = hole.spot.flow.clocks.get(name.removeprefix("clock.").rpartition(".")[0])
        if hole.gapes and name.startswith("clock.") and clock is not None and _starts(checked, hole, clock):
            place = checked.within(hole.at, hole.text, start, end)
            sent = f"where this is sent, {where_told(hole.spot)} ({hole.spot.flow.name})"
            said = f'the clock "{clock.name}" may have no limit {sent}'
            if name.endswith(".due"):
                runs = hole.spot.state.name in clock.runs_in
                what = "may have no due time" if runs else "stands still" if _pauses(hole) else "does not run"
                said = f'the clock "{clock.name}" {what} {sent}'
            yield Finding(CODE, said, place, _hint(hole, clock.name), Severity.WARNING)


def _starts(checked: CheckedSet, hole: Hole, clock: Clock) -> bool:
    """Whether a clock runs at all; of one that does not another rule tells."""
    flow, known = hole.spot.flow, known_in(checked)
    return any((flow.name, name) in known and flow.states[name].final is None for name in clock.runs_in)


def _pauses(hole: Hole) -> bool:
    return any(hole.spot.state.name in clock.pauses_in and f"clock.{clock.name}.due" == hole.name.name
               for clock in hole.spot.flow.clocks.values())  # fmt: skip


def _hint(hole: Hole, clock: str) -> str:
    if clock in hole.spot.starts:
        return "it starts just after this: send the message by enter: of the state in which it runs"
    return f'send it where the clock runs, or say what stands there then, as in {{{hole.name.name} or "…"}}'


CODE = "CP609"
RULE = Rule(
    CODE,
    "message tells the due time of a clock that may not run",
    '{clock.NAME.due} is empty where the clock does not run: "We answer by {clock.first_reply.due}." goes out as '
    '"We answer by .". The effects of a transition happen before the clocks of the next state start, and those of '
    "enter: after it: a message that tells when a clock falls due which starts now stands under enter: of the state in "
    "which it runs. While a clock pauses it has no due time. One whose limits all have a guard may have none, nor has "
    "one that waits for a fact (until order.ship_by) before that is known. Or say what stands there then, in the "
    'language of the message: {clock.first_reply.due or "soon"}.',
    "states:\n  waiting_for_customer:\n    on:\n"
    "      customer_wrote: {to: received, tell: {role: care_agent, say: 'Answer by {clock.first_reply.due}.'}}\n",
    "states:\n  received:\n    on:\n"
    "      first_reply.warned: {tell: {role: care_agent, say: 'Answer by {clock.first_reply.due}.'}}\n",
    find,
    Severity.WARNING,
)
