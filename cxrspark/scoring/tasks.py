"""Images to tasks of even size, so that the last of them does not run alone for long."""

from __future__ import annotations

from math import ceil

import pandas as pd
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from cxrspark.sessions import cores
from cxrspark.tables.schemas import MANIFEST

COMMIT_IMAGES_A_CORE, FEWEST_COMMITTED, MOST_IMAGES = 4096, 8192, 65_536
"""Images of a commit; however many cores there are, what a killed run loses has a bound."""

TASK_IMAGES = 512
"""Images that one task reads at most: seconds of work, so that starting it does not show."""

FEWEST_IMAGES = 64
"""Images that one task reads at least, at the end of a run."""

TASK_BYTES = 2**29
"""Bytes that one task reads, where sizes are known: of DICOM files it takes fewer."""

SHARE = 8
"""A task takes a core's share of what is left, divided by this, so that all cores end together
(guided self-scheduling: Polychronopoulos and Kuck, IEEE Trans. Computers 36, 1987)."""


def commit_images(cores: int) -> int:
    """How many images a commit has, where the user does not say."""
    return min(max(FEWEST_COMMITTED, COMMIT_IMAGES_A_CORE * cores), MOST_IMAGES)


def count_tasks(images: int, size: float, left: int, cores: int) -> int:
    """How many tasks a commit is done in: a multiple of the cores.

    Args:
        images: Of the commit.
        size: Their bytes; 0 where unknown.
        left: Images that the run has to do from this commit on.
        cores: Of the cluster.
    """
    each = min(max(left / (SHARE * cores), FEWEST_IMAGES), TASK_IMAGES)
    wanted = max(images / each, size / TASK_BYTES)
    return max(1, min(cores * ceil(wanted / cores), images))


def in_tasks(images: DataFrame, tasks: int, usual: float | None = None) -> DataFrame:
    """Distribute a commit's images over partitions: even in number, and in bytes.

    Images are dealt from the largest to the smallest, forth and back, so that tasks differ by
    one image and by no more bytes than the largest image has. Where no size is known, the
    neighbours of the list, which are often alike, go to different tasks.

    A range has exactly the partitions asked for, one row in each; its join with the broadcast
    images puts each of them where it belongs, which a shuffle by hash would not.

    Args:
        images: Columns of `cxrspark.tables.schemas.MANIFEST`, and `size` (bytes) where known.
        tasks: From `count_tasks`.
        usual: Bytes of an image whose size is unknown.

    Returns:
        Columns of `cxrspark.tables.schemas.MANIFEST`; every partition is to be one task.
    """
    known = F.col("size") if "size" in images.columns else F.lit(None)
    size = F.coalesce(known, F.lit(usual or 0.0))
    largest_first = Window.partitionBy(F.lit(0)).orderBy(size.desc(), "image_id")
    dealt = images.withColumn("_number", F.row_number().over(largest_first) - 1)
    place = F.col("_number") % tasks
    forth = F.floor(F.col("_number") / tasks) % 2 == 0
    task = F.when(forth, place).otherwise(tasks - 1 - place).cast("long")
    listed = dealt.withColumn("_task", task).select("_task", *MANIFEST.names)
    numbers = images.sparkSession.range(0, tasks, 1, tasks).withColumnRenamed("id", "_task")
    return numbers.join(F.broadcast(listed), "_task").select(*MANIFEST.names)


def held_in_tasks(spark: SparkSession, images: pd.DataFrame) -> DataFrame:
    """As `in_tasks`, of images that the driver holds: a training's.

    Args:
        spark: The session.
        images: Columns of `cxrspark.tables.schemas.MANIFEST` at least.
    """
    listed = spark.createDataFrame(images[MANIFEST.names], MANIFEST)
    return in_tasks(listed, count_tasks(len(images), 0, len(images), cores(spark)))
