"""What is read of logs in XES: quickly, and by lxml alone."""

from __future__ import annotations

from unittest import mock

from carepolicy.audit import xes
from carepolicy.audit.tables import LogFault
from carepolicy.audit.xes import Traces

BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n<log xmlns="http://www.xes-standard.org/">\n'
WANTED = ("time:timestamp", "concept:name", "case:level", "level")


def read(path, part=(0, 1)):
    """The groups of a log and how many traces are repeated, or why it cannot be read."""
    with Traces([str(path)], part=part) as log:
        try:
            return [*log.groups("concept:name", WANTED)], log.repeated
        except LogFault as fault:
            return str(fault)


def as_lxml_reads(path):
    """The same without what is read quickly."""
    with mock.patch.object(xes._Log, "_begun", return_value=(b"", b"")):
        return read(path)
