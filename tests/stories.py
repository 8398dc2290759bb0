"""Small policy sets written in a test, and events to run through them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from carepolicy.engine import fast, stratum
from carepolicy.machine.compiler import compile_policies
from carepolicy.machine.program import Bundle
from carepolicy.policy.load import load_policies

ORGANISATION = """\
    organisation: Harbour & Finch
    timezone: Europe/London
    languages: [en, fr]
    calendar: office
    calendars:
      office:
        title: Office hours
        hours:
          mon-thu: [09:00-12:30, 13:30-17:30]
          fri: 09:00-16:00
        holidays: {country: GB, subdivision: ENG}
      phones: {title: Phone lines, hours: {mon-sat: 08:00-20:00}}
      always: {title: Round the clock, hours: {mon-sun: 00:00-24:00}}
    roles:
      care_agent: {title: Care agent, calendar: office, people: [Aoife, Ben], deputy: care_lead}
      care_lead: {title: Care team lead, calendar: office, people: [Chidi], deputy: care_agent}
      night_watch: {title: Night watch, calendar: always, people: [Dana, Eli]}
    channels:
      email: {title: E-mail, address: care@harbour.example}
      phone: {title: Phone, address: "+44 20 7946 0000", calendar: phones}
    facts:
      customer.email: {type: text, private: true}
      customer.name: {type: text}
      customer.tier: {type: choice, of: [standard, gold, none], default: standard}
      customer.language: {type: text, default: en}
      customer.account_owner: {type: text}
      order.total: {type: money, currency: GBP}
      order.ship_by: {type: time}
      complaint.attempts: {type: number, default: 0}
      complaint.cause: {type: choice, of: [late, broken]}
      breach.aware_at: {type: time}
      case.urgent: {type: flag}
    settings:
      goodwill_limit: 20
      quick_answer: 2 business hours
"""

MESSAGES = """\
    language: en
    messages:
      auto_reply: {subject: We have your message, text: "We answer within {clock.first_reply.limit}."}
      apology: {subject: We are sorry, text: "Dear {customer.name}, we kept you waiting. Write to {customer.email}."}
"""

Events = list[dict[str, Any]]
Runner = Callable[..., Events]


def event(
    kind: str, at: str, subject: str = "s-1", data: dict[str, Any] | None = None, id: str | None = None
) -> dict[str, Any]:
    """A CloudEvent; a time without an offset is UTC."""
    time = at if at.endswith("Z") or "+" in at[10:] else at + "+00:00"
    made = {
        "specversion": "1.0",
        "id": id or f"{kind}-{at}",
        "source": "/test",
        "type": kind,
        "subject": subject,
        "time": time,
    }
    return {**made, "data": data} if data is not None else made


def write_set(
    root: Path, *flows: str, organisation: str = ORGANISATION, extra: str = "", messages: str = MESSAGES
) -> Path:
    """Write a policy set of ``flows`` below ``root``; ``extra`` is put at the end of organisation.yaml."""
    (root / "flows").mkdir(parents=True, exist_ok=True)
    (root / "messages").mkdir(exist_ok=True)
    (root / "organisation.yaml").write_text(dedent(organisation) + dedent(extra))
    if any("send:" in flow for flow in flows):
        (root / "messages" / "en.yaml").write_text(dedent(messages))
    for flow in flows:
        text = dedent(flow)
        name = text.split("flow:", 1)[1].split("\n", 1)[0].strip()
        (root / "flows" / f"{name}.yaml").write_text(text)
    return root


def flow_text(name: str, parts: Mapping[str, Any], carried: list[str], events: Iterable[str]) -> str:
    """A flow as text, of parts as YAML holds them in data files of tests. Its events may all carry the same facts."""
    head: dict[str, Any] = {"title": name, "purpose": "It is tried.", "owner": "care_lead"}
    head["events"] = {each: {"carries": {"optional": carried}} for each in parts.get("declares", events)}
    head |= {key: parts[key] for key in ("calendar", "clocks", "states", "anywhere") if key in parts}
    said = "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items())
    return f"flow: {name}\nversion: 1\n{said}"


def compiled(root: Path, *flows: str, organisation: str = ORGANISATION) -> Bundle:
    """The bundle of a set that the check may warn of or refuse: a store may hold cases of such a one."""
    policies, findings = load_policies(str(write_set(root, *flows, organisation=organisation)))
    assert policies is not None, findings
    return compile_policies(policies)


def short(record: dict[str, Any]) -> str:
    """A record in a few words, for tests that read as stories: ``clock.started first_reply 09:05``."""
    kind = record["type"].removeprefix("carepolicy.")
    data = record["data"]
    said = {
        "case.opened": lambda: data["state"],
        "case.moved": lambda: f"{data['from']} -> {data['to']} on {data['on']}",
        "case.closed": lambda: f"{data['state']} {data['outcome']}",
        "task.assigned": lambda: f"{data['role']}",
        "message.requested": lambda: data["template"],
        "notice.requested": lambda: data["role"],
        "action.requested": lambda: data["action"],
    }.get(kind, lambda: data.get("clock") or data.get("code") or "")
    return f"{kind} {said()}"


@contextmanager
def often(times: int) -> Iterator[None]:
    """Let the engine write moves out when an event has come so often in a state; never, where that is below nothing."""
    before, fast.OFTEN = fast.OFTEN, times
    try:
        yield
    finally:
        fast.OFTEN = before


@contextmanager
def without_fast() -> Iterator[None]:
    """Let the engine take every step by itself: nothing is put around its programs."""
    before, stratum.quicken = stratum.quicken, lambda programs: None
    try:
        yield
    finally:
        stratum.quicken = before


INQUIRY = """\
    flow: inquiry
    version: 1
    title: An inquiry
    purpose: Inquiries are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.email]}}
      answered: {title: Answered, by: staff}
    states:
      open:
        title: Open
        start_on: asked
        owner: care_agent
        channel: email
        enter: {send: auto_reply}
        on: {answered: done}
      done: {title: Done, final: answered}
"""
"""A flow of two events and one message, as a file of ``write_set``."""

INQUIRY_MESSAGES = """\
    language: en
    messages:
      auto_reply: {subject: We have it, text: Thank you.}
"""
