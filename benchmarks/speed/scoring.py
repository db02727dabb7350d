"""Milliseconds that scoring adds to an image on one core, conversion of batches included.

Run with `make bench-scoring`, on Linux: a job in local[1], held to one core, reads kept pixels and
hands them on, with the scoring and without; the two alternate. Writes docs/figures/scoring.json.
"""

import os
import shutil
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from cxrspark.model.bundle import load_bundle
from cxrspark.pixels.image import RECIPE, SIDE
from cxrspark.scoring.run import ARROW_ROWS, BATCH_IMAGES
from cxrspark.scoring.scores import score
from cxrspark.tables.schemas import PIXELS

from benchmarks.common.archives import BUILD
from benchmarks.common.jobs import session
from benchmarks.common.measuring import FIGURES, in_turn, medians, parser, write_figures


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
    options = parser(__doc__, images=20_000, rounds=5, out=FIGURES).parse_args()
    os.sched_setaffinity(0, {0})  # the JVM and its Python workers inherit it
    spark = session({ARROW_ROWS: BATCH_IMAGES}, cores=1)
    kept = BUILD / "scoring-pixels"
    write_pixels(options.images, kept)
    pixels = spark.read.schema(PIXELS).parquet(str(kept))
    scored = score(pixels, load_bundle(), archive="random", run_id="benchmark")
    seconds(scored)
    work = {"read": partial(seconds, pixels), "read and scored": partial(seconds, scored)}
    times = in_turn(options.rounds, work)
    spark.stop()
    read, both = medians(times).values()
    added = 1000 * (both - read) / options.images
    result = {
        "images": options.images,
        "seconds": times,
        "added_ms_per_image": round(added, 3),
    }
    write_figures(options.out / "scoring.json", result)
    print(f"{options.images:,} images: scoring adds {added:.3f} ms an image on one core")


if __name__ == "__main__":
    main()
