"""What carepolicy writes is what it wrote when the goldens were taken; outputs.py says how, and when to do so anew."""

from __future__ import annotations

import json

from golden.outputs import DATA, GOLDENS, outputs


def test_what_is_written_is_what_was_written() -> None:
    wanted = json.loads(GOLDENS.read_text())
    if not DATA.exists():
        wanted = {name: each for name, each in wanted.items() if not name.startswith("public/")}
    found = outputs()
    assert [name for name in found if found[name] != wanted.get(name)] == []
    assert [name for name in wanted if name not in found] == []
