"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from stories import Events, Runner, without_fast, write_set

collect_ignore = ["shop"]
"""Its scenarios are an example for tests, and tests/golden runs them; our plug-in would make each a test of its own."""

# Tests start hundreds of processes, each of which would compile all modules anew where the environment has this set.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30
"""Where Linux keeps files in memory, and how many bytes must be free there: the tests write about a tenth of that."""

# Tests write and delete tens of thousands of files and sync thousands of stores: on a disk they often wait for it.
# A TMPDIR that is set is kept.
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# Each law gives the number of its examples as examples(n) of laws.py: n hundredths of the profile's max_examples.
settings.register_profile("ordinary", max_examples=100, deadline=None, derandomize=True, database=None)
settings.register_profile("soak", max_examples=100, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    """The ordinary suite takes the same course every time; -m soak and --hypothesis-profile=explore take new ones."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; commands would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    marks = config.getoption("markexpr")
    settings.load_profile("soak" if "soak" in marks and "not soak" not in marks else "ordinary")


def pytest_collection_finish() -> None:
    """The thousands of tests are no garbage: Python and the processes that tests start need not look through them again
    and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _engine_as_asked_for() -> Iterator[None]:
    """With WITHOUT_FAST in the environment of the tests the engine takes every step by itself."""
    with without_fast() if "WITHOUT_FAST" in os.environ else nullcontext():
        yield


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache: those of one process share one of their own."""
    monkeypatch.setenv("CAREPOLICY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def run_flows(tmp_path: Path) -> Runner:
    """``run_flows(*flow_texts, events=[...], until=..., organisation=..., extra=..., ...)`` gives the records."""
    from datetime import datetime

    import carepolicy

    def run(*flows: str, events: Events, until: str | None = None, reveal: bool = False, **texts: str) -> Events:
        policies = carepolicy.load(write_set(tmp_path / "set", *flows, **texts))
        end = None if until is None else datetime.fromisoformat(until if "+" in until[10:] else until + "+00:00")
        return list(policies.engine(reveal=reveal).run(events, until=end))

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of a process: Playwright can be started only once in it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here (on Debian: apt-get install chromium)")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
