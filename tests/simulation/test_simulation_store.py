"""Simulations that begin with the open cases of a store: who will be late, and how likely."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shops import SHOP, Said, Shop
from simulation.test_simulation_command import EMAILS, Desk

NOW = ("--from", "2026-03-03 12:00", "--days", "4", "--seeds", "40")


class StoreDesk(Desk):
    """Simulations that begin with a store of the shop."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, capfd)
        self.shop = Shop(capfd, f"sqlite:///{folder / 'care.db'}")

    def came(self, subject: str, at: str, *facts: str) -> None:
        self.shop.event("email_received", subject, at, f"customer.email={subject}@example.org", *facts)

    def from_now(self, *more: str) -> Said:
        return self("--store", self.shop.url, *NOW, *more)

    def late(self) -> dict[tuple[str, str], float]:
        found = json.loads(self.from_now("--format", "json").out)["open_cases"]
        return {(each["subject"], each["clock"]): each["late"] for each in found}


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> StoreDesk:
    made = StoreDesk(tmp_path, capfd)
    made.file.write_text(EMAILS.replace("people: 3, absent: 5%", "people: 1"), encoding="utf-8")
    return made


def test_it_tells_which_open_cases_will_be_late_and_how_likely(desk: StoreDesk) -> None:
    desk.came("early", "2026-03-03 09:10")
    desk.came("answered", "2026-03-03 09:15")
    desk.came("later", "2026-03-03 11:59")
    desk.shop.event("reply_sent", "answered", "2026-03-03 10:00")
    desk.came("gold", "2026-03-03 11:10", "customer.tier=gold")
    late = desk.late()
    assert late["gold", "first_reply"] > 0.5  # due at 12:10, behind two that came before
    assert 0 < late["early", "first_reply"] < late["gold", "first_reply"]  # due at 12:10 too, and taken at once
    assert ("later", "first_reply") not in late  # due on the next day
    assert not any(subject == "answered" for subject, _ in late)
    said = desk.from_now()
    assert said.status == 0
    assert "3 open cases at the beginning; who will be late:" not in said.out  # the answered one is open as well
    assert "4 open cases at the beginning; who will be late:" in said.out
    assert "  gold  First answer (email_inquiry)" in said.out


def test_what_is_late_already_is_late_in_every_run(desk: StoreDesk) -> None:
    desk.came("first", "2026-03-02 09:00")
    desk.shop("tick", "--now", "2026-03-03 11:00", "--policies", SHOP)
    desk.came("unseen", "2026-03-03 09:00")
    late = desk.late()
    assert late["first", "first_reply"] == 1.0
    assert late["unseen", "first_reply"] > 0  # due at noon as the days begin


def test_a_clock_that_pauses_goes_on_with_what_it_has_used(desk: StoreDesk) -> None:
    desk.file.write_text(
        EMAILS.replace("people: 3, absent: 5%", "people: 1").replace(
            "{mean: 12 minutes, spread: lognormal, p90: 25 minutes}", "{mean: 30 minutes, spread: fixed}"
        ).replace("customer_wrote: 80%", "customer_wrote: 100%").replace(": 1 day", ": {mean: 1 day, spread: fixed}"),
        encoding="utf-8",
    )  # fmt: skip
    desk.came("slow", "2026-03-03 09:00")
    desk.shop.event("more_info_asked", "slow", "2026-03-03 11:45")  # fifteen minutes are left of three hours
    desk.came("quick", "2026-03-03 11:00")
    desk.shop.event("more_info_asked", "quick", "2026-03-03 11:30")
    late = desk.late()
    assert late["slow", "first_reply"] == 1.0
    assert ("quick", "first_reply") not in late


def test_without_open_cases_nobody_is_late(desk: StoreDesk) -> None:
    desk.came("done", "2026-03-02 09:00")
    desk.shop.event("customer_withdrew", "done", "2026-03-02 10:00")
    said = desk.from_now()
    assert said.status == 0, said.err
    assert "0 tasks" in said.out
    assert "who will be late" not in said.out


def test_a_store_that_is_none_is_told(desk: StoreDesk) -> None:
    assert desk("--store", "nonsense", *NOW).status == 2
    assert desk(*NOW).status == 2


def test_a_store_of_the_project_is_for_whoever_names_no_arrivals(
    desk: StoreDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.came("early", "2026-03-03 09:10")
    (tmp_path / "carepolicy.toml").write_text(f'store = "{desk.shop.url}"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with_arrivals = desk("--arrivals", "9 per business day", *NOW)
    assert (with_arrivals.status, "open case" in with_arrivals.out) == (0, False)
    assert "1 open case at the beginning" in desk(*NOW).out


def test_days_that_begin_before_what_is_in_the_store_are_told(desk: StoreDesk) -> None:
    desk.came("early", "2026-03-03 09:10")
    desk.came("later", "2026-03-03 13:10")
    said = desk.from_now()
    assert "note: 1 open case came where they are only after these days begin" in said.out
    assert "came where they are" not in desk("--store", desk.shop.url, "--from", "2026-03-03 14:00", *NOW[2:]).out
