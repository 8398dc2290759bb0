"""Audits on Spark's cluster, and what is told where one cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from carepolicy.audit.export import ExportFault
from carepolicy.audit.tables import LogFault
from carepolicy.cli.status import UNREACHABLE, CommandError
from carepolicy.spark.audit import compared_on_spark as against
from carepolicy.spark.audit import replayed_on_spark as replayed
from carepolicy.spark.audit import swept_on_spark as swept
from carepolicy.spark.session import SparkFault

__all__ = ["against", "reached", "replayed", "swept"]


@contextmanager
def reached() -> Iterator[None]:
    """Ends the command where a log cannot be read, or Spark is not there."""
    try:
        yield
    except (LogFault, ExportFault) as fault:
        raise CommandError(str(fault)) from None
    except SparkFault as fault:
        raise CommandError(str(fault), UNREACHABLE) from None
