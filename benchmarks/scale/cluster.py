"""Two standalone workers against one, each pinned to a core of its own.

Run with `make bench-cluster`. Every run is a spark-submit of the packaged job on a new cluster,
counted from manifest to checked table. Master and driver are pinned to the second worker's core in
both cases: beside one worker they disturb nobody, so the ratio can only look worse for it.
"""

import argparse
import shutil
import statistics

import pandas as pd

from benchmarks.common.archives import BUILD, repeated
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--times", type=int, default=6, help="names of each image")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    archive, manifest = map(str, repeated(options.images, options.times))
    images_per_second(2, archive, manifest)  # to fill the file cache
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for workers, measured in rates.items():
            measured.append(images_per_second(workers, archive, manifest))
    print(f"\n{options.images * options.times} JPEGs of 3056x2544, a core a worker")
    medians = {workers: statistics.median(measured) for workers, measured in rates.items()}
    for workers, measured in rates.items():
        runs = ", ".join(f"{rate:.1f}" for rate in measured)
        print(f"  {workers} worker(s)  {medians[workers]:6.1f} images/s  ({runs})")
    print(f"  ratio        {medians[2] / medians[1]:6.2f}")


if __name__ == "__main__":
    main()
