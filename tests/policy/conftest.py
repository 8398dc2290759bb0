"""A policy folder to spoil, and findings in short."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from carepolicy.policy.findings import Finding
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies

SAMPLES = Path(__file__).parent / "samples"
collect_ignore = ["samples"]  # its scenario is read, not run: the flow of it names templates that are not there
FLOW_HEAD = "flow: example\nversion: 1\nowner: care_lead\n"
ORGANISATION_HEAD = "organisation: Harbour & Finch\ntimezone: Europe/London\n"

Files = dict[str, str | bytes]
Loader = Callable[[Files], tuple[Policies | None, list[Finding]]]


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """A copy of the sample set."""
    return Path(shutil.copytree(SAMPLES, tmp_path / "harbour"))


@pytest.fixture
def load_files(tmp_path: Path) -> Loader:
    """Loads a set of an organisation and the given files, by path."""

    def load(files: Files) -> tuple[Policies | None, list[Finding]]:
        root = tmp_path / "set"
        shutil.rmtree(root, ignore_errors=True)
        for name, content in {"organisation.yaml": ORGANISATION_HEAD, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_policies(root)

    return load


@pytest.fixture
def flow_of(load_files: Loader) -> Callable[[str], tuple[Policies | None, list[Finding]]]:
    """Loads a set whose one flow, example, has the usual head and the given rest."""
    return lambda rest: load_files({"flows/example.yaml": FLOW_HEAD + rest})


@pytest.fixture
def organisation_of(load_files: Loader) -> Callable[[str], tuple[Policies | None, list[Finding]]]:
    """Loads a set whose organisation has the usual head and the given rest."""
    return lambda rest: load_files({"organisation.yaml": ORGANISATION_HEAD + rest})
