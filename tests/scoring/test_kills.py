"""Runs that are killed: what was committed stays, and the next run finishes the rest."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.sql import SparkSession

from benchmarks.common.jobs import python_workers
from helpers.runs import run

KILLS = int(os.environ.get("CXRSPARK_KILLS", "1"))
"""Kills of each test; `make test-kills` sets 20."""

TASK_LIVES = 4
"""Times that Spark tries a task (conf/local); whoever kills as often may hit the same each time."""

IMAGES, COMMIT_IMAGES = 16, 4
SEED = 11
ROOT = Path(__file__).parents[2]


def listed(archive: Path) -> list[str]:
    """Paths of the images to score."""
    return sorted(set((archive / "IMAGE_FILENAMES").read_text().split()))[:IMAGES]


@contextmanager
def job(
    archive: Path, table: Path, table_format: str, *more: str, log_name: str = "log.txt"
) -> Iterator[psutil.Popen]:
    """The job as a process of its own; it and all its children are gone at the end."""
    options = ["--archive", str(archive), "--manifest", str(manifest_of(archive, table))]
    options += ["--scores", str(table), "--format", table_format]
    environment = {
        **os.environ,
        "SPARK_CONF_DIR": str(ROOT / "conf" / "local"),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    options += ["--commit-images", str(COMMIT_IMAGES), *more]
    with table.with_name(log_name).open("w") as log:
        process = psutil.Popen(
            [sys.executable, "jobs/score_archive.py", *options],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    children: list[psutil.Process] = []
    try:
        yield process
    finally:
        if process.is_running():
            children = process.children(recursive=True)
            process.kill()
        for child in children:
            if child.is_running():
                child.kill()
        process.wait()


def log_of(table: Path, name: str = "log.txt") -> str:
    """What the last job said."""
    return table.with_name(name).read_text()


def committed(table: Path, table_format: str) -> pd.DataFrame:
    """Rows that a reader sees now."""
    columns = ["image_id", "model_id", "run_id"]
    if table_format == "delta":
        try:
            return DeltaTable(table).to_pandas(columns=columns)
        except TableNotFoundError:
            return pd.DataFrame(columns=columns)
    files = list(table.glob("*.parquet"))
    return pd.concat([pd.DataFrame(columns=columns), *map(read_columns, files)])


def read_columns(file: Path) -> pd.DataFrame:
    return pd.read_parquet(file, columns=["image_id", "model_id", "run_id"])


def manifest_of(archive: Path, table: Path) -> Path:
    """The list of images, beside the table."""
    manifest = table.with_name("manifest.txt")
    if not manifest.exists():
        manifest.write_text("\n".join(listed(archive)))
    return manifest


def run_here(spark: SparkSession, archive: Path, table: Path, table_format: str) -> None:
    """The next run, in this process: to its end, or the test's."""
    given = {"manifest": str(manifest_of(archive, table)), "commit_images": COMMIT_IMAGES}
    run(spark, archive, table, format=table_format, **given)


def finish(
    spark: SparkSession, archive: Path, table: Path, table_format: str, before: pd.DataFrame
) -> None:
    """Run to the end: every image has one row, and rows of the killed runs are as they were."""
    run_here(spark, archive, table, table_format)
    rows = committed(table, table_format)
    assert set(rows["image_id"]) == {Path(path).stem for path in listed(archive)}
    assert not rows.duplicated(["image_id", "model_id"]).any()
    kept = rows.set_index("image_id").loc[before["image_id"], "run_id"]
    assert list(kept) == list(before["run_id"])


def more_than(rows: pd.DataFrame, table: Path, table_format: str) -> bool:
    """Whether a commit has come since."""
    return len(committed(table, table_format)) > len(rows)


@pytest.mark.end_to_end
def test_a_driver_that_is_killed_loses_and_repeats_nothing(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: str
) -> None:
    moments = random.Random(SEED)
    killed = runs = 0
    while killed < KILLS:
        table = tmp_path / str(runs) / "scores"
        table.parent.mkdir()
        before = committed(table, table_format)
        while killed < KILLS and len(before) < IMAGES:
            runs += 1
            assert runs <= 4 * KILLS
            with job(phantoms, table, table_format) as process:
                if runs % 2:  # while commits come, or at any moment of the start
                    while process.poll() is None and not more_than(before, table, table_format):
                        time.sleep(0.05)
                    time.sleep(moments.uniform(0, 1))
                else:
                    time.sleep(moments.uniform(0, 10))
                at_work = process.poll() is None
            now = committed(table, table_format)
            killed += at_work and len(now) < IMAGES
            assert len(now) >= len(before)
            assert not now.duplicated(["image_id", "model_id"]).any()
            before = now
        finish(spark, phantoms, table, table_format, before)


