"""The hooks of .pre-commit-hooks.yaml, run by pre-commit itself in a repository of its own.

Only how they are installed differs: the hooks run the carepolicy of this environment in place of one from the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("pre_commit")

ROOT = Path(__file__).parents[2]
HARBOUR = ROOT / "tests" / "checks" / "harbour"
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SCENARIO = """\
scenario: A question is answered
flow: email_inquiry
steps:
  - {at: 2026-03-06 15:30, event: email_received, data: {customer.email: a@example.org, order.total: 12.00}}
  - expect: {state: received}
"""


def run(where: Path, *command: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    home = {
        "PRE_COMMIT_HOME": str(where.parent / "pre-commit"),
        "HOME": str(where.parent),
        "CAREPOLICY_CACHE": os.environ["CAREPOLICY_CACHE"],
    }
    return subprocess.run(
        command, cwd=where, capture_output=True, text=True, check=False, timeout=120, env={**clean, **home}
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    shutil.copytree(HARBOUR, root / "policies")
    (root / "policies" / "scenarios").mkdir()
    (root / "policies" / "scenarios" / "one.yaml").write_text(SCENARIO)
    (root / "other.yaml").write_text("a:   [1\n")
    carepolicy = Path(sys.executable).with_name("carepolicy")
    hooks = [
        {**each, "language": "system", "entry": each["entry"].replace("carepolicy", str(carepolicy), 1)}
        for each in HOOKS
    ]
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    run(root, str(carepolicy), "fmt")
    run(root, "git", "init", "--quiet")
    run(root, "git", "config", "user.email", "a@example.org")
    run(root, "git", "config", "user.name", "A")
    run(root, "git", "add", ".")
    return root


def hook(project: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(project, sys.executable, "-m", "pre_commit", "run", f"carepolicy-{name}", *arguments)


def test_a_sound_set_passes_all_hooks(project: Path) -> None:
    for name in ("check", "fmt", "test"):
        told = hook(project, name, "--all-files")
        assert told.returncode == 0, told.stdout
        assert "Passed" in told.stdout


def test_each_hook_stops_what_it_is_there_to_stop(project: Path) -> None:
    flow = project / "policies" / "flows" / "email_inquiry.yaml"
    text = flow.read_text()
    flow.write_text(text.replace("reply_sent: answered", "reply_sent: answred"))
    told = hook(project, "check", "--all-files")
    assert told.returncode == 1
    assert 'CP203 unknown state "answred"' in told.stdout
    flow.write_text(text + "\n\n\n")
    told = hook(project, "fmt", "--all-files")
    assert told.returncode == 1
    assert "files were modified by this hook" in told.stdout
    assert flow.read_text() == text
    scenario = project / "policies" / "scenarios" / "one.yaml"
    scenario.write_text(SCENARIO.replace("received}", "overdue}"))
    told = hook(project, "test", "--all-files")
    assert told.returncode == 1
    assert "is otherwise than expected" in told.stdout


def test_a_commit_that_touches_no_policy_runs_no_hook(project: Path) -> None:
    run(project, "git", "commit", "--quiet", "--no-verify", "-m", "All")
    (project / "other.yaml").write_text("b: 1\n")
    run(project, "git", "add", ".")
    for name in ("check", "fmt", "test"):
        assert "(no files to check)Skipped" in hook(project, name).stdout
