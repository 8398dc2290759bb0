"""Bind a flow to an object of your own: its events become methods, its guards read the object's facts.

This is for a program that keeps its cases itself and wants the policy to say only which way a case goes. Clocks,
messages and tasks are the engine's: see ``carepolicy.load(...).engine()``.

Run it in the root of the project: ``python examples/bind_machine.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import carepolicy

POLICIES = Path(__file__).parents[1] / "policies"


class Ticket:
    """A ticket of some program. The machine gives it ``state`` and a method for each event of the flow."""

    state: str
    trigger: Callable[[str], bool]
    reply_sent: Callable[..., bool]

    def __init__(self, number: int, **facts: Any) -> None:
        self.number = number
        self.facts = facts


def main() -> None:
    flow = carepolicy.load(POLICIES).flows["email_inquiry"]
    ticket = Ticket(17, **{"customer.email": "ada@example.org"})
    machine = flow.machine(ticket)
    print(f"ticket {ticket.number} begins in {ticket.state}")
    for event in ("agent_assigned", "first_reply.late", "reply_sent", "agent_assigned", "customer_wrote"):
        moved = ticket.trigger(event)
        print(f"{event}: {'now' if moved else 'still'} {ticket.state}")
    ticket.reply_sent(data={"inquiry.topic": "delivery"})
    print(f"answered again: now {ticket.state}")
    print("from here:", ", ".join(machine.ways(ticket.state)))


if __name__ == "__main__":
    main()
