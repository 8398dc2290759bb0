"""The session with Spark, and what is wrong where there is none."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXTRA = "carepolicy[spark]"

PARTITIONS = "spark.sql.shuffle.partitions"


class SparkFault(Exception):
    """Spark is not there, or could not do what it was asked; the text says why."""


def session() -> SparkSession:
    """The session with the cluster that Spark's own settings name, or else with this machine; it is begun where there
    is none. Raises ``SparkFault``."""
    logging.getLogger().addFilter(_is_worth_telling)
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        import_module("pyarrow")  # Spark asks for these when it is too late to say so plainly
        import_module("pandas")
        import_module("google.protobuf")
    except ImportError as fault:
        raise SparkFault(f"this needs Spark, and {fault.name} is not installed: install {EXTRA}") from None
    builder = SparkSession.builder.appName("carepolicy").config("spark.ui.showConsoleProgress", "false")
    try:
        found = builder.getOrCreate()
    except PySparkException as fault:
        if "JAVA" in (fault.getCondition() or ""):
            raise SparkFault("Spark could not start Java: set JAVA_HOME to a whole JDK that it knows, as 17") from None
        raise SparkFault(_first_line(fault)) from None
    context = found.sparkContext
    if context.getConf().get("spark.log.level") is None:
        context.setLogLevel("ERROR")  # a warning at each start helps nobody
    if (context.master or "").startswith("local"):
        if "PYSPARK_PYTHON" not in os.environ:
            context.pythonExec = sys.executable  # where carepolicy is installed
        if context.getConf().get(PARTITIONS) is None:
            found.conf.set(PARTITIONS, context.defaultParallelism)  # Spark's 200 are for clusters
    return found


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Whether a line of the log is not the traceback that py4j writes where Ctrl-C is pressed."""
    return not record.getMessage().endswith("while sending command.")


@contextmanager
def told_plainly() -> Iterator[None]:
    """What Spark says when something goes wrong within becomes a ``SparkFault``."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as fault:
        raise SparkFault(_first_line(fault)) from None
    except Py4JError as fault:
        raise SparkFault(_last_line(str(fault))) from None


def _first_line(fault: Exception) -> str:
    text = str(fault).strip()
    if "Traceback (most recent call last)" in text:
        return _last_line(text)
    return f"Spark failed: {text.splitlines()[0] if text else type(fault).__name__}"


def _last_line(text: str) -> str:
    """What a traceback in a text ends with: the error of a task. Of one of ours the text is enough."""
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if ": " in line and not line.startswith(("File ", "at ", "Caused"))]
    errors = [line for line in told if line.partition(":")[0].endswith(("Error", "Exception"))]
    error = errors[-1] if errors else text[:200]
    return error.partition(": ")[2] if error.startswith("carepolicy.") else f"a task of Spark failed: {error}"
