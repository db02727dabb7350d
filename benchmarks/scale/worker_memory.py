"""Resident memory of the Python workers over 1,000 and 10,000 images of MIMIC's size.

Run with `make bench-memory`.
"""

import os
import shutil
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import psutil
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from benchmarks.common.archives import BUILD, repeated

FIRST, ALL = 1_000, 10_000


def worker_megabytes() -> float:
    """Largest resident set of a Python worker now."""
    sizes = [0.0]
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if "pyspark.daemon" in process.cmdline():
                sizes.append(process.memory_info().rss / 1e6)
    return max(sizes)


def main() -> None:
    archive, manifest = repeated(1200, 9)
    listed = manifest.read_text().split()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = SparkSession.builder.master("local[2]").config(map=session_settings()).getOrCreate()
    for images in (FIRST, ALL):
        manifest.write_text("\n".join(listed[:images]))
        peaks: list[float] = []
        ended = threading.Event()

        def watch(peaks: list[float] = peaks, ended: threading.Event = ended) -> None:
            while not ended.is_set():
                peaks.append(worker_megabytes())
                time.sleep(0.2)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        table = BUILD / "scores-memory"
        for folder in (table, table.with_name("scores-memory_runs")):
            shutil.rmtree(folder, ignore_errors=True)
        score_archive(
            spark,
            ScoreSettings(archive=str(archive), manifest=str(manifest), scores=str(table)),
        )
        ended.set()
        watcher.join()
        fifths = [max(part) for part in np.array_split(peaks, 5)]
        said = ", ".join(f"{peak:.0f}" for peak in fifths)
        print(f"{images:>6} images: a worker takes at most {said} MB in each fifth of the run")
    spark.stop()


if __name__ == "__main__":
    main()
