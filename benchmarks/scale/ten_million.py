"""A table of millions of rows: a run with nothing to do, and one with a hundredth of them new.

Run with `make bench-plan`. The job runs as a process of its own, so that the memory of its Python
and its JVM are a user's; the new images are empty files. What is measured, for a million images and
for ten:

* nothing to do: seconds of `score_archive`, and memory of Python and JVM together;
* a hundredth new: seconds until the plan is written and the first commit's tasks begin.

The table's rows are made by Spark: ids as of MIMIC-CXR, and views at random.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import psutil
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.model.bundle import load_bundle
from cxrspark.pixels.image import RECIPE
from cxrspark.tables.schemas import SCORES

from benchmarks.common.archives import BUILD
from benchmarks.common.jobs import session
from benchmarks.common.measuring import FIGURES, parser, write_figures

ROOT = Path(__file__).parents[2]
FOLDER = BUILD / "millions"
NEW = 100
"""One of so many images is new in the second run."""


def images(spark: SparkSession, number: int) -> DataFrame:
    """Ids and paths in MIMIC's layout."""
    parts = [F.substring(F.sha2(F.concat(F.col("id"), F.lit(salt)), 256), 1, 8) for salt in "abcde"]
    subject = (10_000_000 + F.floor(F.col("id") / 6)).cast("string")
    study = (50_000_000 + F.floor(F.col("id") / 2)).cast("string")
    folders = F.concat(F.lit("files/p"), F.substring(subject, 1, 2), F.lit("/p"), subject)
    named = spark.range(number).withColumn("image_id", F.concat_ws("-", *parts))
    path = F.concat(folders, F.lit("/s"), study, F.lit("/"), F.col("image_id"), F.lit(".jpg"))
    return named.withColumns({"study_id": study, "subject_id": subject, "path": path})


def write_table(spark: SparkSession, number: int) -> None:
    """A table of all images but a hundredth, a manifest of these, and one of all."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    listed = images(spark, number)
    done = listed.where(F.col("id") % NEW != 0)
    values = {
        "view": F.when(F.rand(0) < 0.6, "frontal").otherwise("lateral"),
        "p_frontal": F.rand(1).cast("float"),
        "rows": F.lit(3056),
        "columns": F.lit(2544),
        "error": F.when(F.rand(2) < 0.01, "undecodable: truncated"),
        "model_id": F.lit(load_bundle().model_id),
        "pixels_recipe": F.lit(RECIPE),
        "archive": F.lit(str(FOLDER / "archive")),
        "run_id": F.lit("made"),
        "scored_at": F.current_timestamp(),
    }
    made = done.withColumns(values)
    lacking = {f.name: F.lit(None).cast(f.dataType) for f in SCORES if f.name not in made.columns}
    rows = made.withColumns(lacking).select(*SCORES.names)
    rows.repartitionByRange(max(1, number // 65_536), "image_id").write.parquet(
        str(FOLDER / "scores")
    )
    for name, part in (("done", done), ("all", listed)):
        part.select("path").coalesce(1).write.text(str(FOLDER / name))
    archive = FOLDER / "archive"
    archive.mkdir()
    for row in listed.where(F.col("id") % NEW == 0).toLocalIterator():  # empty, but there
        (archive / row.path).parent.mkdir(parents=True, exist_ok=True)
        (archive / row.path).touch()


def memory(job: psutil.Process) -> float:
    """Megabytes of a job's Python and its JVM now."""
    try:
        driver = [job, *(p for p in job.children(recursive=True) if p.name() == "java")]
        return float(sum(process.memory_info().rss for process in driver) / 1e6)
    except psutil.NoSuchProcess:  # one ended meanwhile
        return 0.0


def run(manifest: str, ended: str | None = None) -> dict[str, float]:
    """The job until its end, or until its log tells that images are read; seconds and megabytes."""
    (listed,) = (FOLDER / manifest).glob("part-*.txt")
    log = FOLDER / f"{manifest}.log"
    options = ["--archive", str(FOLDER / "archive"), "--manifest", str(listed)]
    options += ["--scores", str(FOLDER / "scores")]
    environment = {**os.environ, "SPARK_CONF_DIR": str(ROOT / "conf" / "local")}
    environment["PYSPARK_SUBMIT_ARGS"] = "--master local[2] pyspark-shell"
    start, most = time.monotonic(), 0.0
    with log.open("w") as file:
        command = [sys.executable, "jobs/score_archive.py", *options]
        job = psutil.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    while job.poll() is None:
        most = max(most, memory(job))
        if ended and ended in log.read_text():
            break
        time.sleep(0.5)
    seconds = time.monotonic() - start
    for process in [*job.children(recursive=True), job] if job.is_running() else []:
        process.kill()
    if job.wait() and not ended:
        raise SystemExit(log.read_text())
    return {"seconds": round(seconds, 1), "driver_megabytes": round(most)}


def main() -> None:
    options = parser(__doc__, images=10_000_000).parse_args()
    result = {}
    for number in (options.images // 10, options.images):
        spark = session()
        write_table(spark, number)
        spark.stop()
        result[number] = {"nothing to do": run("done"), "a hundredth new": run("all", " images · ")}
        print(json.dumps({number: result[number]}, indent=1), flush=True)
    write_figures(FIGURES / "plan.json", {"runs": result})


if __name__ == "__main__":
    main()
