"""The shop's own policies do what its scenarios say."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

import carepolicy
from carepolicy.cli import app
from carepolicy.policy.shape import check_shape
from carepolicy.policy.text import read_source
from shops import SHOP, library

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "policies" / "scenarios").rglob("*.yaml"))
TOLD_TWICE = sorted((Path(SHOP) / "scenarios").glob("*.yaml"))
"""Those that a second, simpler driver understands as well."""

_spec = importlib.util.spec_from_file_location("scenario_driver", Path(__file__).with_name("scenario_driver.py"))
assert _spec is not None
assert _spec.loader is not None
driver = importlib.util.module_from_spec(_spec)
sys.modules["scenario_driver"] = driver
_spec.loader.exec_module(driver)


@pytest.fixture(scope="module")
def policies() -> carepolicy.PolicySet:
    return carepolicy.load(SHOP)


@pytest.mark.parametrize("path", TOLD_TWICE, ids=[path.stem for path in TOLD_TWICE])
def test_a_scenario_comes_out_as_it_says(path: Path, policies: carepolicy.PolicySet) -> None:
    differences = list(driver.Drive(policies, driver.scenario_of(path)).differences())
    assert differences == []


@pytest.mark.parametrize("path", SCENARIOS, ids=[path.stem for path in SCENARIOS])
def test_a_scenario_has_the_shape_of_one(path: Path) -> None:
    source, findings = read_source(path, ROOT)
    assert findings == []
    assert source is not None
    assert check_shape(source, "scenario") == []


def test_each_flow_has_two_scenarios_or_more_and_each_long_one_four() -> None:
    flows = library().policies.flows
    counted = Counter(driver.scenario_of(path)["flow"] for path in SCENARIOS)
    least = {name: 4 if len(flow.states) > 5 else 2 for name, flow in flows.items()}
    assert {name: counted[name] for name, wanted in least.items() if counted[name] < wanted} == {}


def test_a_scenario_that_expects_something_else_is_told(policies: carepolicy.PolicySet) -> None:
    scenario = driver.scenario_of(Path(SHOP) / "scenarios" / "email_answered_in_time.yaml")
    scenario["steps"][1]["expect"]["due"]["first_reply"] = "2026-03-03 14:01"
    assert list(driver.Drive(policies, scenario).differences()) == [
        "step 2: due should be {'first_reply': '2026-03-03 14:01', 'reply_promise': '2026-03-05 10:00'}, and is "
        "{'first_reply': '2026-03-03 14:00:00+00:00', 'reply_promise': '2026-03-05 10:00'}"
    ]


def test_the_scenarios_go_through_all_that_the_policies_can_do() -> None:
    assert app.run(["test", "--policies", str(ROOT / "policies"), "--coverage", "--fail-under", "100"]) == 0
