"""Many scenarios: found by paths, each with the set that it stands in, and judged, in parallel where they are many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.policy.findings import Finding
from carepolicy.policy.places import Place
from carepolicy.scenarios.judging import Verdict, judge
from carepolicy.scenarios.reading import ORGANISATION, Scenario, read_scenarios, scenario_files, set_of
from carepolicy.scenarios.stage import stage_for

if TYPE_CHECKING:
    from collections.abc import Iterable

WORTH_A_PROCESS = 150
"""So many scenarios take about as long as a process takes to start."""


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
    for path in scenario_files(paths):
        scenarios, wrong = read_scenarios(path)
        findings += wrong
        for scenario in scenarios:
            root = root_of(scenario, default)
            if root is None:
                said = "no policy set is there" if scenario.given else f"no folder above has an {ORGANISATION}"
                findings.append(Finding("CP115", said, Place(path, scenario.line, 1, scenario.line, 2), _HINT))
            else:
                found.append((root, scenario))
    return Suite(tuple(found), tuple(findings))


_HINT = "a scenario stands in the folder scenarios/ of its policy set, or names it: given: {organisation: FILE}"


def root_of(scenario: Scenario, default: str | None = None) -> str | None:
    """The folder of the set that a scenario is played on: the one it is given, or stands in, or ``default``."""
    if scenario.given is None:
        return set_of(scenario.file) or default
    here = os.path.dirname(scenario.file)
    for folder in (here, os.path.join(here, os.pardir), set_of(scenario.file)):
        if folder is not None:
            named = os.path.normpath(os.path.join(folder, scenario.given))
            if os.path.isfile(named) and os.path.basename(named) == ORGANISATION:
                return os.path.dirname(named) or "."
    return None


def judge_all(
    suite: Suite, traced: bool = False, to_the_end: bool = False, workers: int | None = None
) -> list[Verdict]:
    """The verdicts in the order of the scenarios; ``workers`` is by default what the number of them is worth.

    Raises ``PolicyErrors`` where a policy set has errors.
    """
    jobs = suite.scenarios
    for root in suite.roots:
        stage_for(root)
    wanted = min(os.cpu_count() or 1, len(jobs) // WORTH_A_PROCESS) if workers is None else workers
    if wanted < 2 or len(jobs) < 2:
        return _judge(jobs, traced, to_the_end)
    from concurrent.futures import ProcessPoolExecutor

    size = -(-len(jobs) // (wanted * 4))
    parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
    with ProcessPoolExecutor(wanted) as pool:
        found = [pool.submit(_judge, part, traced, to_the_end) for part in parts]
        return [verdict for each in found for verdict in each.result()]


def _judge(jobs: Sequence[tuple[str, Scenario]], traced: bool, to_the_end: bool) -> list[Verdict]:
    return [judge(stage_for(root), scenario, traced, to_the_end) for root, scenario in jobs]
