"""Makes the rooms' own test helpers importable, and says where pictures can be drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from carepolicy.charts import renderer


@pytest.fixture
def drawing():
    if renderer() is None:
        pytest.skip("nothing draws here: no dot, no pygraphviz, no graphviz-pure")
