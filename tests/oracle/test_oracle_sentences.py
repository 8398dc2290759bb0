"""Sentences of the language, worked out by hand: the slow interpreter must be right before it can judge the engine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from oracle.differences import Said, by_engine, by_oracle
from oracle.random_sets import FACTS, Trial

CASES = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text())
EVENTS = ("e0", "e1", "e2", "e3", "e4")
ORGANISATION: dict[str, Any] = {
    "organisation": "Harbour & Finch",
    "timezone": "UTC",
    "languages": ["en"],
    "calendar": "office",
    "calendars": {
        "office": {"title": "Office", "hours": {"mon-fri": "09:00-17:00"}},
        "night": {"title": "Night", "hours": {"mon-fri": "22:00-02:00"}},
    },
    "roles": {"lead": {"title": "Lead", "calendar": "office", "people": ["Chidi"]}},
    "channels": {"email": {"title": "E-mail", "address": "care@harbour.example"}},
    "facts": FACTS,
}


def flow_of(case: dict[str, Any]) -> dict[str, Any]:
    stays = {"tell": {"role": "lead", "say": "Stays."}}
    extends = {"extend": {"clock": "c", "by": case["extends"]}} if "extends" in case else stays
    carries = {"carries": {"optional": list(FACTS)}}
    clock = {"title": "Answer", "promise": "We do it within {limit}.", "runs_in": ["a"], "pauses_in": ["b"]}
    return {
        "flow": "f",
        "version": 1,
        "title": "F",
        "purpose": "A small flow.",
        "owner": "lead",
        "events": {name: {"title": name, "by": "customer", **carries} for name in EVENTS},
        "clocks": {"c": {**clock, **case["clock"]}},
        "states": {
            "a": {"title": "A", "start_on": "e0", "on": {"e1": "b", "e2": "done", "e3": stays, "e4": extends}},
            "b": {"title": "B", "on": {"e1": "a", "e2": "done"}},
            "done": {"title": "Done", "final": "done"},
        },
    }


def event_of(number: int, said: str) -> dict[str, Any]:
    """``e3 02T11:00 n.a=2``: an event on the second of March, and a fact that it brings."""
    kind, at, *brings = said.split()
    data = dict(each.split("=") for each in brings)
    return {
        "specversion": "1.0",
        "id": f"n{number}",
        "source": "/test",
        "type": kind,
        "subject": "x",
        "time": f"2026-03-{at}:00+00:00",
        "data": {name: int(value) if value.isdigit() else value for name, value in data.items()},
    }


def in_words(record: Said) -> str:
    due = record["data"].get("due")
    kind = record["type"].removeprefix("carepolicy.clock.")
    return f"{record['time'][8:16]} {kind}" + (f" due {due[8:16]}" if due else "")


@pytest.mark.parametrize("case", CASES, ids=[each["sentence"] for each in CASES])
def test_both_hold_to_the_language(case: dict[str, Any]) -> None:
    events = [event_of(number, said) for number, said in enumerate(case["events"])]
    until = datetime.fromisoformat(events[-1]["time"]).astimezone(UTC)
    trial = Trial({"organisation.yaml": ORGANISATION, "flows/f.yaml": flow_of(case)}, events, until)
    for records in (by_oracle(trial), by_engine(trial)):
        assert [in_words(each) for each in records if ".clock." in each["type"]] == case["expected"]
