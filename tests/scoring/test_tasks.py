import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyspark
import pytest
from PIL import Image
from pyspark.sql import SparkSession

from cxrspark.scoring.tasks import TASK_BYTES, TASK_IMAGES, in_tasks, spread
from cxrspark.tables.schemas import MANIFEST

from benchmarks.common.event_log import event_log_settings, tasks

ROOT = Path(__file__).parents[2]


def images(size: list[float] | None = None, number: int = 0) -> pd.DataFrame:
    number = len(size) if size else number
    rows = pd.DataFrame({name: [None] * number for name in MANIFEST.names}, dtype=object)
    names = [f"{place:05}" for place in range(number)]
    rows = rows.assign(image_id=names, path=names)
    return rows.assign(size=size) if size else rows


def skewed(number: int, large: float) -> list[float]:
    """Sizes as of an archive whose last hundredth is of another kind: neighbours, and large."""
    small = np.random.default_rng(3).uniform(0.2e6, 3e6, number)
    small[-number // 100 :] = large
    return list(small)


@pytest.mark.parametrize("large", [3e6, 15e6, 250e6])
def test_the_last_task_reads_at_most_thrice_the_median(large: float) -> None:
    sizes = skewed(8192, large)
    task = spread(images(sizes), cores=8)
    loads = np.bincount(task, weights=sizes)
    assert loads.max() <= 3 * np.median(loads)
    assert loads.max() - loads.min() <= max(sizes)
    assert np.ptp(np.bincount(task)) <= 1


@pytest.mark.parametrize(
    ("number", "cores", "tasks"),
    [(1, 4, 1), (3, 4, 3), (TASK_IMAGES, 2, 2), (8192, 2, 16), (8193, 2, 18)],
)
def test_tasks_are_a_multiple_of_the_cores(number: int, cores: int, tasks: int) -> None:
    counts = np.bincount(spread(images(number=number), cores))
    assert len(counts) == tasks
    assert counts.min() > 0
    assert np.ptp(counts) <= 1
    assert counts.max() <= TASK_IMAGES


def test_large_files_make_more_tasks_and_unknown_sizes_count_as_the_median() -> None:
    sizes = [15e6, float("nan")] * 500
    loads = np.bincount(spread(images(sizes), 2), weights=[15e6] * 1000)
    assert loads.max() <= TASK_BYTES + 15e6
    assert len(loads) == 28


def test_neighbours_of_the_list_go_to_different_tasks() -> None:
    task = spread(images(number=1000), cores=4)
    assert (np.diff(task) != 0).sum() >= 1000 - 1 - 1000 // 4


def test_every_image_is_in_the_partition_of_its_task(spark: SparkSession) -> None:
    rows = images(skewed(3000, 9e6))
    partitions = in_tasks(spark, rows).rdd.map(lambda row: row.image_id).glom().collect()
    task = spread(rows, spark.sparkContext.defaultParallelism)
    expected = [sorted(rows["image_id"][task == number]) for number in range(task.max() + 1)]
    assert [sorted(partition) for partition in partitions] == expected


def test_the_last_task_of_a_run_takes_at_most_thrice_the_median(tmp_path: Path) -> None:
    """The paths of large images stand together, at the end of the list."""
    archive, log = tmp_path / "archive", tmp_path / "log"
    random = np.random.default_rng(0)
    for name, side, number in [("a-small", 64, 2000), ("b-large", 2400, 160)]:
        folder = archive / name
        folder.mkdir(parents=True)
        noise = Image.fromarray(random.integers(0, 256, (side, side), np.uint8))
        noise.save(folder / "00000.jpg", quality=80)
        for copy in range(1, number):
            (folder / f"{copy:05}.jpg").hardlink_to(folder / "00000.jpg")
    settings = event_log_settings(log) | {"spark.master": "local[2]"}
    confs = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    subprocess.run(
        [Path(pyspark.__file__).parent / "bin" / "spark-submit", *confs, "jobs/score_archive.py",
         "--archive", archive, "--scores", tmp_path / "scores"],
        cwd=ROOT, check=True, env={**os.environ, "PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip
    reading = [task for task in tasks(log) if task.reads_images]
    assert len(reading) == 6
    last = max(reading, key=lambda task: task.start + task.seconds)
    assert last.seconds <= 3 * np.median([task.seconds for task in reading])
