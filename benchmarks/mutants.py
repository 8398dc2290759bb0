"""Policy files that were damaged by chance: does any of them break the check, or what stands behind it?

    python benchmarks/mutants.py [--mutants 5000] [--seed 1] [--workers 2] [SET…]

Each mutant is one set (by default policies/, the starter set, the help desk and the sound set of the tests) in which
one file is cut at a byte, or has one token deleted, doubled, swapped with another, or overwritten by one. The check
must never raise, and its findings must be told in every format. A mutant without errors must load, compile, take
events and be drawn (DOT of each flow; of every tenth all other formats; of every fiftieth the handbook). Prints how
many there were of each kind, and the traceback of each failure with the mutant's number: ``--only NUMBER`` makes it
again.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from carepolicy.checks import check_folder
from carepolicy.cli.formats import FORMATS, reported, written
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.program import Bundle
from carepolicy.policy.files import policy_files
from carepolicy.policy.findings import Severity
from carepolicy.policy.model import Policies

ROOT = Path(__file__).parents[1]
SETS = ("policies", "src/carepolicy/starter", "examples/helpdesk", "tests/checks/broken/sound")
TOKEN = re.compile(rb"[\w.%\xc0-\xff]+|\"[^\"\n]*\"|\n[ ]*(?:- )?|[^\w\s]")
KINDS = ("cut", "delete", "double", "swap", "copy")
TODAY = date(2026, 11, 26)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One damaged file of a set. ``number`` with the seed makes it again."""

    number: int
    root: Path
    file: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: found (errors), passed (all went well), or broken, with the traceback."""

    number: int
    kind: str
    what: str
    said: str = ""


def mutant_of(number: int, seed: int, sets: tuple[str, ...]) -> Mutant:
    """The mutant with a number: always the same for one seed and the same files."""
    chance = random.Random(f"{seed}/{number}")
    root = Path(chance.choice(sets))
    file = chance.choice([name for name in policy_files(root) if name.endswith(".yaml")])
    kind = chance.choice(KINDS)
    return Mutant(number, root, file, kind, damaged((root / file).read_bytes(), kind, chance))


def damaged(content: bytes, kind: str, chance: random.Random) -> bytes:
    """A file's bytes with one damage: a cut, or one token deleted, doubled, swapped with another or overwritten."""
    if kind == "cut":
        return content[: chance.randrange(len(content) + 1)]
    tokens = [each.span() for each in TOKEN.finditer(content)]
    (start, end), (other, last) = sorted(chance.sample(tokens, 2))
    one, two = content[start:end], content[other:last]
    match kind:
        case "delete":
            return content[:start] + content[end:]
        case "double":
            return content[:end] + chance.choice((b"", b" ")) + one + content[end:]
        case "swap":
            return content[:start] + two + content[end:other] + one + content[last:]
    return content[:start] + two + content[end:]


def try_out(mutant: Mutant, scratch: Path) -> Outcome:
    """Lay a mutant down, check it, and use it where the check finds no error."""
    root = scratch / "set"
    shutil.copytree(mutant.root, root)
    try:
        (root / mutant.file).write_bytes(mutant.content)
        return Outcome(mutant.number, mutant.kind, _tried(root, mutant.number))
    except Exception:
        where = f"mutant {mutant.number}: {mutant.kind} in {mutant.root / mutant.file}\n"
        return Outcome(mutant.number, mutant.kind, "broken", where + traceback.format_exc())
    finally:
        shutil.rmtree(root)


