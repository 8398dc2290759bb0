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

from sets_read import sets_read_once
from stories import Events, Runner, without_fast, write_set

HERE = Path(__file__).parent

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


LONG = (
    ("spark/",),
    ("handbook/",),
    (
        "golden/",
        "oracle/",
        "documents/",
        "audit/test_audit_whatif",
        "charts/test_charts_formats",
        "store/test_store_damage",
    ),
)
"""What takes long, or shares what is slow to make (a Spark, a handbook, a browser), by where it stands in tests/."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins with one of ``LONG``, and none ends with it: pytest-xdist hands out pieces of the list, of one
    length, and a worker that has done its own takes from the end of another's."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    begin: list[list[pytest.Item]] = [[] for _ in range(workers)]
    rest: list[pytest.Item] = []
    for each in items:
        place = os.path.relpath(each.path, HERE).replace(os.sep, "/")
        of = next((number for number, names in enumerate(LONG) if place.startswith(names)), None)
        (rest if of is None else begin[of % workers]).append(each)
    total, items[:] = len(items), []
    for number, first in enumerate(begin):
        size = (total - len(items)) // (workers - number) - len(first)
        items += [*first, *rest[: max(size, 0)]]
        del rest[: max(size, 0)]


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


@pytest.fixture(autouse=True, scope="session")
def _sets_read_once() -> Iterator[None]:
    """A set that was read in this process is not read again; with READ_ANEW in the environment each is."""
    with nullcontext() if "READ_ANEW" in os.environ else sets_read_once():
        yield


@pytest.fixture(autouse=True)
def _own_cache(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache: those of one run share one of their own."""
    monkeypatch.setenv("CAREPOLICY_CACHE", str(run_folder / "cache"))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of a run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


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
