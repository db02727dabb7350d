"""Images per second of the job in local[2], beside a bare two-process loop that only shrinks.

Run with `make bench-throughput`. The two alternate, so that a slow minute of the machine hits both.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from archives import BUILD, mimic_sized
from pyspark.sql import SparkSession

from cxrspark.pixels import shrink
from cxrspark.run import score_archive
from cxrspark.session import session_settings
from cxrspark.settings import ScoreSettings

PROCESSES = 2


def shrink_file(file: Path) -> int:
    return int(shrink(file.read_bytes()).values[0, 0])


def bare_loop(pool: ProcessPoolExecutor, files: list[Path]) -> float:
    start = time.perf_counter()
    list(pool.map(shrink_file, files, chunksize=16))
    return len(files) / (time.perf_counter() - start)


def job(spark: SparkSession, archive: Path, manifest: Path) -> float:
    table = BUILD / "scores-throughput"
    for folder in (table, Path(f"{table}_runs")):
        shutil.rmtree(folder, ignore_errors=True)
    settings = ScoreSettings(archive=str(archive), manifest=str(manifest), scores=str(table))
    summary = score_archive(spark, settings)
    return summary.images / summary.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    archive, manifest = mimic_sized(options.images)
    files = [archive / path for path in manifest.read_text().split()]
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{PROCESSES}]").config(map=session_settings())
    spark = builder.getOrCreate()
    rates: dict[str, list[float]] = {"bare loop": [], "cxrspark": []}
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        bare_loop(pool, files[:100])  # warm up both, and the file cache
        job(spark, archive, manifest)
        for _ in range(options.rounds):
            rates["bare loop"].append(bare_loop(pool, files))
            rates["cxrspark"].append(job(spark, archive, manifest))
    spark.stop()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratio = medians["cxrspark"] / medians["bare loop"]
    megabytes = sum(file.stat().st_size for file in files) / len(files) / 1e6
    print(f"\n{len(files)} JPEGs of 3056x2544, {megabytes:.2f} MB each, {PROCESSES} cores")
    for name, values in rates.items():
        print(f"  {name:<10} {medians[name]:6.1f} images/s  {[round(rate, 1) for rate in values]}")
    print(f"  ratio      {ratio:6.2f}")
    result = {"images": len(files), "megabytes": megabytes, "rates": rates, "ratio": ratio}
    (BUILD / "throughput.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
