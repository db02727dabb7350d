"""The same picture under several ids: found among kept pixels, confirmed on them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.audit.alike import BANDS, Coder, are_same, as_pixels
from cxrspark.sessions import to_executors

SAMPLE = 4096
"""Pictures that codes are fitted to."""

CROWD = 1000
"""More pictures with one code in common are no copies of each other but a kind of picture, blank
ones say; codes that they share are left aside."""

EXACT, NEAR = "exact", "near"

COLUMNS = (
    "kind", "alike", "same_subject", "image_id", "subject_id", "path", "other_image_id",
    "other_subject_id", "other_path",
)  # fmt: skip
"""A row of `duplicates`: two ids of one picture."""

_SCORED = T.StructType(
    [
        T.StructField("id", T.StringType()),
        T.StructField("other", T.StringType()),
        T.StructField("alike", T.FloatType()),
    ]
)


def duplicates(pixels: DataFrame) -> DataFrame:
    """Pairs of images that are the same picture.

    Exact copies have the same 64×64 pixels; each is paired with the first of them by id. Near
    copies are compressed, resized or of another contrast; those of exact copies are found once.
    Candidates have a code of `cxrspark.audit.alike.Coder` in common (banding of random
    projections), and `are_same` decides on their pixels.

    Args:
        pixels: `image_id`, `subject_id`, `path` and `pixels`, one row per image; is read several
            times.

    Returns:
        Columns `COLUMNS`; `same_subject` is null where a subject is unknown.
    """
    spark = pixels.sparkSession
    readable = pixels.where(F.col("pixels").isNotNull())
    first = readable.groupBy(F.sha2("pixels", 256).alias("picture")).agg(
        F.min("image_id").alias("first"), F.count("*").alias("copies")
    )
    exact = (
        readable.select(F.sha2("pixels", 256).alias("picture"), F.col("image_id").alias("other"))
        .join(first.where(F.col("copies") > 1), "picture")
        .where(F.col("other") != F.col("first"))
        .select(F.col("first").alias("id"), "other", F.lit(1.0).cast("float").alias("alike"))
    )
    pictures = first.select(F.col("first").alias("image_id"))
    near = _near(spark, readable.select("image_id", "pixels"), pictures, pixels.count())
    pairs = exact.withColumn("kind", F.lit(EXACT)).unionByName(near.withColumn("kind", F.lit(NEAR)))
    return _named(pairs, readable)


def paths_of(pairs: pd.DataFrame) -> dict[str, str]:
    """Path by image id, of both images of each pair."""
    firsts = zip(pairs["image_id"], pairs["path"], strict=True)
    others = zip(pairs["other_image_id"], pairs["other_path"], strict=True)
    return dict(firsts) | dict(others)


def _near(spark: SparkSession, readable: DataFrame, pictures: DataFrame, images: int) -> DataFrame:
    """Near copies among `pictures`, the ids of those with pixels that no other has.

    Pixels are some kilobytes each, so ids and codes are joined, and pixels only of candidates.
    """
    few = F.broadcast(pictures.limit(SAMPLE))
    sample = readable.join(few, "image_id", "left_semi").select("pixels").collect()
    if len(sample) < 2:
        return spark.createDataFrame([], _SCORED)
    fitted = Coder.of(as_pixels([row["pixels"] for row in sample]), images)
    coder = to_executors(spark, fitted)

    def encode(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            codes = coder.value.codes(as_pixels(list(batch["pixels"])))
            yield pd.DataFrame({"id": batch["image_id"], "codes": list(codes)})

    every = readable.mapInPandas(encode, "id string, codes array<bigint>")
    ids = pictures.withColumnRenamed("image_id", "id")
    coded = every.join(ids, "id", "left_semi").persist()  # asked for thrice, 100 bytes a picture
    each = coded.select("id", "codes", F.explode("codes").alias("code"))
    crowds = each.groupBy("code").count().where(~F.col("count").between(2, CROWD))
    each = each.join(crowds, "code", "left_anti")
    one, other = each.alias("one"), each.alias("other")
    candidates = (
        one.join(other, F.col("one.code") == F.col("other.code"))
        .where((F.col("one.id") < F.col("other.id")) & (_bits_apart() <= fitted.far))
        .select(F.col("one.id").alias("id"), F.col("other.id").alias("other"))
        .distinct()
    )
    return _confirmed(candidates, readable)


def _bits_apart() -> Column:
    codes = (F.col("one.codes"), F.col("other.codes"))
    return reduce(add, [F.bit_count(codes[0][n].bitwiseXOR(codes[1][n])) for n in range(BANDS)])


def _confirmed(candidates: DataFrame, readable: DataFrame) -> DataFrame:
    def decide(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            if not len(batch):
                continue
            pair = (as_pixels(list(batch[name])) for name in ("pixels", "other_pixels"))
            same, alike = are_same(*pair)
            yield batch.assign(alike=alike)[list(_SCORED.names)][same]

    with_pixels = candidates
    for name, column in (("id", "pixels"), ("other", "other_pixels")):
        named = readable.select(F.col("image_id").alias(name), F.col("pixels").alias(column))
        with_pixels = with_pixels.join(named, name)
    return with_pixels.mapInPandas(decide, _SCORED)


def _named(pairs: DataFrame, images: DataFrame) -> DataFrame:
    ids = images.select("image_id", "subject_id", "path")
    other = ids.select(*(F.col(name).alias(f"other_{name}") for name in ids.columns))
    named = pairs.withColumnsRenamed({"id": "image_id", "other": "other_image_id"})
    named = named.join(ids, "image_id").join(other, "other_image_id")
    same = F.col("subject_id") == F.col("other_subject_id")
    return named.withColumn("same_subject", same).select(*COLUMNS)
