"""A small sound policy set, Harbour & Finch, laid down in a folder of its own for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HARBOUR = Path(__file__).parent / "harbour"


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HARBOUR, tmp_path / "policies"))
