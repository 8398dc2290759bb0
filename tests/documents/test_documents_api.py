"""docs/api.md does not lie: its examples run, one after the other, and name only what is public."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import carepolicy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("policies", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAREPOLICY_KEY", "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A=")
    with ThreadPoolExecutor(1) as alone:  # this thread may have an event loop already, of a browser
        names: dict[str, object] = {}
        for each in EXAMPLES:
            alone.submit(exec, compile(each, "docs/api.md", "exec"), names).result()
    told = capsys.readouterr().out
    assert "inquiry-1" in told
    assert told.endswith("answered\n")


def test_every_public_name_has_its_place_on_the_page() -> None:
    told = set(re.findall(r"\w+", PAGE))
    unsaid = {"AsyncLiveStore", "Flow", "LiveStore", "__version__"}  # what the page's calls give, without its name
    assert set(carepolicy.__all__) - told == unsaid
