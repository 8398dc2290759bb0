"""What carepolicy wrote when the goldens were taken: records, findings, schemas, charts, help; each as a digest.

    PYTHONPATH=src:tests python -m golden.outputs        takes them anew, into goldens.json

Everything is asked for by the command line and the public library, so that a change of what lies behind them shows only
where it shows to users. Take them anew only with a change that is meant to be seen, and say in its message what is.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from carepolicy.api import Engine
from commands import Told, run
from oracle.differences import Refused, compiled
from oracle.interpreter import GoesRound
from oracle.random_sets import random_trial
from shops import BAD_EVENTS, EVENTS, SHOP
from stories import often

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
GOLDENS = Path(__file__).with_name("goldens.json")
FLOWS = ("email_inquiry", "complaint", "order_fulfilment", "chronic_problem")
TODAY = "2026-11-30"
SEEDS, AT_A_TIME = 320, 40
Outputs = Iterator[tuple[str, str]]


def digest(*parts: str | bytes) -> str:
    """Sixteen digits that are others where what was written is."""
    summed = hashlib.sha256()
    for part in parts:
        summed.update(part.encode() if isinstance(part, str) else part)
        summed.update(b"\0")
    return summed.hexdigest()[:16]


def told(*arguments: str, cwd: Path, stdin: bytes = b"") -> str:
    """The digest of all that a command says."""
    said: Told = run(*arguments, cwd=cwd, stdin=stdin, CAREPOLICY_STORE_KEY="")
    return digest(str(said.returncode), said.stdout, said.stderr)


def copy_of_shop(place: Path) -> None:
    """The shop's set as it is beside schemas/: charts name the digest of a set's bytes, of its comments too."""
    for path in shutil.copytree(SHOP, place).rglob("*.yaml"):
        path.write_text(path.read_text().replace("$schema=../", "$schema=", 1))


def records(folder: Path) -> Outputs:
    """Of logs that are in the project: the demo's, written in several ways, and by several workers."""
    demo = EVENTS.read_bytes()
    for name, log in (("events", demo), ("nested", nested(demo)), ("bad", bad())):
        for more in ((), ("--workers", "2"), ("--lateness", "2 hours"), ("--reveal",)):
            out, dead = folder / "records.jsonl", folder / "dead.jsonl"
            asked = ("run", "--output", out.name, "--dead-letters", dead.name, "--quiet", *more)
            said = run(*asked, cwd=folder, stdin=log)
            written = [out.read_bytes(), dead.read_bytes() if dead.exists() else b""]
            yield f"records/{name} {' '.join(more)}".strip(), digest(str(said.returncode), said.stderr, *written)
            dead.unlink(missing_ok=True)
    (folder / "records.jsonl").write_text(run("run", "--quiet", cwd=folder, stdin=demo).stdout)


def bad() -> bytes:
    """The demo's log of bad input."""
    return BAD_EVENTS.read_bytes()


def nested(log: bytes) -> bytes:
    """The same events, whose data is nested by the dots in its names."""
    lines = []
    for line in log.splitlines():
        event = json.loads(line)
        data: dict[str, Any] = {}
        for name, value in event.get("data", {}).items():
            group, dot, fact = name.partition(".")
            data.setdefault(group, {}).update({fact: value}) if dot else data.update({name: value})
        lines.append(json.dumps({**event, "data": data} if data else event, ensure_ascii=False))
    return "\n".join(lines).encode()


def random_records(first: int) -> Outputs:
    """Of so many random sets and logs from ``first`` on, some of whose moves are written out at once."""
    summed: list[str] = []
    for seed in range(first, first + AT_A_TIME):
        with contextlib.suppress(Refused, GoesRound), often((trial := random_trial(seed, newer=False)).often):
            bundle = compiled(tuple(trial.texts().items()), trial.often)
            found = Engine(bundle, False, timedelta(0)).run(trial.events, trial.until)
            summed.extend(json.dumps(each, ensure_ascii=False) for each in found)
    yield f"records/random {first}", digest(*summed)


def public_logs(folder: Path) -> Outputs:
    """Of real logs, where they are here."""
    for mapping, log, policies in (
        ("helpdesk", "helpdesk.xes.gz", ROOT / "examples/helpdesk"),
        (str(ROOT / "examples/marketplace_orders.yaml"), "marketplace_orders.csv", ROOT / "policies"),
    ):
        if (DATA / log).exists():
            asked = ("map", "events", str(DATA / log), "--map", mapping, "--policies", str(policies))
            events = run(*asked, cwd=folder).stdout.encode()
            yield f"public/{log}", told("run", "--quiet", "--policies", str(policies), cwd=folder, stdin=events)


def stored(folder: Path) -> Outputs:
    """What a store has written, and what it says of its cases."""
    url = "sqlite:///store.db"
    log = EVENTS.read_bytes()
    said = run("run", "--store", url, "--quiet", "--until", "2026-04-30T00:00Z", cwd=folder, stdin=log)
    yield "store/run", digest(str(said.returncode), said.stdout)
    for asked in (("history",), ("history", "order-2001"), ("list", "--format", "json"), ("list", "--format", "csv")):
        yield f"store/case {' '.join(asked)}", digest(run("case", *asked, "--store", url, cwd=folder).stdout)


def cases(folder: Path) -> Outputs:
    """What is said of cases from records."""
    for asked in (("list",), ("list", "--format", "json"), ("list", "--late"), ("due",), ("history", "order-2001")):
        yield f"case/{' '.join(asked)}", told("case", *asked, "--records", "records.jsonl", cwd=folder)
    subjects = sorted({json.loads(line)["subject"] for line in (folder / "records.jsonl").read_text().splitlines()})
    for form in ("text", "json"):
        shown = [
            run("case", "show", each, "--records", "records.jsonl", "--format", form, cwd=folder) for each in subjects
        ]
        yield f"case/show {form}", digest(*(each.stdout for each in shown))


