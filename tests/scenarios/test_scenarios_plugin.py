"""The pytest plugin, in a project of its own that knows nothing of carepolicy but that it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "carepolicy.scenarios.plugin"


@pytest.fixture
def project(pytester: pytest.Pytester, write, here: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a policy set in a folder of its own, and one scenario in it."""
    write()
    pytester.mkdir("care")
    (here / "policies").rename(pytester.path / "care" / "rules")
    monkeypatch.chdir(pytester.path)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def spoil(project: pytest.Pytester, old: str, new: str, name: str = "scenarios/one.yaml") -> None:
    file = project.path / "care" / "rules" / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_scenarios_are_collected_where_pytest_is_pointed_at(project: pytest.Pytester) -> None:
    project.makepyfile(test_other="def test_other(): pass")
    project.runpytest_subprocess("-v").assert_outcomes(passed=2)
    told = run(project, "--collect-only", "-q")
    told.stdout.fnmatch_lines(["care/rules/scenarios/one.yaml::A question is answered in time"])


def test_a_failure_is_told_as_the_command_tells_it_and_has_no_traceback(project: pytest.Pytester) -> None:
    spoil(project, "state: received", "state: overdue")
    told = run(project)
    told.assert_outcomes(failed=1)
    told.stdout.fnmatch_lines(["*expected*actual", "*state*overdue*received", "*what happened so far*"])
    assert "Traceback" not in told.stdout.str()


def test_other_yaml_files_are_left_alone(project: pytest.Pytester) -> None:
    (project.path / "scenarios").mkdir()
    (project.path / "scenarios" / "other.yaml").write_text("not: [a scenario")
    (project.path / "care" / "rules" / "flows" / "note.yml").write_text("x: 1")
    assert run(project, "scenarios").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_file_that_cannot_be_read_is_an_error_of_the_collection_with_its_place(project: pytest.Pytester) -> None:
    spoil(project, "flow: inquiry", "flwo: inquiry")
    told = run(project)
    told.assert_outcomes(errors=1)
    told.stdout.fnmatch_lines(['*one.yaml:2:1: CP110 unknown key "flwo" (did you mean "flow"?)'])


def test_an_unknown_name_is_an_error_of_the_collection_with_the_nearest(project: pytest.Pytester) -> None:
    spoil(project, "event: answered_it", "event: answerd_it")
    told = run(project)
    told.assert_outcomes(errors=1)
    told.stdout.fnmatch_lines(['*one.yaml:7:13: CP202 unknown event "answerd_it" (did you mean "answered_it"?)'])


def test_a_set_with_errors_fails_its_scenarios_with_the_findings(project: pytest.Pytester) -> None:
    spoil(project, "to: overdue, tell", "to: overdu, tell", "flows/inquiry.yaml")
    told = run(project)
    told.assert_outcomes(failed=1)
    told.stdout.fnmatch_lines(['*flows/inquiry.yaml:*CP203 unknown state "overdu" (did you mean "overdue"?)'])


def test_scenarios_of_one_name_are_told_apart(project: pytest.Pytester) -> None:
    file = project.path / "care" / "rules" / "scenarios" / "one.yaml"
    file.write_text(file.read_text() + "---\n" + file.read_text())
    told = run(project, "-v")
    told.assert_outcomes(passed=2)
    told.stdout.fnmatch_lines(["*A question is answered in time PASSED*", "*answered in time (2) PASSED*"])


def test_the_plugin_can_be_turned_off(project: pytest.Pytester) -> None:
    assert run(project, "-p", f"no:{PLUGIN}").ret == pytest.ExitCode.NO_TESTS_COLLECTED