def test_a_run_that_is_interrupted_ends_in_a_line(phantoms: Path, tmp_path: Path) -> None:
    table = tmp_path / "scores"
    with job(phantoms, table, "parquet") as process:
        while process.poll() is None and not len(committed(table, "parquet")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert log_of(table).endswith("\nerror: interrupted; run it again to finish\n")
    assert "Traceback" not in log_of(table)


def test_a_run_survives_the_loss_of_workers(phantoms: Path, tmp_path: Path) -> None:
    moments = random.Random(SEED)
    killed, tables = 0, 0
    while killed < KILLS and tables < KILLS:
        table = tmp_path / str(tables) / "scores"
        table.parent.mkdir()
        tables += 1
        most = min(killed + TASK_LIVES - 1, KILLS)
        with job(phantoms, table, "parquet") as process:
            while process.poll() is None and killed < most:
                if python_workers(process):
                    time.sleep(moments.uniform(0, 1))
                    killed += kill_a_worker(process, moments)
                time.sleep(0.05)
            assert process.wait(timeout=300) == 0, log_of(table)
        rows = committed(table, "parquet")
        assert sorted(rows["image_id"]) == sorted(Path(path).stem for path in listed(phantoms))
    assert killed >= KILLS


def kill_a_worker(process: psutil.Popen, moments: random.Random) -> bool:
    """SIGKILL to one of the Python workers, if there is one."""
    for worker in moments.sample(found := python_workers(process), len(found)):
        with suppress(psutil.NoSuchProcess):
            worker.send_signal(signal.SIGKILL)
            return True
    return False


def test_of_two_runs_at_once_one_writes_and_the_next_ends_well(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: str
) -> None:
    """And a reader of a Delta table never sees part of a commit."""
    for number in range(KILLS):
        table = tmp_path / str(number) / "scores"
        table.parent.mkdir()
        nothing = committed(table, table_format)
        with (
            job(phantoms, table, table_format, log_name="a.txt") as first,
            job(phantoms, table, table_format, log_name="b.txt") as second,
        ):
            seen = {0}
            until = time.monotonic() + 900
            while time.monotonic() < until and None in (first.poll(), second.poll()):
                seen.add(len(committed(table, table_format)))
                time.sleep(0.1)
            codes = [first.wait(timeout=1), second.wait(timeout=1)]
        said = log_of(table, "a.txt") + log_of(table, "b.txt")
        assert sorted(codes) in ([0, 2], [0, 0]), said  # or one began when the other had ended
        if 2 in codes:
            assert "error: table " in said
            assert " writes to it since " in said
        if table_format == "delta":
            assert len(seen) > 2
            assert not [number for number in seen if number % COMMIT_IMAGES]
        rows = committed(table, table_format)
        assert sorted(rows["image_id"]) == sorted(Path(path).stem for path in listed(phantoms))
        finish(spark, phantoms, table, table_format, nothing)


def test_a_retry_that_is_killed_leaves_one_row_an_image(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: str
) -> None:
    moments = random.Random(SEED)
    archive = tmp_path / "archive"
    for path in listed(phantoms):
        if (phantoms / path).exists():
            (archive / path).parent.mkdir(parents=True, exist_ok=True)
            (archive / path).hardlink_to(phantoms / path)
    table = tmp_path / "scores"
    table.with_name("manifest.txt").write_text("\n".join(listed(phantoms)))
    run_here(spark, archive, table, table_format)
    before = committed(table, table_format)
    for _ in range(KILLS):
        with job(archive, table, table_format, "--retry-errors", "undecodable,missing") as process:
            while process.poll() is None and "images ·" not in log_of(table):
                time.sleep(0.05)
            time.sleep(moments.uniform(0, 4))
        run_here(spark, archive, table, table_format)
        rows = committed(table, table_format)
        assert sorted(rows["image_id"]) == sorted(before["image_id"])
