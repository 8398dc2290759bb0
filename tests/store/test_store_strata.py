"""An event that only flows of a higher stratum hear is taken as any other: once, and noted as taken."""

from __future__ import annotations

from pathlib import Path

import pytest

import carepolicy

POLICIES = Path(__file__).parents[2] / "policies"
MAIL = {
    "id": "mail-1",
    "source": "/mailbox",
    "type": "email_received",
    "subject": "inquiry-1",
    "time": "2026-03-02T10:00:00Z",
    "data": {"customer.email": "ada@example.org", "customer.name": "Ada"},
}


def test_an_event_of_a_higher_stratum_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPOLICY_KEY", "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A=")
    bundle = carepolicy.load(str(POLICIES)).bundle
    strata = {each.stratum for each in bundle.programs if "email_received" in each.events}
    assert 0 not in strata  # else this test is about nothing
    with carepolicy.open_store(f"sqlite:///{tmp_path}/care.db", str(POLICIES)) as store:
        assert store.post(MAIL).fate == "taken"
        assert store.post(MAIL).fate == "duplicate"
        case = store.case("inquiry-1")
        assert case is not None
        assert (case.flow, case.state) == ("email_inquiry", "received")
        assert [each.subject for each in store.cases()] == ["inquiry-1"]
