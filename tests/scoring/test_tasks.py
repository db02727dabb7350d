import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyspark
import pytest
from PIL import Image
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.manifest import SIZED
from cxrspark.scoring.tasks import TASK_BYTES, TASK_IMAGES, count_tasks, in_tasks

from benchmarks.common.event_log import event_log_settings, tasks

ROOT = Path(__file__).parents[2]


def images(spark: SparkSession, size: list[float | None]) -> DataFrame:
    rows = [(f"{n:05}", None, None, f"{n:05}", each) for n, each in enumerate(size)]
    return spark.createDataFrame(rows, SIZED)


def skewed(number: int, large: float) -> list[float]:
    """Sizes as of an archive whose last hundredth is of another kind: neighbours, and large."""
    small = np.random.default_rng(3).uniform(0.2e6, 3e6, number)
    small[-number // 100 :] = large
    return list(map(float, small))


def dealt(images: DataFrame, tasks: int, usual: float | None = None) -> list[list[int]]:
    """Numbers of the images in each partition."""
    partition = in_tasks(images, tasks, usual).withColumn("task", F.spark_partition_id())
    found: list[list[int]] = [[] for _ in range(tasks)]
    for row in partition.collect():
        found[row.task].append(int(row.image_id))
    return found


@pytest.mark.parametrize("large", [3e6, 15e6, 250e6])
def test_tasks_are_even_in_number_and_in_bytes(spark: SparkSession, large: float) -> None:
    sizes = np.array(skewed(4096, large))
    tasks = dealt(images(spark, sizes.tolist()), 16)
    loads = [sizes[task].sum() for task in tasks]
    assert max(loads) <= 3 * np.median(loads)
    assert max(loads) - min(loads) <= max(sizes)
    assert sorted(number for task in tasks for number in task) == list(range(4096))
    assert np.ptp([len(task) for task in tasks]) <= 1


def test_unknown_sizes_count_as_the_usual_one(spark: SparkSession) -> None:
    sizes = [15e6, None] * 100
    tasks = dealt(images(spark, sizes), 4, usual=15e6)
    assert {sum(n % 2 for n in task) for task in tasks} == {25}


def test_neighbours_of_the_list_go_to_different_tasks(spark: SparkSession) -> None:
    of = {n: task for task, ns in enumerate(dealt(images(spark, [None] * 1000), 4)) for n in ns}
    assert sum(of[n] != of[n + 1] for n in range(999)) >= 999 - 1000 // 4


@pytest.mark.parametrize(
    ("number", "left", "cores", "tasks"),
    [
        (1, 1, 4, 1),
        (3, 3, 4, 3),
        (TASK_IMAGES, 10**6, 2, 2),
        (8192, 10**6, 2, 16),
        (8193, 10**6, 2, 18),
        (65_536, 10**6, 128, 128),
        (49_430, 49_430, 128, 896),  # the last commit of MIMIC-CXR: tasks become small
        (100, 100, 2, 2),
    ],
)
def test_tasks_are_a_multiple_of_the_cores(number: int, left: int, cores: int, tasks: int) -> None:
    assert count_tasks(number, 0, left, cores) == tasks


def test_large_files_make_more_tasks() -> None:
    assert count_tasks(1000, 15e9, 10**6, 2) == 28
    assert TASK_BYTES + 15e6 >= 15e9 / 28


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
    assert len(reading) == count_tasks(2160, 0, 2160, 2)
    last = max(reading, key=lambda task: task.start + task.seconds)
    assert last.seconds <= 3 * np.median([task.seconds for task in reading])
