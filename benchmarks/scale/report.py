"""Audit 377,110 synthetic scores and write the report on two cores.

Headers, scores and pixels are drawn with MIMIC's proportions (0.1 % wrong headers, 4.2 % missing
ones); the job runs in a process of its own, whose start is counted.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.pixels.image import RECIPE, SIDE, Header
from cxrspark.tables.schemas import PIXELS, SCORES

from benchmarks.common.archives import BUILD

IMAGES = 377_110
ROOT = BUILD / "report"
VIEWS = {"AP": 0.39, "PA": 0.255, "LATERAL": 0.22, "LL": 0.093, "": 0.0419, "LAO": 0.0001}
ERRORS = ("undecodable: broken data stream", "missing: listed but not there", "empty file")


def images() -> pd.DataFrame:
    """One row per image: ids, path, header, view, p_frontal, error."""
    random = np.random.default_rng(0)
    parts = random.integers(0, 2**32, (IMAGES, 5))
    ids = ["-".join(f"{part:08x}" for part in row) for row in parts.tolist()]
    study = 50_000_000 + np.arange(IMAGES) * 10 // 17
    subject = 10_000_000 + np.arange(IMAGES) * 10 // 58
    share = np.array(list(VIEWS.values()))
    header = random.choice(list(VIEWS), IMAGES, p=share / share.sum())
    frontal = np.isin(header, ["AP", "PA"]) | ((header == "") & (random.random(IMAGES) < 0.6))
    frontal ^= random.random(IMAGES) < 0.001
    sure = 1 / (1 + np.exp(-random.normal(7, 2.2, IMAGES)))
    p = np.where(frontal, sure, 1 - sure).astype(np.float32)
    failed = random.random(IMAGES) < 0.0005
    view = np.where(p < 0.2, "lateral", np.where(p > 0.8, "frontal", "uncertain")).astype(object)
    paths = zip(subject.tolist(), study.tolist(), ids, strict=True)
    return pd.DataFrame(
        {
            "image_id": ids,
            "study_id": study.astype(str),
            "subject_id": subject.astype(str),
            "path": [f"files/p{a // 10**6}/p{a}/s{b}/{c}.jpg" for a, b, c in paths],
            "header": header,
            "view": np.where(failed, None, view),
            "p_frontal": np.where(failed, np.nan, p).astype(np.float32),
            "error": np.where(failed, random.choice(ERRORS, IMAGES), None),
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
        scored_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
    )
    rows["p_frontal"] = rows["p_frontal"].astype(object).where(rows["view"].notna(), None)
    scores = spark.createDataFrame(rows[SCORES.names], SCORES)
    scores.repartition(24).sortWithinPartitions("image_id").write.parquet(str(ROOT / "scores"))


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

    scores = spark.read.parquet(str(ROOT / "scores")).where("error IS NULL")
    kept = [name for name in PIXELS.names if name in scores.columns]
    scores.select(*kept).mapInPandas(draw, PIXELS).write.parquet(str(ROOT / "pixels"))


def write_inputs() -> None:
    ROOT.mkdir(parents=True)
    drawn = images()
    metadata = drawn.rename(columns={"image_id": "dicom_id", "header": "ViewPosition"})
    columns = ["dicom_id", "subject_id", "study_id", "ViewPosition"]
    settings = session_settings() | {"spark.sql.execution.arrow.maxRecordsPerBatch": "1000"}
    builder = SparkSession.builder.master("local[2]").config(map=settings)
    spark = builder.config("spark.driver.memory", "2g").getOrCreate()
    write_scores(spark, drawn)
    write_pixels(spark)
    spark.stop()
    metadata[columns].to_csv(ROOT / "metadata.csv.gz", index=False)


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
    if not (ROOT / "metadata.csv.gz").exists():  # written last
        shutil.rmtree(ROOT, ignore_errors=True)
        write_inputs()
    options = {name: ROOT / name for name in ("scores", "pixels", "out")}
    options["metadata"] = ROOT / "metadata.csv.gz"
    listed = [str(part) for name, path in options.items() for part in (f"--{name}", path)]
    script = Path(__file__).parents[2] / "jobs" / "audit_views.py"
    on_two_cores = "--master local[2] --driver-memory 2g pyspark-shell"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": on_two_cores}
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, str(script), *listed], env=environment) as job:
        cpu, most = watch(job)
    seconds = time.perf_counter() - start
    if job.returncode:
        sys.exit(job.returncode)
    size = (ROOT / "out" / "report.html").stat().st_size / 1e6
    print(f"{IMAGES:,} images: {seconds:.0f} s, {cpu:.0f} CPU s, report {size:.2f} MB")
    print(f"  memory of all processes: at most {most:.0f} MB")


if __name__ == "__main__":
    main()
