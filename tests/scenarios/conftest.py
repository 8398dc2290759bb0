"""A small set of one flow with two clocks, guards and messages, and a way to write scenarios into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from stories import write_set

FLOW = """\
    flow: inquiry
    version: 1
    title: Answer
    owner: care_lead
    events:
      asked: {title: A question comes, by: customer, carries: {optional: [customer.tier, order.total, customer.email]}}
      answered_it: {title: We answer, by: staff}
      escalated: {title: It goes up, by: staff, carries: {required: [order.total]}}
    clocks:
      first_reply:
        limit:
          - {when: customer.tier == "gold", is: 1 business hour}
          - {is: 3 business hours}
        runs_in: [received, overdue]
    states:
      received:
        title: Received
        start_on: asked
        owner: care_agent
        channel: email
        enter: {send: auto_reply}
        on:
          answered_it: done
          escalated:
            - {when: order.total > 100, to: with_lead}
            - {to: done}
          first_reply.late: {to: overdue, tell: care_lead}
      overdue: {title: Overdue, owner: care_lead, channel: email, on: {answered_it: {to: done, send: apology}}}
      with_lead: {title: With the lead, owner: care_lead, on: {answered_it: done}, after: {2 days: done}}
      done: {title: Done, final: resolved}
"""

GOOD = """\
    scenario: A question is answered in time
    flow: inquiry
    steps:
      - {at: 2026-03-06 15:30, event: asked}
      - expect: {state: received, due: {first_reply: 2026-03-09 11:30}, sent: [auto_reply]}
      - {wait: 1 business hour}
      - {event: answered_it}
      - expect: {state: done, outcome: resolved, met: [first_reply]}
"""

Write = Callable[..., Path]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_set(tmp_path / "policies", FLOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(here: Path) -> Write:
    """``write(text, name)`` writes a scenario file of the set."""

    def put(text: str = GOOD, name: str = "one") -> Path:
        file = here / "policies" / "scenarios" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    return put
