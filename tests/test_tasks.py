import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.schemas import MANIFEST
from cxrspark.tasks import TASK_BYTES, TASK_IMAGES, in_tasks, spread


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
