"""``--metrics [HOST:]PORT`` of watchers: what they did and how the store is doing, for Prometheus.

Counts are of this process. How the store is doing is looked up when somebody asks, by a connection of its own, so that
it is told also while the watcher sleeps; ``carepolicy_store_up`` is 0 where the store cannot be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from carepolicy.cli.status import UNREACHABLE, CommandError
from carepolicy.cli.times import wall_clock
from carepolicy.store.faults import StoreFault
from carepolicy.store.open import open_store
from carepolicy.store.status import status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from carepolicy.store.status import Status

LOOPBACK = "127.0.0.1"
PREFIX = "carepolicy_"
TYPE = '"type":"carepolicy.'


class Metrics:
    """The counts of a watcher, served at ``address`` (a port, or HOST:PORT) until it ``closes``."""

    def __init__(self, address: str, store: str) -> None:
        host, _, port = address.rpartition(":")
        if not port.isdecimal() or int(port) > 65_535:
            raise CommandError(f'"{address}" is no port; write --metrics 9464, or HOST:PORT')
        registry = CollectorRegistry()
        self._records = Counter(f"{PREFIX}records", "Records written, by type.", ["type"], registry=registry)
        self._requests = Counter(f"{PREFIX}requests", "Requests tried, by what came of them.", ["outcome"],
                                 registry=registry)  # fmt: skip
        self._rounds = Counter(f"{PREFIX}rounds", "How often the watcher has looked.", registry=registry)
        registry.register(_OfStore(store))
        try:
            self._server, self._thread = start_http_server(int(port), host.strip("[]") or LOOPBACK, registry)
        except OSError as fault:
            raise CommandError(f"--metrics {address}: {fault.strerror or fault}", UNREACHABLE) from None

    @property
    def port(self) -> int:
        """The port that it is served at."""
        return int(self._server.server_port)

    def records(self, lines: str) -> None:
        """Count records, as they were written."""
        for line in lines.splitlines():
            begin = line.find(TYPE) + len(TYPE)
            self._records.labels(line[begin : line.index('"', begin)]).inc()

    def request(self, outcome: str) -> None:
        """Count a request that was tried."""
        self._requests.labels(outcome).inc()

    def round(self) -> None:
        """Count that the watcher has looked once more."""
        self._rounds.inc()

    def close(self) -> None:
        """Serve it no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _OfStore(Collector):
    """How a store is doing, looked up at each question."""

    def __init__(self, url: str) -> None:
        self._url = url

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        status = self._look()
        up = GaugeMetricFamily(f"{PREFIX}store_up", "Whether the store can be reached.")
        up.add_metric([], status is not None)
        yield up
        if status is not None:
            yield from _gauges(status)

    def _look(self) -> Status | None:
        try:
            store = open_store(self._url, create=False)
            try:
                return status_of(store, wall_clock())
            finally:
                store.close()
        except StoreFault:
            return None


def _gauges(status: Status) -> Iterator[Metric]:
    plain = {
        "lag_seconds": ("For how long the first timer that should have fired has waited.", status.lag),
        "overdue_subjects": ("Subjects whose timers should have fired.", status.overdue),
        "oldest_request_seconds": ("The age of the oldest request that waits or is leased.", status.waiting_age),
        "store_bytes": ("What the store takes on the disk.", status.size),
    }
    for name, (what, value) in plain.items():
        yield GaugeMetricFamily(f"{PREFIX}{name}", what, value)
    labelled = {
        "cases": ("Open cases, and those of them that are late.", "state", {"open": status.open, "late": status.late}),
        "outbox": ("Requests, by state.", "state", status.outbox),
        "dead_letters": ("Events that were not taken, by the code that says why.", "code", status.dead),
    }
    for name, (what, label, values) in labelled.items():
        gauge = GaugeMetricFamily(f"{PREFIX}{name}", what, labels=[label])
        for key, number in values.items():
            gauge.add_metric([key], number)
        yield gauge
