"""Score 377,110 kept pixels, then ask again when there is nothing to do.

Run with `make bench-rescore`. Ids, paths and pixels are random.
"""

import shutil
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cxrspark.archive.manifest import read_manifest
from cxrspark.pixels.image import RECIPE, Header
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables.schemas import PIXELS

from benchmarks.common.archives import BUILD, MIMIC, mimic_paths
from benchmarks.common.jobs import Watch, jvm_megabytes, session, worker_megabytes
from benchmarks.common.measuring import parser

ARCHIVE = BUILD / "rescore"


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
            archive=str(ARCHIVE),
        )


def main() -> None:
    options = parser(__doc__, images=MIMIC, format="parquet").parse_args()
    spark = session(table_format=options.format)
    shutil.rmtree(ARCHIVE, ignore_errors=True)
    ARCHIVE.mkdir(parents=True)
    (ARCHIVE / "IMAGE_FILENAMES").write_text("\n".join(mimic_paths(options.images)))
    settings = ScoreSettings(
        archive=str(ARCHIVE),
        pixels=str(ARCHIVE / "pixels"),
        scores=str(ARCHIVE / "scores"),
        format=options.format,
    )
    images = read_manifest(spark, str(ARCHIVE)).repartition(24)
    images.mapInPandas(random_pixels, PIXELS).write.format(options.format).save(settings.pixels)
    with Watch(0.5, driver=jvm_megabytes, worker=worker_megabytes) as watch:
        start = time.perf_counter()
        score_archive(spark, settings)
        print(f"{options.images:,} kept pixels scored in {time.perf_counter() - start:.0f} s")
    for name in ("driver", "worker"):
        early, late = (max(part) for part in np.array_split(watch.samples[name], 2))
        print(f"  {name}: at most {early:.0f} MB in the first half, {late:.0f} MB in the second")
    start = time.perf_counter()
    summary = score_archive(spark, settings)
    print(f"second run: {summary.scored} scored, {time.perf_counter() - start:.0f} s")
    spark.stop()


if __name__ == "__main__":
    main()
