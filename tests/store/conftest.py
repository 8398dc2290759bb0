"""Stores for tests: a key of their own, an SQLite file, and one real PostgreSQL for all."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test makes a key file in the user's home."""
    monkeypatch.setenv("CAREPOLICY_KEY", "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A=")
