"""A shop whose policies change while cases are open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shops import Shop, rows

ORGANISATION = """organisation: Shop
timezone: Europe/London
languages: [en]
calendar: office
calendars: {office: {title: Office, hours: {mon-fri: [09:00-17:00]}, closed: [%s]}}
roles:
  agent: {title: Agent, calendar: office, people: [Ada], deputy: lead}
  lead: {title: Lead, calendar: office, people: [Bo], deputy: agent}
facts: {customer.email: {type: text, private: true}}
"""
FLOW = """flow: inquiry
version: 1
title: Answer
purpose: Every question gets an answer.
owner: lead
events:
  written: {title: A question comes, by: customer, carries: {optional: [customer.email]}}
  looked: {title: Somebody looks at it, by: staff}
  answered: {title: It is answered, by: staff}
clocks:
  reply: {title: Answer, promise: "We answer within {limit}.", limit: 4 business hours, runs_in: [fresh, seen]}
states:
  fresh: {title: New, start_on: written, owner: agent, on: {looked: seen, answered: done, reply.late: {tell: lead}}}
  seen: {title: Seen, owner: agent, on: {answered: done, reply.late: {tell: lead}}}
  done: {title: Done, final: answered}
"""
AT = "2026-03-02 16:00"
THEN = ("--now", "2026-03-02 16:30")


class Changing(Shop):
    """A shop whose policies change."""

    def become(self, flow: str | None = FLOW, closed: str = "2026-08-03") -> None:
        flows = Path(self.policies) / "flows"
        flows.mkdir(parents=True, exist_ok=True)
        (flows.parent / "organisation.yaml").write_text(ORGANISATION % closed)
        for each in flows.iterdir():
            each.unlink()
        if flow is not None:
            (flows / "inquiry.yaml").write_text(flow)
        else:
            (flows / "other.yaml").write_text(FLOW.replace("inquiry", "other"))

    def plan(self) -> tuple[int, dict[str, Any]]:
        said = self("plan", "--policies", self.policies, "--format", "json", *THEN)
        assert said.status in (0, 1), said.err
        told = json.loads(said.out)
        return said.status, {"refused": told["refused"], **told["fates"]}

    def apply(self, status: int = 0) -> str:
        said = self("apply", "--policies", self.policies, *THEN)
        assert said.status == status, (said.out, said.err)
        return said.out

    def state(self) -> Any:
        return rows(self, "SELECT key, subject, flow, version, state, role, due FROM cases ORDER BY subject")
