"""What the jobs ask of the Spark session that they build."""

from __future__ import annotations

import os
import sys

from cxrspark.tables.commits import Format
from cxrspark.tables.delta import delta_settings


def session_settings(table_format: Format = "parquet") -> dict[str, str]:
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
