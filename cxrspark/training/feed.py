"""From labels and pixels to what TensorFlow trains on: Spark computes, Petastorm reads."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.patients import number_patients
from cxrspark.errors import UserError
from cxrspark.pixels.image import RECIPE, SIDE
from cxrspark.tables.open import read_table
from cxrspark.tables.schemas import PIXELS_TABLE
from cxrspark.tables.table import Format

COLUMNS = ("pixels", "frontal")

PARQUET = pa.schema([("pixels", pa.binary()), ("frontal", pa.float32()), ("patient", pa.int64())])

ROW_GROUP = 1024
"""Images that the driver holds at once as it writes: 4 MB."""

Dataset = Any
"""A tf.data.Dataset; TensorFlow ships no types that mypy could use."""


@dataclass(frozen=True)
class Labelled:
    """Labelled pixels in Parquet: `pixels` 4,096 bytes, `frontal` 0 or 1, `patient`.

    `patient` is a number, 0 …; the images of one are known to belong together.

    Attributes:
        folder: Where it lies, on the driver.
        views: Images of each view.
        sources: Images of each source; "" where it is unknown.
        left_out: Paths of labelled images that could not be read.
    """

    folder: str
    views: dict[str, int]
    sources: dict[str, int]
    left_out: list[str]


def kept_pixels(spark: SparkSession, table: str, table_format: Format) -> DataFrame:
    """Pixels that a scoring run kept: columns of `cxrspark.tables.schemas.PIXELS`.

    Raises:
        UserError: No such table, or pixels of another recipe.
    """
    pixels = read_table(spark, table, table_format, PIXELS_TABLE)
    other = pixels.where(F.col("pixels_recipe") != RECIPE).select("pixels_recipe").first()
    if other:
        raise UserError(f"--pixels {table}: holds {other[0]}, this version makes {RECIPE}")
    return pixels


def write_labelled(
    spark: SparkSession, images: pd.DataFrame, pixels: DataFrame, folder: str
) -> Labelled:
    """Join labels to pixels and write the table that Petastorm reads.

    Args:
        spark: The session.
        images: Columns image_id, label, patient_id and source.
        pixels: Columns of `cxrspark.tables.schemas.PIXELS`, for these images at least.
        folder: Of the driver, where to write; overwritten.

    Raises:
        UserError: None of the images could be read.
    """
    known = images[["image_id", "label", "source"]].astype(object)
    known = known.assign(patient=number_patients(images))
    known = known.where(known.notna(), None)
    labels = spark.createDataFrame(known.to_numpy().tolist(), _LABELS)
    frontal = (F.col("label") == "frontal").cast("float").alias("frontal")
    source = F.coalesce("source", F.lit("")).alias("source")
    labelled = pixels.join(F.broadcast(labels), "image_id").persist()
    readable = labelled.where("error is null")
    left_out = [row["path"] for row in labelled.where("error is not null").collect()]
    counts = readable.groupBy("label", source).count().toPandas()  # by now all is computed
    _write(readable.select("pixels", frontal, "patient"), Path(folder))
    labelled.unpersist()
    if counts.empty:
        raise UserError(f"none of {len(images)} labelled images can be read, e.g. {left_out[0]}")
    views, sources = (
        {str(name): int(rows) for name, rows in counts.groupby(column)["count"].sum().items()}
        for column in ("label", "source")
    )
    return Labelled(folder, views, sources, sorted(left_out))


def _write(rows: DataFrame, folder: Path) -> None:
    """Write `PARQUET` on the driver, of partitions that come one by one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    coming = rows.toLocalIterator()
    with pq.ParquetWriter(folder / "images.parquet", PARQUET) as file:
        while group := list(islice(coming, ROW_GROUP)):
            columns = zip(*group, strict=True)
            arrays = [
                pa.array(values, kind) for values, kind in zip(columns, PARQUET.types, strict=True)
            ]
            file.write_table(pa.table(arrays, PARQUET))


def read_labelled(folder: str) -> Dataset:
    """Read labelled pixels through Petastorm, once, into tf.data's cache.

    `make_batch_reader` reads any Parquet. One pass and a cache, since an endless reader has hung,
    run dry, and repeated or dropped rows (petastorm's threads 396, 432 and 673).

    Args:
        folder: From `write_labelled`.

    Returns:
        A dataset of single images: pixels uint8 (64, 64), frontal float32 ().
    """
    from petastorm import make_batch_reader
    from petastorm.tf_utils import make_petastorm_dataset

    with warnings.catch_warnings():  # petastorm uses what pyarrow 14 is about to take away
        warnings.simplefilter("ignore")
        reader = make_batch_reader(
            Path(folder).resolve().as_uri(),
            schema_fields=list(COLUMNS),
            num_epochs=1,
            reader_pool_type="dummy",
        )
        with reader:
            images = make_petastorm_dataset(reader).map(_decoded).unbatch().cache()
            count = sum(1 for _ in images)
    return images.apply(tf.data.experimental.assert_cardinality(count))


def _decoded(batch: Any) -> tuple[Any, Any]:
    pixels = tf.reshape(tf.io.decode_raw(batch.pixels, tf.uint8), (-1, SIDE, SIDE))
    return pixels, batch.frontal


_LABELS = "image_id string, label string, source string, patient long"
