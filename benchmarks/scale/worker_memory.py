"""Resident memory of the Python workers over 1,000 and 10,000 images of MIMIC's size.

Run with `make bench-memory`.
"""

import numpy as np

from benchmarks.common.archives import listed, mimic_sized
from benchmarks.common.jobs import Watch, score, session, worker_megabytes
from benchmarks.common.measuring import parser


def main() -> None:
    options = parser(__doc__, images=10_000).parse_args()
    archive, manifest = mimic_sized(options.images)
    paths = manifest.read_text().split()
    spark = session()
    for images in (options.images // 10, options.images):
        with Watch(0.2, worker=worker_megabytes) as watch:
            score(spark, archive, listed(archive, paths[:images]))
        fifths = [max(part, default=0.0) for part in np.array_split(watch.samples["worker"], 5)]
        said = ", ".join(f"{peak:.0f}" for peak in fifths)
        print(f"{images:>6} images: a worker takes at most {said} MB in each fifth of the run")
    spark.stop()


if __name__ == "__main__":
    main()
