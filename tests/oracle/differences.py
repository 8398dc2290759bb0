"""What the engine and the interpreter say of one trial, and the smallest trial that shows a difference."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from carepolicy.api import Engine
from carepolicy.machine.bundle import PolicyErrors, compile_folder
from oracle.hours import TooFar, instant, moment
from oracle.interpreter import GoesRound, Oracle
from oracle.random_sets import Trial, dumped, random_trial
from stories import often

COMPARED = ("type", "time", "subject", "flow", "sequence", "data")
UNSAID = {"reason"}
CLOSE = 1.5e-6
KEPT = {"flow", "version", "title", "purpose", "promise", "is", "by", "carries", "optional"}  # no set without these
Said = dict[str, Any]


class Refused(Exception):
    """The check does not let the set pass, so that there is nothing to compare."""


def by_engine(trial: Trial) -> list[Said]:
    bundle = compiled(tuple(trial.texts().items()), trial.often)
    with often(trial.often):
        records = list(Engine(bundle, False, timedelta(0)).run(trial.events, trial.until))
    return in_order(trial, [{key: each[key] for key in COMPARED if key in each} for each in records])


@lru_cache(maxsize=4)
def compiled(texts: tuple[tuple[str, str], ...], often: int) -> Any:
    """The set, as the engine has it; it keeps the moves that it has written out."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts:
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        try:
            return compile_folder(folder)
        except PolicyErrors as wrong:
            raise Refused([f"{each.code} {each.message}" for each in wrong.findings]) from wrong


def by_oracle(trial: Trial) -> list[Said]:
    return in_order(trial, [as_said(each) for each in Oracle(trial.texts()).run(trial.events, trial.until)])


def in_order(trial: Trial, records: list[Said]) -> list[Said]:
    """As they were written; with flows that raise, case by case: the interpreter lets one stratum follow the other."""
    if "flows/k.yaml" not in trial.files:
        return records
    return sorted(records, key=lambda each: (each["subject"], each.get("flow", ""), each.get("sequence", each["time"])))


def as_said(record: Said) -> Said:
    """As JSON has it: instants and seconds instead of microseconds."""
    data = dict(record["data"])
    if "due" in data:
        data["due"] = moment(data["due"]).isoformat()
    for key in ("used", "limit", "over"):
        if key in data:
            seconds = Fraction(data[key]) / 1_000_000
            data[key] = int(seconds) if seconds.denominator == 1 else float(seconds)
    return {**record, "time": moment(record["time"]).isoformat(), "data": data}


def same(told: Said | None, meant: Said | None) -> bool:
    if told is None or meant is None:
        return False
    if any(told.get(key) != meant.get(key) for key in ("type", "subject", "flow", "sequence")):
        return False
    if not same_value(told["time"], meant["time"], "time"):
        return False
    left = {key: value for key, value in told["data"].items() if key not in UNSAID}
    right = {key: value for key, value in meant["data"].items() if key not in UNSAID}
    if told["type"] == "carepolicy.notice.requested" and "text" not in right:
        left.pop("text", None)  # a bare `tell: role`, of which the words are carepolicy's own
    if right.get("event", {}).get("id", "") is None:
        left["event"] = {**left["event"], "id": None}  # one that was raised: its id is the engine's own
    return left.keys() == right.keys() and all(same_value(left[key], right[key], key) for key in left)


def same_value(told: Any, meant: Any, key: str) -> bool:
    if key in ("due", "time"):
        return abs(instant(datetime.fromisoformat(told)) - instant(datetime.fromisoformat(meant))) <= 1
    if key in ("used", "limit", "over"):
        return abs(told - meant) <= CLOSE
    return bool(told == meant)


@dataclass(frozen=True)
class Compared:
    """What became of one seed: the difference in its smallest form, or why there is nothing to compare."""

    seed: int
    records: int = 0
    difference: str = ""
    why_not: str = ""


def compared(seed: int) -> Compared:
    try:
        trial = random_trial(seed)
        count = len(by_engine(trial))
        if difference(trial) is None:
            return Compared(seed, count)
    except Refused as refused:
        return Compared(seed, why_not=str(refused.args[0][0]))
    except (GoesRound, TooFar):
        return Compared(seed, why_not="it goes round and round by time alone")
    return Compared(seed, count, shown(smallest(trial, lambda smaller: difference(smaller) is not None)))


