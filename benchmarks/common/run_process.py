"""Processes that score an archive again and again by one session, each with settings of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

RUNS = """
import sys, time
from pyspark.sql import SparkSession
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

archive, manifest, table_format = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
print(spark.version, flush=True)
for table in sys.stdin:
    start = time.perf_counter()
    score_archive(spark, ScoreSettings(
        archive=archive, manifest=manifest, scores=table.strip(), format=table_format
    ))
    print(time.perf_counter() - start, flush=True)
"""
"""Prints Spark's version, and then seconds for each table that is named to it."""


class RunProcess:
    """Such a process.

    Attributes:
        version: Of its Spark.
        last: The table that it wrote last.
    """

    def __init__(self, process: "subprocess.Popen[str]", table: str):
        assert process.stdin
        assert process.stdout
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout
        self._table, self._runs = table, 0
        self.last = ""
        self.version = self._out.readline().strip()

    def run(self) -> float:
        """Score into a table that is not there yet, and take the time in seconds."""
        self.last, self._runs = f"{self._table}{self._runs}", self._runs + 1
        print(self.last, file=self._in, flush=True)
        return float(self._out.readline())


@contextmanager
def run_process(
    archive: Path, manifest: Path, table: str, table_format: str, **environment: str
) -> Iterator[RunProcess]:
    """Start one, and end it.

    Args:
        archive: What it scores.
        manifest: The images of it.
        table: Where to; a number is added for each run.
        table_format: Of the tables.
        environment: Variables for it.
    """
    with subprocess.Popen(
        [sys.executable, "-c", RUNS, str(archive), str(manifest), table_format],
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, **environment},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        yield RunProcess(process, table)
        process.communicate()
