"""How many cases a law is tried with: few, always the same, in the ordinary suite; many and new ones to explore."""

from __future__ import annotations

from hypothesis import settings


def examples(ordinarily: int) -> int:
    """As many as the ordinary suite tries, times what the profile that tests/conftest.py loaded asks for."""
    return max(1, ordinarily * settings().max_examples // 100)
