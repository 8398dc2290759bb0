"""Many scenarios: found by paths, each with the set that it stands in, and judged, in parallel where they are many."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.machine.bundle import PolicyErrors
from carepolicy.policy.files import ORGANISATION, layers_of
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import Place
from carepolicy.scenarios.names import unknown_names
from carepolicy.scenarios.scenario import Scenario, files_of_layers, read_scenarios, scenario_files, set_of
from carepolicy.scenarios.stage import stage_for
from carepolicy.scenarios.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.policy.places import Source

WORTH_A_PROCESS = 150
"""So many scenarios take about as long as a process takes to start."""

PARTS = 16
"""Into so many parts each process's share is cut: the last to end has little more to do than the others."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Scenarios, each with the folder of its policy set, and what is wrong with the files that were read."""

    scenarios: tuple[tuple[str, Scenario], ...]
    findings: tuple[Finding, ...]

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders of the policy sets, each once."""
        return tuple(dict.fromkeys(root for root, _ in self.scenarios))


def suite_of(paths: Iterable[str], default: str | None = None) -> Suite:
    """The scenarios of files and folders. One that stands in no set is of the set ``default``."""
    found: list[tuple[str, Scenario]] = []
    findings: list[Finding] = []
    once = {os.path.realpath(path): path for path in reversed([*_files(paths)])}
    for path in reversed(once.values()):
        for document in read_scenarios(path):
            findings += document.findings
            if document.source is None or document.scenario is None:
                continue
            root = root_of(document.scenario, default)
            if root is None:
                said = "no policy set is there" if document.scenario.given else f"no folder above has an {ORGANISATION}"
                line = document.scenario.line
                findings.append(Finding("CP115", said, Place(path, line, 1, line, 2), _HINT))
            elif wrong := _unknown(document.source, root):
                findings += wrong
            else:
                found.append((root, document.scenario))
    return Suite(tuple(found), tuple(findings))


def _files(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        layers = layers_of(path)
        yield from files_of_layers(layers) if len(layers) > 1 else scenario_files([path])


def _unknown(source: Source, root: str) -> list[Finding]:
    """Names in a scenario that its set does not have. A set with errors is not asked: it is refused as a whole."""
    try:
        return list(unknown_names(source, stage_for(root).names))
    except PolicyErrors:
        return []


_HINT = "a scenario stands in the folder scenarios/ of its policy set, or names it: given: {organisation: FILE}"


def root_of(scenario: Scenario, default: str | None = None) -> str | None:
    """The folder of the set that a scenario is played on: the one it is given, or stands in, or ``default``."""
    if scenario.given is None:
        return default if _in_layer(scenario.file, default) else set_of(scenario.file) or default
    here = os.path.dirname(scenario.file)
    for folder in (here, os.path.join(here, os.pardir), set_of(scenario.file)):
        if folder is not None:
            named = os.path.normpath(os.path.join(folder, scenario.given))
            if os.path.isfile(named) and os.path.basename(named) == ORGANISATION:
                return os.path.dirname(named) or "."
    return None


def _in_layer(file: str, root: str | None) -> bool:
    """Whether a file stands in one of several layers of a set."""
    layers = layers_of(root) if root is not None else ()
    real = os.path.realpath(file)
    return len(layers) > 1 and any(real.startswith(os.path.realpath(layer) + os.sep) for layer in layers)


Told = Callable[[int], None]
"""Is called with the number of scenarios that were judged since it was called last."""


def judge_all(
    suite: Suite, traced: bool = False, to_the_end: bool = False, workers: int | None = None, told: Told | None = None
) -> list[Verdict]:
    """The verdicts in the order of the scenarios; ``workers`` is by default what the number of them is worth.

    Raises ``PolicyErrors`` where a policy set has errors.
    """
    jobs = suite.scenarios
    for root in suite.roots:
        stage_for(root)
    wanted = min(os.cpu_count() or 1, len(jobs) // WORTH_A_PROCESS) if workers is None else workers
    verdicts: list[Verdict] = []
    for part in _judged(jobs, traced, to_the_end, wanted):
        verdicts += part
        if told is not None:
            told(len(part))
    return verdicts


Jobs = Sequence[tuple[str, Scenario]]


def _judged(jobs: Jobs, traced: bool, to_the_end: bool, workers: int) -> Iterator[list[Verdict]]:
    """The verdicts in order, some at a time."""
    if workers < 2 or len(jobs) < 2:
        yield from (_judge([job], traced, to_the_end) for job in jobs)
        return
    from concurrent.futures import ProcessPoolExecutor

    size = -(-len(jobs) // (workers * PARTS))
    parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
    # What a process was given at its start is no garbage, and is not looked through again and again.
    with ProcessPoolExecutor(workers, initializer=gc.freeze) as pool:
        found = [pool.submit(_judge, part, traced, to_the_end) for part in parts]
        try:
            yield from (each.result() for each in found)
        except BaseException:  # whoever breaks off does not wait for what is at work
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _judge(jobs: Jobs, traced: bool, to_the_end: bool) -> list[Verdict]:
    return [judge(stage_for(root), scenario, traced, to_the_end) for root, scenario in jobs]
