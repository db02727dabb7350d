"""Images to tasks of even size, so that the last of them does not run alone for long."""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.sessions import cores
from cxrspark.tables.schemas import MANIFEST

TASK_IMAGES = 512
"""Images that one task reads: seconds of work, so that starting it does not show."""

TASK_BYTES = 2**29
"""Bytes that one task reads, where sizes are known: of DICOM files it takes fewer."""

_WITH_TASK = T.StructType([*MANIFEST.fields, T.StructField("task", T.LongType())])


def in_tasks(spark: SparkSession, images: pd.DataFrame) -> DataFrame:
    """Distribute images over partitions of even size.

    A range has exactly the partitions asked for, one row in each; its join with the broadcast
    images puts each of them where `spread` says, which a shuffle by hash would not.

    Args:
        spark: The session; its cores decide how many partitions there are.
        images: Columns of `cxrspark.tables.schemas.MANIFEST`, and `size` (bytes) where known.

    Returns:
        Columns of `cxrspark.tables.schemas.MANIFEST`; every partition is to be one task.
    """
    task = spread(images, cores(spark))
    tasks = int(task.max()) + 1
    listed = spark.createDataFrame(images[MANIFEST.names].assign(task=task), _WITH_TASK)
    numbers = spark.range(0, tasks, 1, tasks).withColumnRenamed("id", "task")
    return numbers.join(F.broadcast(listed), "task").select(*MANIFEST.names)


def spread(images: pd.DataFrame, cores: int) -> npt.NDArray[np.int64]:
    """Choose a task for each image: even in number, and in bytes where sizes are known.

    Images are dealt from the largest to the smallest, forth and back, so that tasks differ by
    one image and by no more bytes than the largest image has. Where no size is known, the
    neighbours of the list, which are often alike, go to different tasks.

    Args:
        images: Perhaps with a column `size`: bytes, NaN where unknown.
        cores: Tasks are a multiple of it, so that all cores end together.

    Returns:
        Task of each image, from 0; shape (images,).
    """
    known = images["size"] if "size" in images else pd.Series(np.nan, images.index)
    usual = known.median() if known.notna().any() else 0
    size = known.fillna(usual).to_numpy(float)
    wanted = max(len(images) / TASK_IMAGES, size.sum() / TASK_BYTES)
    tasks = max(1, min(cores * ceil(wanted / cores), len(images)))
    turn, place = np.divmod(np.arange(len(images)), tasks)
    dealt = np.where(turn % 2 == 0, place, tasks - 1 - place)
    task = np.empty(len(images), np.int64)
    task[np.argsort(-size, kind="stable")] = dealt
    return task