def _tried(root: Path, number: int) -> str:
    from carepolicy.charts import sources
    from carepolicy.charts.formats import FORMATS as CHARTS
    from carepolicy.charts.overview import source_of
    from carepolicy.machine.bundle import from_bytes, to_bytes
    from carepolicy.machine.compiler import compile_policies

    policies, findings = check_folder(root, TODAY)
    for form in FORMATS:
        written(reported(str(root), findings), form)
    if policies is None or any(each.severity is Severity.ERROR for each in findings):
        if not findings:
            raise AssertionError("no set, and no finding that says why")
        return "found"
    bundle = from_bytes(to_bytes(compile_policies(policies)))
    run(bundle, policies)
    for flow in policies.flows:
        if not all(each.startswith("digraph") for each in sources(policies, flow)):
            raise AssertionError(f"{flow} has no chart")
        if number % 10 == 0:
            for write in CHARTS.values():
                write()(policies, flow, None)
    source_of(policies)
    if number % 50 == 0:
        from carepolicy.handbook.site import build

        build(policies, drawn=False)
    return "passed"


SAMPLES = {"text": "x", "number": 1, "money": "12.50", "flag": True, "date": "2026-03-02"}
SAMPLES["time"] = "2026-03-02T09:00:00+00:00"


def run(bundle: Bundle, policies: Policies) -> None:
    """Give each flow every event that it knows, in turn, and let three years pass."""
    facts = policies.organisation.facts
    lines = []
    for flow in policies.flows.values():
        starts = [name for state in flow.states.values() for name in state.start_on if name in flow.events]
        for event in map(flow.events.__getitem__, [*starts, *flow.events]):
            carried = (facts[name] for name in (*event.required, *event.optional) if name in facts)
            data = {fact.name: fact.of[0] if fact.of else SAMPLES.get(fact.type, []) for fact in carried}
            number = len(lines)
            time = f"2026-03-02T{number // 60 % 24:02}:{number % 60:02}:00+00:00"
            lines.append({"specversion": "1.0", "id": str(number), "source": "/mutant", "type": event.name})
            lines[-1] |= {"subject": f"s-{flow.name}", "time": time, "data": data}
    with OrderedRun(Run(bundle, False, 0)) as runner:
        runner.feed([(number, orjson.dumps(line)) for number, line in enumerate(lines, 1)])
        for _ in runner.finish(1_870_000_000_000_000):
            pass


def tried(numbers: list[int], seed: int, sets: tuple[str, ...]) -> list[Outcome]:
    """What became of the mutants with these numbers."""
    scratch = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        return [try_out(mutant_of(number, seed, sets), scratch) for number in numbers]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def outcomes(count: int, seed: int, sets: tuple[str, ...], workers: int) -> Iterator[Outcome]:
    """What became of so many mutants, in portions as they are done."""
    portions = [list(range(first, min(first + 25, count))) for first in range(0, count, 25)]
    with ProcessPoolExecutor(workers) as pool:
        waiting = [pool.submit(tried, portion, seed, sets) for portion in portions]
        for each in as_completed(waiting):
            yield from each.result()


def main() -> None:
    """Try mutants, print what became of them; status 1 where one broke something."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="SET", default=[str(ROOT / each) for each in SETS])
    parser.add_argument("--mutants", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="print the damaged file of one mutant, and try it")
    options = parser.parse_args()
    sets = tuple(options.sets)
    if options.only is not None:
        mutant = mutant_of(options.only, options.seed, sets)
        sys.stdout.buffer.write(mutant.content + b"\n")
        print(mutant.root / mutant.file, mutant.kind, tried([options.only], options.seed, sets)[0].what)
        return
    counts: Counter[tuple[str, str]] = Counter()
    broken = []
    for outcome in outcomes(options.mutants, options.seed, sets, options.workers):
        counts[outcome.kind, outcome.what] += 1
        if outcome.what == "broken":
            broken.append(outcome)
            print(outcome.said, file=sys.stderr, flush=True)
    for kind in KINDS:
        print(f"{kind:<8}" + "".join(f"{what} {counts[kind, what]:>6}  " for what in ("found", "passed", "broken")))
    if broken:
        raise SystemExit(f"{len(broken)} broken: {sorted(each.number for each in broken)}")


if __name__ == "__main__":
    main()
