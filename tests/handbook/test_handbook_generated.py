"""The handbook that is kept in generated/ is the English one of policies/."""

from __future__ import annotations

import re
from pathlib import Path

import handbook_sets as sets
import pytest

from carepolicy.handbook import stale
from shops import LIBRARY

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "generated"


@pytest.fixture(scope="module")
def library():
    return sets.library_site("en", "fr")


def test_the_handbook_that_is_kept_is_up_to_date():
    site = sets.library_site("en", drawn=False)
    assert stale(site, GENERATED) == [], "write it anew: make handbook"


def test_it_has_pages_and_charts_of_each_flow():
    policies = sets.sample(LIBRARY)
    listed = (GENERATED / "files.txt").read_text(encoding="utf-8").split()
    for flow in policies.flows:
        assert f"en/flows/{flow}.html" in listed
        for ending in (".dot", ".svg"):
            assert any(name.startswith(f"charts/en/{flow}") and name.endswith(ending) for name in listed)
    assert all((GENERATED / name).is_file() for name in listed)


def test_no_page_of_a_flow_is_larger_than_300_kilobytes(library):
    sizes = {name: len(content) for name, content in library.files.items() if "/flows/" in name}
    assert len(sizes) > 60
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}


def test_no_note_of_the_makers_is_on_a_page_for_staff(library):
    """Where a rule is from ("Catalogue P05 … S3, line 11"), and which requirements it covers, is for its makers."""
    notes = re.compile(rb"Catalogue P\d|\bS\d, (?:line|ligne)|\bR\d\d\b")
    found = {name: note[0] for name, content in library.files.items() if (note := notes.search(content))}
    assert {name: note for name, note in found.items() if name.endswith((".html", ".js"))} == {}