def difference(trial: Trial) -> int | None:
    """The number of the first record that differs, or None."""
    told, meant = by_engine(trial), by_oracle(trial)
    for number in range(max(len(told), len(meant))):
        if not same(at(told, number), at(meant, number)):
            return number
    return None


def at(records: list[Said], number: int) -> Said | None:
    return records[number] if number < len(records) else None


def smallest(trial: Trial, differs: Callable[[Trial], bool]) -> Trial:
    """Take away what the difference does not need, until nothing can go."""
    before = None
    while before != trial:
        before = trial
        for take_away in (fewer_events, smaller_sets, less_data):
            trial = shrunk(trial, take_away, differs)
    return trial


def shrunk(
    trial: Trial, take_away: Callable[[Trial], Iterator[Callable[[Trial], Trial]]], differs: Callable[[Trial], bool]
) -> Trial:
    for each in take_away(trial):
        try:
            smaller = each(trial)
            if smaller != trial and differs(smaller):
                trial = smaller
        except (
            Refused,
            GoesRound,
            TooFar,
            LookupError,
            StopIteration,
            AssertionError,
            AttributeError,
            ValueError,
            TypeError,
        ):
            continue
    return trial


def fewer_events(trial: Trial) -> Iterator[Callable[[Trial], Trial]]:
    def without_these(last: int, size: int) -> Callable[[Trial], Trial]:
        return lambda now: replace(now, events=now.events[: max(last - size, 0)] + now.events[last:])

    for size in (8, 4, 2, 1):
        for last in range(len(trial.events), 0, -size):
            yield without_these(last, size)
    yield lambda now: replace(now, until=datetime.fromisoformat(now.events[-1]["time"]))


def smaller_sets(trial: Trial) -> Iterator[Callable[[Trial], Trial]]:
    for path in paths(trial.files):
        if path[-1] not in KEPT and (path[0] != "organisation.yaml" or {"closed", "open"} & set(path)):
            yield lambda now, path=path: replace(now, files=without(now.files, path))


def less_data(trial: Trial) -> Iterator[Callable[[Trial], Trial]]:
    for path in paths(trial.events):
        if len(path) > 1 and path[1] == "data":
            yield lambda now, path=path: replace(now, events=without(now.events, path))


def paths(data: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All that can be taken away: the outer parts first; of lists the last first, so that numbers hold."""
    inner = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    inner.reverse()
    found = [(*above, key) for key, _ in inner if above or "/" in str(key)]
    return found + [path for key, value in inner for path in paths(value, (*above, key))]


def without(data: Any, path: tuple[Any, ...]) -> Any:
    """The same without what stands there, or as it is where that is gone already."""
    if len(path) > 1:
        return (
            type(data)(copied(data, path))
            if isinstance(data, list)
            else {**data, path[0]: without(data[path[0]], path[1:])}
        )
    if isinstance(data, list):
        return data[: path[0]] + data[path[0] + 1 :]
    return {key: value for key, value in data.items() if key != path[0]}


def copied(data: list[Any], path: tuple[Any, ...]) -> list[Any]:
    return [without(each, path[1:]) if number == path[0] else each for number, each in enumerate(data)]


def shown(trial: Trial) -> str:
    """The trial as a reader wants it: the set, the log, and the records of both from the first that differs."""
    said = []
    for name, data in trial.files.items():
        said.append(f"# {name}\n{dumped(data)}")
    said.append("# events\n" + "\n".join(json.dumps(each) for each in trial.events))
    said.append(f"# until {trial.until.isoformat()}")
    told, meant = by_engine(trial), by_oracle(trial)
    for number in range(max(len(told), len(meant))):
        left, right = at(told, number), at(meant, number)
        if same(left, right):
            said.append(f"  both   {in_short(left)}")
        else:
            said += [f"- engine {in_short(left)}", f"+ oracle {in_short(right)}"]
    return "\n".join(said)


def in_short(record: Said | None) -> str:
    if record is None:
        return "nothing"
    said = record["type"].removeprefix("carepolicy.")
    where = f"{record['subject']} {record.get('flow', '')} {record.get('sequence', '')}"
    return f"{record['time']} {where} {said} {json.dumps(record['data'])}"