def findings(folder: Path) -> Outputs:
    """Of the sets of the tests, and of the shop's set with a line less, or with a word that is not so."""
    for name in ("tests/checks/harbour", "tests/checks/werkstatt", "policies", "examples/helpdesk"):
        place = folder / "checked"
        shutil.copytree(folder / name if name == "policies" else ROOT / name, place)
        for form in ("text", "json", "github", "junit", "sarif"):
            asked = ("check", "--policies", "checked", "--strict", "--today", TODAY, "--format", form)
            yield f"findings/{name} {form}", told(*asked, cwd=folder)
        shutil.rmtree(place)
    for path in sorted((folder / "policies").rglob("*.yaml")):
        if path.parent.name == "scenarios":
            continue
        text = path.read_text()
        lines = text.split("\n")
        for number in range(7, len(lines), 97):
            slip = lines[number].replace("e", "ee", 1) if number % 2 else ""
            path.write_text("\n".join([*lines[:number], slip, *lines[number + 1 :]]))
            yield f"findings/{path.name}:{number + 1}", told("check", "--today", TODAY, "--format", "json", cwd=folder)
        path.write_text(text)


def documents(folder: Path) -> Outputs:
    """Schemas, the pages of codes, help, layouts, suggestions, differences, due times."""
    for name in ("flow", "messages", "organisation", "scenarios"):
        yield f"schema/{name}", told("schema", name, cwd=folder)
    yield "explain", told("explain", "--all", cwd=folder)
    run("explain", "--all", "--output", "pages", cwd=folder)
    yield "explain/pages", digest(*(each.read_bytes() for each in sorted((folder / "pages").iterdir())))
    yield from commands_of()
    yield "fmt", told("fmt", "--diff", "policies", cwd=folder)
    yield "test", told("test", "--coverage", "--format", "json", cwd=folder)
    for limit in ("3 business hours", "2 business days", "close of business day 1", "1 month", "8 weeks"):
        for form in ("text", "json"):
            asked = ("due", limit, "--from", "2026-12-23 16:30", "--explain", "--format", form)
            yield f"due/{limit} {form}", told(*asked, cwd=folder)


def commands_of(*names: str) -> Outputs:
    """The help of a command and of all below it."""
    said = run(*names, "--help").stdout
    yield f"help/{' '.join(names)}", digest(said)
    for name in re.findall(r"^  (\w+) ", said.partition("\nCommands:\n")[2], re.MULTILINE):
        yield from commands_of(*names, name)


def charts(folder: Path) -> Outputs:
    """Each flow in each format that is text, and what a difference of two sets says and draws."""
    for flow in FLOWS:
        for ending in ("dot", "mmd", "puml", "scxml", "bpmn", "json"):
            for style in ("card", "plain") if ending == "dot" else ("card",):
                for language in ("en", "fr"):
                    asked = ("graph", flow, "-o", "-", "--as", ending, "--style", style, "--language", language)
                    yield f"chart/{flow} {ending} {style} {language}", told(*asked, cwd=folder)
    yield "chart/all", told("graph", "--all", "-o", "-", "--as", "dot", cwd=folder)
    changed = folder / "changed"
    shutil.copytree(folder / "policies", changed)
    for path in sorted((changed / "flows").iterdir()):
        path.write_text(
            path.read_text().replace("3 business hours", "2 business hours").replace("title: A", "title: The a")
        )
    organisation = changed / "organisation.yaml"
    organisation.write_text(organisation.read_text().replace("17:30", "18:00"))
    for form in ("text", "json"):
        for language in ("en", "fr"):
            asked = ("diff", "policies", "changed", "--format", form, "--language", language)
            yield f"diff/{form} {language}", told(*asked, cwd=folder)
    for flow in FLOWS:
        told("diff", "policies", "changed", "--flow", flow, "-o", "diff.dot", cwd=folder)
        if (folder / "diff.dot").exists():
            yield f"diff/{flow}", digest((folder / "diff.dot").read_bytes())
            (folder / "diff.dot").unlink()


def of_records(folder: Path) -> Outputs:
    """Records, and what is said of their cases."""
    yield from records(folder)
    yield from cases(folder)


PARTS: dict[str, tuple[str, Callable[[Path], Outputs]]] = {
    "records": (r"records/(?!random)|case/", of_records),
    **{
        f"random {first}": (rf"records/random {first}$", lambda _, first=first: random_records(first))
        for first in range(0, SEEDS, AT_A_TIME)
    },
    "public": (r"public/", public_logs),
    "store": (r"store/", stored),
    "findings": (r"findings/", findings),
    "documents": (r"(schema|help|due)/|explain|fmt|test", documents),
    "charts": (r"(chart|diff)/", charts),
}
"""How the names of the outputs of each part begin, and what takes them in a folder that has the shop's policies."""


def outputs_of(part: str) -> dict[str, str]:
    """The digests of a part by name."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        copy_of_shop(folder / "policies")
        return dict(PARTS[part][1](folder))


if __name__ == "__main__":
    os.environ.setdefault("CAREPOLICY_CACHE", tempfile.mkdtemp())
    with contextlib.redirect_stdout(io.StringIO()):
        taken = {name: found for part in PARTS for name, found in outputs_of(part).items()}
    GOLDENS.write_text(json.dumps(taken, indent=0, sort_keys=True) + "\n")
    print(f"{len(taken)} outputs")
