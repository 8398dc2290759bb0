"""Drives the scenarios of a policy set through the engine, for tests.

A scenario is run once for each of its expectations, on the events before it; what happened since an expectation are
the records that the run before it did not have. That leans on replay: the same history gives the same records. Facts
are left to the runner: records do not tell them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

import carepolicy

Records = list[dict[str, Any]]
CALLED_FOR = {"sent": "message.requested", "told": "notice.requested", "requested": "action.requested"}
NAMED_BY = {"sent": "template", "told": "role", "requested": "action"}


def scenario_of(path: Path) -> dict[str, Any]:
    """The scenario in a file, every value as text."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    read: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)
    return read


class Drive:
    """One scenario on its way: the events so far, the time, and the records before and after the last step."""

    def __init__(self, policies: carepolicy.PolicySet, scenario: dict[str, Any]) -> None:
        self.policies = policies
        self.organisation = policies.policies.organisation
        self.zone = ZoneInfo(self.organisation.timezone)
        self.scenario = scenario
        self.events: list[dict[str, Any]] = []
        self.now: datetime | None = None
        self.records: Records = []
        self.caused: Records = []
        self.gone_on = False

    def differences(self) -> Iterator[str]:
        """What is otherwise than the scenario expects, in words."""
        for number, step in enumerate(self.scenario["steps"], 1):
            if "expect" not in step:
                self._go(step)
                continue
            flow = step.get("flow", self.scenario["flow"])
            subject = step.get("subject", self.scenario.get("subject", "case-1"))
            if self.gone_on:
                before = {each["id"] for each in self.records}
                self.records = list(self.policies.engine().run(self.events, until=self.now))
                self.caused = [each for each in self.records if each["id"] not in before]
                self.gone_on = False
            for key, wanted in step["expect"].items():
                if key == "facts":
                    continue
                found = self._found(key, wanted, flow, subject)
                if not _fits(key, wanted, found):
                    yield f"step {number}: {key} should be {wanted}, and is {found}"

    def _go(self, step: dict[str, Any]) -> None:
        if "wait" in step:
            assert self.now is not None, "a scenario begins with an event"
            calendar = self.policies.calendars[self.organisation.calendar or "always"]
            self.now = calendar.add(self.now, step["wait"])
        else:
            self.now = self.instant(step["at"])
            self.events.append(self._event(step))
        self.gone_on = True

    def instant(self, text: str) -> datetime:
        """A time of the scenario; one without an offset is in the organisation's time zone."""
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone)

    def _event(self, step: dict[str, Any]) -> dict[str, Any]:
        assert self.now is not None
        data = {name: self._value(name, text) for name, text in step.get("data", {}).items()}
        return {
            "specversion": "1.0",
            "id": step.get("id", f"{step['event']}-{len(self.events)}"),
            "source": "/scenario",
            "type": step["event"],
            "subject": step.get("subject", self.scenario.get("subject", "case-1")),
            "time": self.now.isoformat(),
            "data": data,
        }

    def _value(self, name: str, text: str) -> Any:
        kind = self.organisation.facts[name].type
        return text == "true" if kind == "flag" else float(text) if kind == "number" else text

    def _found(self, key: str, wanted: Any, flow: str, subject: str) -> Any:
        mine = [each for each in self.records if each.get("flow") == flow and each["subject"] == subject]
        new = [each for each in self.caused if each.get("flow") == flow and each["subject"] == subject]
        if key == "state":
            states = [each["data"] for each in mine if _kind(each) in ("case.opened", "case.moved")]
            return (states[-1].get("to") or states[-1]["state"]) if states else None
        if key == "outcome":
            return next((each["data"]["outcome"] for each in new if _kind(each) == "case.closed"), None)
        if key == "due":
            return {clock: self._due(mine, clock, text) for clock, text in wanted.items()}
        if key == "opened":
            return [each["flow"] for each in self.caused if _kind(each) == "case.opened"]
        if key == "assigned":
            return [each["data"]["role"] for each in new if _kind(each) == "task.assigned"]
        if key in ("unexpected", "rejected"):
            return any(_kind(each) == f"event.{key}" for each in self.caused)
        if key == "late":
            return [*(each["data"]["clock"] for each in new if _kind(each) == "clock.late"), *_late_still(mine)]
        if key == "met":
            return [each["data"]["clock"] for each in new if _kind(each) == f"clock.{key}"]
        asked = key.removeprefix("not_")
        return [each["data"][NAMED_BY[asked]] for each in new if _kind(each) == CALLED_FOR[asked]]

    def _due(self, records: Records, clock: str, wanted: str) -> str:
        last = [each["data"] for each in records if _kind(each).startswith("clock.") and each["data"]["clock"] == clock]
        if not last or "due" not in last[-1]:
            return "none"
        due = datetime.fromisoformat(last[-1]["due"]).astimezone(self.zone)
        # To the microsecond: a due time is compared as an instant, and shown as the scenario writes it.
        return wanted if due - self.instant(wanted) == timedelta(0) else due.isoformat(sep=" ")


def _late_still(records: Records) -> set[str]:
    """Clocks that are late and have not ended."""
    late: set[str] = set()
    for each in records:
        if _kind(each) == "clock.late":
            late.add(each["data"]["clock"])
        elif _kind(each) == "clock.ended":
            late.discard(each["data"]["clock"])
    return late


def _kind(record: dict[str, Any]) -> str:
    kind: str = record["type"]
    return kind.removeprefix("carepolicy.")


def _fits(key: str, wanted: Any, found: Any) -> bool:
    if key in ("unexpected", "rejected"):
        return found is (wanted == "true")
    if key.startswith("not_"):
        return not set(wanted) & set(found)
    if isinstance(found, list):
        return set([wanted] if isinstance(wanted, str) else wanted) <= set(found)
    return bool(wanted == found)
