"""Audit 377,110 synthetic scores and write the report on two cores.

Run with `make bench-report`. Headers, scores and pixels are drawn with MIMIC's proportions (0.1 %
wrong headers, 4.2 % missing ones); the job runs in a process of its own, whose start is counted.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from cxrspark.pixels.image import RECIPE, SIDE, Header
from cxrspark.tables.schemas import PIXELS, SCORES
from cxrspark.tables.table import in_columns

from benchmarks.common.archives import BUILD, MIMIC, ROOT, mimic_paths
from benchmarks.common.jobs import session
from benchmarks.common.measuring import parser

FOLDER = BUILD / "report"
VIEWS = {"AP": 0.39, "PA": 0.255, "LATERAL": 0.22, "LL": 0.093, "": 0.0419, "LAO": 0.0001}
ERRORS = ("undecodable: broken data stream", "missing: listed but not there", "empty file")


def images(count: int) -> pd.DataFrame:
    """One row per image: ids, path, header, view, p_frontal, error."""
    random = np.random.default_rng(0)
    paths = list(mimic_paths(count))
    share = np.array(list(VIEWS.values()))
    header = random.choice(list(VIEWS), count, p=share / share.sum())
    frontal = np.isin(header, ["AP", "PA"]) | ((header == "") & (random.random(count) < 0.6))
    frontal ^= random.random(count) < 0.001
    sure = 1 / (1 + np.exp(-random.normal(7, 2.2, count)))
    p = np.where(frontal, sure, 1 - sure).astype(np.float32)
    failed = random.random(count) < 0.0005
    view = np.where(p < 0.2, "lateral", np.where(p > 0.8, "frontal", "uncertain")).astype(object)
    return pd.DataFrame(
        {
            "image_id": [Path(path).stem for path in paths],
            "study_id": [path.split("/")[3][1:] for path in paths],
            "subject_id": [path.split("/")[2][1:] for path in paths],
            "path": paths,
            "header": header,
            "view": np.where(failed, None, view),
            "p_frontal": np.where(failed, np.nan, p).astype(np.float32),
            "error": np.where(failed, random.choice(ERRORS, count), None),
        }
    )


def write_scores(spark: SparkSession, drawn: pd.DataFrame) -> None:
    rows = drawn.drop(columns="header").assign(
        rows=3056,
        columns=2544,
        model_id="bench",
        pixels_recipe=RECIPE,
        archive="gs://archive",
        run_id="run",
        scored_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    rows["p_frontal"] = rows["p_frontal"].astype(object).where(rows["view"].notna(), None)
    given = StructType([SCORES[name] for name in rows.columns])
    scores = in_columns(spark.createDataFrame(rows, given), SCORES)
    scores.repartition(24).sortWithinPartitions("image_id").write.parquet(str(FOLDER / "scores"))


def write_pixels(spark: SparkSession) -> None:
    """As many bytes as real pixels have, smooth enough to be JPEGs of a usual size."""

    def draw(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            random = np.random.default_rng(int(batch["image_id"].iloc[0][:8], 16))
            coarse = random.integers(20, 235, (len(batch), 8, 8)).repeat(8, 1).repeat(8, 2)
            noise = random.integers(-20, 21, (len(batch), SIDE, SIDE))
            pixels = (coarse + noise).astype(np.uint8)
            values = [grey.tobytes() for grey in pixels]
            no_header = dict.fromkeys(Header._fields)
            yield batch.assign(pixels=values, **no_header)[PIXELS.names]

    scores = spark.read.parquet(str(FOLDER / "scores")).where("error IS NULL")
    kept = [name for name in PIXELS.names if name in scores.columns]
    scores.select(*kept).mapInPandas(draw, PIXELS).write.parquet(str(FOLDER / "pixels"))


def write_inputs(count: int) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    drawn = images(count)
    more = {"spark.sql.execution.arrow.maxRecordsPerBatch": "1000", "spark.driver.memory": "2g"}
    spark = session(more)
    write_scores(spark, drawn)
    write_pixels(spark)
    spark.stop()
    metadata = drawn.rename(columns={"image_id": "dicom_id", "header": "ViewPosition"})
    columns = ["dicom_id", "subject_id", "study_id", "ViewPosition"]
    metadata[columns].to_csv(FOLDER / "metadata.csv.gz", index=False)


def watch(job: "subprocess.Popen[bytes]") -> tuple[float, float]:
    """CPU seconds, and megabytes at most, of a process and all below it until it ends."""
    cpu: dict[int, float] = {}
    most = 0.0
    top = psutil.Process(job.pid)
    while job.poll() is None:
        memory = 0.0
        for process in [top, *top.children(recursive=True)]:
            with suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                cpu[process.pid] = times.user + times.system
                memory += process.memory_info().rss / 1e6
        most = max(most, memory)
        time.sleep(0.2)
    return sum(cpu.values()), most


def main() -> None:
    count = parser(__doc__, images=MIMIC).parse_args().images
    write_inputs(count)
    options = {name: FOLDER / name for name in ("scores", "pixels", "out")}
    options["metadata"] = FOLDER / "metadata.csv.gz"
    listed = [str(part) for name, path in options.items() for part in (f"--{name}", path)]
    script = str(ROOT / "jobs" / "audit_views.py")
    on_two_cores = "--master local[2] --driver-memory 2g pyspark-shell"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": on_two_cores}
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, script, *listed], env=environment) as job:
        cpu, most = watch(job)
    seconds = time.perf_counter() - start
    if job.returncode:
        sys.exit(job.returncode)
    size = (FOLDER / "out" / "report.html").stat().st_size / 1e6
    print(f"{count:,} images: {seconds:.0f} s, {cpu:.0f} CPU s, report {size:.2f} MB")
    print(f"  memory of all processes: at most {most:.0f} MB")


if __name__ == "__main__":
    main()
