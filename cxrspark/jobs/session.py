"""The Spark session of a job."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors import PySparkImportError
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.jobs.cli import end_on_interrupt
from cxrspark.tables.commits import Format
from cxrspark.tables.delta import delta_settings


@contextmanager
def job_session(name: str, table_format: Format, remote: str | None) -> Iterator[SparkSession]:
    """A session for one job, which ends with it.

    Args:
        name: Of the job, for Spark's own pages.
        table_format: Of the tables that the job reads and writes.
        remote: URL of a Spark Connect server; where not given SPARK_REMOTE counts, as set by
            `spark-submit --remote`.

    Raises:
        UserError: Delta Lake or Spark Connect is asked for, and cannot be had.
    """
    end_on_interrupt()
    builder = SparkSession.builder.appName(f"cxrspark {name}")
    remote = remote or os.environ.get("SPARK_REMOTE")
    try:
        if remote:  # the server has settings of its own
            spark = builder.remote(remote).getOrCreate()
        else:
            spark = builder.config(map=session_settings(table_format)).getOrCreate()
    except PySparkImportError as error:
        raise UserError(f"--remote {remote}: {error}; pip install 'cxrspark[connect]'") from error
    end_on_interrupt()  # in place of PySpark's
    try:
        yield spark
    finally:
        spark.stop()


def session_settings(
    table_format: Format = "parquet",
) -> dict[str, bool | float | int | str | None]:
    """Settings for `SparkSession.builder.config(map=…)`.

    Started as `python jobs/…`, not by spark-submit, the workers run this very Python, unless
    PYSPARK_PYTHON names another.

    Args:
        table_format: Of the tables that the job reads and writes.

    Raises:
        UserError: Delta Lake is asked for, and cannot be had.
    """
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return {
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # A commit that is to be written need not wait for the tasks of the next ones.
        "spark.scheduler.mode": "FAIR",
        # With one of glibc's heaps for each reading thread, each keeps the room of the largest
        # object that it had: a worker with objects of 15 MB grows by half a gigabyte.
        "spark.executorEnv.MALLOC_ARENA_MAX": "2",
        **(delta_settings() if table_format == "delta" else {}),
    }
