"""Sessions and scoring runs of the benchmarks, and what their processes take of memory."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables.table import Format

from benchmarks.common.archives import BUILD

CORES = 2


def session(
    settings: dict[str, Any] | None = None, cores: int = CORES, table_format: Format = "parquet"
) -> SparkSession:
    """The jobs' own session in local mode, with further settings."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{cores}]")
    return builder.config(map=session_settings(table_format) | (settings or {})).getOrCreate()


def score(
    spark: SparkSession, archive: Path | str, manifest: Path, **settings: Any
) -> tuple[float, float]:
    """Score from manifest to checked table, which is a new one; when it began and ended."""
    table = settings.setdefault("scores", str(BUILD / "scores"))
    remove_table(table)
    start = time.time()
    summary = score_archive(
        spark, ScoreSettings(archive=str(archive), manifest=str(manifest), **settings)
    )
    if summary.errors:
        raise RuntimeError(f"{summary.errors} in {archive}")
    return start, time.time()


def images_per_second(
    spark: SparkSession, archive: Path | str, manifest: Path, **settings: Any
) -> float:
    """Of one such run."""
    start, end = score(spark, archive, manifest, **settings)
    return len(manifest.read_text().split()) / (end - start)


def remove_table(table: str | Path) -> None:
    """A table and that of its runs."""
    for folder in (table, f"{table}_runs"):
        shutil.rmtree(folder, ignore_errors=True)


def python_workers(of: psutil.Process) -> list[psutil.Process]:
    """The Python workers below a process: what PySpark's daemons have forked."""

    def is_daemon(process: psutil.Process | None) -> bool:
        return process is not None and any(w.endswith(".daemon") for w in process.cmdline())

    found = []
    for process in of.children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if is_daemon(process) and is_daemon(process.parent()):
                found.append(process)
    return found


def worker_megabytes() -> float:
    """Largest resident set of a Python worker now."""
    sizes = [0.0]
    for process in python_workers(psutil.Process()):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            sizes.append(process.memory_info().rss / 1e6)
    return max(sizes)


def jvm_megabytes() -> float:
    """Resident set of the driver's JVM now."""
    java = (p for p in psutil.Process().children(recursive=True) if p.name() == "java")
    return float(next(java).memory_info().rss / 1e6)


class Watch:
    """Measure again and again, in a thread, what a `with` block does."""

    def __init__(self, seconds: float, **measures: Callable[[], float]):
        self.samples: dict[str, list[float]] = {name: [] for name in ("seconds", *measures)}
        self._measures, self._pause = measures, seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        start = time.monotonic()
        while not self._ended.wait(self._pause):
            self.samples["seconds"].append(time.monotonic() - start)
            for name, measure in self._measures.items():
                self.samples[name].append(measure())
