"""Damaged policy files never break the check, nor what stands behind it where the check finds no error.

A sample; ``python benchmarks/mutants.py`` tries thousands.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mutants import KINDS, ROOT, SETS, damaged, mutant_of, try_out

SAMPLE = range(45)
WHERE = tuple(str(ROOT / each) for each in SETS if each != "policies")


@pytest.mark.parametrize("number", SAMPLE)
def test_a_damaged_file_is_found_or_can_be_used(number: int, tmp_path: Path) -> None:
    outcome = try_out(mutant_of(number, 1, WHERE), tmp_path)
    assert outcome.what in ("found", "passed"), outcome.said


def test_the_sample_holds_every_kind_of_damage_and_both_ends(tmp_path: Path) -> None:
    mutants = [mutant_of(number, 1, WHERE) for number in SAMPLE]
    assert {each.kind for each in mutants} == set(KINDS)
    assert {try_out(each, tmp_path).what for each in mutants[:12]} == {"found", "passed"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_is_the_file_with_one_damage(kind: str) -> None:
    import random

    content = b"a: b\nc: [d, e]\n"
    made = {damaged(content, kind, random.Random(number)) for number in range(50)}
    sizes = {len(each) - len(content) for each in made}
    if kind == "cut":
        assert all(content.startswith(each) for each in made)
    elif kind == "swap":
        assert sizes == {0}
    assert len(made - {content}) > 5
