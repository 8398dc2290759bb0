"""Watchers tell figures to Prometheus, and what happens as lines of JSON, with nothing private in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest

from carepolicy.cli.metrics import Metrics
from carepolicy.cli.status import CommandError
from shops import Shop

ADA = ("customer.email=ada@example.org", "customer.name=Ada Lovelace")
BOUND = 60.0


def scraped(port: int) -> dict[str, float]:
    """The figures, each by its name with its labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=BOUND) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + BOUND
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_figures_tell_what_a_watcher_did_and_how_the_store_is_doing(shop: Shop) -> None:
    shop.event("email_received", "mail-1", "2026-03-02 10:00", *ADA)
    shop("event", "nonsense", "mail-1", "--at", "2026-03-02 10:00")
    figures = Metrics("0", shop.url)
    try:
        figures.records('{"id":"x","type":"carepolicy.clock.late"}\n{"id":"y","type":"carepolicy.clock.late"}\n')
        figures.request("sent")
        figures.round()
        told = scraped(figures.port)
    finally:
        figures.close()
    assert told['carepolicy_records_total{type="clock.late"}'] == 2
    assert told['carepolicy_requests_total{outcome="sent"}'] == told["carepolicy_rounds_total"] == 1
    assert told['carepolicy_cases{state="open"}'] == told["carepolicy_store_up"] == 1
    assert told['carepolicy_outbox{state="waiting"}'] == 1
    assert told['carepolicy_dead_letters{code="CP904"}'] == 1
    assert told["carepolicy_lag_seconds"] > 0
    assert told["carepolicy_oldest_request_seconds"] > 0


def test_a_store_that_is_away_is_told_as_such(tmp_path: object) -> None:
    figures = Metrics("0", f"sqlite:///{tmp_path}/nowhere.db")
    try:
        assert [value for name, value in scraped(figures.port).items() if "_store" in name] == [0]
    finally:
        figures.close()


@pytest.mark.parametrize("address", ["", "port", "70000", "localhost:"])
def test_what_is_no_port_is_refused(address: str) -> None:
    with pytest.raises(CommandError, match="is no port"):
        Metrics(address, "sqlite:///care.db")


def test_a_watcher_serves_figures_and_logs_objects_until_it_ends(file_shop: Shop) -> None:
    began = datetime.now(UTC) - timedelta(days=20)
    file_shop("event", "email_received", "mail-1", *ADA, "--at", began.isoformat())
    process = subprocess.Popen(
        [sys.executable, "-m", "carepolicy", "tick", "--watch", "--metrics", "0", "--log", "json",
         "--store", file_shop.url],
        env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        told = json.loads(process.stderr.readline())
        assert (told["event"], told["level"]) == ("metrics", "info")
        wait_for(lambda: scraped(told["port"]).get("carepolicy_rounds_total", 0) >= 1)
        figures = scraped(told["port"])
        assert figures['carepolicy_records_total{type="clock.late"}'] >= 1
        assert figures["carepolicy_lag_seconds"] == 0
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.wait(BOUND) == 0
    for line in rest.splitlines():
        assert {"time", "level", "event", "message"} <= json.loads(line).keys()
    assert "ada@example.org" not in rest


def test_what_a_sender_could_not_deliver_is_logged_as_an_object(file_shop: Shop) -> None:
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", *ADA)
    process = subprocess.Popen(
        [sys.executable, "-m", "carepolicy", "outbox", "send", "--smtp", "127.0.0.1:9", "--watch", "--log", "json",
         "--store", file_shop.url],
        env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        told = json.loads(process.stderr.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.wait(BOUND) == 0
    assert (told["event"], told["level"]) == ("server_away", "warning")
    assert datetime.fromisoformat(told["time"]).tzinfo is not None


@pytest.mark.parametrize("command", [("tick",), ("outbox", "send", "--smtp", "localhost:25")])
@pytest.mark.parametrize("option", [("--metrics", "0"), ("--log", "json")])
def test_both_are_for_watchers(file_shop: Shop, command: tuple[str, ...], option: tuple[str, ...]) -> None:
    said = file_shop(*command, *option)
    assert (said.status, "are for --watch" in said.err) == (2, True)
