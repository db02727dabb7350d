"""Two standalone workers against one, each pinned to a core of its own.

Run with `make bench-cluster`. Every run is a spark-submit of the packaged job on a new cluster,
counted from manifest to checked table. Master and driver are pinned to the second worker's core in
both cases: beside one worker they disturb nobody, so the ratio can only look worse for it. At the
end it says what the model of docs/scale.md makes of two workers, given what one takes.
"""

import math
import shutil
from dataclasses import replace
from functools import partial

import pandas as pd

from benchmarks.common.archives import BUILD, mimic_sized
from benchmarks.common.measuring import in_turn, medians, parser
from benchmarks.scale.cluster_model import Archive, Cluster, simulate
from helpers.standalone import cluster

PINNED = ["taskset", "-c", "0"], ["taskset", "-c", "1"]


def images_per_second(workers: int, archive: str, manifest: str) -> float:
    folder = BUILD / "cluster"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = ["--archive", archive, "--manifest", manifest, "--scores", str(folder / "scores")]
    with cluster(folder, [PINNED[1], *PINNED[:workers]]) as running:
        job = running.submit(options, cores=workers, before=PINNED[1])
        if job.wait():
            raise SystemExit(running.log())
    (rate,) = pd.read_parquet(folder / "scores_runs")["images_per_second"]
    return float(rate)


def main() -> None:
    options = parser(__doc__, images=7200, rounds=3).parse_args()
    archive, manifest = map(str, mimic_sized(options.images))
    images_per_second(2, archive, manifest)  # to fill the file cache
    print(f"{options.images} JPEGs of 3056x2544, a core a worker, images/s")
    work = {
        f"{workers} worker(s)": partial(images_per_second, workers, archive, manifest)
        for workers in (1, 2)
    }
    one, two = medians(in_turn(options.rounds, work)).values()
    print(f"medians {one:.1f} and {two:.1f}, ratio {two / one:.2f}")
    images = options.images
    print(f"the model of two: {images / modelled(images, images / one):.1f}")


def modelled(images: int, one_worker: float) -> float:
    """Seconds that the model of docs/scale.md gives two workers, from those that one takes."""
    here = Cluster(
        cores=1, latency=0.0, core_bandwidth=math.inf, bucket_bandwidth=math.inf, start=0.0,
        stragglers=0.0, losses_an_hour=0.0,
    )  # fmt: skip

    def archive(core_seconds: float) -> Archive:
        return Archive(images, 1.0, core_seconds)

    beside_tasks = simulate(archive(0.0), here).seconds
    each = (one_worker - beside_tasks) / images
    return simulate(archive(each), replace(here, cores=2)).seconds


if __name__ == "__main__":
    main()
