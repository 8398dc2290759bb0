"""The handbook that is kept in generated/ is the English one of policies/."""

from __future__ import annotations

from pathlib import Path

import handbook_sets as sets

from carepolicy.handbook import build, stale

ROOT = Path(__file__).parents[2]
LIBRARY, GENERATED = ROOT / "policies", ROOT / "generated"


def test_the_handbook_that_is_kept_is_up_to_date():
    site = build(sets.sample(LIBRARY), drawn=False, only=["en"])
    assert stale(site, GENERATED) == [], "write it anew: make handbook"


def test_it_has_pages_and_charts_of_each_flow():
    policies = sets.sample(LIBRARY)
    listed = (GENERATED / "files.txt").read_text(encoding="utf-8").split()
    for flow in policies.flows:
        assert f"en/flows/{flow}.html" in listed
        for ending in (".dot", ".svg"):
            assert any(name.startswith(f"charts/en/{flow}") and name.endswith(ending) for name in listed)
    assert all((GENERATED / name).is_file() for name in listed)
