"""Milliseconds that scoring adds to an image on one core, conversion of batches included.

Run with `make bench-scoring`, on Linux: a job in local[1], held to one core, reads kept pixels and
hands them on, with the scoring and without; the two alternate. Writes docs/figures/scoring.json.
"""

import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from cxrspark.jobs.session import session_settings
from cxrspark.model.bundle import load_bundle
from cxrspark.pixels.image import RECIPE, SIDE
from cxrspark.scoring.run import ARROW_ROWS, BATCH_IMAGES
from cxrspark.scoring.scores import score
from cxrspark.tables.schemas import PIXELS

from benchmarks.common.archives import BUILD
from benchmarks.common.measuring import FIGURES, write_figures


def seconds(rows: DataFrame) -> float:
    start = time.perf_counter()
    rows.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - start


def write_pixels(images: int, folder: Path) -> None:
    """A pixels table of random images, in four files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    schema, random = to_arrow_schema(PIXELS), np.random.default_rng(0)
    for part in range(4):
        count = images // 4
        columns = {name: [None] * count for name in schema.names}
        columns["image_id"] = columns["path"] = [f"{part}-{n}.jpg" for n in range(count)]
        columns["pixels"] = [random.bytes(SIDE * SIDE) for _ in range(count)]
        columns["pixels_recipe"] = [RECIPE] * count
        pq.write_table(pa.table(columns, schema), folder / f"{part}.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FIGURES)
    options = parser.parse_args()
    os.sched_setaffinity(0, {0})  # the JVM and its Python workers inherit it
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[1]").config(map=session_settings())
    spark = builder.config(ARROW_ROWS, BATCH_IMAGES).getOrCreate()
    kept = BUILD / "scoring-pixels"
    write_pixels(options.images, kept)
    pixels = spark.read.schema(PIXELS).parquet(str(kept))
    scored = score(pixels, load_bundle(), archive="random", run_id="benchmark")
    seconds(scored)
    times: dict[str, list[float]] = {"read": [], "read and scored": []}
    for _ in range(options.rounds):
        times["read"].append(seconds(pixels))
        times["read and scored"].append(seconds(scored))
    spark.stop()
    medians = {name: statistics.median(values) for name, values in times.items()}
    added = 1000 * (medians["read and scored"] - medians["read"]) / options.images
    result = {
        "images": options.images,
        "seconds": times,
        "added_ms_per_image": round(added, 3),
    }
    write_figures(options.out / "scoring.json", result)
    print(f"{options.images:,} images: scoring adds {added:.3f} ms an image on one core")


if __name__ == "__main__":
    main()
