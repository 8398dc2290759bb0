"""Policy sets for simulations: one queue that is always open, and an office with a lead to whom late work goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from carepolicy.businesstime.instants import microseconds
from carepolicy.checks.staff import read_staff
from carepolicy.machine.bundle import load_bundle
from carepolicy.simulation.run import Run, RunResult
from carepolicy.simulation.scene import Scene, SceneMaker, known_to

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = ZoneInfo("Europe/London")

ORGANISATION = """\
organisation: Hall
timezone: Europe/London
calendar: {calendar}
calendars:
  always: {{title: Always, hours: {{mon-sun: "00:00-24:00"}}}}
  office: {{title: Office, hours: {{mon-fri: [09:00-12:30, 13:30-17:30]}}}}
roles:
  agent: {{title: Agent, people: [Ada]}}
  lead: {{title: Lead, people: [Lin]}}
facts:
  call.kind: {{type: choice, of: [urgent, usual], default: usual}}
"""
CALL = """\
flow: call
version: 1
title: Answer a call
purpose: Calls are answered.
owner: agent
events:
  call_came: {title: A call comes, by: customer, carries: {optional: [call.kind]}}
  call_answered: {title: It is answered, by: staff}
  question_asked: {title: We ask, by: staff}
  customer_wrote: {title: The customer answers, by: customer}
clocks:
  answer:
    title: Answer
    limit:
      - {when: call.kind == "urgent", is: 10 minutes}
      - {is: LIMIT}
    runs_in: [waiting, overdue]
    pauses_in: [asked]
    target: 80%
states:
  waiting:
    title: Waits
    start_on: call_came
    owner: agent
    on: {call_answered: done, question_asked: asked, answer.late: {to: overdue, tell: lead}}
  overdue: {title: Late, owner: lead, on: {call_answered: done}}
  asked: {title: Asked, on: {customer_wrote: waiting}, after: {2 days: closed}}
  done: {title: Done, final: done}
  closed: {title: Closed, final: closed}
"""
STAFF = """\
roles: {agent: {people: 1}, lead: {people: 1}}
work: {call: {mean: 10 minutes, spread: fixed}}
ways: {call.waiting: {call_answered: 100%}}
"""


NO_OTHERS: Mapping[str, str] = {}


def moment(text: str) -> int:
    """A time in the hall, in microseconds since 1970."""
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=ZONE))


class Hall:
    """A set with the flow of calls, of which some texts may be others, and staff."""

    def __init__(
        self, folder: Path, limit: str = "1 hour", calendar: str = "office", late_moves: bool = True,
        others: Mapping[str, str] = NO_OTHERS,
    ) -> None:  # fmt: skip
        self.folder = folder / "set"
        (self.folder / "flows").mkdir(parents=True)
        (self.folder / "organisation.yaml").write_text(ORGANISATION.format(calendar=calendar), encoding="utf-8")
        flow = CALL.replace("LIMIT", limit)
        if not late_moves:
            flow = flow.replace("answer.late: {to: overdue, tell: lead}", "answer.late: {tell: lead}")
        for text, other in others.items():
            assert text in flow
            flow = flow.replace(text, other)
        (self.folder / "flows" / "call.yaml").write_text(flow, encoding="utf-8")
        self.bundle = load_bundle(str(self.folder))
        self.staff = folder / "staff.yaml"

    def maker(self, staff: str = STAFF) -> SceneMaker:
        """What makes scenes with some staff."""
        self.staff.write_text(staff, encoding="utf-8")
        made, findings = read_staff(str(self.staff), known_to(self.bundle))
        assert made is not None, findings
        calendar = self.bundle.programs[0].calendar
        return SceneMaker(self.bundle, ["call"], made, dict.fromkeys(self.bundle.role_titles, calendar))

    def scene(self, arrivals: str, staff: str = STAFF, days: int = 5, begin: str = "2026-03-02 00:00") -> Scene:
        """Days that begin on a Monday. ``arrivals`` are a rate, or the rows of a file."""
        maker = self.maker(staff)
        if "\n" in arrivals:
            (self.folder.parent / "calls.csv").write_text(arrivals, encoding="utf-8")
            arrivals = str(self.folder.parent / "calls.csv")
        first = moment(begin)
        last = first + days * DAY
        return maker.scene(first, last, maker.streams([arrivals], first, last), {})

    def play(self, arrivals: str, staff: str = STAFF, days: int = 5, seed: int = 0) -> RunResult:
        """What becomes of the days of one seed."""
        return Run(self.scene(arrivals, staff, days), seed).play()
