"""What carepolicy writes is what it wrote when the goldens were taken; outputs.py says how, and when to do so anew."""

from __future__ import annotations

import json
import re

import pytest

from golden.outputs import DATA, GOLDENS, PARTS, outputs_of

WANTED: dict[str, str] = json.loads(GOLDENS.read_text())
SELDOM = {each for each in PARTS if each.startswith("random") and int(each.split()[1]) >= 120}
"""Random sets beyond the first hundred: tests/oracle and tests/engine/test_fast.py try others every day."""


@pytest.mark.parametrize("part", [pytest.param(each, marks=[pytest.mark.soak] * (each in SELDOM)) for each in PARTS])
def test_what_is_written_is_what_was_written(part: str) -> None:
    if part == "public" and not DATA.exists():
        pytest.skip("the public logs are not here (../shared/data)")
    wanted = {name: each for name, each in WANTED.items() if re.match(PARTS[part][0], name)}
    found = outputs_of(part)
    assert [name for name in found if found[name] != wanted.get(name)] == []
    assert [name for name in wanted if name not in found] == []


def test_each_output_is_of_one_part() -> None:
    of = {name: [part for part, (begin, _) in PARTS.items() if re.match(begin, name)] for name in WANTED}
    assert [name for name, parts in of.items() if len(parts) != 1] == []
