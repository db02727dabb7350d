"""Processes that score an archive again and again by one session, each with settings of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from benchmarks.common.archives import BUILD

_NUMBERS = count()

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

    def __init__(self, process: "subprocess.Popen[str]", table: str, log: Path):
        assert process.stdin
        assert process.stdout
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout
        self._table, self._runs, self._log = table, 0, log
        self.last = ""
        self.version = self._said()

    def run(self) -> float:
        """Score into a table that is not there yet, and take the time in seconds."""
        self.last, self._runs = f"{self._table}{self._runs}", self._runs + 1
        print(self.last, file=self._in, flush=True)
        return float(self._said())

    def _said(self) -> str:
        """Its next line, or why there is none."""
        if line := self._out.readline().strip():
            return line
        raise SystemExit(self._log.read_text()[-3000:])


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
    number = next(_NUMBERS)
    log = BUILD / f"run-process-{number}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", RUNS, str(archive), str(manifest), table_format],
            env={**os.environ, "PYSPARK_PYTHON": sys.executable, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        ) as process,
    ):  # fmt: skip
        yield RunProcess(process, table, log)
        process.communicate()
