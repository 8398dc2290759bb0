"""The library: policy sets that are checked and compiled, for programs that embed carepolicy. See docs/api.md."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.record import Record
from carepolicy.engine.run import Run
from carepolicy.event import Event, line_of
from carepolicy.machine.bundle import PolicyErrors, from_bytes, load_bundle, to_bytes
from carepolicy.spool import spool

if TYPE_CHECKING:
    from carepolicy.businesstime import Calendar
    from carepolicy.machine.flowmachine import FlowMachine
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Flow as FlowModel
    from carepolicy.policy.model import Policies

__all__ = ["Engine", "Flow", "PolicyErrors", "PolicySet", "check", "load"]


def check(path: str | os.PathLike[str] = "policies", today: date | None = None) -> list[Finding]:
    """What is wrong in the policy set in a folder, in the order of files and lines; nothing where all is well.

    Calendars are judged as of ``today``, by default the day of the machine.
    """
    from carepolicy.checks import check_folder

    return list(check_folder(os.fspath(path), today or date.today())[1])


def load(path: str | os.PathLike[str] = "policies") -> PolicySet:
    """The policy set in a folder. Raises ``PolicyErrors``, which holds the findings, where it has errors."""
    return PolicySet(os.fspath(path))


class PolicySet:
    """A checked policy set. ``policies`` is the frozen model of its files, ``bundle`` what it compiles to.

    It can be pickled, for worker processes: what it compiles to travels, and the files are read there again if asked.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.bundle: Bundle = load_bundle(root)

    def __getstate__(self) -> tuple[str, bytes]:
        return self.root, to_bytes(self.bundle)

    def __setstate__(self, state: tuple[str, bytes]) -> None:
        self.root, packed = state
        self.bundle = from_bytes(packed)

    @cached_property
    def policies(self) -> Policies:
        """The frozen model, read from the files when it is first asked for."""
        from carepolicy.policy.load import load_policies

        policies, findings = load_policies(self.root)
        if policies is None:
            raise PolicyErrors(findings)
        return policies

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The flows by name."""
        policies = self.policies
        return {name: Flow(policies, flow) for name, flow in policies.flows.items()}

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """The compiled calendars by name: ``calendars["office"].add(start, "3 business hours")``."""
        return self.bundle.calendars

    def engine(self, *, reveal: bool = False, lateness: timedelta = timedelta(0)) -> Engine:
        """An engine that runs events through the set.

        ``reveal`` lets private facts stand in records; ``lateness`` is how long a subject's events are
        held back and sorted.
        """
        return Engine(self.bundle, reveal, lateness)


class Flow:
    """One flow of a set, as its ``model`` says it."""

    def __init__(self, policies: Policies, model: FlowModel) -> None:
        self._policies = policies
        self.model = model

    def machine(self, bound: object | None = None) -> FlowMachine:
        """A ``transitions`` machine of the flow, bound to ``bound`` where an object is given.

        The object gets a method for each event (``thing.reply_sent(data={...})``) and the attribute
        ``state``; guards read its attribute ``facts``, a mapping by dotted name. Clock events and timers
        are triggers as well: ``thing.trigger("first_reply.late")``.
        """
        from carepolicy.machine.flowmachine import FlowMachine

        return FlowMachine(self.model, self._policies.organisation, bound)


class Engine:
    """Runs events, and yields records as dictionaries in the order of the events that caused them."""

    def __init__(self, bundle: Bundle, reveal: bool, lateness: timedelta) -> None:
        self._bundle = bundle
        self._reveal = reveal
        if lateness < timedelta(0):
            raise ValueError("lateness is how long events are held back: it cannot be negative")
        self._lateness = lateness // timedelta(microseconds=1)

    def run(self, events: Iterable[Event], until: datetime | None = None) -> Iterator[dict[str, Any]]:
        """The records of a stream of CloudEvents, as dictionaries: see ``records``."""
        end = _end(events, until)
        return (orjson.loads(line) for line in self._lines(events, end))

    def records(self, events: Iterable[Event], until: datetime | None = None) -> Iterator[Record]:
        """The records of a stream of CloudEvents: mappings, lines of JSON, or objects of the ``cloudevents`` package.

        Timers fall due as time passes for each subject, and at the end until ``until`` (an aware
        datetime; by default the latest time read). Records are yielded when they can no longer change
        their order: behind each event where the set has one stratum, else (with watches or raised events in the set)
        when all events are read. An event that cannot be taken gives a record that says so; blank lines are left out.
        Raises ``TypeError`` for one text in place of many lines, and ``ValueError`` for an ``until`` without a zone.
        """
        return self._values(events, _end(events, until))

    def _values(self, events: Iterable[Event], until: int | None) -> Iterator[Record]:
        with OrderedRun(Run(self._bundle, self._reveal, self._lateness), spool) as run:
            for line in _numbered(events):
                yield from run.feed_values([line])
            yield from run.finish_values(until)

    def _lines(self, events: Iterable[Event], until: int | None) -> Iterator[str]:
        with OrderedRun(Run(self._bundle, self._reveal, self._lateness), spool) as run:
            for line in _numbered(events):
                yield from _lines(run.feed([line]))
            for text in run.finish(until):
                yield from _lines(text)


def _end(events: Iterable[Event], until: datetime | None) -> int | None:
    """The instant until which timers fall due. Raises ``TypeError`` where the events are one text, and ``ValueError``
    for a time without a zone."""
    if isinstance(events, (str, bytes)):
        raise TypeError("events are many objects or lines, not one text: hand over an open file, or text.splitlines()")
    if until is not None and until.tzinfo is None:
        raise ValueError("until needs a time zone (such as tzinfo=UTC)")
    return None if until is None else microseconds(until)


def _numbered(events: Iterable[Event]) -> Iterator[tuple[int, bytes | str]]:
    for number, event in enumerate(events, 1):
        line = line_of(event)
        if line.strip():
            yield number, line


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.split("\n") if line)  # only a line feed ends a line of JSON
