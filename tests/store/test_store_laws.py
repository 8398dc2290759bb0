"""Laws: a case that is put away and taken out between any two events goes on as if it had never been put away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.engine.intake import numbered_lines
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.program import Bundle
from carepolicy.store.live.memory import StoreMemory
from carepolicy.store.live.operation import Operation
from carepolicy.store.sql.sqlite import SqliteStore
from carepolicy.store.versions.install import Installed, install
from laws import examples
from random_flows import MONDAY, logs, small_flows


def stateless(bundle: Bundle, lines: list[bytes], until: int) -> str:
    with OrderedRun(Run(bundle)) as run:
        text = "".join(run.feed(block) for block in numbered_lines([b"\n".join(lines)]))
        return text + "".join(run.finish(until))


class Forgetful:
    """A store in memory, and a set at work on it that forgets all it knows whenever it is asked."""

    def __init__(self, bundle: Bundle) -> None:
        self.store = SqliteStore(":memory:")
        with self.store.transaction() as transaction:
            install(transaction, bundle.digest, 0, {})
        self.bundle = bundle

    def operation(self) -> Operation:
        operation = Operation(self.store, None, 0)
        operation._memory = StoreMemory(Installed(1, self.bundle), [], operation.sealer)
        return operation


@given(small_flows(clocks=True, effects=True), st.data())
@settings(max_examples=examples(15))
def test_putting_away_and_taking_out_between_every_two_events_changes_no_byte(small: Any, data: st.DataObject) -> None:
    loaded = small.load()
    events = data.draw(logs(small.events, subjects=2, first=small.starts[0]))
    lines = [orjson.dumps(each) for each in events]
    end = int((MONDAY + timedelta(days=60)).timestamp()) * 1_000_000
    forgetful = Forgetful(loaded.bundle)
    texts = [forgetful.operation().take([(number, line)]).records for number, line in enumerate(lines, 1)]
    due = "".join(done.records for done in forgetful.operation().tick(end))
    assert "".join(texts) + due == stateless(loaded.bundle, lines, end)
