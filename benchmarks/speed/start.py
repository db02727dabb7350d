"""Seconds of a whole process: Spark's own start, and a job of 40 images, in turn.

python -m benchmarks.speed.start [--checkout FOLDER]

The checkout, of another commit with its `.venv`, scores the same images in the same rounds.
"""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from benchmarks.common.archives import BUILD, ROOT, listed, phantoms
from benchmarks.common.jobs import remove_table
from benchmarks.common.measuring import in_turn, medians, parser

SPARK = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(10).count()
spark.stop()
"""


def run(python: Path, folder: Path, *arguments: str) -> float:
    """Run Python in a folder with the settings of a laptop, and take the time."""
    settings = {"SPARK_CONF_DIR": "conf/local", "PYSPARK_PYTHON": str(python)}
    start = time.perf_counter()
    subprocess.run(
        [python, *arguments],
        cwd=folder, env=os.environ | settings, check=True, capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - start


def job(python: Path, folder: Path, manifest: Path, archive: Path, table_format: str) -> float:
    """Score into a new table."""
    table = BUILD / "start-scores"
    remove_table(table)
    paths = ["--archive", str(archive), "--manifest", str(manifest), "--scores", str(table)]
    return run(python, folder, "jobs/score_archive.py", *paths, "--format", table_format)


def main() -> None:
    options = parser(__doc__, images=40, rounds=3, checkout="").parse_args()
    files = phantoms("start", options.images, 768)
    archive = BUILD / f"start-{options.images}"
    manifest = listed(archive, (str(file.relative_to(archive)) for file in files))
    here = Path(sys.executable)
    work = {"Spark alone": partial(run, here, ROOT, "-c", SPARK)}
    places = {"job": (here, ROOT)}
    if options.checkout:
        other = Path(options.checkout).absolute()
        places["checkout's job"] = (other / ".venv/bin/python", other)
        work["its Spark alone"] = partial(run, *places["checkout's job"], "-c", SPARK)
    for name, place in places.items():
        for table_format in ("parquet", "delta"):
            work[f"{name}, {table_format}"] = partial(job, *place, manifest, archive, table_format)
    for name, seconds in medians(in_turn(options.rounds, work)).items():
        print(f"{name:<26} {seconds:6.1f} s")


if __name__ == "__main__":
    main()
