"""What LANGUAGE.md means where it is easily got wrong: small flows, events, and what is right, in meaning.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from carepolicy.engine.instants import parse
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.program import Bundle
from stories import ORGANISATION, compiled, event, flow_text, often

CASES: list[dict[str, Any]] = yaml.load((Path(__file__).parent / "meaning.yaml").read_text(), yaml.BaseLoader)

CARRIED = ["customer.tier", "order.ship_by", "promise.date", "breach.aware_at", "case.urgent"]
EVENTS = ("asked", "moved", "changed", "closed", "other")
MORE = ("      breach.aware_at:", "      promise.date: {type: date}\n      breach.aware_at:")


def bundle_of(case: dict[str, Any], folder: Path) -> Bundle:
    flows = case.get("flows") or {"small": case}
    organisation = ORGANISATION
    for old, new in (MORE, *case.get("organisation", {}).items()):
        assert old in organisation
        organisation = organisation.replace(old, new)
    texts = (flow_text(name, parts, CARRIED, EVENTS) for name, parts in flows.items())
    return compiled(folder, *texts, organisation=organisation)


def line(record: dict[str, Any], case: dict[str, Any]) -> str:
    """A record in a few words; a case may ask for ``texts`` of notices and ``limits`` of clocks."""
    kind, data = record["type"].removeprefix("carepolicy."), record["data"]
    room, _, what = kind.partition(".")
    if room == "notice" and "texts" in case:
        return f"{what} {data['role']}: {data['text']}"
    said = [record["time"][5:16].replace("T", " "), what]
    if room == "clock":
        said += [data["clock"], f"used {data['used']}"] if data["used"] else [data["clock"]]
        said += [f"of {data['limit']}"] if "limits" in case else []
        said += [f"due {data['due'][5:16].replace('T', ' ')}"] if "due" in data else []
        said += [f"over {data['over']}"] if "over" in data else []
        said += [data["code"]] if "code" in data else []
    elif room == "case":
        said.append(f"{data['from']} -> {data['to']}" if what == "moved" else data["state"])
    elif room == "event":
        said.append(data["code"])
    elif room == "notice":
        said += [data["role"]]
    return " ".join(said)


def events_of(case: dict[str, Any], subject: str) -> list[dict[str, Any]]:
    found = []
    for number, text in enumerate(case["events"]):
        at, kind, *data = text.split(" ", 2)
        brings = orjson.loads(data[0]) if data else None
        found.append(event(kind, f"{at}:00" if len(at) == 16 else at, subject, brings, id=f"{subject}-{number}"))
    return found


def told(bundle: Bundle, case: dict[str, Any], subjects: tuple[str, ...], times: int) -> list[list[str]]:
    """What is told of each subject, where moves are written out when an event has come so often."""
    rooms = tuple(f"carepolicy.{each}." for each in case.get("of", ["clock"]))
    events = [each for subject in subjects for each in events_of(case, subject)]
    until = parse(f"{case['until']}:00+00:00") if "until" in case else None
    with often(times), OrderedRun(Run(bundle)) as run:
        text = run.feed([(number, orjson.dumps(each)) for number, each in enumerate(events, 1)])
        text += "".join(run.finish(until))
    records = [each for each in map(orjson.loads, text.splitlines()) if each["type"].startswith(rooms)]
    return [[line(each, case) for each in records if each["subject"] == subject] for subject in subjects]


@pytest.mark.parametrize("case", CASES, ids=[each["case"].replace(" ", "-") for each in CASES])
def test_what_is_told_is_what_is_meant(case: dict[str, Any], tmp_path: Path) -> None:
    """Stepped, and with the moves of the first subject written out for the others."""
    bundle = bundle_of(case, tmp_path)
    assert told(bundle, case, ("x",), -1) == [case["told"]]
    assert told(bundle, case, ("x", "y", "z"), 1) == [case["told"]] * 3
