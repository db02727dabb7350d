"""The Spark session of a job."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.jobs.cli import end_on_interrupt
from cxrspark.tables.delta_package import delta_settings
from cxrspark.tables.table import Format

CONNECT_PORT = 15002
"""Where a Spark Connect server listens if nobody says otherwise."""


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
            _refuse_unreachable(remote)
            spark = builder.remote(remote).getOrCreate()
        else:
            spark = builder.config(map=session_settings(table_format)).getOrCreate()
    except ImportError as error:
        raise UserError(f"--remote: {error}; pip install 'cxrspark[connect]'") from error
    end_on_interrupt()  # in place of PySpark's
    try:
        yield spark
    finally:
        spark.stop()


def _refuse_unreachable(remote: str) -> None:
    """Knock at the server's port, as its client would go on trying for minutes.

    Raises:
        UserError: No URL of Spark Connect, or nobody answers.
    """
    url = urlsplit(remote)  # which may hold a token
    try:
        host, port = url.hostname, url.port or CONNECT_PORT
    except ValueError:
        host = None
    if url.scheme != "sc" or not host:
        raise UserError("--remote: must be sc://HOST:PORT")
    if "https_proxy" in os.environ:  # by which gRPC goes, and a socket does not
        return
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError as error:
        raise UserError(
            f"--remote sc://{host}:{port}: no Spark Connect server answers there "
            f"({error.strerror or error}); start it, or name another"
        ) from error


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
