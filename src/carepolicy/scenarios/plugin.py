"""A pytest plugin: scenarios/*.yaml of a policy set are tests, wherever pytest is pointed at them.

A file is collected where it stands in a folder ``scenarios`` (or below it) beside an organisation.yaml. Nothing else is
touched, and nothing of the engine is imported before such a file is met. ``-p no:carepolicy.scenarios.plugin`` turns
the plugin off.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.findings import Finding
    from carepolicy.scenarios.scenario import Scenario
    from carepolicy.scenarios.verdict import Verdict

FOLDER = "scenarios"
ORGANISATION = "organisation.yaml"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a scenario file of a policy set, and leave every other file alone."""
    if file_path.suffix != ".yaml":
        return None
    for folder in file_path.parents:
        if folder.name == FOLDER and (folder.parent / ORGANISATION).is_file():
            collected: CollectedScenarios = CollectedScenarios.from_parent(parent, path=file_path)
            return collected
    return None


class CollectedScenarios(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each scenario; a file that cannot be read is an error of the collection."""
        from carepolicy.scenarios.suite import suite_of

        suite = suite_of([str(self.path)])
        if suite.findings:
            raise self.CollectError("\n".join(map(_line, suite.findings)))
        taken: dict[str, int] = {}
        for root, scenario in suite.scenarios:
            number = taken[scenario.title] = taken.get(scenario.title, 0) + 1
            name = scenario.title if number == 1 else f"{scenario.title} ({number})"
            item: ScenarioItem = ScenarioItem.from_parent(self, name=name, root=root, scenario=scenario)
            yield item


class ScenarioItem(pytest.Item):
    """One scenario as a test."""

    def __init__(self, *, root: str, scenario: Scenario, **known: Any) -> None:
        super().__init__(**known)
        self.root = root
        self.scenario = scenario

    def runtest(self) -> None:
        """Play the scenario. Raises ``ScenarioFailed``, and ``PolicyErrors`` where the set has errors."""
        from carepolicy.scenarios.stage import stage_for
        from carepolicy.scenarios.verdict import judge

        verdict = judge(stage_for(self.root), self.scenario)
        if not verdict.passed:
            raise ScenarioFailed(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What failed, as ``carepolicy test`` tells it; no traceback for what a policy or a scenario caused."""
        from carepolicy.machine.bundle import PolicyErrors
        from carepolicy.scenarios.verdict import failed

        problem = excinfo.value
        if isinstance(problem, ScenarioFailed):
            return "\n".join(failed(problem.verdict))
        if isinstance(problem, PolicyErrors):
            return "\n".join([f"the policy set in {self.root} has errors", *map(_line, problem.findings)])
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, the line (from 0) and the name of the test."""
        return self.path, self.scenario.line - 1, self.name


class ScenarioFailed(Exception):
    """A scenario did not come out as it says."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict.file}: {verdict.title}")
        self.verdict = verdict


def _line(finding: Finding) -> str:
    place = finding.place
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{place.file}:{place.line}:{place.column}: {finding.code} {finding.message}{hint}"
