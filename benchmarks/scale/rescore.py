"""Score 377,110 kept pixels, then ask again when there is nothing to do.

Run with `make bench-rescore`. Ids, paths and pixels are random.
"""

import argparse
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import psutil
from pyspark.sql import SparkSession

from cxrspark.archive.manifest import load_manifest
from cxrspark.jobs.session import session_settings
from cxrspark.pixels.image import RECIPE, Header
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables.schemas import MANIFEST, PIXELS

from benchmarks.common.archives import BUILD
from benchmarks.scale.worker_memory import worker_megabytes

IMAGES = 377_110


def image_names() -> Iterator[str]:
    """Paths in MIMIC's layout."""
    drawn = random.Random(0)
    for number in range(IMAGES):
        image_id = "-".join(f"{drawn.getrandbits(32):08x}" for _ in range(5))
        subject = 10_000_000 + number // 6
        yield f"files/p{subject // 10**6}/p{subject}/s{50_000_000 + number // 2}/{image_id}.jpg"


def random_pixels(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        seed = int(batch["image_id"].iloc[0][:8], 16)
        pixels = np.random.default_rng(seed).integers(0, 256, (len(batch), 4096), dtype=np.uint8)
        yield batch.assign(
            rows=3056,
            columns=2544,
            pixels=[row.tobytes() for row in pixels],
            error=None,
            **dict.fromkeys(Header._fields),
            pixels_recipe=RECIPE,
            archive=str(BUILD / "rescore"),
        )


def memory(stop: threading.Event, driver: list[float], workers: list[float]) -> None:
    """Megabytes of the JVM and of the largest Python worker, each second."""
    jvm = next(p for p in psutil.Process().children(recursive=True) if p.name() == "java")
    while not stop.wait(1):
        driver.append(jvm.memory_info().rss / 1e6)
        workers.append(worker_megabytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=["parquet", "delta"], default="parquet")
    table_format = parser.parse_args().format
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config(map=session_settings(table_format))
    spark = builder.getOrCreate()
    root = BUILD / "rescore"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "IMAGE_FILENAMES").write_text("\n".join(image_names()))
    settings = ScoreSettings(
        archive=str(root),
        pixels=str(root / "pixels"),
        scores=str(root / "scores"),
        format=table_format,
    )
    images = spark.createDataFrame(load_manifest(str(root)), MANIFEST).repartition(24)
    images.mapInPandas(random_pixels, PIXELS).write.format(table_format).save(settings.pixels)
    stop, driver, workers = threading.Event(), [], []
    watcher = threading.Thread(target=memory, args=(stop, driver, workers), daemon=True)
    watcher.start()
    start = time.perf_counter()
    score_archive(spark, settings)
    print(f"{IMAGES:,} kept pixels scored in {time.perf_counter() - start:.0f} s")
    stop.set()
    watcher.join()
    for name, sizes in (("driver", driver), ("Python worker", workers)):
        half = len(sizes) // 2
        early, late = max(sizes[:half]), max(sizes[half:])
        print(f"  {name}: at most {early:.0f} MB in the first half, {late:.0f} MB in the second")
    start = time.perf_counter()
    summary = score_archive(spark, settings)
    print(f"second run: {summary.scored} scored, {time.perf_counter() - start:.0f} s")
    spark.stop()


if __name__ == "__main__":
    main()
